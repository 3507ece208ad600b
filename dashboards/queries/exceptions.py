"""Ways past a gate: moves that went past unmet criteria, and wins without an agreed review, as rows and as figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from accounts.models import User
from handoffs.models import ReviewOverride
from handoffs.review_queries import Overriders, overrides
from opportunities.models import GateBypass, Opportunity

# What is counted in the figures.
DAYS = 90
MOST = 100


@dataclass(frozen=True)
class WayPast:
    """One time that somebody with the right went past a gate: ``what`` was missing, and the reason given."""

    deal: Opportunity
    by: User
    at: dt.datetime
    what: str
    reason: str

    @property
    def on(self) -> dt.date:
        """The day, as the reader's clock has it."""
        return timezone.localdate(self.at)


@dataclass(frozen=True)
class Exceptions:
    """Figures by team and person, and the rows behind them, newest first; ``is_cut`` when there are more."""

    figures: Sequence[Overriders]
    rows: Sequence[WayPast]
    is_cut: bool

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(each.total for each in self.figures)


def exceptions(user: User, *, now: dt.datetime) -> Exceptions:
    """Those of the last ``DAYS`` days on deals that the person may see. Four queries."""
    since = now - dt.timedelta(days=DAYS)
    seen = Opportunity.objects.visible_to(user)
    bypasses = GateBypass.objects.filter(opportunity__in=seen, at__gte=since)
    passed = ReviewOverride.objects.filter(review__opportunity__in=seen, at__gte=since)
    rows = [
        WayPast(each.opportunity, each.by, each.at, _missing(each), each.reason)
        for each in bypasses.select_related("opportunity__account", "stage", "by").order_by("-at")[:MOST]
    ]
    rows += [
        WayPast(each.review.opportunity, each.by, each.at, "", each.reason)
        for each in passed.select_related("review__opportunity__account", "by").order_by("-at")[:MOST]
    ]
    figures = overrides(user, since)
    rows.sort(key=lambda row: row.at, reverse=True)
    return Exceptions(figures, rows[:MOST], sum(each.total for each in figures) > MOST)


def _missing(bypass: GateBypass) -> str:
    return f"{bypass.stage}: {' '.join(item['sentence'] for item in bypass.missing)}"
