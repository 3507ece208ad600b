"""When tasks are due: business days, holidays, the cap at the close date, the kick-off."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.calendars import BusinessDays
from accounts.models import CalendarDay, Organisation
from handoffs.dates import anchor_date, due_date
from handoffs.models import Anchor, Trigger
from opportunities.models import Opportunity
from opportunities.starts import expected_start

MONDAY, FRIDAY, SATURDAY = dt.date(2026, 11, 23), dt.date(2026, 11, 27), dt.date(2026, 11, 28)


@pytest.fixture
def days(organisation: Organisation) -> BusinessDays:
    return BusinessDays(organisation.calendar)


def due(
    days: BusinessDays, offset: int, *, since: dt.date = MONDAY, closes: dt.date | None = None,
    trigger: Trigger = Trigger.WARM, anchored: dt.date | None = None,
) -> dt.date:  # fmt: skip
    return due_date(
        anchored_on=anchored or since, offset_days=offset, trigger=trigger, opportunity=Opportunity(close_date=closes),
        signalled_on=since, days=days,
    )  # fmt: skip


def test_a_weekend_is_stepped_over(days: BusinessDays) -> None:
    assert due(days, 2, since=FRIDAY) == dt.date(2026, 12, 1)


def test_a_signal_on_a_weekend_counts_from_monday(days: BusinessDays) -> None:
    assert due(days, 0, since=SATURDAY) == dt.date(2026, 11, 30)


def test_a_day_off_is_stepped_over(organisation: Organisation) -> None:
    CalendarDay.objects.create(calendar=organisation.calendar, on=dt.date(2026, 11, 24), name="Works outing")
    assert due(BusinessDays(organisation.calendar), 1) == dt.date(2026, 11, 25)


def test_a_public_holiday_is_stepped_over(organisation: Organisation) -> None:
    organisation.calendar.country = "DE"
    assert due(BusinessDays(organisation.calendar), 1, since=dt.date(2026, 12, 24)) == dt.date(2026, 12, 28)


def test_before_the_win_nothing_is_due_after_the_close_date(days: BusinessDays) -> None:
    assert due(days, 10, closes=dt.date(2026, 11, 26)) == dt.date(2026, 11, 26)


def test_the_cap_is_a_business_day(days: BusinessDays) -> None:
    assert due(days, 10, closes=SATURDAY) == FRIDAY


def test_a_close_date_that_has_passed_caps_nothing(days: BusinessDays) -> None:
    assert due(days, 3, closes=dt.date(2026, 11, 1)) == dt.date(2026, 11, 26)


def test_after_the_win_the_close_date_caps_nothing(days: BusinessDays) -> None:
    assert due(days, 3, closes=MONDAY, trigger=Trigger.WON) == dt.date(2026, 11, 26)


def test_nothing_is_due_before_its_signal(days: BusinessDays) -> None:
    assert due(days, -5, anchored=dt.date(2026, 11, 24)) == MONDAY


@pytest.mark.parametrize(
    ("anchor", "expected"),
    [
        (Anchor.TRIGGER, MONDAY),
        (Anchor.CLOSE_DATE, dt.date(2027, 1, 15)),
        (Anchor.KICKOFF, dt.date(2027, 1, 29)),
    ],
)
def test_anchors(organisation: Organisation, days: BusinessDays, anchor: Anchor, expected: dt.date) -> None:
    deal = Opportunity(close_date=dt.date(2027, 1, 15), kind="open")
    assert anchor_date(anchor, deal, signalled_on=MONDAY, home=organisation, days=days) == expected


def test_without_a_close_date_twenty_business_days_are_assumed(organisation: Organisation, days: BusinessDays) -> None:
    deal = Opportunity(close_date=None, kind="open")
    found = anchor_date(Anchor.CLOSE_DATE, deal, signalled_on=MONDAY, home=organisation, days=days)
    assert found == dt.date(2026, 12, 21)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"start_on": dt.date(2027, 2, 1), "close_date": dt.date(2027, 1, 15)}, dt.date(2027, 2, 1)),
        ({"close_date": dt.date(2027, 1, 15)}, dt.date(2027, 1, 29)),
        (
            {"close_date": dt.date(2027, 1, 15), "kind": "won", "closed_on": dt.date(2026, 12, 1)},
            dt.date(2026, 12, 15),
        ),
        ({}, None),
    ],
)
def test_expected_start(organisation: Organisation, fields: dict[str, object], expected: dt.date | None) -> None:
    assert expected_start(Opportunity(**{"kind": "open", **fields}), organisation) == expected
