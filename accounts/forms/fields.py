"""Fields that several forms share."""

from __future__ import annotations

import re
import zoneinfo
from functools import cache
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise
from holidays.registry import COUNTRIES

from accounts.models.organisation import validate_currency
from accounts.text import fault_in, trimmed

# Offered while typing; any other ISO code may be typed.
CURRENCIES = (
    "EUR", "USD", "GBP", "CHF", "AED", "ARS", "AUD", "BGN", "BRL", "CAD", "CLP", "CNY", "COP", "CZK", "DKK", "HKD",
    "HUF", "IDR", "ILS", "INR", "ISK", "JPY", "KRW", "MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "RON", "SAR", "SEK",
    "SGD", "THB", "TRY", "TWD", "UAH", "VND", "ZAR",
)  # fmt: skip
_CONTINENTS = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")

Choices = list[tuple[str, Any]]


class NameField(forms.CharField):
    """A name people see: one line, something visible, nothing that deceives the eye."""

    def __init__(self, *, max_length: int = 80, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)

    def to_python(self, value: Any) -> str:
        """The name without space and invisible marks around it."""
        return trimmed(super().to_python(value) or "")

    def validate(self, value: str) -> None:
        """Refuse what can't be kept or would deceive."""
        super().validate(value)
        fault = fault_in(value)
        if fault:
            raise ValidationError(fault)


class CurrencyField(forms.CharField):
    """A three-letter code; small letters will do."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", _("Currency"))
        super().__init__(max_length=3, **options)
        self.widget.attrs |= {"list": "currencies", "autocomplete": "off", "spellcheck": "false"}
        self.validators.append(validate_currency)

    def to_python(self, value: Any) -> str:
        """The code in capitals."""
        return (super().to_python(value) or "").upper()


class TimeZoneField(forms.ChoiceField):
    """An IANA time zone, by continent. With `empty`, leaving it open is a choice."""

    def __init__(self, *, empty: StrOrPromise = "", **options: Any) -> None:
        options.setdefault("label", _("Time zone"))
        super().__init__(choices=lambda: ([("", empty)] if empty else []) + _time_zones(), **options)


class CountryField(forms.ChoiceField):
    """A country whose public holidays are known, or none."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", _("Public holidays of"))
        options.setdefault("required", False)
        super().__init__(choices=lambda: [("", _("No public holidays")), *_countries()], **options)


@cache
def _time_zones() -> Choices:
    zones: dict[str, Choices] = {continent: [] for continent in _CONTINENTS}
    for name in sorted(zoneinfo.available_timezones()):
        continent, _slash, place = name.partition("/")
        if continent in zones:
            zones[continent].append((name, place.replace("_", " ").replace("/", ", ")))
    return [("UTC", "UTC"), *zones.items()]


@cache
def _countries() -> Choices:
    named = ((entry[1], re.sub(r"(?<=[a-z])(?=[A-Z])", " ", entry[0])) for entry in COUNTRIES.values())
    return sorted(named, key=lambda country: country[1])


def country_codes() -> set[str]:
    """Two-letter codes of the countries whose public holidays are known."""
    return {code for code, _name in _countries()}
