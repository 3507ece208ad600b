"""The default playbooks, and rates."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from accounts.models import CurrencyRate, Organisation
from accounts.queries import Rates, rates
from handoffs import defaults
from tests.handoffs.reactions import MONDAY

TODAY = MONDAY.date()


@pytest.fixture(autouse=True)
def _playbooks(organisation: Organisation) -> None:
    defaults.create(organisation=organisation, now=MONDAY)


@pytest.fixture
def priced(organisation: Organisation) -> Rates:
    """A dollar is half a euro; Swiss francs have no rate."""
    CurrencyRate.objects.create(currency="USD", on=dt.date(2026, 1, 1), rate=Decimal("0.5"))
    return rates(on=TODAY)
