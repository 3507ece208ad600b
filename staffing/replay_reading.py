"""History as the replay takes it, read for a period: deals open in it or won in it, and the closings before it.

Seven queries in all, however many deals there are. What lies before the period is read only as far as the chances of
winning are learned from it.
"""

from __future__ import annotations

import datetime as dt
import json
import zoneinfo
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from accounts.models import Organisation
from events import names
from opportunities.models import Opportunity, Stage, StageChange, StageKind
from staffing.horizon_learning import RECENT
from staffing.models import NeedState, StaffingNeed
from staffing.replay import Calendar, Course, DealHistory, Entry, NeedHistory, Shape
from staffing.replay_learning import Closing, Closings

# What is told some days late still belongs into its period.
LATE = dt.timedelta(weeks=4)

_DEALS = """
with since as (
    select stage.kind, change.opportunity_id as id
    from opportunities_stage stage
    join opportunities_stagechange change on change.to_stage_id = stage.id and change.at >= %(since)s
    where stage.kind in ('won', 'lost')
)
select id from since where kind = 'won'
union
select id from (
    select id from opportunities_opportunity where kind = 'open' and archived_at is null
    union
    select id from opportunities_opportunity
    where kind = 'open' and updated_at >= %(since)s and archived_at >= %(since)s
    union
    select id from since where kind = 'lost'
) deal
where exists (select from staffing_staffingneed need where need.opportunity_id = deal.id)
"""

_EVENTS = """
select opportunity_id, subject_id, name, at, data -> 'fields', data -> 'before'
from events_event
where opportunity_id = any(%(deals)s) and (
    at >= %(since)s and name = any(%(named)s)
    or at >= %(since)s and name = %(changed)s and data -> 'fields' ?| %(fields)s
    or name = %(accepted)s
)
order by at, id
"""

_CLOSINGS = """
with closing as (
    select stage.kind, part.*
    from opportunities_stage stage
    cross join lateral (
        select * from (
            select opportunity_id, number, at, recorded_at, to_stage_id from opportunities_stagechange
            where to_stage_id = stage.id and at >= %(since)s
        ) within
        union all
        select * from (
            select opportunity_id, number, at, recorded_at, to_stage_id from opportunities_stagechange
            where to_stage_id = stage.id and at < %(since)s order by at desc limit %(recent)s
        ) before
    ) part
    where stage.kind in ('won', 'lost')
)
select deal.id, closing.to_stage_id, closing.kind, closing.at, closing.recorded_at, deal.archived_at, deal.close_date,
    planned.day, planned.at,
    (
        select greatest(at, recorded_at) from opportunities_stagechange
        where opportunity_id = deal.id and number = closing.number + 1
    ),
    array(
        select distinct step.to_stage_id from opportunities_stagechange step
        join opportunities_stage went on went.id = step.to_stage_id and went.kind = 'open'
        where step.opportunity_id = deal.id and step.number < closing.number
    )
from closing
join opportunities_opportunity deal on deal.id = closing.opportunity_id
left join lateral (
    select (data ->> 'from')::date as day, at from events_event
    where closing.kind = 'won' and opportunity_id = deal.id and name = %(moved)s
        and data ->> 'from' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'
    order by id limit 1
) planned on true
"""

_FIELDS = ["probability", "temperature", "start_on", "close_date"]
_NEEDS = (names.NEED_ADDED, names.NEED_CHANGED, names.NEED_CANCELLED)
_SHAPE = {"hours_per_week": "hours", "weeks": "weeks", "offset_weeks": "offset"}


@dataclass(frozen=True)
class _Told:
    """An event, as much of it as is needed."""

    subject: int
    name: str
    at: dt.datetime
    fields: dict[str, list[Any]]
    before: dict[str, Any]


def calendar_of(home: Organisation) -> Calendar:
    """Days where the organisation is."""
    return Calendar(zoneinfo.ZoneInfo(home.time_zone), dt.timedelta(days=home.start_after_close_days))


