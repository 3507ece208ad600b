"""Periodic work about what both sides own; each may run twice or at the same time without harm."""

from celery import shared_task
from django.utils import timezone

from handoffs.services.escalation import escalate_late_reviews as escalate


@shared_task(name="handoffs.tasks.escalate_late_reviews")
def escalate_late_reviews() -> None:
    """Every minute: tell the next in the chain about fast-lane reviews whose clock ran out."""
    escalate(now=timezone.now())
