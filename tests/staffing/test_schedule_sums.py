"""What stands above the rows of the schedule is added up in arrays; it is what counting people one by one gives."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Organisation, WorkingCalendar
from staffing.capacity import WorkingDays
from staffing.models import Booking, Person, TimeOff, WorkRole
from staffing.schedule_sums import Sums, sums
from staffing.weeks import WorkWeeks, weeks_from
from tests.staffing import staffed

MONDAY, COUNT = dt.date(2027, 3, 15), 6  # Easter is on 28 March


@pytest.fixture
def company(organisation: Organisation) -> random.Random:
    """Forty people with odd hours, calendars, days off and bookings, some archived, some gone."""
    chance = random.Random(7)
    four_days = WorkingCalendar.objects.create(name="Four days", country="DE", weekdays=[0, 1, 2, 3])
    german = WorkingCalendar.objects.create(name="Germany", country="DE")
    roles = [staffed.role(name) for name in ("Architect", "Engineer", "Tester")]

    def day() -> dt.date:
        return MONDAY + dt.timedelta(days=chance.randrange(-20, 60))

    for number in range(40):
        joins = day() if chance.random() < 0.2 else None
        person = staffed.worker(
            f"Nils {number}", chance.choice(roles), chance.choice(["40", "38.5", "37.3", "20", "0"]),
            calendar=chance.choice([None, four_days, german]), joins_on=joins,
            leaves_on=day() if joins is None and chance.random() < 0.2 else None,
            archived_at=timezone.now() if chance.random() < 0.1 else None,
        )  # fmt: skip
        if chance.random() < 0.5:
            first = day()
            TimeOff.objects.create(
                person=person, first_on=first, last_on=first + dt.timedelta(days=9),
                hours_per_day=Decimal(chance.choice(["0", "2.5", "9"])),
            )  # fmt: skip
        for _each in range(chance.randrange(4)):
            first = day()
            booked = staffed.booking(first, first + dt.timedelta(days=chance.randrange(30)), 8, person=person)
            Booking.objects.filter(pk=booked.pk).update(hours_per_week=Decimal(chance.randrange(5, 400)) / 10)
    for role in roles[:2]:
        staffed.booking(MONDAY, MONDAY + dt.timedelta(days=30), 33, role=role)
    return chance


def added_up(home: Organisation, role: WorkRole | None = None) -> Sums:
    roles = {each.pk: each for each in WorkRole.objects.all()}
    return sums(WorkingDays(MONDAY, COUNT, standard_id=home.calendar_id), role, roles)


def test_every_row_is_what_counting_one_by_one_gives(organisation: Organisation, company: random.Random) -> None:
    weeks = WorkWeeks(weeks_from(MONDAY, COUNT), standard=organisation.calendar)
    found = added_up(organisation)
    assert found.people > 25
    for number, place in enumerate(found.places):
        mine = list(Booking.objects.filter(person=place.person_id or None))
        if place.is_person:
            person = Person.objects.select_related("calendar").get(pk=place.person_id)
            capacity = weeks.capacity(person, person.time_off.all())
            calendar = person.working_calendar
        else:
            mine = [each for each in mine if each.role_id == place.role_id]
            capacity, calendar = [Decimal(0)] * COUNT, None
        booked = [sum(hours) for hours in zip(*(weeks.booked(each, calendar) for each in mine), strict=True)]
        rows = list(found.hours(number))
        assert [row[0] for row in rows] == capacity, place
        assert [row[1] for row in rows] == (booked or [0] * COUNT), place


def test_free_hours_and_overloads_follow_from_the_rows(organisation: Organisation, company: random.Random) -> None:
    found = added_up(organisation)
    free: dict[int, list[Decimal]] = {}
    for number, place in enumerate(found.places):
        if place.is_person:
            total = free.setdefault(place.role_id, [Decimal(0)] * COUNT)
            for week, (can, booked, _hard) in enumerate(found.hours(number)):
                total[week] += max(can - booked, Decimal(0))
    assert found.free() == free
    over = {
        (place.person_id, week)
        for number, place in enumerate(found.places) if place.is_person
        for week, (can, booked, _hard) in enumerate(found.hours(number)) if week >= 2 and booked - can > Decimal("0.1")
    }  # fmt: skip
    stretches = list(found.stretches(since=2))
    told = [(each.place.person_id, week) for each in stretches for week in range(each.first, each.last + 1)]
    assert over
    assert (set(told), len(told)) == (over, len(over))


def test_one_role_alone(organisation: Organisation, company: random.Random) -> None:
    architect = WorkRole.objects.get(name="Architect")
    places = added_up(organisation, architect).places
    assert {place.role_id for place in places} == {architect.pk}
    assert places == [place for place in added_up(organisation).places if place.role_id == architect.pk]


def test_nobody_at_all(organisation: Organisation) -> None:
    found = added_up(organisation)
    assert (found.places, found.free(), list(found.stretches(since=0))) == ([], {}, [])


def test_as_many_queries_for_forty_as_for_one(organisation: Organisation, company: random.Random) -> None:
    with CaptureQueriesContext(connection) as many:
        added_up(organisation)
    Booking.objects.all().delete()
    Person.objects.filter(pk__gt=Person.objects.order_by("pk")[0].pk).update(
        leaves_on=dt.date(2020, 1, 1), joins_on=None
    )
    with CaptureQueriesContext(connection) as few:
        added_up(organisation)
    assert len(many) == len(few) == 6
