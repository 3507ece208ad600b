"""A team for a deal: who would do what, chosen together for all its needs, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

import numpy as np
from django.db.models import Prefetch

from accounts.models import Organisation
from opportunities.models import Opportunity
from staffing.assignment import Ask, best_team
from staffing.models import Booking, NeedSkill, NeedState, StaffingNeed
from staffing.suggestions import WEIGHTS, Candidate, planned_span, roster
from staffing.weeks import NONE, WEEK

HALF = Decimal("0.5")
# More needs than this are staffed one by one.
MOST_NEEDS = 30


@dataclass(frozen=True)
class Member:
    """Somebody for a need, with hours a week, and how many they have free in its weeks on average."""

    candidate: Candidate
    hours: Decimal
    is_asked_elsewhere: bool

    @property
    def free(self) -> Decimal:
        """Hours a week, on average over the weeks."""
        return self.candidate.free / len(self.candidate.by_week)


@dataclass(frozen=True)
class Place:
    """A need and who is suggested for it; ``left`` hours a week nobody is free for or able to do."""

    need: StaffingNeed
    wanted: Decimal
    first_on: dt.date
    last_on: dt.date
    members: Sequence[Member]
    has_people: bool

    @property
    def left(self) -> Decimal:
        """Hours a week."""
        return self.wanted - sum((member.hours for member in self.members), start=NONE)


@dataclass(frozen=True)
class TeamPage:
    """The open needs of a deal with a team; ``is_best`` unless the search was cut short."""

    places: Sequence[Place]
    is_best: bool
    more: int

    @property
    def members(self) -> int:
        """How many bookings it would be."""
        return sum(len(place.members) for place in self.places)

    @property
    def people(self) -> int:
        """How many people are in it."""
        return len({member.candidate.person.pk for place in self.places for member in place.members})


def suggested_team(deal: Opportunity, *, home: Organisation, today: dt.date) -> TeamPage:
    """The best team for what nobody is booked for yet. Eleven queries at most, however many needs and people."""
    needs = list(
        StaffingNeed.objects.filter(opportunity=deal, state=NeedState.OPEN)
        .select_related("role", "opportunity")
        .prefetch_related(
            Prefetch("skills", NeedSkill.objects.select_related("skill")),
            Prefetch("bookings", Booking.objects.live(), to_attr="live_bookings"),
        )
    )
    left = {need.pk: _left(need, need.live_bookings) for need in needs}
    needs = [need for need in needs if left[need.pk] >= HALF]
    if not needs:
        return TeamPage([], True, 0)
    shown = needs[:MOST_NEEDS]
    for need in shown:
        need.opportunity = deal
    spans = [planned_span(need, home=home, today=today) for need in shown]
    begin = min(first for first, _last in spans)
    found = roster(shown, first_on=begin, last_on=max(last for _first, last in spans), standard=home.calendar)
    asks = [
        Ask(float(left[need.pk]), (first - begin) // WEEK, need.weeks)
        for need, (first, _last) in zip(shown, spans, strict=True)
    ]
    ranked = [found.ranked(need, ask.first, ask.first + ask.weeks - 1) for need, ask in zip(shown, asks, strict=True)]
    people = sorted({one.person.pk for each in ranked for one in each})
    place = {key: row for row, key in enumerate(people)}
    quality = np.full((len(shown), len(people)), np.nan)
    for number, each in enumerate(ranked):
        for one in each:
            if one.fit > 0:
                quality[number, place[one.person.pk]] = _quality(one)
    free = np.array([found.free[key] for key in people], dtype=np.float64).reshape(len(people), len(found.weeks))
    team = best_team(asks, quality, free)
    given = [[Decimal(str(hours)).quantize(HALF, ROUND_DOWN) for hours in row] for row in team.hours.tolist()]
    busy = [sum(1 for row in given if row[column]) for column in range(len(people))]
    places = [
        Place(
            need, Decimal(str(ask.hours)), *span,
            [
                Member(one, row[place[one.person.pk]], busy[place[one.person.pk]] > 1)
                for one in candidates if row[place[one.person.pk]]
            ],
            bool(candidates),
        )
        for need, ask, span, candidates, row in zip(shown, asks, spans, ranked, given, strict=True)
    ]  # fmt: skip
    return TeamPage(places, team.is_best, len(needs) - len(shown))


def _left(need: StaffingNeed, bookings: Sequence[Booking]) -> Decimal:
    """Hours a week that no named person is booked for; those booked for some of its weeks are rounded out by hand."""
    return need.hours_per_week - sum((each.hours_per_week for each in bookings if each.person_id), start=NONE)


def _quality(one: Candidate) -> float:
    """Skills and continuity by their weights, 0 to 1: free hours count by themselves."""
    parts = ("fit", "continuity")
    return sum(WEIGHTS[part] * float(getattr(one, part)) for part in parts) / sum(WEIGHTS[part] for part in parts)
