"""What Celery calls. The ids come from the relay; whatever is lost on the way is rung for again."""

from __future__ import annotations

import time

import structlog
from celery import shared_task
from celery.exceptions import Reject
from django.db import InterfaceError, OperationalError

from events import deliveries
from events.models import Delivery, DeliveryState

log = structlog.get_logger(__name__)

DATABASE_AWAY_SECONDS = 1.0


@shared_task(soft_time_limit=deliveries.RUN_SECONDS - 5, time_limit=deliveries.RUN_SECONDS)
def deliver(delivery_id: int, attempt: int) -> None:
    """Run one delivery; ``attempt`` is the number of attempts it had when it was rung for."""
    try:
        deliveries.deliver(delivery_id, attempt=attempt, now=deliveries.database_now())
    except (OperationalError, InterfaceError) as error:
        # The database went away, and the row could not be told. With the message back in the queue its turn comes as
        # soon as the database does; without, only when the lease of the broken run has ended.
        time.sleep(DATABASE_AWAY_SECONDS)
        raise Reject(str(error).strip(), requeue=True)


@shared_task(ignore_result=True)
def sweep() -> None:
    """Put right what a clock set back has put off, and tell the logs what is late or given up."""
    now = deliveries.database_now()
    straightened = deliveries.straighten(now)
    dead = Delivery.objects.filter(state=DeliveryState.DEAD).count()
    late = deliveries.delay(now)
    if straightened or dead or late:
        log.warning("background work needs attention", dead=dead, late=late, straightened=straightened)
