"""The schedule: people and weeks, with bookings as bars, free hours, and who has too much."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from django.core.paginator import Page, Paginator
from django.db.models import Q

from accounts.models import User, WorkingCalendar
from opportunities.models import Opportunity, StageKind
from opportunities.queries.filters import matching
from staffing.capacity import WorkingDays
from staffing.models import Booking, Person, WorkRole
from staffing.people_queries import Line, deals_of, span
from staffing.schedule_sums import Sums, bookings_within, sums
from staffing.weeks import monday_of, weeks_from

PEOPLE_PAGE = 30
SPANS = (6, 12, 26)
SLIGHT = Decimal("0.1")  # hours that rounding may make
MOST_DEALS = 12


@dataclass(frozen=True)
class Cell:
    """A week of somebody: hours that can be worked, and those booked."""

    monday: dt.date
    capacity: Decimal
    booked: Decimal
    hard: Decimal

    @property
    def free(self) -> Decimal:
        """What is left; negative where too much is booked."""
        return self.capacity - self.booked

    @property
    def state(self) -> str:
        """How full it is: away, over, full, part or free."""
        if self.free < -SLIGHT:
            return "over"
        if not self.capacity:
            return "away"
        if self.free <= self.capacity / 10:
            return "full"
        return "part" if self.booked else "free"


@dataclass(frozen=True)
class Bar:
    """A booking within the weeks shown, counted from 1; it goes on beyond them where it is cut."""

    line: Line
    start: int
    span: int
    is_cut_before: bool
    is_cut_after: bool


@dataclass(frozen=True)
class Overload:
    """Weeks one after the other in which somebody has more than they can work; hours are of the worst of them.

    Of the person only key and name were read.
    """

    person: Person
    first: dt.date
    last: dt.date
    weeks: int
    hours: Decimal
    is_agreed: bool

    @property
    def last_day(self) -> dt.date:
        """Friday of the last week."""
        return self.last + dt.timedelta(days=4)


@dataclass(frozen=True)
class Row:
    """Somebody, or a role of which nobody is named yet, with a cell per week."""

    role: WorkRole
    person: Person | None
    cells: list[Cell]
    bars: list[Bar]

    @property
    def key(self) -> str:
        """Names the row within the page."""
        return f"person-{self.person.pk}" if self.person else f"role-{self.role.pk}"


@dataclass(frozen=True)
class Group:
    """The rows of a role, and the hours that its people have left in each week."""

    role: WorkRole
    free: list[Decimal]
    rows: list[Row]


@dataclass(frozen=True)
class Schedule:
    """Weeks, rows by role, and who has too much."""

    weeks: list[dt.date]
    page: Page[Row]
    free: dict[int, list[Decimal]]
    overloads: list[Overload]
    people: int

    @cached_property
    def groups(self) -> list[Group]:
        """The rows of this page by role."""
        found: dict[int, Group] = {}
        for row in self.page.object_list:
            empty = Group(row.role, self.free.get(row.role.pk, []), [])
            found.setdefault(row.role.pk, empty).rows.append(row)
        return list(found.values())


def schedule(
    user: User, *, since: dt.date, count: int, role: WorkRole | None, page: str, today: dt.date,
    standard: WorkingCalendar,
) -> Schedule:  # fmt: skip
    """So many weeks from the week of that day. Over-allocation is looked for from this week on, for everybody.

    Rows are made for the people of the page alone; what is about everybody is added up in arrays.
    """
    weeks = weeks_from(since, count)
    roles = {each.pk: each for each in WorkRole.objects.all()}
    found = sums(WorkingDays(weeks[0], count, standard_id=standard.pk), role, roles)
    shown = Paginator(range(len(found.places)), PEOPLE_PAGE).get_page(page)
    rows = _rows(user, weeks, found, list(shown.object_list), roles)
    return Schedule(
        weeks, Page(rows, shown.number, shown.paginator), found.free(),  # type: ignore[arg-type]
        _overloads(found, weeks, monday_of(today)), found.people,
    )  # fmt: skip


def deals_matching(user: User, text: str) -> list[Opportunity]:
    """Open and won deals for the field that asks for one, by the words of their names and accounts."""
    deals = Opportunity.objects.current().visible_to(user).exclude(kind=StageKind.LOST).select_related("account")
    return list(matching(deals, text).order_by("name", "pk")[:MOST_DEALS]) if text.strip() else []


def _rows(
    user: User, weeks: Sequence[dt.date], found: Sums, numbers: Sequence[int], roles: Mapping[int, WorkRole]
) -> list[Row]:
    """The rows with these numbers. Three queries."""
    places = {number: found.places[number] for number in numbers}
    keys = [place.person_id for place in places.values() if place.is_person]
    unnamed = [place.role_id for place in places.values() if not place.is_person]
    wanted = Q(person__in=keys) | Q(person__isnull=True, role__in=unnamed)
    bookings = list(bookings_within(*span(weeks), None).filter(wanted))
    deals = deals_of(user, bookings)
    people = Person.objects.select_related("role").in_bulk(keys)
    of_place: dict[tuple[int, int], list[Booking]] = defaultdict(list)
    for each in bookings:
        of_place[each.person_id or 0, 0 if each.person_id else each.role_id].append(each)
    rows = []
    for number, place in places.items():
        own = of_place[place.person_id, 0 if place.is_person else place.role_id]
        cells = [Cell(monday, *hours) for monday, hours in zip(weeks, found.hours(number), strict=True)]
        lines = [Line(each, deals.get(each.opportunity_id or 0)) for each in own]
        rows.append(Row(roles[place.role_id], people.get(place.person_id), cells, _bars(weeks, lines)))
    return rows


def _bars(weeks: Sequence[dt.date], lines: Iterable[Line]) -> list[Bar]:
    count = len(weeks)
    bars = []
    for line in lines:
        first = (monday_of(line.booking.first_on) - weeks[0]).days // 7
        last = (monday_of(line.booking.last_on) - weeks[0]).days // 7
        start, end = max(first, 0), min(last, count - 1)
        bars.append(Bar(line, start + 1, end - start + 1, first < 0, last >= count))
    return sorted(bars, key=lambda bar: (bar.start, -bar.span, bar.line.booking.pk))


def _overloads(found: Sums, weeks: Sequence[dt.date], this_week: dt.date) -> list[Overload]:
    stretches = sorted(
        found.stretches(since=(this_week - weeks[0]).days // 7),
        key=lambda each: (each.place.name, each.place.person_id, each.first),
    )
    return [
        Overload(
            Person(pk=each.place.person_id, name=each.place.name), weeks[each.first], weeks[each.last],
            each.last - each.first + 1, each.hours, each.is_agreed,
        )
        for each in stretches
    ]  # fmt: skip
