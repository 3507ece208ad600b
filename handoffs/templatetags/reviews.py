"""How reviews write scores and clocks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django import template
from django.utils.translation import gettext as _

from handoffs.review_forms import SCORES

register = template.Library()


@register.filter
def on_line(score: int) -> int:
    """Where a score stands on the line from 1 to 5, in percent of its width."""
    return 4 + (score - 1) * 23


@register.filter
def score_word(score: int | None) -> str:
    """What a score says: 4 is “mostly”."""
    return str(SCORES[score]) if score else ""


@register.filter
def span_words(until: dt.datetime, now: dt.datetime) -> str:
    """How far apart two moments are, whichever comes first: “3 h 20 min”, “2 d 4 h”."""
    minutes = int(abs((until - now).total_seconds()) // 60)
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    if days:
        return _("%(d)d d %(h)d h") % {"d": days, "h": hours}
    if hours:
        return _("%(h)d h %(m)d min") % {"h": hours, "m": minutes}
    return _("%(m)d min") % {"m": minutes}


@register.filter
def in_keys(key: int, keys: Collection[int]) -> bool:
    """Whether the key is among them."""
    return key in keys


@register.filter
def is_past(moment: dt.datetime, now: dt.datetime) -> bool:
    """Whether the moment has gone by."""
    return moment <= now
