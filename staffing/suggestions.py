"""Who could do it: people of a need's role, ranked by what they can, when they are free, and whom they know."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Prefetch, prefetch_related_objects
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrPromise

from accounts.models import Organisation, WorkingCalendar
from opportunities.starts import expected_start
from staffing.models import Booking, BookingKind, NeedSkill, Person, StaffingNeed, TimeOff
from staffing.people_queries import bookings_of, span
from staffing.weeks import NONE, WEEK, WorkWeeks, monday_of, weeks_from

# What each part counts for, in per cent of the whole.
WEIGHTS: Mapping[str, int] = {"fit": 50, "availability": 35, "continuity": 15}
LABELS: Mapping[str, StrPromise] = {
    "fit": _("skills"), "availability": _("free hours"), "continuity": _("known to the client"),
}  # fmt: skip


@dataclass(frozen=True)
class Candidate:
    """Somebody of the role. ``by_week`` are their free hours in the weeks of the need; the parts go from 0 to 1.

    - ``fit``: the skills that are asked for, each by proficiency over what is asked, at most 1; their mean. 1 where
      none are asked for.
    - ``availability``: free hours over wanted hours, week by week at most 1.
    - ``continuity``: 1 for whoever was or is booked hard on another deal of the client.
    """

    person: Person
    by_week: Sequence[Decimal]
    works: Decimal
    levels: Mapping[int, int]
    lacks: Sequence[NeedSkill]
    fit: float
    availability: float
    continuity: float

    @property
    def free(self) -> Decimal:
        """Hours in all these weeks together."""
        return sum(self.by_week, start=NONE)

    @property
    def share(self) -> int:
        """Free hours of those they work, in per cent."""
        return round(100 * self.free / self.works) if self.works else 0

    @property
    def score(self) -> int:
        """The parts by their weights, 0 to 100."""
        return round(sum(weight * float(getattr(self, part)) for part, weight in WEIGHTS.items()))


@dataclass(frozen=True)
class Roster:
    """People of some roles over some weeks: hours that they work and that are free, what they can, whom they know."""

    weeks: Sequence[dt.date]
    people: Mapping[int, Sequence[Person]]
    works: Mapping[int, Sequence[Decimal]]
    free: Mapping[int, Sequence[Decimal]]
    booked: Mapping[int, Sequence[Booking]]
    away: Mapping[int, Sequence[TimeOff]]
    known: frozenset[int]

    def ranked(self, need: StaffingNeed, first: int, last: int) -> list[Candidate]:
        """People of the need's role in the weeks from number ``first`` to ``last``, the best first.

        Those who do not work in any of them are left out. The need's ``skills`` may be prefetched with their skill.
        """
        wanted = list(need.skills.all())
        found = []
        for person in self.people.get(need.role_id, ()):
            works = sum(self.works[person.pk][first : last + 1], start=NONE)
            if not works:
                continue
            free = self.free[person.pk][first : last + 1]
            levels = {each.skill_id: each.proficiency for each in person.skills.all()}
            lacks = [each for each in wanted if levels.get(each.skill_id, 0) < each.proficiency]
            found.append(
                Candidate(
                    person, free, works, levels, lacks, _fit(wanted, levels),
                    _availability(free, need.hours_per_week), float(person.pk in self.known),
                )
            )  # fmt: skip
        return sorted(found, key=lambda one: (-one.score, -one.free, one.person.name, one.person.pk))


def planned_span(need: StaffingNeed, *, home: Organisation, today: dt.date) -> tuple[dt.date, dt.date]:
    """From the Monday of its first week to the Sunday of its last; work without a date begins next week."""
    starts_on = expected_start(need.opportunity, home) or monday_of(today) + WEEK
    first_on = need.starts_on(starts_on)
    return first_on, first_on + WEEK * need.weeks - dt.timedelta(days=1)


def candidates(
    need: StaffingNeed, *, first_on: dt.date, last_on: dt.date, standard: WorkingCalendar
) -> list[Candidate]:
    """People of the need's role who work here in these weeks, the best ranked first. Nine queries at most."""
    prefetch_related_objects([need], "skills__skill")
    found = roster([need], first_on=first_on, last_on=last_on, standard=standard)
    return found.ranked(need, 0, len(found.weeks) - 1)


def roster(needs: Sequence[StaffingNeed], *, first_on: dt.date, last_on: dt.date, standard: WorkingCalendar) -> Roster:
    """People of the roles of these needs, which are of one deal. Eight queries at most, however many needs."""
    weeks = WorkWeeks(weeks_from(first_on, (monday_of(last_on) - monday_of(first_on)).days // 7 + 1), standard=standard)
    since, until = span(weeks.weeks)
    away = TimeOff.objects.filter(last_on__gte=since, first_on__lte=until)
    people = list(
        Person.objects.employed(since, until)
        .filter(role__in={need.role_id for need in needs})
        .select_related("calendar", "region__calendar", "role")
        .prefetch_related(
            "calendar__days", "region__calendar__days", "skills", Prefetch("time_off", away, to_attr="away")
        )
    )
    booked = bookings_of(people, weeks)
    works = {person.pk: weeks.capacity(person, person.away) for person in people}
    free = {}
    for person in people:
        taken = [weeks.booked(each, person.working_calendar) for each in booked[person.pk]]
        free[person.pk] = [
            max(NONE, hours - sum((each[number] for each in taken), start=NONE))
            for number, hours in enumerate(works[person.pk])
        ]
    by_role: dict[int, list[Person]] = {}
    for person in people:
        by_role.setdefault(person.role_id, []).append(person)
    absences = {person.pk: person.away for person in people}
    return Roster(weeks.weeks, by_role, works, free, booked, absences, _known_to_client(needs, people))


def _fit(wanted: Sequence[NeedSkill], levels: Mapping[int, int]) -> float:
    if not wanted:
        return 1.0
    return sum(min(levels.get(each.skill_id, 0) / each.proficiency, 1.0) for each in wanted) / len(wanted)


def _availability(free: Sequence[Decimal], hours: Decimal) -> float:
    return float(sum((min(each, hours) for each in free), start=NONE) / (hours * len(free))) if free else 0.0


def _known_to_client(needs: Sequence[StaffingNeed], people: Sequence[Person]) -> frozenset[int]:
    """Keys of those who are or were booked hard on another deal of the account."""
    deal = needs[0].opportunity
    if deal.account_id is None:
        return frozenset()
    found = (
        Booking.objects.live().filter(person__in=people, kind=BookingKind.HARD, opportunity__account=deal.account_id)
        .exclude(opportunity=deal)
    )  # fmt: skip
    return frozenset(key for key in found.order_by().values_list("person", flat=True) if key is not None)
