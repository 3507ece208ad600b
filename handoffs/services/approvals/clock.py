"""Reminding those who are asked, and asking others when they don't answer."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from accounts.models import Role
from events import names
from events.recording import record
from handoffs.models import ApprovalStep, StepState

MOST_AT_ONCE = 200  # the rest waits for the next minute


@dataclass(frozen=True)
class Ticked:
    """How many steps were reminded and escalated."""

    reminded: int
    escalated: int


def remind_and_escalate(*, now: dt.datetime) -> Ticked:
    """Remind and escalate every step whose time has come; each once, whoever runs this and how often."""
    to_remind = Q(reminded_at__isnull=True, remind_at__lte=now, state=StepState.PENDING)
    to_escalate = Q(escalate_at__lte=now, state=StepState.PENDING)
    due = ApprovalStep.objects.waiting().filter(to_remind | to_escalate).order_by("remind_at", "pk")
    reminded = escalated = 0
    for key in due.values_list("pk", flat=True)[:MOST_AT_ONCE]:
        what = _tick(key, now)
        reminded += what == names.APPROVAL_REMINDED
        escalated += what == names.APPROVAL_ESCALATED
    return Ticked(reminded, escalated)


def _tick(key: int, now: dt.datetime) -> str | None:
    with transaction.atomic():
        # Taken without waiting: whoever decides at this moment holds the deal before the step, and comes first.
        waiting = ApprovalStep.objects.waiting().filter(pk=key, state=StepState.PENDING)
        step = waiting.select_for_update(of=("self",), skip_locked=True).first()
        if step is None:
            return None
        if step.escalate_at is not None and step.escalate_at <= now:
            step.state, step.escalated_at = StepState.ESCALATED, now
            return _tell(names.APPROVAL_ESCALATED, step, now)
        if step.remind_at is not None and step.remind_at <= now and step.reminded_at is None:
            step.reminded_at = now
            return _tell(names.APPROVAL_REMINDED, step, now)
    return None


def _tell(name: str, step: ApprovalStep, now: dt.datetime) -> str:
    step.save(update_fields=["state", "escalated_at", "reminded_at"])
    handoff = step.submission.handoff
    data = {"step": step.name, "step_ids": [step.pk], "role": str(Role(step.escalate_to).label).lower()}
    record(name, actor=None, about=handoff, within=handoff.opportunity, now=now, data=data)
    return name
