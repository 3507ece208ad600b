"""Business hours: nine to five where the organisation is, on business days."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.models import CalendarDay, Organisation
from handoffs.business_hours import BusinessHours

pytestmark = pytest.mark.django_db


@pytest.fixture
def berlin(organisation: Organisation) -> Organisation:
    organisation.time_zone = "Europe/Berlin"
    organisation.save()
    return organisation


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("since", "hours", "until"),
    [
        ("2026-11-23 08:00", 8, "2026-11-23 16:00"),  # Monday, a whole day from nine in Berlin
        ("2026-11-23 12:00", 8, "2026-11-24 12:00"),  # into the next day
        ("2026-11-23 02:00", 1, "2026-11-23 09:00"),  # before it opens
        ("2026-11-23 22:00", 1, "2026-11-24 09:00"),  # after it closed
        ("2026-11-23 16:00", 1, "2026-11-24 09:00"),  # at the moment of closing
        ("2026-11-27 15:00", 2, "2026-11-30 09:00"),  # over a weekend
        ("2026-11-28 11:00", 8, "2026-11-30 16:00"),  # on a Saturday
        ("2027-03-26 15:00", 2, "2027-03-29 08:00"),  # the clocks go forward on Sunday: nine is seven in UTC
        ("2026-10-23 14:00", 2, "2026-10-26 09:00"),  # and back
        ("2026-11-23 08:00", 40, "2026-11-27 16:00"),  # a week
    ],
)
def test_hours_are_counted_while_people_work(berlin: Organisation, since: str, hours: int, until: str) -> None:
    assert BusinessHours(berlin).add(utc(since), hours) == utc(until)


def test_a_holiday_and_a_day_off_are_skipped(berlin: Organisation) -> None:
    calendar = berlin.calendar
    calendar.country = "DE"
    calendar.save()
    CalendarDay.objects.create(calendar=calendar, on=dt.date(2026, 12, 28), name="We are closed", is_working=False)
    # Thursday the 24th is a working day, the 25th a holiday, then a weekend and our own day off.
    assert BusinessHours(berlin).add(utc("2026-12-24 15:00"), 2) == utc("2026-12-29 09:00")


def test_the_zone_decides_not_the_server(organisation: Organisation) -> None:
    organisation.time_zone = "Pacific/Auckland"
    organisation.save()
    # Sunday evening in UTC is Monday morning there.
    assert BusinessHours(organisation).add(utc("2026-11-22 21:00"), 1) == utc("2026-11-22 22:00")


def test_where_people_work_one_day_a_week_that_day_counts(berlin: Organisation) -> None:
    berlin.calendar.weekdays = [0]
    berlin.calendar.save()
    assert BusinessHours(berlin).add(utc("2026-11-24 08:00"), 1) == utc("2026-11-30 09:00")
