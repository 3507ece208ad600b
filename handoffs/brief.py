"""The handoff brief: everything that matters about a won deal, gathered for one page."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.aggregates import StringAgg
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Prefetch, Q, Subquery, Value
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from handoffs.models import (
    ApprovalStep,
    ClientAnswer,
    Commitment,
    ConditionState,
    Confirmation,
    Handoff,
    RaidItem,
    RampPhase,
    RelationshipTransfer,
    ReviewCondition,
    ReviewDecision,
    RiskProfile,
    Section,
    Stance,
    Statement,
    Subject,
    Submission,
    Task,
    TaskAction,
    TaskState,
)
from handoffs.models.risk import LEAST, MOST
from handoffs.risk_differences import response_of
from handoffs.risk_queries import band_of, band_word
from handoffs.services.risk_profiles import snapshot
from opportunities.models import Opportunity
from staffing.models import StaffingNeed

# The gravest entries are named one by one, the rest by how many there are.
MOST_RISKS = 12
MOST_MILESTONES = 6
MOST_NEEDS = 8
# Two texts stand beside each other while both are short.
SHORT = 700  # characters


@dataclass(frozen=True)
class Yes:
    """A contact who confirmed a version, and when."""

    name: str
    at: dt.datetime


@dataclass(frozen=True)
class Stated:
    """Scope or success criteria: the newest version, and who of the client said yes to it."""

    label: str
    statement: Statement | None
    confirmed: Sequence[Yes]


@dataclass(frozen=True)
class Entry:
    """One entry of the risk profile."""

    text: str
    likelihood: int | None
    impact: int | None
    response: str
    owner: str

    @property
    def band(self) -> str:
        """low, medium, high; empty where it isn't rated."""
        return band_of((self.likelihood or 0) * (self.impact or 0))

    @property
    def word(self) -> str:
        """How grave it is, in a word."""
        return band_word(self.band)


@dataclass(frozen=True)
class Square:
    """A field of the little matrix: where it is drawn, and how many entries are rated so."""

    x: int
    y: int
    band: str
    count: int


@dataclass(frozen=True)
class Risks:
    """The newest version of the risk profile, or the register where none was put up."""

    profile: RiskProfile | None
    entries: Sequence[Entry]

    @property
    def shown(self) -> Sequence[Entry]:
        """The gravest."""
        return self.entries[:MOST_RISKS]

    @property
    def rest(self) -> str:
        """The others in a line; empty where all are shown."""
        others = self.entries[MOST_RISKS:]
        if not others:
            return ""
        counts = Counter(entry.word or _("not rated") for entry in others)
        parts = ", ".join(f"{count} {word.lower()}" for word, count in counts.items())
        more = ngettext("%(count)d more: %(parts)s", "%(count)d more: %(parts)s", len(others))
        return more % {"count": len(others), "parts": parts}

    @property
    def squares(self) -> list[Square]:
        """The matrix, likelihood upwards and impact to the right, ten units a field."""
        counts = Counter((entry.likelihood, entry.impact) for entry in self.entries)
        return [
            Square((impact - LEAST) * 10, (MOST - likelihood) * 10, band_of(likelihood * impact),
                   counts[likelihood, impact])
            for likelihood in range(LEAST, MOST + 1)
            for impact in range(LEAST, MOST + 1)
        ]  # fmt: skip


@dataclass(frozen=True)
class Brief:
    """What the page shows, in its order."""

    handoff: Handoff
    decision: ReviewDecision | None
    stated: Sequence[Stated]
    promises: Sequence[Commitment]
    relationships: Sequence[RelationshipTransfer]
    risks: Risks
    needs: Sequence[StaffingNeed]
    staffing: Sequence[Task]
    milestones: Sequence[Task]
    ends_on: dt.date | None
    submission: Submission | None
    steps: Sequence[ApprovalStep]

    @property
    def are_texts_short(self) -> bool:
        """Whether scope and success criteria fit beside each other."""
        return all(part.statement is None or len(part.statement.text) <= SHORT for part in self.stated)

    @property
    def conditions(self) -> list[Any]:
        """Open conditions of the newest verdict."""
        if self.decision is None:
            return []
        return [each for each in self.decision.conditions.all() if each.state == ConditionState.OPEN]

    @property
    def shown_needs(self) -> Sequence[StaffingNeed]:
        """The first to begin."""
        return self.needs[:MOST_NEEDS]

    @property
    def more_needs(self) -> int:
        """How many are not named one by one."""
        return len(self.needs[MOST_NEEDS:])

    @property
    def cold(self) -> int:
        """How many people delivery would meet without an introduction."""
        return sum(1 for transfer in self.relationships if transfer.is_cold)

    @property
    def promises_not_accepted(self) -> int:
        """Promises that delivery has not said yes to."""
        return sum(1 for promise in self.promises if promise.stance != Stance.ACCEPTED)


