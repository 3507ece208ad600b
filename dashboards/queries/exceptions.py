"""Ways past a gate as rows and as figures.

Moves that went past unmet criteria, wins without an agreed review, and ramps that ended before all was shown.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from handoffs.models import RampPlan, ReviewOverride
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
    early = RampPlan.objects.ended_early().filter(opportunity__in=seen, exited_at__gte=since)
    rows += [
        WayPast(each.opportunity, each.exited_by, each.exited_at, _open_at_exit(each), each.exit_reason)
        for each in early.select_related("opportunity__account", "exited_by").order_by("-exited_at")[:MOST]
        if each.exited_by is not None and each.exited_at is not None
    ]
    figures = overrides(user, since)
    rows.sort(key=lambda row: row.at, reverse=True)
    return Exceptions(figures, rows[:MOST], sum(each.total for each in figures) > MOST)


def _missing(bypass: GateBypass) -> str:
    return f"{bypass.stage}: {' '.join(item['sentence'] for item in bypass.missing)}"


def _open_at_exit(plan: RampPlan) -> str:
    return " ".join([_("Ended the ramp early."), *(str(item["sentence"]) for item in plan.exit_missing)])
