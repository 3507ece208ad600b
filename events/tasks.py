"""What Celery calls. The ids come from the relay; whatever is lost on the way is rung for again."""

from __future__ import annotations

import structlog
from celery import shared_task

from events import deliveries
from events.models import Delivery, DeliveryState

log = structlog.get_logger(__name__)


@shared_task(soft_time_limit=deliveries.RUN_SECONDS - 5, time_limit=deliveries.RUN_SECONDS)
def deliver(delivery_id: int, attempt: int) -> None:
    """Run one delivery; ``attempt`` is the number of attempts it had when it was rung for."""
    deliveries.deliver(delivery_id, attempt=attempt, now=deliveries.database_now())


@shared_task(ignore_result=True)
def sweep() -> None:
    """Put right what a clock set back has put off, and tell the logs what is late or given up."""
    now = deliveries.database_now()
    straightened = deliveries.straighten(now)
    dead = Delivery.objects.filter(state=DeliveryState.DEAD).count()
    late = deliveries.delay(now)
    if straightened or dead or late:
        log.warning("background work needs attention", dead=dead, late=late, straightened=straightened)
