"""Hours by week: calendars, holidays, time off, joining and leaving, and the odd weeks of the calendar."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import CalendarDay, Organisation, Region, WorkingCalendar
from staffing.capacity import Capacity, WorkingDays, capacity, working_days
from staffing.models import Person, TimeOff
from staffing.weeks import WorkWeeks, weeks_from
from tests.staffing.staffed import booking, role, worker

MONDAY = dt.date(2027, 1, 11)


def found(home: Organisation, monday: dt.date = MONDAY, weeks: int = 1) -> Capacity:
    return capacity(working_days(monday, weeks, home=home))


def hours(home: Organisation, monday: dt.date = MONDAY, weeks: int = 1) -> list[float]:
    """Of the one person that there is."""
    (only,) = found(home, monday, weeks).hours.tolist()
    return [round(number, 6) for number in only]


def german(name: str = "Germany", **fields: object) -> WorkingCalendar:
    return WorkingCalendar.objects.create(name=name, country="DE", **fields)


def test_a_week_without_holidays_has_the_hours_a_week(organisation: Organisation) -> None:
    worker("Nora", hours=32)
    assert hours(organisation, weeks=2) == [32, 32]


def test_public_holidays_take_their_days(organisation: Organisation) -> None:
    worker("Nora", calendar=german())
    assert hours(organisation, dt.date(2027, 3, 22), weeks=2) == [32, 32]  # Good Friday, Easter Monday


def test_the_calendar_of_the_region_stands_in_for_ones_own(organisation: Organisation) -> None:
    worker("Nora", region=Region.objects.create(name="South", calendar=german()))
    worker("Omar", calendar=organisation.calendar, region=Region.objects.get(name="South"))
    assert found(organisation, dt.date(2027, 3, 22)).hours.ravel().tolist() == [32, 40]


def test_exceptions_of_the_calendar_count(organisation: Organisation) -> None:
    CalendarDay.objects.create(calendar=organisation.calendar, on=MONDAY, name="Away day")
    saturday = MONDAY + dt.timedelta(days=5)
    CalendarDay.objects.create(calendar=organisation.calendar, on=saturday, name="Stock-taking", is_working=True)
    CalendarDay.objects.create(calendar=organisation.calendar, on=saturday + dt.timedelta(days=2), name="Closed")
    worker("Nora")
    assert hours(organisation, weeks=2) == [40, 32]


def test_hours_are_spread_over_the_days_of_the_calendar(organisation: Organisation) -> None:
    four = WorkingCalendar.objects.create(name="Four days", weekdays=[0, 1, 2, 3])
    worker("Nora", hours=32, calendar=four, leaves_on=MONDAY + dt.timedelta(days=1))
    assert hours(organisation) == [16]


def test_joining_and_leaving_cut_weeks(organisation: Organisation) -> None:
    worker("Nora", joins_on=dt.date(2027, 1, 13), leaves_on=dt.date(2027, 1, 25))
    assert hours(organisation, weeks=4) == [24, 40, 8, 0]


def test_time_off_leaves_the_hours_still_worked(organisation: Organisation) -> None:
    nora = worker("Nora")
    TimeOff.objects.create(person=nora, first_on=dt.date(2027, 1, 14), last_on=dt.date(2027, 1, 19))
    TimeOff.objects.create(
        person=nora, first_on=dt.date(2027, 1, 18), last_on=dt.date(2027, 1, 22), hours_per_day=Decimal(2)
    )
    assert hours(organisation, weeks=2) == [24, 6]


def test_time_off_never_adds_hours(organisation: Organisation) -> None:
    nora = worker("Nora", hours=10)
    TimeOff.objects.create(
        person=nora, first_on=MONDAY, last_on=MONDAY + dt.timedelta(days=30), hours_per_day=Decimal(8)
    )
    assert hours(organisation) == [10]


def test_time_off_that_began_long_ago_counts_until_its_end(organisation: Organisation) -> None:
    nora = worker("Nora")
    TimeOff.objects.create(person=nora, first_on=dt.date(2026, 6, 1), last_on=dt.date(2027, 1, 12))
    assert hours(organisation) == [24]


def test_archived_people_and_those_who_left_count_for_nothing(organisation: Organisation) -> None:
    worker("Nora", archived_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    worker("Omar", leaves_on=MONDAY - dt.timedelta(days=1))
    assert found(organisation).hours.shape == (0, 1)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia"])
def test_weeks_in_which_clocks_change_are_weeks_as_any(organisation: Organisation, zone: str) -> None:
    organisation.time_zone = zone
    worker("Nora")
    assert hours(organisation, dt.date(2027, 3, 22), weeks=2) == [40, 40]
    assert hours(organisation, dt.date(2027, 10, 25), weeks=2) == [40, 40]


def test_the_leap_day_is_a_day(organisation: Organisation) -> None:
    worker("Nora", joins_on=dt.date(2028, 2, 29), leaves_on=dt.date(2028, 2, 29))
    assert hours(organisation, dt.date(2028, 2, 28)) == [8]


def test_week_53_has_its_own_hours(organisation: Organisation) -> None:
    worker("Nora", calendar=german())
    monday = dt.date(2026, 12, 28)
    assert monday.isocalendar().week == 53
    assert hours(organisation, monday, weeks=2) == [32, 40]  # New Year's Day


def test_roles_are_added_up_and_a_role_that_nobody_has_is_zero(organisation: Organisation) -> None:
    architect, engineer, tester = role("Architect"), role("Engineer"), role("Tester")
    worker("Nora", architect)
    worker("Omar", engineer, hours=20)
    worker("Petra", engineer)
    assert found(organisation).by_role([engineer.pk, tester.pk, architect.pk]).tolist() == [[60], [0], [40]]


def test_bookings_count_by_the_working_days_that_they_touch(organisation: Organisation) -> None:
    germany = german()
    days = WorkingDays(dt.date(2027, 3, 15), 3, standard_id=organisation.calendar_id)
    first = np.array([days.day(dt.date(2027, 3, 17), otherwise=0)] * 2)
    last = np.array([days.day(dt.date(2027, 4, 2), otherwise=0)] * 2)
    taken = days.booked(days.rows([None, germany.pk]), np.array([40.0, 40.0]), first, last)
    assert taken.round(6).tolist() == [[24, 40, 40], [24, 32, 32]]


@pytest.mark.parametrize("is_regional", [False, True])
def test_it_says_the_same_as_the_schedule(organisation: Organisation, is_regional: bool) -> None:
    monday, weeks = dt.date(2026, 12, 14), 8
    region = Region.objects.create(name="Bavaria", calendar=german()) if is_regional else None
    own = None if is_regional else german()
    nora = worker("Nora", hours=36, calendar=own, region=region, joins_on=dt.date(2026, 12, 16))
    TimeOff.objects.create(person=nora, first_on=dt.date(2027, 1, 7), last_on=dt.date(2027, 1, 13))
    held = booking(dt.date(2026, 12, 22), dt.date(2027, 1, 20), 30, person=nora)
    nora = Person.objects.select_related("calendar").prefetch_related("calendar__days", "time_off").get()
    schedule = WorkWeeks(weeks_from(monday, weeks), standard=organisation.calendar)
    assert hours(organisation, monday, weeks) == [float(n) for n in schedule.capacity(nora, nora.time_off.all())]
    days = working_days(monday, weeks, home=organisation)
    first, last = (np.array([days.day(on, otherwise=0)]) for on in (held.first_on, held.last_on))
    assert nora.working_calendar is not None
    (taken,) = days.booked(days.rows([nora.working_calendar.pk]), np.array([30.0]), first, last).tolist()
    assert taken == [float(n) for n in schedule.booked(held, nora.working_calendar)]


def test_queries_do_not_grow_with_people(organisation: Organisation) -> None:
    worker("Nora")
    counts = []
    for size in (0, 40):
        people = [Person(name=f"Person {n}", role=role(), weekly_hours=40) for n in range(size)]
        TimeOff.objects.bulk_create(
            TimeOff(person=person, first_on=MONDAY, last_on=MONDAY) for person in Person.objects.bulk_create(people)
        )
        with CaptureQueriesContext(connection) as queries:
            found(organisation, weeks=104)
        counts.append(len(queries))
    assert counts == [4, 4]


def test_a_role_works_the_part_of_a_week_that_its_calendars_leave(organisation: Organisation) -> None:
    architect, tester, nobody = role("Architect"), role("Tester"), role("Pilot")
    worker("Nora", architect, calendar=german())
    worker("Omar", architect, hours=20)  # works on German holidays
    worker("Tess", tester)
    keys = [architect.pk, tester.pk, nobody.pk]
    parts = found(organisation, dt.date(2027, 3, 15), weeks=3).working(keys)  # Good Friday, Easter Monday
    assert parts.round(6).tolist() == [[1, 0.866667, 0.866667], [1, 1, 1], [1, 1, 1]]


def test_time_off_does_not_make_a_week_shorter_for_the_work(organisation: Organisation) -> None:
    nora = worker("Nora")
    TimeOff.objects.create(person=nora, first_on=MONDAY, last_on=MONDAY + dt.timedelta(days=6))
    assert found(organisation).working([nora.role_id]).tolist() == [[1]]
