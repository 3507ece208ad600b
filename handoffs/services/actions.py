"""Tasks that are done when what they are about is done: a signed review, a settled promise, people handed over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_stubs_ext import StrPromise

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
_BY_REVIEW = gettext_lazy(
    "This follows the deal review: it is done when both sides have signed its newest verdict."
)  # fmt: skip
# These can't be ticked by hand; each with where it is done instead.
DONE_ELSEWHERE: Mapping[str, StrPromise] = {
    TaskAction.REVIEW: _BY_REVIEW,
    TaskAction.EXPRESS_REVIEW: _BY_REVIEW,
    TaskAction.RISK_PROFILE: gettext_lazy(
        "This follows the risk profile: it is done when both sides have agreed its newest version."
    ),
    TaskAction.RELATIONSHIPS: gettext_lazy(
        "This follows the relationship map: it is done when everybody on it was introduced and taken over."
    ),
    TaskAction.CONDITION: gettext_lazy(
        "This follows the deal review: it is done when its condition is met or dropped there."
    ),
    TaskAction.COMMITMENT: gettext_lazy(
        "This follows the promises to the client: it is done when delivery accepts the promise, or it is settled."
    ),
    TaskAction.CLIENT_SCOPE: gettext_lazy("This follows the client: it is done when the client confirms the scope."),
    TaskAction.CLIENT_CRITERIA: gettext_lazy(
        "This follows the client: it is done when the client confirms the success criteria."
    ),
    TaskAction.CLIENT_RISKS: gettext_lazy(
        "This follows the client: it is done when the client confirms the risk profile."
    ),
    TaskAction.PULSE: gettext_lazy("This follows the client: it is done when the client rates the start."),
}
FOLLOWING_ACTIONS = frozenset(DONE_ELSEWHERE)


@dataclass(frozen=True)
class Signatures:
    """Who did it for each side, and when; ``evidence`` says in a line what came of it.

    A side without a person followed what somebody else did.
    """

    sales_by: User | None
    sales_at: dt.datetime
    delivery_by: User | None
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
    follow_action(opportunity, REVIEW_ACTIONS, signatures, now, actor)


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
    follow_action(opportunity, {TaskAction.RISK_PROFILE}, signatures, now, actor)


def followers(opportunity: Opportunity, actions: Collection[TaskAction]) -> QuerySet[Task]:
    """The deal's tasks of these actions, those that somebody waived or nobody needs left out."""
    states = [TaskState.OPEN, TaskState.PAUSED, TaskState.DONE]
    return Task.objects.filter(opportunity=opportunity, action__in=list(actions), state__in=states).order_by("pk")


def follow_action(
    opportunity: Opportunity,
    actions: Collection[TaskAction],
    signatures: Signatures | None,
    now: dt.datetime,
    actor: User | None = None,
) -> None:
    """Make all the deal's tasks of these actions done, or without signatures open again."""
    tasks = followers(opportunity, actions)
    tasks = tasks.filter(state=TaskState.DONE) if signatures is None else tasks.exclude(state=TaskState.DONE)
    follow_tasks(opportunity, [(task, signatures) for task in tasks], now, actor)


def follow_tasks(
    opportunity: Opportunity,
    outcomes: Iterable[tuple[Task, Signatures | None]],
    now: dt.datetime,
    actor: User | None = None,
) -> None:
    """Make each task done with its signatures, or open again where it has none; those that are so already stay.

    Runs in the caller's transaction, with the deal locked.
    """
    done, opened = [], []
    for task, signatures in outcomes:
        if signatures is not None and task.state in (TaskState.OPEN, TaskState.PAUSED):
            complete(task, signatures)
            done.append(task)
        elif signatures is None and task.state == TaskState.DONE:
            opened.append(task)
    if not done and not opened:
        return
    _start_engagement(done, now)
    _reopen(opened, opportunity, now)
    for task in (*done, *opened):
        task.version += 1
        task.updated_at = now
    Task.objects.bulk_update([*done, *opened], [
        "state", "evidence", "paused_on", "sales_done_by", "sales_done_at", "delivery_done_by", "delivery_done_at",
        "done_at", "version", "updated_at",
    ])  # fmt: skip
    told = [(names.TASK_COMPLETED, task) for task in done] + [(names.TASK_REOPENED, task) for task in opened]
    record_many([
        Occurrence(
            name, task, opportunity, {"title": task.title, "done": name == names.TASK_COMPLETED, "side": task.side}
        ) for name, task in told
    ], actor=actor, now=now)  # fmt: skip


def complete(task: Task, signed: Signatures) -> None:
    """Set, not saved, what makes the task done."""
    task.state, task.paused_on = TaskState.DONE, None
    task.evidence = signed.evidence[:1000]
    task.sales_done_by, task.sales_done_at = signed.sales_by, signed.sales_at
    task.delivery_done_by, task.delivery_done_at = signed.delivery_by, signed.delivery_at
    if signed.sales_by == signed.delivery_by:
        task.sales_done_by = None if task.side != TaskSide.SALES else signed.sales_by
        task.delivery_done_by = signed.delivery_by if task.side != TaskSide.SALES else None
    task.done_at = max(signed.sales_at, signed.delivery_at)


def _reopen(tasks: list[Task], opportunity: Opportunity, now: dt.datetime) -> None:
    if not tasks:
        return
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
    if keys:
        Engagement.objects.filter(pk__in=keys, state=EngagementState.ACCEPTED).update(
            state=EngagementState.ACTIVE, updated_at=now, version=F("version") + 1
        )
