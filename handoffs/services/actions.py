"""Tasks that are done when what they are about is done: a signed review, an agreed risk profile."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import F
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.queries import organisation
from events import names
from events.recording import Occurrence, record_many
from handoffs.models import (
    Engagement,
    EngagementState,
    ReviewDecision,
    RiskProfile,
    Task,
    TaskAction,
    TaskSide,
    TaskState,
    Verdict,
)
from handoffs.services.wanted import wanted_triggers
from opportunities.models import Opportunity

REVIEW_ACTIONS = frozenset({TaskAction.REVIEW, TaskAction.EXPRESS_REVIEW})
# These can't be ticked by hand.
FOLLOWING_ACTIONS = REVIEW_ACTIONS | {TaskAction.RISK_PROFILE}


@dataclass(frozen=True)
class Signatures:
    """Who agreed for each side, and when; ``evidence`` says in a line what came of it."""

    sales_by: User
    sales_at: dt.datetime
    delivery_by: User
    delivery_at: dt.datetime
    evidence: str

    @classmethod
    def of(
        cls,
        sales_by: User | None,
        sales_at: dt.datetime | None,
        delivery_by: User | None,
        delivery_at: dt.datetime | None,
        *,
        evidence: str,
    ) -> Signatures | None:
        """Both signatures, or None while one is missing."""
        if sales_by is None or sales_at is None or delivery_by is None or delivery_at is None:
            return None
        return cls(sales_by, sales_at, delivery_by, delivery_at, evidence)


def follow_review(opportunity: Opportunity, now: dt.datetime, actor: User | None = None) -> None:
    """Make the deal's review tasks done while its newest verdict is signed by both, and open again while it isn't.

    Runs in the caller's transaction, with the deal locked; doing it again changes nothing.
    """
    decision = (
        ReviewDecision.objects.filter(review__opportunity=opportunity)
        .select_related("sales_signed_by", "delivery_signed_by")
        .order_by("-pk")
        .first()
    )
    if decision is None:
        return
    signatures = Signatures.of(
        decision.sales_signed_by, decision.sales_signed_at, decision.delivery_signed_by, decision.delivery_signed_at,
        evidence=str(Verdict(decision.verdict).label),
    )  # fmt: skip
    _follow(opportunity, REVIEW_ACTIONS, signatures, now, actor)


def follow_profile(opportunity: Opportunity, now: dt.datetime, actor: User | None = None) -> None:
    """Make the deal's “risk profile” tasks done while its newest profile is agreed by both sides, else open again.

    Call it in the transaction that proposes or agrees a profile, with the deal locked
    (``opportunities.services.versions.locked``); ``actor`` is who did that. Doing it again changes nothing, and a deal
    without a profile is left alone.
    """
    profile = (
        RiskProfile.objects.filter(opportunity=opportunity)
        .select_related("sales_agreed_by", "delivery_agreed_by")
        .order_by("-number")
        .first()
    )
    if profile is None:
        return
    signatures = Signatures.of(
        profile.sales_agreed_by, profile.sales_agreed_at, profile.delivery_agreed_by, profile.delivery_agreed_at,
        evidence=_("version %(number)d of the risk profile") % {"number": profile.number},
    )  # fmt: skip
    _follow(opportunity, {TaskAction.RISK_PROFILE}, signatures, now, actor)


def _follow(
    opportunity: Opportunity,
    actions: Collection[TaskAction],
    signatures: Signatures | None,
    now: dt.datetime,
    actor: User | None,
) -> None:
    waiting = [TaskState.DONE] if signatures is None else [TaskState.OPEN, TaskState.PAUSED]
    found = Task.objects.filter(opportunity=opportunity, action__in=list(actions), state__in=waiting)
    tasks = list(found.order_by("pk"))
    if not tasks:
        return
    if signatures is not None:
        name = names.TASK_COMPLETED
        for task in tasks:
            _complete(task, signatures)
        _start_engagement(tasks, now)
    else:
        name = names.TASK_REOPENED
        _reopen(tasks, opportunity, now)
    for task in tasks:
        task.version += 1
        task.updated_at = now
    Task.objects.bulk_update(tasks, [
        "state", "evidence", "paused_on", "sales_done_by", "sales_done_at", "delivery_done_by", "delivery_done_at",
        "done_at", "version", "updated_at",
    ])  # fmt: skip
    record_many([
        Occurrence(
            name, task, opportunity, {"title": task.title, "done": signatures is not None, "side": task.side}
        ) for task in tasks
    ], actor=actor, now=now)  # fmt: skip


def _complete(task: Task, signed: Signatures) -> None:
    task.state, task.paused_on = TaskState.DONE, None
    task.evidence = signed.evidence
    task.sales_done_by, task.sales_done_at = signed.sales_by, signed.sales_at
    task.delivery_done_by, task.delivery_done_at = signed.delivery_by, signed.delivery_at
    task.done_at = max(signed.sales_at, signed.delivery_at)


def _reopen(tasks: list[Task], opportunity: Opportunity, now: dt.datetime) -> None:
    engagement = opportunity.engagements.order_by("-requested_at", "-pk").first()
    wanted = wanted_triggers(opportunity, engagement) if engagement is not None else set()
    for task in tasks:
        task.state = TaskState.OPEN if task.trigger in wanted else TaskState.PAUSED
        task.paused_on = None if task.state == TaskState.OPEN else organisation().today(now)
        task.evidence = ""
        task.sales_done_by = task.sales_done_at = task.delivery_done_by = task.delivery_done_at = task.done_at = None


def _start_engagement(tasks: list[Task], now: dt.datetime) -> None:
    """As with a task done by hand: delivery has begun."""
    keys = {task.engagement_id for task in tasks if task.side != TaskSide.SALES}
    Engagement.objects.filter(pk__in=keys, state=EngagementState.ACCEPTED).update(
        state=EngagementState.ACTIVE, updated_at=now, version=F("version") + 1
    )
