"""The schedule: people and weeks, with bookings as bars, free hours, and who has too much."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from django.core.paginator import Page, Paginator
from django.db.models import Prefetch, Q

from accounts.models import User, WorkingCalendar
from opportunities.models import Opportunity, StageKind
from opportunities.queries.filters import matching
from staffing.models import Booking, BookingKind, Person, TimeOff, WorkRole
from staffing.people_queries import Line, deals_of, span
from staffing.weeks import NONE, WorkWeeks, monday_of, weeks_from

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
    """Weeks one after the other in which somebody has more than they can work; hours are of the worst of them."""

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
    """So many weeks from the week of that day. Over-allocation is looked for from this week on, for everybody."""
    weeks = WorkWeeks(weeks_from(since, count), standard=standard)
    bookings = _bookings(weeks, role)
    people = _people(weeks, role, {booking.person_id for booking in bookings if booking.person_id})
    deals = deals_of(user, bookings)
    by_person: dict[int | None, list[Booking]] = {}
    for booking in bookings:
        by_person.setdefault(booking.person_id, []).append(booking)
    rows = [_row(weeks, person, by_person.get(person.pk, []), deals) for person in people]
    unnamed = _unnamed(weeks, by_person.get(None, []), deals)
    ordered = sorted([*unnamed, *rows], key=_place)
    return Schedule(
        weeks.weeks, Paginator(ordered, PEOPLE_PAGE).get_page(page), _free(rows, count),
        [each for row in rows for each in _overloads(row, monday_of(today))], len(people),
    )  # fmt: skip


def deals_matching(user: User, text: str) -> list[Opportunity]:
    """Open and won deals for the field that asks for one, by the words of their names and accounts."""
    deals = Opportunity.objects.current().visible_to(user).exclude(kind=StageKind.LOST).select_related("account")
    return list(matching(deals, text).order_by("name", "pk")[:MOST_DEALS]) if text.strip() else []


def _people(weeks: WorkWeeks, role: WorkRole | None, booked: set[int]) -> list[Person]:
    """Those who work here in these weeks, and those who are booked without."""
    since, until = span(weeks.weeks)
    off = TimeOff.objects.filter(first_on__lte=until, last_on__gte=since)
    employed = Person.objects.employed(since, until).values("pk")
    found = Person.objects.filter(Q(pk__in=employed) | Q(pk__in=booked)).select_related(
        "role", "calendar", "region__calendar"
    )
    if role is not None:
        found = found.filter(role=role)
    return list(found.prefetch_related(Prefetch("time_off", off), "calendar__days", "region__calendar__days"))


def _bookings(weeks: WorkWeeks, role: WorkRole | None) -> list[Booking]:
    found = Booking.objects.live().touching(*span(weeks.weeks)).select_related("role")
    if role is not None:
        found = found.filter(Q(person__role=role) | Q(person__isnull=True, role=role))
    return list(found)


def _row(weeks: WorkWeeks, person: Person, bookings: Iterable[Booking], deals: dict[int, Opportunity]) -> Row:
    lines = [_line(weeks, each, deals, person.working_calendar) for each in bookings]
    capacity = weeks.capacity(person, person.time_off.all())
    return Row(person.role, person, _cells(weeks, capacity, lines), _bars(weeks, lines))


def _unnamed(weeks: WorkWeeks, bookings: Iterable[Booking], deals: dict[int, Opportunity]) -> list[Row]:
    by_role: dict[int, list[Line]] = {}
    roles: dict[int, WorkRole] = {}
    for booking in bookings:
        roles[booking.role_id] = booking.role
        by_role.setdefault(booking.role_id, []).append(_line(weeks, booking, deals, None))
    nothing = [NONE] * len(weeks.weeks)
    return [Row(roles[key], None, _cells(weeks, nothing, lines), _bars(weeks, lines)) for key, lines in by_role.items()]


def _line(weeks: WorkWeeks, booking: Booking, deals: dict[int, Opportunity], calendar: WorkingCalendar | None) -> Line:
    return Line(booking, deals.get(booking.opportunity_id or 0), weeks.booked(booking, calendar))


def _cells(weeks: WorkWeeks, capacity: Sequence[Decimal], lines: Sequence[Line]) -> list[Cell]:
    hard = [line for line in lines if line.booking.kind == BookingKind.HARD]
    return [
        Cell(
            monday, capacity[number], sum((line.hours[number] for line in lines), start=NONE),
            sum((line.hours[number] for line in hard), start=NONE),
        )
        for number, monday in enumerate(weeks.weeks)
    ]  # fmt: skip


def _bars(weeks: WorkWeeks, lines: Iterable[Line]) -> list[Bar]:
    count = len(weeks.weeks)
    bars = []
    for line in lines:
        first = (monday_of(line.booking.first_on) - weeks.weeks[0]).days // 7
        last = (monday_of(line.booking.last_on) - weeks.weeks[0]).days // 7
        start, end = max(first, 0), min(last, count - 1)
        bars.append(Bar(line, start + 1, end - start + 1, first < 0, last >= count))
    return sorted(bars, key=lambda bar: (bar.start, -bar.span, bar.line.booking.pk))


def _free(rows: Iterable[Row], count: int) -> dict[int, list[Decimal]]:
    """Hours that people of each role have left by week; what somebody has too much takes nothing from others."""
    free: dict[int, list[Decimal]] = {}
    for row in rows:
        sums = free.setdefault(row.role.pk, [NONE] * count)
        for number, cell in enumerate(row.cells):
            sums[number] += max(cell.free, NONE)
    return free


def _overloads(row: Row, this_week: dt.date) -> list[Overload]:
    assert row.person is not None
    stretches: list[list[Cell]] = []
    before: Cell | None = None
    for cell in row.cells:
        if cell.state == "over" and cell.monday >= this_week:
            if before is None:
                stretches.append([])
            stretches[-1].append(cell)
            before = cell
        else:
            before = None
    return [
        Overload(
            row.person, cells[0].monday, cells[-1].monday, len(cells), max(-cell.free for cell in cells),
            all(cell.hard - cell.capacity > SLIGHT for cell in cells),
        )
        for cells in stretches
    ]  # fmt: skip


def _place(row: Row) -> tuple[int, str, int, bool, str, int]:
    role, person = row.role, row.person
    return (
        role.position,
        role.name,
        role.pk,
        person is not None,
        person.name if person else "",
        person.pk if person else 0,
    )
