"""Rows of the dashboards, drawn once for each look."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import template
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from dashboards.queries.upcoming import UpcomingDeal

register = template.Library()

_MOST_KEPT = 5_000  # about 3 kB each
_kept: dict[tuple[Any, ...], SafeString] = {}


@register.simple_tag
def upcoming_row(row: UpcomingDeal, today: dt.date) -> SafeString:
    """One upcoming deal. Kept in this process under everything that it shows."""
    look = _look(row, today)
    drawn = _kept.get(look)
    if drawn is None:
        text = get_template("dashboards/_upcoming_row.html").render({"row": row, "deal": row.deal, "today": today})
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        drawn = _kept[look] = mark_safe(text)  # noqa: S308 - drawn by our template
    return drawn


def _look(row: UpcomingDeal, today: dt.date) -> tuple[Any, ...]:
    deal, engagement = row.deal, row.engagement
    stands = engagement and (engagement.state, engagement.outcome, bool(engagement.paused_at))
    owner = deal.delivery_owner and (str(deal.delivery_owner), deal.delivery_owner.side)
    names = (str(deal.account) if deal.account else None, str(deal.service_line) if deal.service_line else None)
    tasks = tuple(sorted(row.open_tasks.items()))
    about = (deal.pk, deal.version, deal.updated_at, *names, owner)
    return (*about, row.start, row.weeks, row.is_late, stands, tasks, today, get_language())
