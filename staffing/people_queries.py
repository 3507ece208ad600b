"""Reads shaped for the pages about people: the list, one person week by week, roles and skills."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.core.paginator import Page, Paginator
from django.db.models import Count, Prefetch, Q, QuerySet

from accounts.models import User, WorkingCalendar
from opportunities.models import Opportunity
from staffing.models import Booking, Person, PersonSkill, Skill, TimeOff, WorkRole
from staffing.weeks import NONE, WorkWeeks, weeks_from

PAGE = 25
SOON_WEEKS = 4
PERSON_WEEKS = 12


@dataclass(frozen=True)
class PeopleFilter:
    """Which people the list shows."""

    text: str = ""
    role: WorkRole | None = None
    skill: Skill | None = None
    is_archived: bool = False


@dataclass(frozen=True)
class PersonRow:
    """A person of the list, and how much of the next weeks is booked."""

    person: Person
    hours: Decimal
    booked: Decimal

    @property
    def share(self) -> int | None:
        """Of the hours that can be worked, in per cent; None for somebody who can't work in these weeks."""
        return round(100 * self.booked / self.hours) if self.hours else None

    @property
    def drawn(self) -> int:
        """The share as far as a bar can show it."""
        return min(100, self.share or 0)


@dataclass(frozen=True)
class Line:
    """A booking as the reader may see it. ``deal`` is None where the reader may not see the deal."""

    booking: Booking
    deal: Opportunity | None
    hours: list[Decimal] = field(default_factory=list)

    @property
    def is_hidden(self) -> bool:
        """Whether it is for a deal that the reader may not see."""
        return self.booking.opportunity_id is not None and self.deal is None


@dataclass(frozen=True)
class Week:
    """A week of somebody: hours that can be worked, hours booked, and what for."""

    monday: dt.date
    capacity: Decimal
    soft: Decimal
    hard: Decimal
    lines: list[Line]

    @property
    def booked(self) -> Decimal:
        """Softly and hard."""
        return self.soft + self.hard

    @property
    def free(self) -> Decimal:
        """What is left; negative where too much is booked."""
        return self.capacity - self.booked


def people_page(wanted: PeopleFilter, *, page: str, today: dt.date, standard: WorkingCalendar) -> Page[PersonRow]:
    """People by name with their skills and the booked share of the next four weeks."""
    found = (
        people_matching(wanted)
        .select_related("role", "calendar", "user", "region__calendar")
        .prefetch_related(*_parts(today))
    )
    shown = Paginator(found, PAGE).get_page(page)
    weeks = WorkWeeks(weeks_from(today, SOON_WEEKS), standard=standard)
    booked = bookings_of(shown.object_list, weeks)
    rows = [
        PersonRow(
            person,
            sum(weeks.capacity(person, person.time_off.all()), start=NONE),
            sum(
                (sum(weeks.booked(each, person.working_calendar), start=NONE) for each in booked[person.pk]), start=NONE
            ),
        )
        for person in shown.object_list
    ]
    return Page(rows, shown.number, shown.paginator)  # type: ignore[arg-type]


def people_matching(wanted: PeopleFilter) -> QuerySet[Person]:
    """Those whose name contains each of the words, with the role and the skill."""
    found = Person.objects.filter(archived_at__isnull=not wanted.is_archived)
    for word in wanted.text.split()[:8]:
        found = found.filter(name__icontains=word)
    if wanted.role:
        found = found.filter(role=wanted.role)
    if wanted.skill:
        found = found.filter(pk__in=PersonSkill.objects.filter(skill=wanted.skill).values("person"))
    return found


def bookings_of(people: Iterable[Person], weeks: WorkWeeks) -> dict[int, list[Booking]]:
    """Live bookings that touch these weeks, by person. One query."""
    found: dict[int, list[Booking]] = defaultdict(list)
    for booking in Booking.objects.live().filter(person__in=list(people)).touching(*span(weeks.weeks)):
        if booking.person_id:
            found[booking.person_id].append(booking)
    return found


def span(weeks: Sequence[dt.date]) -> tuple[dt.date, dt.date]:
    """First and last day of these weeks."""
    return weeks[0], weeks[-1] + dt.timedelta(days=6)


def deals_of(user: User, bookings: Iterable[Booking]) -> dict[int, Opportunity]:
    """The deals of these bookings that the person may see, by key. One query."""
    keys = {booking.opportunity_id for booking in bookings if booking.opportunity_id}
    return Opportunity.objects.current().visible_to(user).select_related("account").in_bulk(list(keys))


def person_weeks(user: User, person: Person, *, since: dt.date, standard: WorkingCalendar) -> list[Week]:
    """Twelve weeks of one person, and what each is booked for as far as the reader may see it."""
    weeks = WorkWeeks(weeks_from(since, PERSON_WEEKS), standard=standard)
    bookings = bookings_of([person], weeks)[person.pk]
    deals = deals_of(user, bookings)
    lines = [
        Line(each, deals.get(each.opportunity_id or 0), weeks.booked(each, person.working_calendar))
        for each in bookings
    ]
    capacity = weeks.capacity(person, person.time_off.all())
    return [_week(monday, number, capacity[number], lines) for number, monday in enumerate(weeks.weeks)]


def _week(monday: dt.date, number: int, capacity: Decimal, lines: list[Line]) -> Week:
    here = [line for line in lines if line.hours[number]]
    hard = sum((line.hours[number] for line in here if line.booking.kind == "hard"), start=NONE)
    soft = sum((line.hours[number] for line in here if line.booking.kind == "soft"), start=NONE)
    return Week(monday, capacity, soft, hard, here)


def roles_with_counts() -> list[WorkRole]:
    """All roles, each with ``people_now``: how many current people have it. Archived ones too."""
    current = Count("people", filter=Q(people__archived_at__isnull=True))
    # Counting would leave the order to chance.
    return list(WorkRole.objects.annotate(people_now=current).order_by("position", "name", "pk"))


def skills_with_counts() -> list[tuple[Skill, int]]:
    """All skills and how many current people have each. Archived ones too."""
    counts = dict(
        PersonSkill.objects.filter(person__archived_at__isnull=True).order_by()
        .values_list("skill").annotate(Count("pk"))
    )  # fmt: skip
    return [(skill, counts.get(skill.pk, 0)) for skill in Skill.objects.all()]


def with_parts(person: Person, today: dt.date) -> Person:
    """The same person with skills, calendar and time off that is not over, for a page of its own."""
    people = Person.objects.select_related("role", "calendar", "user", "region__calendar")
    found = people.prefetch_related(*_parts(today))
    return found.get(pk=person.pk)


def _parts(today: dt.date) -> tuple[Prefetch[str] | str, ...]:
    return (
        Prefetch("skills", PersonSkill.objects.select_related("skill")),
        Prefetch("time_off", TimeOff.objects.filter(last_on__gte=today - dt.timedelta(days=7))),
        "calendar__days",
        "region__calendar__days",
    )
