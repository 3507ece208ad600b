"""Periodic work about deals; each may run twice or at the same time without harm."""

from celery import shared_task
from django.utils import timezone

from opportunities.services.forecast import lock_when_due
from opportunities.services.totals import compact_totals


@shared_task(name="opportunities.tasks.fold_totals")
def fold_totals() -> None:
    """Every minute: keep the totals short."""
    compact_totals()


@shared_task(name="opportunities.tasks.lock_forecast")
def lock_forecast() -> None:
    """Every quarter of an hour: lock the week's forecast once; later ticks of the week find it locked."""
    lock_when_due(now=timezone.now())
