"""Money and dates as people read them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.queries import Rates
from onetteam.templatetags import oneteam

TODAY = dt.date(2026, 11, 23)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (Decimal("12500.00"), "EUR", "€12,500"),
        (Decimal("12500.50"), "USD", "$12,500.50"),
        (Decimal("12500"), "CHF", "12,500\xa0CHF"),
        (Decimal("12.3456"), "EUR", "€12.35"),
        (Decimal("11.9999"), "EUR", "€12"),
        (Decimal("-3"), "GBP", "-£3"),
        (Decimal(0), "EUR", "€0"),
        (None, "EUR", ""),
    ],
)
def test_money(amount: Decimal | None, currency: str, text: str) -> None:
    assert oneteam.money(amount, currency) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "€0"),
        ("999", "€999"),
        ("999.4", "€999"),
        ("0.5", "€1"),
        ("1000", "€1\xa0K"),
        ("1250", "€1.25\xa0K"),
        ("84000", "€84\xa0K"),
        ("999400", "€999\xa0K"),
        ("999950", "€1\xa0M"),
        ("1250000", "€1.25\xa0M"),
        ("12000000", "€12\xa0M"),
        ("100000000", "€100\xa0M"),
        ("9999999999999.99", "€10,000\xa0B"),
    ],
)
def test_short_money(amount: str, text: str) -> None:
    assert oneteam.short_money(Decimal(amount), "EUR") == text


@given(st.decimals(0, Decimal("1e13"), places=2))
def test_short_money_is_right_to_three_digits(amount: Decimal) -> None:
    text = oneteam.short_money(amount, "CHF").removesuffix("\xa0CHF").replace(",", "")
    number, _space, unit = text.partition("\xa0")
    shown = Decimal(number) * {"": 1, "K": 10**3, "M": 10**6, "B": 10**9}[unit]
    assert abs(shown - amount) <= max(amount * Decimal("0.0051"), Decimal("0.5"))


@pytest.mark.parametrize(
    ("days", "text"),
    [(0, "today"), (1, "tomorrow"), (-1, "yesterday"), (2, "in 2 days"), (-3, "3 days ago"), (13, "in 13 days"),
     (14, "in 2 weeks"), (-21, "3 weeks ago"), (60, "in 2 months"), (-400, "13 months ago"), (800, "in 2 years")],
)  # fmt: skip
def test_relative_day(days: int, text: str) -> None:
    assert oneteam.relative_day(TODAY + dt.timedelta(days=days), TODAY) == text


def test_relative_day_without_a_date() -> None:
    assert oneteam.relative_day(None, TODAY) == ""


@pytest.mark.parametrize(
    ("day", "text"),
    [(dt.date(2026, 12, 3), "3 Dec"), (dt.date(2027, 1, 3), "3 Jan 2027"), (None, ""), (dt.date.max, "31 Dec 9999")],
)
def test_short_date(day: dt.date | None, text: str) -> None:
    assert oneteam.short_date(day, TODAY) == text


def test_in_base_is_nothing_without_a_rate() -> None:
    known = Rates(base="EUR", rates={"USD": Decimal("0.5")}, as_of=TODAY)
    assert oneteam.in_base(Decimal(10), "USD", known) == 5
    assert oneteam.in_base(Decimal(10), "JPY", known) is None
    assert oneteam.in_base(None, "USD", known) is None
