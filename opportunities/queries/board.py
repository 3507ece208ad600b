"""The board: columns with their totals and the first cards of each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db import connection
from django.db.models import F, Q

from accounts.models import User
from accounts.queries import Rates
from events.models import Event
from events.tail import Position
from opportunities.models import Opportunity, OpportunityQuerySet, Pipeline, Stage, StageKind
from opportunities.queries.filters import DealFilter
from opportunities.queries.totals import Total, counted_totals, kept_totals

PAGE = 25
CLOSED_MONTHS = 3
_NEVER = "never"  # a deal without a close date, in a cursor


class BadCursor(ValueError):
    """The address of a page was cut or made up."""


class Brief(NamedTuple):
    """As much of a deal as says where its card stands, whose it is, and whether its picture is still true."""

    pk: int
    version: int
    updated_at: dt.datetime
    kind: str
    stage_id: int
    close_date: dt.date | None
    closed_on: dt.date | None
    stage_entered_at: dt.datetime
    owner_id: int | None
    delivery_owner_id: int | None
    team_id: int | None
    account: str | None
    owner: str | None
    delivery_owner: str | None

    @property
    def order(self) -> str:
        """Where the card stands in its column, as text that sorts the same way in a browser."""
        if self.kind == StageKind.OPEN:
            return f"{self.close_date.isoformat() if self.close_date else '9999'}.{self.pk:019d}"
        closed = self.closed_on or dt.date.min
        return f"{9999999 - closed.toordinal():07d}.{2**63 - self.pk:019d}"


_BRIEF = (*Brief._fields[:-3], "account__name", "owner__name", "delivery_owner__name")


@dataclass
class Column:
    """One stage with its total, and some of its deals in order; ``after`` is the cursor of the next page."""

    stage: Stage
    total: Total
    deals: list[Brief] = field(default_factory=list)
    after: str | None = None


def closed_since(today: dt.date) -> dt.date:
    """The day from which closed deals are shown: the start of the month three months ago, as totals are kept."""
    months = today.year * 12 + today.month - 1 - CLOSED_MONTHS
    return dt.date(months // 12, months % 12 + 1, 1)


def board_columns(
    user: User, *, pipeline: Pipeline, stages: Sequence[Stage], wanted: DealFilter, rates: Rates, today: dt.date
) -> list[Column]:
    """Every stage with its total and its first page. The number of queries depends on nothing."""
    totals = stage_totals(user, pipeline=pipeline, wanted=wanted, rates=rates, today=today)
    keys = [_page(_column(user, stage, wanted, today), stage).values_list("pk") for stage in stages]
    if not keys:
        return []
    every = keys[0].union(*keys[1:], all=True) if len(keys) > 1 else keys[0]
    found: dict[int, list[Brief]] = {}
    # The keys first: as a subquery they would tempt the planner to work them out once per deal.
    for brief in _briefs(Opportunity.objects.filter(pk__in=[pk for (pk,) in every])):
        found.setdefault(brief.stage_id, []).append(brief)
    columns = []
    for stage in stages:
        deals = sorted(found.get(stage.pk, []), key=lambda brief: brief.order)
        columns.append(Column(stage, totals.get(stage.pk, Total()), deals[:PAGE], _cursor(deals)))
    return columns


def column_page(
    user: User, *, stage: Stage, wanted: DealFilter, today: dt.date, after: str
) -> tuple[list[Brief], str | None]:
    """The next deals of a column and the cursor after them. Raises BadCursor."""
    found = _briefs(_page(_column(user, stage, wanted, today).filter(_beyond(stage, after)), stage))
    return found[:PAGE], _cursor(found)


def stage_totals(
    user: User, *, pipeline: Pipeline, wanted: DealFilter, rates: Rates, today: dt.date
) -> dict[int, Total]:
    """Count and money of each stage of the board, from kept totals where the filter allows."""
    since = closed_since(today)
    kept = wanted.kept_by()
    if kept is not None:
        parts = kept_totals(user, rates=rates, closed_since=since, pipeline_id=pipeline.pk, filters=kept)
    else:
        deals = wanted.apply(Opportunity.objects.current().filter(pipeline=pipeline).visible_to(user))
        parts = counted_totals(deals.filter(_recent(since)), rates=rates)
    totals: dict[int, Total] = {}
    for key, part in parts.items():
        totals.setdefault(key.stage_id, Total()).add(part)
    return totals


def briefs_among(
    user: User, pks: Iterable[int], *, pipeline: Pipeline, wanted: DealFilter, today: dt.date
) -> list[Brief]:
    """Those of the deals that belong on this board, for a screen that was told of changes."""
    deals = wanted.apply(Opportunity.objects.current().filter(pipeline=pipeline, pk__in=pks).visible_to(user))
    return _briefs(deals.filter(_recent(closed_since(today))))


def brief_of(deal: Opportunity) -> Brief:
    """As much of a deal as its card needs; reads nothing where the deal came with its people."""
    people = (deal.account, deal.owner, deal.delivery_owner)
    return Brief(
        *(getattr(deal, name) for name in Brief._fields[:-3]), *(each.name if each else None for each in people)
    )


def _briefs(deals: OpportunityQuerySet) -> list[Brief]:
    return [Brief(*row) for row in deals.values_list(*_BRIEF)]


def _recent(since: dt.date) -> Q:
    return Q(closed_on__isnull=True) | Q(closed_on__gte=since)


def _column(user: User, stage: Stage, wanted: DealFilter, today: dt.date) -> OpportunityQuerySet:
    deals = wanted.apply(Opportunity.objects.current().filter(stage=stage).visible_to(user))
    return deals if stage.is_open else deals.filter(closed_on__gte=closed_since(today))


def _page(deals: OpportunityQuerySet, stage: Stage) -> OpportunityQuerySet:
    order = (F("close_date").asc(nulls_last=True), "pk") if stage.is_open else ("-closed_on", "-pk")
    return deals.order_by(*order)[: PAGE + 1]


def _cursor(found: Sequence[Brief]) -> str | None:
    """The place after the page, where more than the page was found."""
    if len(found) <= PAGE:
        return None
    last = found[PAGE - 1]
    day = last.close_date if last.kind == StageKind.OPEN else last.closed_on
    return f"{day.isoformat() if day else _NEVER}.{last.pk}"


def _beyond(stage: Stage, after: str) -> Q:
    day, key = _parsed(after)
    if not stage.is_open:
        if day is None:
            raise BadCursor(after)
        return Q(closed_on__lt=day) | Q(closed_on=day, pk__lt=key)
    if day is None:
        return Q(close_date__isnull=True, pk__gt=key)
    return Q(close_date__gt=day) | Q(close_date=day, pk__gt=key) | Q(close_date__isnull=True)


def _parsed(after: str) -> tuple[dt.date | None, int]:
    day, _, key = after.rpartition(".")
    try:
        number = int(key)
        parsed = None if day == _NEVER else dt.date.fromisoformat(day)
    except ValueError as error:
        raise BadCursor(after) from error
    if not 0 < number < 2**63:
        raise BadCursor(after)
    return parsed, number


@dataclass(frozen=True)
class Changes:
    """Deals that changed after a position, and the position now; None when there are too many to name."""

    deal_ids: frozenset[int] | None
    position: Position


_MOST_CHANGES = 200
_LATE_IDS = 1000  # how far behind the newest id a transaction may still commit

_POSITION = """
select coalesce((select max(id) from events_event), 0), pg_snapshot_xmin(pg_current_snapshot())::text::bigint
"""


def position_now() -> Position:
    """Where the timeline of events stands, to be read before what is shown."""
    with connection.cursor() as cursor:
        cursor.execute(_POSITION)
        last_id, oldest_running = cursor.fetchone()
    return Position(last_id, oldest_running)


def changes_since(position: Position) -> Changes:
    """Which deals have changed since then, whoever may see them."""
    now = position_now()
    late = Q(pk__gt=position.last_id - _LATE_IDS, transaction_id__gte=position.oldest_running)
    events = Event.objects.filter(Q(pk__gt=position.last_id) | late, pk__gt=position.last_id - _LATE_IDS)
    ids = events.filter(opportunity_id__isnull=False).order_by().values_list("opportunity_id", flat=True).distinct()
    found = frozenset(pk for pk in ids[: _MOST_CHANGES + 1] if pk is not None)
    return Changes(found if len(found) <= _MOST_CHANGES else None, now)
