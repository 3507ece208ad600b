"""People for a need side by side: what each can, when each is free, and what stands in the way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import prefetch_related_objects

from accounts.models import WorkingCalendar
from staffing.models import NeedSkill, StaffingNeed, TimeOff
from staffing.suggestions import Candidate, roster
from staffing.weeks import NONE

MOST_COMPARED = 10
# Of the picture of free hours, in its own units.
BAR, GAP, HEIGHT = 6, 1, 28


@dataclass(frozen=True)
class Week:
    """A bar of the picture: free hours, as much of them as are wanted in another tone."""

    x: int
    free: float
    useful: float
    on: dt.date
    hours: Decimal


@dataclass(frozen=True)
class Level:
    """How well somebody can do what is asked for; 0 where it is not known of them."""

    asked: NeedSkill
    level: int

    @property
    def is_enough(self) -> bool:
        """Whether it is as good as asked for."""
        return self.level >= self.asked.proficiency


@dataclass(frozen=True)
class Column:
    """One person: the parts of the score in per cent, skills, weeks, and when they are away."""

    candidate: Candidate
    levels: Sequence[Level]
    weeks: Sequence[Week]
    away: Sequence[TimeOff]
    bookings: int
    hours: Decimal

    @property
    def fit(self) -> int:
        """In per cent."""
        return round(100 * self.candidate.fit)

    @property
    def availability(self) -> int:
        """In per cent."""
        return round(100 * self.candidate.availability)


@dataclass(frozen=True)
class Comparison:
    """The best ranked first; ``more`` people of the role are not shown."""

    columns: Sequence[Column]
    wanted: Sequence[NeedSkill]
    more: int
    width: int
    line: float
    height: int = HEIGHT
    bar: int = BAR


def compared(need: StaffingNeed, *, first_on: dt.date, last_on: dt.date, standard: WorkingCalendar) -> Comparison:
    """The ten best of the need's role in these weeks. Nine queries at most."""
    prefetch_related_objects([need], "skills__skill")
    found = roster([need], first_on=first_on, last_on=last_on, standard=standard)
    ranked = found.ranked(need, 0, len(found.weeks) - 1)
    wanted = list(need.skills.all())
    peak = max((max(one.by_week, default=NONE) for one in ranked[:MOST_COMPARED]), default=NONE)
    scale = HEIGHT / float(max(peak, need.hours_per_week))
    columns = [
        Column(
            one,
            [Level(each, one.levels.get(each.skill_id, 0)) for each in wanted],
            [
                Week(
                    number * (BAR + GAP), round(float(free) * scale, 2),
                    round(float(min(free, need.hours_per_week)) * scale, 2), found.weeks[number], free,
                )
                for number, free in enumerate(one.by_week)
            ],
            found.away[one.person.pk], len(found.booked[one.person.pk]),
            min(need.hours_per_week, one.person.weekly_hours),
        )
        for one in ranked[:MOST_COMPARED]
    ]  # fmt: skip
    width = len(found.weeks) * (BAR + GAP) - GAP
    line = round(HEIGHT - float(need.hours_per_week) * scale, 2)
    return Comparison(columns, wanted, max(len(ranked) - MOST_COMPARED, 0), width, line)
