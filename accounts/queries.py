"""Reads about the organisation."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from accounts.calendars import BusinessDays
from accounts.models import CurrencyRate, Organisation


def organisation() -> Organisation:
    """The organisation with its calendar. Raises Organisation.DoesNotExist before set-up."""
    return Organisation.objects.select_related("calendar").get(pk=1)


def business_days() -> BusinessDays:
    """Business days of the organisation's calendar."""
    return BusinessDays(organisation().calendar)


@dataclass(frozen=True)
class Rates:
    """Today's rates into the base currency, and the date of the oldest one in use."""

    base: str
    rates: dict[str, Decimal]
    as_of: dt.date | None

    def convert(self, amount: Decimal, currency: str) -> Decimal | None:
        """The amount in the base currency, or None where no rate is known."""
        if currency == self.base:
            return amount
        rate = self.rates.get(currency)
        return None if rate is None else amount * rate


def rates(*, on: dt.date, base: str | None = None) -> Rates:
    """The newest rate of each currency on a day; ``base`` is the organisation's currency, where it is known."""
    newest = CurrencyRate.objects.filter(on__lte=on).order_by("currency", "-on").distinct("currency")
    rows = list(newest)
    return Rates(
        base=base or organisation().base_currency,
        rates={row.currency: row.rate for row in rows},
        as_of=min((row.on for row in rows), default=None),
    )
