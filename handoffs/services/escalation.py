"""Telling one after the other when the clock of a fast-lane review runs out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Role
from events import names
from events.recording import record
from handoffs.models import DealReview, Escalation, EscalationStep
from opportunities.queries.people import people_who_see

MOST_AT_ONCE = 200  # the rest waits for the next minute


def escalate_late_reviews(*, now: dt.datetime) -> list[Escalation]:
    """Take each late express review as far along the chain as its hours say; each step once, whoever runs this.

    Of each step those people are told who have the role and may see the deal; where there is nobody, that is noted.
    """
    steps = list(EscalationStep.objects.order_by("position"))
    if not steps:
        return []
    late = DealReview.objects.running().filter(is_express=True, paused_at__isnull=True, due_at__lte=now)
    told: list[Escalation] = []
    for key in late.order_by("due_at", "pk").values_list("pk", flat=True)[:MOST_AT_ONCE]:
        told += _escalate(key, steps, now)
    return told


def _escalate(key: int, steps: Sequence[EscalationStep], now: dt.datetime) -> list[Escalation]:
    with transaction.atomic():
        late = DealReview.objects.running().filter(pk=key, is_express=True, paused_at__isnull=True, due_at__lte=now)
        review = late.select_for_update(of=("self",), skip_locked=True).select_related("opportunity").first()
        if review is None:
            return []
        known = set(review.escalations.values_list("position", flat=True))
        overdue = now - review.due_at
        reached = [step for step in steps if overdue >= dt.timedelta(hours=step.hours)]
        return [_tell(review, step, now) for step in reached if step.position not in known]


def _tell(review: DealReview, step: EscalationStep, now: dt.datetime) -> Escalation:
    people = list(people_who_see(review.opportunity).filter(roles__contains=[step.role]).order_by("pk"))
    escalation = Escalation.objects.create(
        review=review, position=step.position, role=step.role, told=[person.pk for person in people], at=now
    )
    nobody = _("nobody (%(role)s)") % {"role": str(Role(step.role).label).lower()}
    record(
        names.REVIEW_ESCALATED, actor=None, about=review, within=review.opportunity, now=now,
        data={
            "people": ", ".join(str(person) for person in people) or nobody, "user_ids": escalation.told,
            "role": step.role, "position": step.position,
        },
    )  # fmt: skip
    return escalation
