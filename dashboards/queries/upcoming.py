"""Deals that may become work, by expected start: D3 of the product."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import JSONObject

from accounts.models import Organisation, ServiceLine, User
from handoffs.models import Engagement, Task, TaskState
from opportunities.models import Opportunity, OpportunityQuerySet
from opportunities.queries.keys import key_among
from opportunities.starts import expected_start

PAGE = 25
# Weeks ahead that can be asked for.
HORIZONS = (4, 8, 13, 26)
# The last week of each column of the outlook by service line.
OUTLOOK_WEEKS = (2, 4, 8, 13)
# The outlook counts so many deals and no more.
MOST_COUNTED = 2000
_NEVER = "never"


class BadCursor(ValueError):
    """The address of a page was cut or made up."""


@dataclass(frozen=True)
class UpcomingFilter:
    """What to show; an empty field leaves out nothing."""

    service_line_id: int | None = None
    weeks: int | None = None


@dataclass(frozen=True)
class UpcomingDeal:
    """A warm or hot deal with its expected start and where delivery stands (its newest engagement, in part)."""

    deal: Opportunity
    start: dt.date | None
    weeks: int | None
    engagement: Engagement | None
    open_tasks: dict[str, int]
    is_late: bool


def upcoming_page(
    user: User,
    *,
    home: Organisation,
    today: dt.date,
    wanted: UpcomingFilter | None = None,
    after: str = "",
    size: int = PAGE,
) -> tuple[list[UpcomingDeal], str | None]:
    """Open warm and hot deals by expected start, and the cursor after them; one query. Raises BadCursor.

    The start is named on the deal, else it is the usual days after the close date; see opportunities.starts.
    Both are read in the order of an index and merged.
    """
    wanted = wanted or UpcomingFilter()
    branches = _branches(user, home=home, today=today, wanted=wanted, after=after)
    keys = [branch.values("pk")[: size + 1] for branch in branches]
    found = Opportunity.objects.filter(key_among(keys[0].union(*keys[1:], all=True))).with_people()
    deals = sorted(_with_delivery(found), key=lambda deal: _order(expected_start(deal, home), deal.pk))
    rows = [_row(deal, home=home, today=today) for deal in deals[:size]]
    last = rows[-1] if len(deals) > size else None
    return rows, _cursor(last) if last else None


def _row(deal: Opportunity, *, home: Organisation, today: dt.date) -> UpcomingDeal:
    start = expected_start(deal, home)
    newest: dict[str, Any] | None = deal.newest  # type: ignore[attr-defined]
    counts = {row["side"]: row["tasks"] for row in deal.waiting}  # type: ignore[attr-defined]
    weeks = None if start is None else max(0, (start - today).days // 7)
    engagement = Engagement(opportunity=deal, **newest) if newest else None
    return UpcomingDeal(deal, start, weeks, engagement, counts, is_late=start is not None and start < today)


def _with_delivery(deals: OpportunityQuerySet) -> OpportunityQuerySet:
    """Adds where the newest engagement stands, and the open tasks by side."""
    newest = Engagement.objects.filter(opportunity=OuterRef("pk")).order_by("-requested_at", "-pk")
    stands = JSONObject(state="state", outcome="outcome", paused_at="paused_at", is_fast_lane="is_fast_lane")
    waiting = (
        Task.objects.filter(opportunity=OuterRef("pk"), state=TaskState.OPEN)
        .order_by()
        .values("side")
        .annotate(tasks=Count("pk"))
        .values(found=JSONObject(side="side", tasks="tasks"))
    )
    return deals.annotate(newest=Subquery(newest.values(found=stands)[:1]), waiting=ArraySubquery(waiting))


def _branches(
    user: User, *, home: Organisation, today: dt.date, wanted: UpcomingFilter, after: str
) -> Sequence[OpportunityQuerySet]:
    """Deals with a named start, those with a close date only, and those with neither; each in order."""
    days = dt.timedelta(days=home.start_after_close_days)
    deals = Opportunity.objects.shared_zone().visible_to(user)
    if wanted.service_line_id is not None:
        deals = deals.filter(service_line=wanted.service_line_id)
    named = deals.filter(start_on__isnull=False)
    closing = deals.filter(start_on__isnull=True, close_date__isnull=False)
    neither = deals.filter(start_on__isnull=True, close_date__isnull=True)
    if wanted.weeks is not None:
        until = today + dt.timedelta(weeks=wanted.weeks)
        named, neither = named.filter(start_on__lte=until), neither.none()
        closing = closing.filter(close_date__lte=until - days)
    if after:
        day, key = _parsed(after)
        neither = neither if day else neither.filter(pk__gt=key)
        named = named.filter(_beyond("start_on", day, key))
        closing = closing.filter(_beyond("close_date", day - days if day else None, key))
    return (
        named.order_by(F("start_on").asc(nulls_last=True), "pk"),
        closing.order_by(F("close_date").asc(nulls_last=True), "pk"),
        neither.order_by("pk"),
    )


def _beyond(field_name: str, day: dt.date | None, key: int) -> Q:
    if day is None:
        return Q(pk__in=[])
    return Q(**{f"{field_name}__gt": day}) | Q(**{field_name: day, "pk__gt": key})


def _order(start: dt.date | None, key: int) -> tuple[dt.date, int]:
    return start or dt.date.max, key


def _cursor(last: UpcomingDeal) -> str:
    return f"{last.start.isoformat() if last.start else _NEVER}.{last.deal.pk}"


def _parsed(after: str) -> tuple[dt.date | None, int]:
    day, _separator, key = after.rpartition(".")
    try:
        number = int(key)
        parsed = None if day == _NEVER else dt.date.fromisoformat(day)
    except ValueError as error:
        raise BadCursor(after) from error
    if not 0 < number < 2**63 or (parsed and not 1900 <= parsed.year <= 2200):
        raise BadCursor(after)
    return parsed, number


@dataclass
class Cell:
    """Deals of a service line that are expected to start in some weeks."""

    warm: int = 0
    hot: int = 0

    @property
    def deals(self) -> int:
        """All of them."""
        return self.warm + self.hot


@dataclass
class OutlookRow:
    """One service line, with a cell per span of weeks."""

    line: ServiceLine | None
    cells: list[Cell] = field(default_factory=lambda: [Cell() for _ in OUTLOOK_WEEKS])


@dataclass
class Outlook:
    """Upcoming deals by service line and weeks ahead; ``is_cut`` when there are more than were counted."""

    spans: list[tuple[int, int]]
    rows: list[OutlookRow]
    is_cut: bool


def outlook(user: User, *, home: Organisation, today: dt.date, lines: Iterable[ServiceLine]) -> Outlook:
    """How many warm and hot deals start when, by service line; what is late counts to the first span. One query."""
    wanted = UpcomingFilter(weeks=OUTLOOK_WEEKS[-1])
    named, closing, _neither = _branches(user, home=home, today=today, wanted=wanted, after="")
    fields = ("service_line_id", "temperature", "start_on", "close_date")
    first, second = (branch.values_list(*fields)[:MOST_COUNTED] for branch in (named, closing))
    found = list(first.union(second, all=True))
    rows = {line.pk: OutlookRow(line) for line in lines}
    days = dt.timedelta(days=home.start_after_close_days)
    for line_id, temperature, start_on, close_date in found:
        start = start_on or close_date + days
        cell = rows.setdefault(line_id, OutlookRow(None)).cells[_span(start, today)]
        setattr(cell, temperature, getattr(cell, temperature) + 1)
    starts = [1, *(week + 1 for week in OUTLOOK_WEEKS[:-1])]
    return Outlook(list(zip(starts, OUTLOOK_WEEKS, strict=True)), list(rows.values()), len(found) >= MOST_COUNTED)


def _span(start: dt.date, today: dt.date) -> int:
    return next(index for index, weeks in enumerate(OUTLOOK_WEEKS) if start <= today + dt.timedelta(weeks=weeks))
