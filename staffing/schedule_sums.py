"""The whole delivery over the weeks of the schedule, in arrays: who stands where, free hours by role, who has too much.

Pages show some people at a time; what stands above them is about everybody, so it is added up without their rows.
Figures are in tenths of hours, each booking rounded by itself, as the rows show them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt
from django.db.models import Q, QuerySet

from staffing.capacity import WorkingDays, capacity
from staffing.models import Booking, BookingKind, Person, WorkRole

Tenths = npt.NDArray[np.int64]
# Of hours, in tenths, that rounding may make.
SLIGHT = 1


@dataclass(frozen=True, order=True)
class Place:
    """Where a row stands: by role, first what has no name yet, then people by name."""

    role_position: int
    role_name: str
    role_id: int
    is_person: bool
    name: str
    person_id: int


@dataclass(frozen=True)
class Stretch:
    """Weeks one after the other, by number, in which somebody has too much; ``hours`` too many in the worst."""

    place: Place
    first: int
    last: int
    hours: Decimal
    is_agreed: bool


@dataclass(frozen=True)
class Sums:
    """``capacity``, ``booked`` and ``hard`` have a row for each of the places, in their order, and a column a week."""

    places: list[Place]
    capacity: Tenths
    booked: Tenths
    hard: Tenths

    @property
    def people(self) -> int:
        """How many people there are."""
        return sum(place.is_person for place in self.places)

    def hours(self, row: int) -> Iterator[tuple[Decimal, Decimal, Decimal]]:
        """Week by week what can be worked, what is booked, and how much of that hard."""
        for week in zip(self.capacity[row].tolist(), self.booked[row].tolist(), self.hard[row].tolist(), strict=True):
            yield _hours(week[0]), _hours(week[1]), _hours(week[2])

    def free(self) -> dict[int, list[Decimal]]:
        """Hours that people of each role have left by week; what somebody has too much takes nothing from others."""
        left = np.maximum(self.capacity - self.booked, 0)
        of_role = np.array([place.role_id if place.is_person else 0 for place in self.places], dtype=np.int64)
        found = {}
        for role in sorted({place.role_id for place in self.places if place.is_person}):
            found[role] = [_hours(tenths) for tenths in left[of_role == role].sum(axis=0).tolist()]
        return found

    def stretches(self, *, since: int) -> Iterator[Stretch]:
        """Of everybody who has too much, in the order of the places, from a week on."""
        over = self.booked - self.capacity
        is_over = over > SLIGHT
        is_over[:, : max(since, 0)] = False
        is_over[[not place.is_person for place in self.places]] = False
        for row in np.flatnonzero(is_over.any(axis=1)).tolist():
            weeks = np.flatnonzero(is_over[row])
            for run in np.split(weeks, np.flatnonzero(np.diff(weeks) > 1) + 1):
                agreed = bool((self.hard[row, run] - self.capacity[row, run] > SLIGHT).all())
                worst = _hours(int(over[row, run].max()))
                yield Stretch(self.places[row], int(run[0]), int(run[-1]), worst, agreed)


def sums(days: WorkingDays, role: WorkRole | None, roles: Mapping[int, WorkRole]) -> Sums:
    """Of all roles, or one. Three queries, however many people and bookings there are."""
    since, until = days.monday, days.monday + dt.timedelta(weeks=days.weeks, days=-1)
    columns = ("person_id", "role_id", "hours_per_week", "first_on", "last_on", "kind")
    bookings = list(bookings_within(since, until, role).values_list(*columns))
    booked_people = {person for person, *_rest in bookings if person}
    employed = Person.objects.employed(since, until).values("pk")
    people = Person.objects.filter(Q(pk__in=employed) | Q(pk__in=booked_people))
    staff = capacity(days, among=people if role is None else people.filter(role=role))
    of_people = [
        _place(roles[key], name=name, person_id=pk)
        for pk, key, name in zip(staff.people, staff.roles.tolist(), staff.names, strict=True)
    ]
    unnamed = sorted({key for person, key, *_rest in bookings if person is None})
    places = [*of_people, *(_place(roles[key]) for key in unnamed)]
    row_of = {(place.person_id, 0 if place.is_person else place.role_id): row for row, place in enumerate(places)}
    calendars = [*staff.calendars, *(None for _role in unnamed)]
    rows = [row_of[(each[0], 0) if each[0] else (0, each[1])] for each in bookings]
    hours = _tenths(
        days.booked(
            days.rows([calendars[row] for row in rows]),
            np.array([each[2] for each in bookings], dtype=np.float64),
            np.array([days.day(each[3], otherwise=0) for each in bookings], dtype=np.int64),
            np.array([days.day(each[4], otherwise=0) for each in bookings], dtype=np.int64),
        )
    )
    at, shape = np.array(rows, dtype=np.int64), (len(places), days.weeks)
    hard = np.array([each[5] == BookingKind.HARD for each in bookings], dtype=np.bool_)
    works = np.zeros(shape, dtype=np.int64)
    works[: len(of_people)] = _tenths(staff.hours)
    order = sorted(range(len(places)), key=places.__getitem__)
    return Sums(
        [places[row] for row in order], works[order], _added(at, hours, shape)[order],
        _added(at[hard], hours[hard], shape)[order],
    )  # fmt: skip


def bookings_within(since: dt.date, until: dt.date, role: WorkRole | None) -> QuerySet[Booking]:
    """Those that count and touch these days: of people of the role, and of the role while nobody is named."""
    found = Booking.objects.live().touching(since, until)
    return found if role is None else found.filter(Q(person__role=role) | Q(person__isnull=True, role=role))


def _place(role: WorkRole, *, name: str = "", person_id: int = 0) -> Place:
    return Place(role.position, role.name, role.pk, bool(person_id), name, person_id)


def _tenths(hours: npt.NDArray[np.float64]) -> Tenths:
    # Nine digits first: what is half a tenth in decimals is a little more or less in binary.
    return np.rint(np.round(hours * 10, 9)).astype(np.int64)


def _added(at: npt.NDArray[np.int64], hours: Tenths, shape: tuple[int, int]) -> Tenths:
    total = np.zeros(shape, dtype=np.int64)
    np.add.at(total, at, hours)
    return total


def _hours(tenths: int) -> Decimal:
    return Decimal(tenths) / 10