def read_deals(since: dt.datetime) -> list[DealHistory]:
    """Deals with needs that were open at some time since then, and all that were won. Six queries."""
    with connection.cursor() as cursor:
        cursor.execute(_DEALS, {"since": since - LATE})
        keys = [key for (key,) in cursor.fetchall()]
        told = _events(cursor, keys, since - LATE)
    changes = _by_deal(
        StageChange.objects.filter(opportunity__in=keys).order_by("opportunity", "number")
        .values_list("opportunity_id", "to_stage_id", "at", "recorded_at", "before")
    )  # fmt: skip
    needs = _by_deal(
        StaffingNeed.objects.filter(opportunity__in=keys).order_by("pk").values_list(
            "opportunity_id", "pk", "role_id", "hours_per_week", "weeks", "offset_weeks", "state", "created_at"
        )
    )  # fmt: skip
    stages = {stage.pk: stage for stage in Stage.objects.all()}
    deals = Opportunity.objects.filter(pk__in=keys).order_by("pk").values_list(
        "pk", "probability", "temperature", "start_on", "close_date", "archived_at", "service_line_id"
    )  # fmt: skip
    return [
        _history(deal, changes[deal[0]], needs[deal[0]], told[deal[0]], stages) for deal in deals if changes[deal[0]]
    ]


def read_closings(since: dt.datetime, home: Calendar) -> Closings:
    """Deals closed since then, and as many before as chances are learned from. One query."""
    with connection.cursor() as cursor:
        given: dict[str, Any] = {"since": since - LATE, "recent": RECENT, "moved": names.OPPORTUNITY_CLOSE_DATE_MOVED}
        cursor.execute(_CLOSINGS, given)
        rows = cursor.fetchall()
    return Closings([_closing(row, home) for row in rows])


def _closing(row: Sequence[Any], home: Calendar) -> Closing:
    deal, stage, kind, at, recorded_at, archived_at, close_date, planned, moved_at, next_at, went = row
    closed_on = home.day(at)
    ends = [moment for moment in (archived_at, next_at) if moment is not None]
    slip = round((closed_on - (planned or close_date or closed_on)).days / 7)
    return Closing(
        deal, stage, kind == StageKind.WON, closed_on, max(at, recorded_at), min(ends, default=None),
        frozenset(went), slip, moved_at is not None and moved_at <= at,
    )  # fmt: skip


def _events(cursor: Any, keys: list[int], since: dt.datetime) -> defaultdict[int, list[_Told]]:
    named = [names.OPPORTUNITY_ARCHIVED, names.OPPORTUNITY_RESTORED, *_NEEDS]
    given: dict[str, Any] = {
        "deals": keys, "since": since, "named": named, "changed": names.OPPORTUNITY_CHANGED, "fields": _FIELDS,
        "accepted": names.ENGAGEMENT_ACCEPTED,
    }  # fmt: skip
    cursor.execute(_EVENTS, given)
    found: defaultdict[int, list[_Told]] = defaultdict(list)
    for deal, subject, name, at, fields, before in cursor.fetchall():
        found[deal].append(_Told(subject, name, at, _parsed(fields), _parsed(before)))
    return found


def _parsed(data: Any) -> dict[str, Any]:
    """JSON as the raw cursor gives it."""
    found = json.loads(data) if isinstance(data, str) else data
    return found if isinstance(found, dict) else {}


def _by_deal(rows: Iterable[Sequence[Any]]) -> defaultdict[int, list[Sequence[Any]]]:
    found: defaultdict[int, list[Sequence[Any]]] = defaultdict(list)
    for deal, *rest in rows:
        found[deal].append(rest)
    return found


