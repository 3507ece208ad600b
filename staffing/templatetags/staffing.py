"""Figures and words of the staffing."""

from __future__ import annotations

from decimal import Decimal

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from staffing.words import PROFICIENCY

register = template.Library()
MINUS = "\N{MINUS SIGN}"


@register.filter
def hours(value: Decimal | float | None) -> str:
    """Hours to a tenth, without needless noughts: 40, 7.5, −8."""
    if value is None:
        return ""
    rounded = Decimal(value).quantize(Decimal("0.1"))
    places = 0 if rounded == int(rounded) else 1
    return number_format(abs(rounded), places, use_l10n=True) if rounded >= 0 else MINUS + hours(-rounded)


@register.filter
def proficiency(level: int) -> str:
    """How well somebody can do something, in words."""
    return str(PROFICIENCY.get(level, _("unknown")))
