"""What our own history says: how often deals of a stage are won, and how far closing slips.

Only the deals closed last are read, so the cost doesn't grow with the history.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.db import connection

from events import names
from staffing.horizon.deals import DEFAULT_SHIFT, Shift

# From so many closed deals that went through a stage, their share of wins stands in for the deal's own probability.
ENOUGH_CLOSED = 100
# From so many won deals whose close date moved, their slips stand in for the default.
ENOUGH_SLIPS = 50
# Of each closing stage; a day's deals count together, from the day on since which all stages are read in full.
RECENT = 2000
EARLIEST, LATEST = -4, 12

_HISTORY = """
with latest as (
    select stage.id as stage_id, deal.id, deal.kind, deal.closed_on, deal.close_date
    from opportunities_stage stage
    cross join lateral (
        select id, kind, closed_on, close_date from opportunities_opportunity
        where stage_id = stage.id and archived_at is null and closed_on is not null
        order by closed_on desc, id desc limit %(recent)s
    ) deal
    where stage.kind in ('won', 'lost')
), since as (
    select max(oldest) as day from (
        select min(closed_on) as oldest from latest group by stage_id having count(*) = %(recent)s
    ) cut
), shares as (
    select step.to_stage_id, count(distinct latest.id) as closed,
        count(distinct latest.id) filter (where latest.kind = 'won') as won
    from latest
    join opportunities_stagechange step on step.opportunity_id = latest.id
    join opportunities_stage went on went.id = step.to_stage_id and went.kind = 'open'
    where latest.closed_on > coalesce((select day from since), '-infinity'::date)
    group by step.to_stage_id
), slips as (
    select round((closed_on - coalesce(planned.day, close_date, closed_on)) / 7.0)::int as weeks,
        (planned.day is not null)::int as moved, count(*) as deals
    from latest
    left join lateral (
        select (data ->> 'from')::date as day from events_event
        where opportunity_id = latest.id and name = %(moved)s and data ->> 'from' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'
        order by id limit 1
    ) planned on true
    where kind = 'won'
    group by 1, 2
)
select 'share', to_stage_id, closed, won from shares
union all
select 'slip', weeks, moved, deals from slips
"""


@dataclass(frozen=True)
class Share:
    """Of the closed deals that went through a stage, how many were won."""

    closed: int
    won: int

    @property
    def chance(self) -> float:
        """Of winning, 0 to 1."""
        return self.won / self.closed


@dataclass(frozen=True)
class Slips:
    """How far the start of the work may move; ``moved`` won deals are behind it, none where it is the default."""

    shift: Shift
    moved: int = 0

    @property
    def is_learned(self) -> bool:
        """Whether it comes from our own deals."""
        return self.moved > 0


@dataclass(frozen=True)
class History:
    """``shares`` by stage, for the stages that enough of the deals closed last went through."""

    shares: dict[int, Share]
    slips: Slips


def learn() -> History:
    """What the deals closed last say. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_HISTORY, {"recent": RECENT, "moved": names.OPPORTUNITY_CLOSE_DATE_MOVED})
        rows = cursor.fetchall()
    shares = {
        stage: Share(closed, won) for kind, stage, closed, won in rows if kind == "share" and closed >= ENOUGH_CLOSED
    }
    return History(
        shares, slips_of([(weeks, bool(moved), deals) for kind, weeks, moved, deals in rows if kind == "slip"])
    )


def slips_of(rows: list[tuple[int, bool, int]]) -> Slips:
    """From the close date planned first to the day of the win, in weeks; whether it moved, and how many deals."""
    moved = sum(deals for _weeks, has_moved, deals in rows if has_moved)
    if moved < ENOUGH_SLIPS:
        return Slips(DEFAULT_SHIFT)
    counted: Counter[int] = Counter()
    for weeks, _has_moved, deals in rows:
        counted[min(max(weeks, EARLIEST), LATEST)] += deals
    total, first = counted.total(), min(counted)
    return Slips(Shift(first, tuple(counted[week] / total for week in range(first, max(counted) + 1))), moved)
