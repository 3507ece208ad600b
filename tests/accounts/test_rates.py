"""Money in the base currency, at the rate of the day."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from accounts.models import CurrencyRate, Organisation
from accounts.queries import rates

ON = dt.date(2026, 11, 23)


@pytest.fixture
def dollars(organisation: Organisation) -> None:
    """Three rates of the dollar: an old one, the one that holds, one still to come."""
    for on, rate in ((dt.date(2026, 1, 1), "0.80"), (dt.date(2026, 11, 1), "0.91"), (dt.date(2026, 12, 1), "0.99")):
        CurrencyRate.objects.create(currency="USD", on=on, rate=Decimal(rate))


def test_the_newest_rate_that_already_holds(dollars: None) -> None:
    assert rates(on=ON).convert(Decimal(1000), "USD") == Decimal("910.00")


def test_an_earlier_day_has_its_own_rate(dollars: None) -> None:
    assert rates(on=dt.date(2026, 5, 1)).convert(Decimal(1000), "USD") == Decimal("800.00")


def test_before_the_first_rate_there_is_no_price(dollars: None) -> None:
    assert rates(on=dt.date(2025, 12, 31)).convert(Decimal(1000), "USD") is None


def test_the_base_currency_is_worth_itself(organisation: Organisation) -> None:
    assert rates(on=ON).convert(Decimal("12.34"), "EUR") == Decimal("12.34")


def test_without_a_rate_there_is_no_price(organisation: Organisation) -> None:
    known = rates(on=ON)
    assert known.convert(Decimal(1), "USD") is None
    assert known.as_of is None


def test_totals_are_as_old_as_the_oldest_rate_in_use(dollars: None) -> None:
    CurrencyRate.objects.create(currency="GBP", on=dt.date(2026, 10, 15), rate=Decimal("1.15"))
    assert rates(on=ON).as_of == dt.date(2026, 10, 15)
