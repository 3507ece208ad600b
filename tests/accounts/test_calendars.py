"""Business days: weekends, public holidays, exceptions, and the edges of the calendar."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.calendars import BusinessDays, public_holidays
from accounts.models import CalendarDay, WorkingCalendar

DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2090, 12, 31))
FRIDAY = dt.date(2026, 11, 27)


def calendar(country: str = "", subdivision: str = "", weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)) -> WorkingCalendar:
    """A saved calendar."""
    return WorkingCalendar.objects.create(
        name=f"{country}{subdivision}{weekdays}", country=country, subdivision=subdivision, weekdays=list(weekdays)
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("country", "subdivision", "day", "works"),
    [
        ("", "", FRIDAY, True),
        ("", "", dt.date(2026, 11, 28), False),
        ("", "", dt.date(2026, 12, 25), True),
        ("DE", "", dt.date(2026, 12, 25), False),
        ("DE", "", dt.date(2027, 1, 1), False),
        ("DE", "", dt.date(2027, 1, 6), True),
        ("DE", "BY", dt.date(2027, 1, 6), False),
        ("US", "", dt.date(2026, 11, 26), False),
        ("GB", "ENG", dt.date(2026, 12, 28), False),
        ("", "", dt.date(2028, 2, 29), True),
    ],
)
def test_which_days_count(country: str, subdivision: str, day: dt.date, works: bool) -> None:
    assert BusinessDays(calendar(country, subdivision)).is_business_day(day) is works


@pytest.mark.django_db
def test_an_exception_wins_over_weekday_and_holiday() -> None:
    germany = calendar("DE")
    CalendarDay.objects.create(calendar=germany, on=dt.date(2026, 12, 24), name="Christmas Eve", is_working=False)
    CalendarDay.objects.create(calendar=germany, on=dt.date(2026, 12, 25), name="Launch", is_working=True)
    CalendarDay.objects.create(calendar=germany, on=dt.date(2026, 12, 26), name="Launch", is_working=True)
    days = BusinessDays(germany)
    assert [days.is_business_day(dt.date(2026, 12, day)) for day in (23, 24, 25, 26, 27)] == [
        True, False, True, True, False,
    ]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        (FRIDAY, 0, FRIDAY),
        (FRIDAY, 1, dt.date(2026, 11, 30)),
        (FRIDAY, -1, dt.date(2026, 11, 26)),
        (dt.date(2026, 11, 28), 0, dt.date(2026, 11, 30)),
        (dt.date(2026, 11, 28), 1, dt.date(2026, 12, 1)),
        (dt.date(2026, 11, 28), -1, dt.date(2026, 11, 26)),
        # Over Christmas, a weekend and New Year's Day: 28 to 31 December are four business days.
        (dt.date(2026, 12, 24), 5, dt.date(2027, 1, 4)),
        (dt.date(2028, 2, 28), 1, dt.date(2028, 2, 29)),
        (dt.date(2027, 2, 26), 1, dt.date(2027, 3, 1)),
    ],
)
def test_adding_business_days(start: dt.date, count: int, end: dt.date) -> None:
    assert BusinessDays(calendar("DE")).add(start, count) == end


@pytest.mark.django_db
@pytest.mark.parametrize(("day", "count"), [(dt.date.max, 5), (dt.date.min, -5), (dt.date.max, 0)])
def test_the_ends_of_the_calendar_are_no_error(day: dt.date, count: int) -> None:
    assert BusinessDays(calendar("DE")).add(day, count) is not None


@pytest.mark.django_db
def test_a_calendar_without_working_days_still_answers() -> None:
    assert BusinessDays(calendar(weekdays=())).add(FRIDAY, 3) == dt.date(2026, 11, 30)


@pytest.mark.django_db
def test_exceptions_are_read_once() -> None:
    days = BusinessDays(calendar("DE"))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        for offset in range(400):
            days.is_business_day(FRIDAY + dt.timedelta(days=offset))
    assert len(queries) == 0


@pytest.mark.django_db
def test_public_holidays_over_the_turn_of_the_year() -> None:
    found = public_holidays(calendar("DE"), since=dt.date(2026, 12, 26), until=dt.date(2027, 1, 1))
    assert [day for day, _name in found] == [dt.date(2026, 12, 26), dt.date(2027, 1, 1)]
    assert public_holidays(calendar(), since=dt.date(2026, 1, 1), until=dt.date(2026, 12, 31)) == []


@pytest.fixture
def german_days(db: None) -> BusinessDays:
    """Germany with an odd working Saturday and an odd day off."""
    germany = calendar("DE")
    CalendarDay.objects.create(calendar=germany, on=dt.date(2027, 5, 8), name="Inventory", is_working=True)
    CalendarDay.objects.create(calendar=germany, on=dt.date(2027, 5, 10), name="Outing", is_working=False)
    return BusinessDays(germany)


PLENTY = settings(max_examples=150, deadline=None, suppress_health_check=[])


def test_what_adding_promises(german_days: BusinessDays) -> None:
    @PLENTY
    @given(DAYS, st.integers(-40, 40))
    def holds(day: dt.date, count: int) -> None:
        end = german_days.add(day, count)
        assert german_days.is_business_day(end)
        if german_days.is_business_day(day):
            assert german_days.between(day, end) == count
            assert german_days.add(end, -count) == day

    holds()


def test_the_day_itself_or_the_nearest_one(german_days: BusinessDays) -> None:
    @PLENTY
    @given(DAYS)
    def holds(day: dt.date) -> None:
        after, before = german_days.on_or_after(day), german_days.on_or_before(day)
        assert before <= day <= after
        assert (before == day) == (after == day) == german_days.is_business_day(day)
        assert not any(
            german_days.is_business_day(before + dt.timedelta(days=n)) for n in range(1, (after - before).days)
        )

    holds()


def test_spans_add_up(german_days: BusinessDays) -> None:
    near = st.dates(dt.date(2027, 1, 1), dt.date(2027, 12, 31))

    @PLENTY
    @given(near, near, near)
    def holds(one: dt.date, two: dt.date, three: dt.date) -> None:
        one, two, three = sorted((one, two, three))
        assert german_days.between(one, two) + german_days.between(two, three) == german_days.between(one, three)
        assert german_days.between(three, one) == -german_days.between(one, three)

    holds()
