"""Figures of the replay in words."""

from __future__ import annotations

from django import template
from django.utils.translation import ngettext

from staffing.templatetags.staffing import MINUS

register = template.Library()


@register.filter
def percent(share: float) -> str:
    """A share from 0 to 1 in whole percent."""
    return f"{round(100 * share)} %"


@register.filter
def signed(hours: float) -> str:
    """Whole hours with their sign, 0 without."""
    whole = round(hours)
    return f"+{whole}" if whole > 0 else f"{MINUS}{-whole}" if whole else "0"


@register.filter
def weeks_later(weeks: int) -> str:
    """How the start that came lies to the one that was said; empty for the same week."""
    if weeks > 0:
        return ngettext("began %(n)d week later", "began %(n)d weeks later", weeks) % {"n": weeks}
    if weeks < 0:
        return ngettext("began %(n)d week earlier", "began %(n)d weeks earlier", -weeks) % {"n": -weeks}
    return ""