def _history(
    deal: Sequence[Any],
    changes: list[Sequence[Any]],
    needs: list[Sequence[Any]],
    told: list[_Told],
    stages: dict[int, Stage],
) -> DealHistory:
    pk, probability, temperature, start_on, close_date, archived_at, line = deal
    entries = [
        Entry(stage, stages[stage].kind, at, max(at, recorded_at), stages[stage].probability,
              stages[stage].temperature, stages[stage].name)
        for stage, at, recorded_at, _before in changes
    ]  # fmt: skip
    # The first one enters with what the deal was made with: nothing was before it.
    moves = [(entry.known_at, row[-1] or {}) for entry, row in zip(entries[1:], changes[1:], strict=True)]
    of_deal = [event for event in told if event.name == names.OPPORTUNITY_CHANGED]
    accepted = [event.at for event in told if event.name == names.ENGAGEMENT_ACCEPTED]
    return DealHistory(
        pk, entries, _course(probability, "probability", of_deal, moves),
        _course(temperature, "temperature", of_deal, moves),
        _days(_course(start_on, "start_on", of_deal)), _days(_course(close_date, "close_date", of_deal)),
        _archived(archived_at, told), line,
        [_need(row, [event for event in told if event.name in _NEEDS and event.subject == row[0]]) for row in needs],
        min(accepted, default=None),
    )  # fmt: skip


def _course(
    now: Any, name: str, told: Iterable[_Told], moves: Iterable[tuple[dt.datetime, dict[str, Any]]] = ()
) -> Course[Any]:
    """Of a field: what events of changes say, and what moves between stages wrote over."""
    changes = [(event.at, event.fields[name][0]) for event in told if name in event.fields]
    changes += [(at, before.get(name)) for at, before in moves]
    return Course(now, sorted(changes, key=lambda change: change[0]))


def _days(course: Course[Any]) -> Course[dt.date | None]:
    return Course(course.now, [(at, _day(before)) for at, before in course.changes])


def _day(text: Any) -> dt.date | None:
    """A day as history keeps it."""
    try:
        return dt.date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _archived(archived_at: dt.datetime | None, told: Iterable[_Told]) -> Course[bool]:
    """Imports that are taken back put deals away without an event of their own; the deal has the time."""
    put = (names.OPPORTUNITY_ARCHIVED, names.OPPORTUNITY_RESTORED)
    changes = [(event.at, event.name == names.OPPORTUNITY_RESTORED) for event in told if event.name in put]
    if archived_at is not None and archived_at not in [at for at, _before in changes]:
        changes.append((archived_at, False))
    return Course(archived_at is not None, sorted(changes))


def _need(row: Sequence[Any], told: list[_Told]) -> NeedHistory:
    _pk, role, hours, weeks, offset, state, asked_at = row
    live = [
        (event.at, event.name == names.NEED_CANCELLED)
        for event in told
        if event.name == names.NEED_CANCELLED or (event.name == names.NEED_ADDED and event.at > asked_at)
    ]
    shape: Shape | None = Shape(role, float(hours), weeks, offset)
    course = Course(state != NeedState.CANCELLED, live)
    changes: list[tuple[dt.datetime, Shape | None]] = []
    for event in reversed(told):
        if event.name == names.NEED_CHANGED and (event.before or {"role", *_SHAPE} & event.fields.keys()):
            former = _former(event, shape)
            changes.append((event.at, former))
            shape = former
    now = Shape(role, float(hours), weeks, offset)
    return NeedHistory(asked_at, course, Course(now, changes[::-1]))


def _former(event: _Told, after: Shape | None) -> Shape | None:
    """What was asked before the change. Older events don't tell another role apart from one that was renamed."""
    if event.before:
        told = event.before
        return Shape(int(told["role"]), float(told["hours"]), int(told["weeks"]), int(told["offset"]))
    if after is None or "role" in event.fields:
        return None
    values = {"hours": after.hours, "weeks": after.weeks, "offset": after.offset}
    for name, key in _SHAPE.items():
        if name in event.fields:
            values[key] = float(event.fields[name][0])
    return Shape(after.role, values["hours"], int(values["weeks"]), int(values["offset"]))