_STANCES: Mapping[str, int] = {
    Stance.DISPUTED: 0, Stance.PENDING: 1, Stance.ACCEPTED_IF: 2, Stance.ACCEPTED: 3,
}  # fmt: skip


def brief_of(handoff: Handoff) -> Brief:
    """Everything on the page. Ten queries at most, however much there is; the deal's people must be joined."""
    opportunity = handoff.opportunity
    tasks = list(
        Task.objects.filter(opportunity=opportunity)
        .filter(Q(section=Section.STAFFING) | Q(action=TaskAction.STAFFING) | ~Q(phase=""))
        .exclude(state=TaskState.CANCELLED)
        .select_related("assignee")
    )
    planned = [task for task in tasks if task.phase]
    submission = handoff.submissions.select_related("submitted_by").order_by("-number").first()
    return Brief(
        handoff=handoff,
        decision=_decision(handoff),
        stated=_stated(handoff),
        promises=_promises(handoff),
        relationships=list(
            handoff.relationships.filter(dropped_at__isnull=True)
            .select_related("contact", "owner_now", "owner_next", "accepted_by")
            .order_by("contact__name", "pk")
        ),
        risks=_risks(handoff),
        needs=_needs(opportunity),
        staffing=[task for task in tasks if not task.phase],
        milestones=[task for task in planned if task.phase != RampPhase.EXIT][:MOST_MILESTONES],
        ends_on=max((task.due_on for task in planned), default=None),
        submission=submission,
        steps=list(submission.steps.select_related("decided_by", "on_behalf_of")) if submission else [],
    )


def _decision(handoff: Handoff) -> ReviewDecision | None:
    return (
        ReviewDecision.objects.filter(review__opportunity=handoff.opportunity_id)
        .prefetch_related(Prefetch("conditions", ReviewCondition.objects.select_related("owner")))
        .order_by("-pk")
        .first()
    )


def _needs(opportunity: Opportunity) -> list[StaffingNeed]:
    """What it takes, with the names of those who are booked as ``booked``. One query."""
    names = StringAgg(
        "bookings__person__name", delimiter=", ", distinct=True, default=Value(""),
        filter=Q(bookings__released_at__isnull=True),
    )  # fmt: skip
    found = StaffingNeed.objects.live().filter(opportunity=opportunity).select_related("role")
    return list(found.annotate(booked=names))


def _stated(handoff: Handoff) -> list[Stated]:
    """One query for both subjects."""
    newest = Statement.objects.filter(opportunity=handoff.opportunity_id, subject=OuterRef("subject"))
    answers = Confirmation.objects.filter(statement=OuterRef("pk"), answer=ClientAnswer.CONFIRMED)
    found = (
        Statement.objects.filter(
            opportunity=handoff.opportunity_id, pk=Subquery(newest.order_by("-number").values("pk")[:1])
        )
        .select_related("written_by", "amended_by")
        .annotate(said=ArraySubquery(answers.order_by("at").values(said=JSONObject(name="contact__name", at="at"))))
    )
    by_subject = {statement.subject: statement for statement in found}
    return [
        Stated(str(subject.label), statement, _said(statement))
        for subject in (Subject.SCOPE, Subject.SUCCESS_CRITERIA)
        for statement in [by_subject.get(subject.value)]
    ]


def _said(statement: Any) -> list[Yes]:
    if statement is None:
        return []
    return [Yes(each["name"], dt.datetime.fromisoformat(each["at"])) for each in statement.said]


def _promises(handoff: Handoff) -> list[Commitment]:
    """Those that need talking about first."""
    people = ("promised_by", "promised_to", "stance_by")
    found = list(Commitment.objects.current().filter(opportunity=handoff.opportunity_id).select_related(*people))
    far = dt.date.max
    found.sort(key=lambda one: (_STANCES[one.stance], one.is_in_sow, one.due_on or far, one.promised_on, one.pk))
    return found


def _risks(handoff: Handoff) -> Risks:
    profile = (
        RiskProfile.objects.filter(opportunity=handoff.opportunity_id)
        .select_related("sales_agreed_by", "delivery_agreed_by", "client_agreed_by")
        .order_by("-number")
        .first()
    )
    if profile is not None:
        items = profile.items
    else:
        items = snapshot(RaidItem.objects.open().filter(opportunity=handoff.opportunity_id).select_related("owner"))
    return Risks(
        profile,
        [
            Entry(item["text"], item["likelihood"], item["impact"], response_of(item) if item["response"] else "",
                  item["owner"] or "")
            for item in items
        ],
    )  # fmt: skip
