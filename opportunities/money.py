"""Amounts as people type them."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from django.utils import formats
from django.utils.translation import gettext as _

LARGEST = Decimal("9999999999999.99")  # numeric(15, 2)
_SPACES = re.compile(r"[\s'’_]")
_PLAIN = re.compile(r"\d+")
_ONE_SEPARATOR = re.compile(r"(\d*)([.,])(\d+)")
_GROUPED = re.compile(r"\d{1,3}([.,])\d{3}(?:\1\d{3})*(?:(?!\1)[.,]\d{1,2})?")


class NotAnAmount(ValueError):
    """The text can't be read as money; the message says how to write it."""


def parse_amount(text: str) -> Decimal:
    """An amount from "1234.5", "1.234,56", "1,234.56", "1 234" or full-width digits.

    "1.234" alone can be a thousand or a fraction: it is read the way the person's language groups thousands, and
    asked about otherwise. Raises NotAnAmount.
    """
    plain = _SPACES.sub("", unicodedata.normalize("NFKC", text)).replace("−", "-")
    if plain.startswith("-"):
        raise NotAnAmount(_("An amount can't be negative."))
    amount = _read(plain)
    if amount is None:
        raise NotAnAmount(_("Write the amount in figures, such as 1234.50."))
    if amount > LARGEST:
        raise NotAnAmount(_("That is more than can be kept here. The largest amount is 9,999,999,999,999.99."))
    return amount.quantize(Decimal("0.01"))


def _read(plain: str) -> Decimal | None:
    if len(plain) > 40 or not plain.isascii():
        return None
    if _PLAIN.fullmatch(plain):
        return Decimal(plain)
    single = _ONE_SEPARATOR.fullmatch(plain)
    if single:
        return _with_one_separator(*single.groups())
    if not _GROUPED.fullmatch(plain):
        return None
    last = max(plain.rfind("."), plain.rfind(","))
    # Two different separators: the last one is the decimal point. One that repeats: all of them group thousands.
    if plain.count(plain[last]) > 1:
        return Decimal(re.sub("[.,]", "", plain))
    return Decimal(re.sub("[.,]", "", plain[:last]) + "." + plain[last + 1 :])


def _with_one_separator(whole: str, separator: str, rest: str) -> Decimal | None:
    if len(rest) <= 2:
        return Decimal(f"{whole or 0}.{rest}")
    if len(rest) != 3 or not 1 <= len(whole) <= 3 or whole.startswith("0"):
        return None
    if separator == formats.get_format("THOUSAND_SEPARATOR"):
        return Decimal(whole + rest)
    raise NotAnAmount(
        _("Is that %(large)s or %(small)s? Write it without a separator for thousands.")
        % {"large": whole + rest, "small": f"{whole}.{rest[:2]}"}
    )
