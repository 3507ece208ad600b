"""Periodic work about what both sides own; each may run twice or at the same time without harm."""

from celery import shared_task
from django.utils import timezone

from handoffs.services import approvals
from handoffs.services.client.pulses import is_mail_time, send_due_pulses
from handoffs.services.escalation import escalate_late_reviews as escalate


@shared_task(name="handoffs.tasks.escalate_late_reviews")
def escalate_late_reviews() -> None:
    """Every minute: tell the next in the chain about fast-lane reviews whose clock ran out."""
    escalate(now=timezone.now())


@shared_task(name="handoffs.tasks.ask_clients")
def ask_clients() -> None:
    """Every ten minutes, by day: ask clients whose day has come how it goes, and remind them."""
    now = timezone.now()
    if is_mail_time(now):
        send_due_pulses(now)


@shared_task(name="handoffs.tasks.remind_and_escalate")
def remind_and_escalate() -> None:
    """Every minute: remind those whose approval is waited for, and ask others where it is late."""
    approvals.remind_and_escalate(now=timezone.now())
