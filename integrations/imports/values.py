"""Cells as people and CRMs write them: missing words, dates, numbers."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from decimal import Decimal
from functools import lru_cache

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrations.imports.errors import BadRow

_MISSING = """
- -- – — . ? null <null> (null) none nil nan n/a #n/a #n/v na n.a. k.a. unknown undefined empty (empty) (blank) blank
"""
MISSING = frozenset(("", "n. a.", "k. a.", "not available", "not set", *_MISSING.split()))
# Day-month-year and month-day-year look alike; everything else says itself what it is.
DAY_FIRST, MONTH_FIRST = "dmy", "mdy"
DATE_READINGS = {
    DAY_FIRST: gettext_lazy("day before month, as in 31/12/2026"),
    MONTH_FIRST: gettext_lazy("month before day, as in 12/31/2026"),
}
POINT, COMMA = "point", "comma"
DECIMAL_MARKS = {
    POINT: gettext_lazy("a point marks decimals, as in 1,234.56"),
    COMMA: gettext_lazy("a comma marks decimals, as in 1.234,56"),
}
FIRST_YEAR, LAST_YEAR = 2000, 2100

_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:[T ]\d.*)?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4}|\d{2})(?:[T ,]+\d.*)?")
_NAMED = re.compile(
    r"(?:[A-Za-z]{3,9},? +)?"  # a weekday
    r"(?:(\d{1,2})[. -]+([A-Za-zäéû]{3,9})|([A-Za-zäéû]{3,9})[. -]+(\d{1,2})),?[. -]+(\d{4}|\d{2})"
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan", "feb fév", "mar mär mrz", "apr avr", "may mai", "jun", "jul", "aug aoû", "sep", "oct okt", "nov",
            "dec dez déc",
        ), 1
    )
    for name in names.split()
}  # fmt: skip
_MONEY_WORDS = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "₹": "INR"}
_MONEY = re.compile(r"(?P<before>[A-Za-z]{3}|[€$£¥₹])? ?(?P<figures>[\d.,'’ ]*\d) ?(?P<after>[A-Za-z]{3}|[€$£¥₹])?")
LARGEST = Decimal("9999999999999.99")


def is_missing(cell: str) -> bool:
    """Whether the cell says that there is no value."""
    return not cell or (len(cell) < 14 and cell.strip().casefold() in MISSING)


@lru_cache(maxsize=50_000)
def possible_dates(cell: str) -> tuple[tuple[str, dt.date], ...]:
    """What the cell can mean: reading (dmy, mdy, or both) with its date. Empty when it is no date."""
    text = cell.strip()
    if match := _YEAR_FIRST.fullmatch(text) or _COMPACT.fullmatch(text):
        parts = match.groups()
        certain = _date(int(parts[0]), int(parts[-2]), int(parts[-1]))
        return _both(certain)
    if match := _YEAR_LAST.fullmatch(text):
        first, second, year = int(match[1]), int(match[3]), _year(match[4])
        readings = [(DAY_FIRST, _date(year, second, first))]
        if match[2] != ".":  # nobody writes a month before the day with points
            readings.append((MONTH_FIRST, _date(year, first, second)))
        return tuple((name, date) for name, date in readings if date is not None)
    if match := _NAMED.fullmatch(text):
        month = _MONTHS.get((match[2] or match[3])[:3].lower())
        return _both(_date(_year(match[5]), month, int(match[1] or match[4])) if month else None)
    return ()


@lru_cache(maxsize=50_000)
def parse_date(cell: str, reading: str) -> dt.date:
    """The date in the given reading. Raises BadRow with what is wrong."""
    for name, date in possible_dates(cell):
        if name == reading:
            if not FIRST_YEAR <= date.year <= LAST_YEAR:
                raise BadRow(_("“%(cell)s” is not between the years 2000 and 2100.") % {"cell": cell[:40]})
            return date
    raise BadRow(_("“%(cell)s” is not a date that can be read here.") % {"cell": cell[:40]})


@lru_cache(maxsize=50_000)
def decimal_marks(cell: str) -> frozenset[str]:
    """How the decimal mark can be read in the cell: point, comma, either or (no number) neither."""
    figures = _figures(cell)
    if figures is None:
        return frozenset()
    return frozenset(mark for mark in (POINT, COMMA) if _number(figures, mark) is not None)


def says_decimal_mark(cell: str) -> bool:
    """Whether it matters for this cell which mark is the decimal one."""
    figures = _figures(cell)
    return figures is not None and ("." in figures or "," in figures)


@lru_cache(maxsize=50_000)
def parse_amount(cell: str, mark: str) -> tuple[Decimal, str]:
    """The amount, and the currency that the cell names or an empty string. Raises BadRow with what is wrong."""
    if cell.lstrip("€$£ ").startswith(("-", "−", "(")):
        raise BadRow(_("“%(cell)s” is negative; an amount can't be.") % {"cell": cell[:40]})
    figures = _figures(cell)
    number = _number(figures, mark) if figures is not None else None
    if number is None:
        raise BadRow(_("“%(cell)s” is not an amount that can be read here.") % {"cell": cell[:40]})
    if number > LARGEST:
        raise BadRow(_("“%(cell)s” is more than can be kept here.") % {"cell": cell[:40]})
    return number.quantize(Decimal("0.01")), _currency(cell)


def parse_percent(cell: str) -> int:
    """A probability from "60", "60%" or "0.6". Raises BadRow."""
    text = cell.strip().removesuffix("%").strip().replace(",", ".")
    if re.fullmatch(r"\d{1,3}(\.\d{1,6})?", text):
        value = Decimal(text)
        if "%" not in cell and "." in text and value <= 1:
            value *= 100
        if value <= 100:
            return int(value.to_integral_value())
    raise BadRow(_("“%(cell)s” is not a percentage between 0 and 100.") % {"cell": cell[:40]})


def key_of(text: str) -> str:
    """Letters and digits only, case folded: what two spellings of the same name have in common."""
    return "".join(char for char in unicodedata.normalize("NFKC", text).casefold() if char.isalnum())


def _both(date: dt.date | None) -> tuple[tuple[str, dt.date], ...]:
    return () if date is None else ((DAY_FIRST, date), (MONTH_FIRST, date))


def _year(digits: str) -> int:
    return int(digits) if len(digits) == 4 else 2000 + int(digits)


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _figures(cell: str) -> str | None:
    """The digits and marks of a sum of money, without currency and spaces."""
    if not cell or len(cell) > 40:
        return None
    text = unicodedata.normalize("NFKC", cell).strip()
    match = _MONEY.fullmatch(text)
    if match is None or (not text.isascii() and not set(text) - set("€£¥₹’") <= set(map(chr, range(128)))):
        return None
    return re.sub(r"[ '’]", "", match["figures"])


def _number(figures: str, mark: str) -> Decimal | None:
    decimal, group = (".", ",") if mark == POINT else (",", ".")
    whole, _found, fraction = figures.partition(decimal)
    if decimal in fraction or group in fraction:
        return None
    if group in whole:
        head, *groups = whole.split(group)
        if not 1 <= len(head) <= 3 or any(len(part) != 3 for part in groups):
            return None
        whole = head + "".join(groups)
    if not (whole + fraction).isdigit() or not (whole + fraction).isascii():
        return None
    return Decimal(f"{whole or 0}.{fraction or 0}")


def _currency(cell: str) -> str:
    match = _MONEY.fullmatch(unicodedata.normalize("NFKC", cell).strip())
    word = (match["before"] or match["after"] or "") if match else ""
    return _MONEY_WORDS.get(word, word.upper())
