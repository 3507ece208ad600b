"""Money and dates the way OneTeam writes them; templates have these by ``{% load oneteam %}``."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹", "BRL": "R$", "PLN": "zł"}
NO_BREAK = "\N{NO-BREAK SPACE}"


def money(amount: Decimal | int | None, currency: str) -> str:
    """The amount with its currency, such as “€12,500” or “12,500 CHF”; cents only where there are any."""
    if amount is None:
        return ""
    cents = _rounded(Decimal(amount), 2)
    places = 0 if cents == int(cents) else 2
    return _with_currency(formats.number_format(cents, places, force_grouping=True), currency)


def short_money(amount: Decimal | int | None, currency: str) -> str:
    """The amount to three digits, such as “€1.25 M” or “€840 K”."""
    if amount is None:
        return ""
    return _with_currency(_short(Decimal(amount)), currency)


def short_number(value: Decimal | int) -> str:
    """The number to three digits, such as “1.25 M”."""
    return _short(Decimal(value))


def _short(value: Decimal) -> str:
    for limit, unit in ((10**9, _("B")), (10**6, _("M")), (10**3, _("K"))):
        # 999,950 would otherwise read as “1000 K”.
        if abs(value) >= limit * Decimal("0.9995"):
            scaled = value / limit
            places = 2 if abs(scaled) < 10 else 1 if abs(scaled) < 100 else 0
            text = formats.number_format(_rounded(scaled, places), places, force_grouping=True)
            separator = formats.get_format("DECIMAL_SEPARATOR")
            return (text.rstrip("0").rstrip(separator) if separator in text else text) + NO_BREAK + unit
    return formats.number_format(_rounded(value, 0), 0, force_grouping=True)


def _rounded(value: Decimal, places: int) -> Decimal:
    """Half up, as people round; `number_format` would cut off."""
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _with_currency(text: str, currency: str) -> str:
    symbol = SYMBOLS.get(currency)
    if symbol is None:
        return f"{text}{NO_BREAK}{currency}"
    return f"-{symbol}{text[1:]}" if text.startswith("-") else f"{symbol}{text}"


def relative_day(day: dt.date | None, today: dt.date | str | None) -> str:
    """How far away a date is: “today”, “in 3 days”, “2 weeks ago”; empty where either is missing."""
    if day is None or today is None or isinstance(today, str):
        return ""
    days = (day - today).days
    near = {0: _("today"), 1: _("tomorrow"), -1: _("yesterday")}.get(days)
    if near:
        return near
    return _ahead(days) if days > 0 else _ago(-days)


def _ahead(days: int) -> str:
    if days < 14:
        return ngettext("in %(n)d day", "in %(n)d days", days) % {"n": days}
    if days < 60:
        return ngettext("in %(n)d week", "in %(n)d weeks", days // 7) % {"n": days // 7}
    if days < 730:
        return ngettext("in %(n)d month", "in %(n)d months", days // 30) % {"n": days // 30}
    return ngettext("in %(n)d year", "in %(n)d years", days // 365) % {"n": days // 365}


def _ago(days: int) -> str:
    if days < 14:
        return ngettext("%(n)d day ago", "%(n)d days ago", days) % {"n": days}
    if days < 60:
        return ngettext("%(n)d week ago", "%(n)d weeks ago", days // 7) % {"n": days // 7}
    if days < 730:
        return ngettext("%(n)d month ago", "%(n)d months ago", days // 30) % {"n": days // 30}
    return ngettext("%(n)d year ago", "%(n)d years ago", days // 365) % {"n": days // 365}


def short_date(day: dt.date | None, today: dt.date | None = None) -> str:
    """“3 Dec”, with the year where it is not this one."""
    if day is None:
        return ""
    if isinstance(today, dt.date) and day.year == today.year:
        return formats.date_format(day, pgettext("day and month, as Django's date filter", "j M"))
    return formats.date_format(day, pgettext("day, month, year, as Django's date filter", "j M Y"))
