"""What waits for one person's approval, and what they decided."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Count, Q, QuerySet

from accounts.models import Role, User
from accounts.queries import organisation
from handoffs.approvers import DECIDED, Approvers, Ask, ask_of_step, stand_ins
from handoffs.models import (
    ApprovalStep,
    Commitment,
    CommitmentOutcome,
    ConditionState,
    ReviewCondition,
    ReviewDecision,
    Section,
    Stance,
    Submission,
    SubmissionState,
)
from handoffs.snapshot_differences import ItemChange, differences
from opportunities.models import Opportunity


@dataclass(frozen=True)
class Waiting:
    """A step that the person may decide now."""

    step: ApprovalStep
    on_behalf_of: User | None
    is_orphaned: bool = False
    is_late: bool = False


@dataclass(frozen=True)
class SectionSummary:
    """The items of one section as they were handed in."""

    label: str
    items: Sequence[dict[str, Any]]


@dataclass(frozen=True)
class InboxRow:
    """One row of the inbox: what a manager has to know before deciding."""

    waiting: Waiting
    changes: Sequence[ItemChange] | None = None
    open_conditions: int = 0
    disputed: int = 0
    sections: Sequence[SectionSummary] = field(default_factory=list)

    @property
    def step(self) -> ApprovalStep:
        """The step to decide."""
        return self.waiting.step

    @property
    def submission(self) -> Submission:
        """What was handed in."""
        return self.step.submission

    @property
    def deal(self) -> Opportunity:
        """The deal that was won."""
        return self.submission.handoff.opportunity

    @property
    def waived(self) -> list[dict[str, Any]]:
        """Items that somebody let go, each with its reason."""
        return [item for item in self.submission.items if item.get("waived_reason")]

    @property
    def optional_open(self) -> int:
        """How many items that are not required were left open."""
        return sum(item["state"] == "open" for item in self.submission.items)

    @property
    def done(self) -> int:
        """How many items are done."""
        return sum(item["state"] == "done" for item in self.submission.items)


def inbox_of(user: User, now: dt.datetime) -> list[Waiting]:
    """Every step that waits for this person, in their own name or another's; the one that is due first comes first.

    A constant number of queries. The rows are lean, see ``inbox_rows`` for those of one page.
    """
    if not user.is_active:
        return []
    today = organisation().today(now)
    steps = list(_candidates(user, today))
    asks = _asks(steps)
    if not asks:
        return []
    approvers = Approvers(asks.values(), today=today)
    found = []
    for step in steps:
        option = approvers.option_for(user, asks[step.pk])
        if option is not None:
            late = step.remind_at is not None and step.remind_at <= now
            found.append(Waiting(step, option.on_behalf_of, approvers.is_orphaned(asks[step.pk]), late))
    return found


def inbox_rows(page: Sequence[Waiting]) -> list[InboxRow]:
    """What the inbox shows of these steps. A constant number of queries."""
    full = (
        Submission.objects.filter(pk__in=[waiting.step.submission_id for waiting in page])
        .select_related(
            "submitted_by", "handoff__project_manager", "handoff__opportunity__account",
            "handoff__opportunity__owner", "handoff__opportunity__delivery_owner",
            "handoff__opportunity__service_line",
        )
        .in_bulk()
    )  # fmt: skip
    earlier = _earlier(full.values())
    deals = [submission.handoff.opportunity_id for submission in full.values()]
    conditions, disputed = _open_conditions(deals), _disputed(deals)
    rows = []
    for waiting in page:
        submission = full[waiting.step.submission_id]
        waiting.step.submission = submission
        before = earlier.get((submission.handoff_id, submission.number - 1))
        deal = submission.handoff.opportunity_id
        rows.append(
            InboxRow(
                waiting, differences(before.items, submission.items) if before else None, conditions.get(deal, 0),
                disputed.get(deal, 0), _sections(submission),
            )
        )  # fmt: skip
    return rows


def row_of(step: ApprovalStep, user: User, now: dt.datetime) -> InboxRow | None:
    """One row of the person's inbox, or None when the step doesn't wait for them."""
    found = [waiting for waiting in inbox_of(user, now) if waiting.step.pk == step.pk]
    return inbox_rows(found)[0] if found else None


def decided_by(user: User) -> QuerySet[ApprovalStep]:
    """Steps that the person decided, or somebody in their name, newest first; on deals that they may see."""
    theirs = Q(decided_by=user) | Q(on_behalf_of=user)
    return (
        ApprovalStep.objects.visible_to(user)
        .filter(theirs, state__in=DECIDED)
        .select_related(
            "decided_by", "on_behalf_of", "submission__submitted_by", "submission__handoff__opportunity__account",
        )
        .defer("submission__items")
        .order_by("-decided_at", "-pk")
    )  # fmt: skip


def _candidates(user: User, today: dt.date) -> QuerySet[ApprovalStep]:
    """Waiting steps on deals that the person sees, as far as their roles, or those of the absent, may fit."""
    people, roles = {user.pk}, set(user.roles)
    delegate_of = stand_ins(today)
    if user.pk in delegate_of.values():
        absent = User.objects.filter(pk__in=delegate_of, is_active=True)
        for key, theirs in absent.values_list("pk", "roles"):
            people.add(key)
            roles.update(theirs)
    fits = Q(role__in=roles) | Q(escalate_to__in=roles) | Q(pk__in=_named(people))
    waiting = ApprovalStep.objects.waiting().visible_to(user).exclude(submitted_by=user)
    # Administrators, and those who stand in for one, decide what nobody else can.
    if Role.ADMINISTRATOR not in roles:
        waiting = waiting.filter(fits)
    return (
        waiting.select_related("submission__handoff__opportunity")
        .defer("submission__items", "submission__handoff__opportunity__description")
        .prefetch_related("people")
        .order_by("escalate_at", "pk")
    )


def _named(people: set[int]) -> QuerySet[Any]:
    return ApprovalStep.people.through.objects.filter(user__in=people).values("approvalstep")


def _asks(steps: Sequence[ApprovalStep]) -> dict[int, Ask]:
    decided = ApprovalStep.objects.filter(submission__state=SubmissionState.PENDING, state__in=DECIDED)
    spent: dict[int, set[int]] = defaultdict(set)
    for submission, *people in decided.values_list("submission_id", "decided_by_id", "on_behalf_of_id"):
        spent[submission].update(person for person in people if person)
    return {step.pk: replace(ask_of_step(step, []), spent=frozenset(spent[step.submission_id])) for step in steps}


def _earlier(submissions: Any) -> dict[tuple[int, int], Submission]:
    handoffs = [submission.handoff_id for submission in submissions if submission.number > 1]
    if not handoffs:
        return {}
    found = Submission.objects.filter(handoff__in=handoffs)
    return {(submission.handoff_id, submission.number): submission for submission in found}


def _open_conditions(deals: Sequence[int]) -> dict[int, int]:
    newest = ReviewDecision.objects.filter(review__opportunity__in=deals)
    newest = newest.order_by("review__opportunity", "-pk").distinct("review__opportunity")
    found = (
        ReviewCondition.objects.filter(decision__in=newest.values("pk"), state=ConditionState.OPEN)
        .values_list("decision__review__opportunity")
        .annotate(count=Count("pk"))
        .order_by()
    )
    return dict(found)


def _disputed(deals: Sequence[int]) -> dict[int, int]:
    found = Commitment.objects.current().filter(
        opportunity__in=deals, stance=Stance.DISPUTED, outcome=CommitmentOutcome.OPEN
    )
    return dict(found.values_list("opportunity").annotate(count=Count("pk")).order_by())


def _sections(submission: Submission) -> list[SectionSummary]:
    by_section: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for item in submission.items:
        by_section[item["section"]].append(item)
    return [SectionSummary(str(Section(key).label), items) for key, items in by_section.items() if key]
