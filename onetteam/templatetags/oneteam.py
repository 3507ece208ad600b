"""Money and dates the way OneTeam writes them."""

from __future__ import annotations

from decimal import Decimal

from django import template

from accounts.formats import money, relative_day, short_date, short_money, short_number
from accounts.queries import Rates

register = template.Library()

register.simple_tag(money)
register.simple_tag(short_money)
register.filter(short_number)
register.filter(relative_day)
register.filter(short_date)


@register.simple_tag
def in_base(amount: Decimal | None, currency: str, rates: Rates) -> Decimal | None:
    """The amount in the base currency, None where there is no amount or no rate."""
    return None if amount is None else rates.convert(amount, currency)
