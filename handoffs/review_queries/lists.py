"""Reviews of many deals: the calendar, what is open, what is late, and who went past them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import CharField, Count, F, Prefetch, Q, QuerySet, Value

from accounts.models import Side, User
from handoffs.models import (
    ConditionState,
    DealReview,
    Escalation,
    RampPlan,
    ReviewAttendee,
    ReviewCondition,
    ReviewDecision,
    ReviewOverride,
)
from handoffs.models.review import RUNNING_REVIEWS
from handoffs.review_queries.pages import SideLine, next_act
from opportunities.models import GateBypass, Opportunity


def upcoming_reviews(user: User, since: dt.datetime, until: dt.datetime) -> list[DealReview]:
    """Running reviews that the person may see, by when they are held: the meeting, or else when they are due.

    ``since`` is included, ``until`` is not. Each has ``at``, its deal with people, and ``people`` invited. Two queries.
    """
    held = Q(starts_at__gte=since, starts_at__lt=until)
    due = Q(starts_at__isnull=True, paused_at__isnull=True, due_at__gte=since, due_at__lt=until)
    deal = ("opportunity__account", "opportunity__owner", "opportunity__delivery_owner", "opportunity__stage")
    found = DealReview.objects.visible_to(user).running().filter(held | due).select_related(*deal)
    reviews = list(found.prefetch_related(Prefetch("attendees", ReviewAttendee.objects.select_related("user"))))
    return sorted(reviews, key=lambda review: (review.starts_at or review.due_at, review.pk))


@dataclass
class OpenPoints:
    """What is still open in a deal's review, for each side."""

    review: DealReview | None = None
    by_side: dict[str, list[str]] = field(default_factory=lambda: {Side.SALES.value: [], Side.DELIVERY.value: []})
    conditions: list[ReviewCondition] = field(default_factory=list)


def open_points(opportunities: Collection[Opportunity]) -> Mapping[int, OpenPoints]:
    """By key of the deal: its running review, what each side owes (answer, decide, sign), and open conditions.

    The deals must be visible to the reader. Three queries, however many deals.
    """
    keys = [opportunity.pk for opportunity in opportunities]
    points: dict[int, OpenPoints] = {key: OpenPoints() for key in keys}
    newest: dict[int, ReviewDecision] = {}
    for decision in ReviewDecision.objects.filter(review__opportunity__in=keys).select_related("review").order_by("pk"):
        newest[decision.review.opportunity_id] = decision
    for review in DealReview.objects.running().filter(opportunity__in=keys):
        point = points[review.opportunity_id]
        point.review = review
        for line in _lines_without_people(review, newest.get(review.opportunity_id)):
            act = next_act(review, [line])
            if act:
                point.by_side[line.side.value].append(act)
    decisions = {decision.pk: key for key, decision in newest.items()}
    found = ReviewCondition.objects.filter(decision__in=decisions, state=ConditionState.OPEN).select_related("owner")
    for condition in found.order_by("due_on", "pk"):
        points[decisions[condition.decision_id]].conditions.append(condition)
    return points


def _lines_without_people(review: DealReview, decision: ReviewDecision | None) -> list[SideLine]:
    signed = decision if decision is not None and decision.review_id == review.pk else None
    return [
        SideLine(side, review.answered_at(side), None, signed.signed_at(side) if signed else None, None, is_mine=True)
        for side in (Side.SALES, Side.DELIVERY)
    ]


def late_reviews_for(user: User, now: dt.datetime) -> list[DealReview]:
    """Late express reviews that wait for this person: they own the deal for a side, or the chain told them."""
    told = Escalation.objects.filter(told__contains=[user.pk]).values("review")
    mine = Q(opportunity__owner=user) | Q(opportunity__delivery_owner=user) | Q(pk__in=told)
    late = DealReview.objects.visible_to(user).filter(
        mine, state__in=RUNNING_REVIEWS, is_express=True, paused_at__isnull=True, due_at__lt=now
    )
    deal = ("opportunity__account", "opportunity__owner", "opportunity__delivery_owner")
    return list(late.select_related(*deal).order_by("due_at", "pk"))


@dataclass
class Overriders:
    """How often a person of a team (of the deals) went past a gate, past the review, and ended a ramp early."""

    team: str
    person: str
    team_id: int | None
    person_id: int
    bypasses: int = 0
    overrides: int = 0
    early_exits: int = 0

    @property
    def total(self) -> int:
        """All together."""
        return self.bypasses + self.overrides + self.early_exits


def overrides(user: User, since: dt.datetime) -> list[Overriders]:
    """Ways past a gate since a moment, per sales team of the deal and person, the most first.

    Gate bypasses, review overrides and ramps ended early, on deals that the reader may see. One query.
    """
    seen = Opportunity.objects.visible_to(user)
    ways = {
        "bypasses": _counted(GateBypass.objects.filter(opportunity__in=seen, at__gte=since)),
        "overrides": _counted(ReviewOverride.objects.filter(review__opportunity__in=seen, at__gte=since), "review__"),
        "early_exits": _counted(
            RampPlan.objects.ended_early().filter(opportunity__in=seen, exited_at__gte=since), by="exited_by"
        ),
    }
    first, *rest = [rows.annotate(way=Value(way, output_field=CharField())) for way, rows in ways.items()]
    found: dict[tuple[int | None, int], Overriders] = {}
    for row in first.union(*rest, all=True):
        each = found.setdefault(
            (row["team"], row["person"]),
            Overriders(row["team_name"] or "", row["person_name"], row["team"], row["person"]),
        )
        setattr(each, row["way"], row["times"])
    return sorted(found.values(), key=lambda each: (-each.total, each.team, each.person))


def _counted(rows: QuerySet[Any], deal: str = "", by: str = "by") -> QuerySet[Any, dict[str, Any]]:
    """How many of these rows there are per team of their deal and person."""
    return (
        rows.order_by()
        .values(
            team=F(f"{deal}opportunity__team"), team_name=F(f"{deal}opportunity__team__name"),
            person=F(by), person_name=F(f"{by}__name"),
        )
        .annotate(times=Count("pk"))
    )  # fmt: skip
