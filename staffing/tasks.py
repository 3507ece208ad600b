"""Periodic work about staffing; it may run twice or at the same time without harm."""

from celery import shared_task
from django.utils import timezone

from staffing.services.filling import fill_begun


@shared_task(name="staffing.tasks.fill_needs")
def fill_needs() -> None:
    """Every hour: needs whose booked work has begun are filled."""
    fill_begun(timezone.now())
