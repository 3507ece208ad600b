"""Many deals at once, as another system states them: imports and syncs.

A statement is a fact, so gates and policies don't refuse it; values are checked as everywhere. History gets the dates
on which things happened there. What follows from a statement happens today, whatever its dates.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.models import Organisation, User
from events import names
from events.copying import copy_rows, overwrite_rows, take_ids
from events.models import EventData
from events.recording import Occurrence, record_batch
from opportunities.models import Opportunity, Stage, StageChange, StageKind, Temperature
from opportunities.models.history import Source
from opportunities.services.editing import Edit, apply_changes, readable
from opportunities.services.moves import _snapshot, _stage_events
from opportunities.services.policies import skipped_between
from opportunities.unforecasted import UnforecastedReason, flag, flagged_event, reasons_for_move


@dataclass(frozen=True)
class Step:
    """A stage that a deal entered, and when."""

    stage: Stage
    at: dt.datetime
    # When it was written down, where that was not now.
    told_at: dt.datetime | None = None


@dataclass(frozen=True)
class Arrival:
    """A deal that is new here, with the stages it went through; the last one is where it stands."""

    opportunity: Opportunity
    steps: Sequence[Step]


@dataclass(frozen=True)
class Statement:
    """A known deal as changed (not yet saved) by what was stated, with what that did."""

    opportunity: Opportunity
    edit: Edit
    change: StageChange | None


def noon(day: dt.date, home: Organisation, *, now: dt.datetime) -> dt.datetime:
    """The moment that stands for a whole day in history: noon where the organisation is, never in the future."""
    return min(dt.datetime.combine(day, dt.time(12), zoneinfo.ZoneInfo(home.time_zone)), now)


def place(opportunity: Opportunity, steps: Sequence[Step], *, home: Organisation, now: dt.datetime) -> Arrival:
    """Put a new, unsaved deal where its steps lead, with all that the last stage implies."""
    last = steps[-1]
    _stand_in(opportunity, last, home=home)
    opportunity.pipeline_id = last.stage.pipeline_id
    opportunity.created_at = steps[0].at
    opportunity.updated_at = now
    return Arrival(opportunity, steps)


def add_many(
    *, actor: User | None, arrivals: Sequence[Arrival], source: Source, is_baseline: bool, now: dt.datetime
) -> None:
    """Insert new deals with their history and events, in the caller's transaction.

    Open warm and hot deals call delivery in. Unless it is the baseline, they also count as un-forecasted. Closed deals
    trigger nothing.
    """
    changes: list[list[Any]] = []
    occurrences: list[Occurrence] = []
    keys = take_ids(Opportunity, len(arrivals))
    change_keys = iter(take_ids(StageChange, sum(len(arrival.steps) for arrival in arrivals)))
    by = actor.pk if actor else None
    for arrival, pk in zip(arrivals, keys, strict=True):
        deal = arrival.opportunity
        deal.pk = pk
        is_surprise = not is_baseline and deal.is_shared
        if is_surprise:
            flag(deal, [UnforecastedReason.FIRST_SEEN_WARM], now=now)
        origin: Stage | None = None
        change = 0
        for number, step in enumerate(arrival.steps, 1):
            change = next(change_keys)
            told_at = step.told_at or now
            changes.append(
                [change, pk, number, origin and origin.pk, step.stage.pk, step.at, told_at, by, source, "", 0, {}]
            )
            occurrences.append(_step_event(deal, origin, step, change, source))
            origin = step.stage
        if deal.is_shared:
            occurrences.append(_warm_event(deal, change, is_baseline=is_baseline))
        if is_surprise:
            occurrences.append(flagged_event(deal, change=change))
    copy_rows(Opportunity, _COLUMNS, (_row(arrival.opportunity) for arrival in arrivals))
    copy_rows(StageChange, _CHANGE_COLUMNS, changes)
    record_batch(occurrences, actor=actor, now=now)


def state(
    opportunity: Opportunity,
    changes: Mapping[str, Any],
    *,
    step: Step | None,
    newest: StageChange | None,
    closed_on: dt.date | None,
    stages: Sequence[Stage],
    home: Organisation,
    source: Source,
    is_baseline: bool,
    actor: User | None,
    now: dt.datetime,
) -> Statement | None:
    """Change a (locked) deal in memory to what was stated; None when it says nothing new. Raises ValidationError.

    ``newest`` is the deal's newest stage change, needed with a step. ``closed_on`` corrects the day of a closed deal.
    A step never gets a time before the newest one, so that time in stage stays true.
    """
    if step is not None and step.stage.pk == opportunity.stage_id:
        step = None
    happened: list[Occurrence] = []
    change = None
    if step is not None:
        for name in changes.keys() & {"loss_reason", "loss_note"}:
            setattr(opportunity, name, changes[name])
        change = _enter(
            opportunity, step, happened, newest=newest, stages=stages, home=home, source=source,
            is_baseline=is_baseline, actor=actor, now=now,
        )  # fmt: skip
    edit = apply_changes(opportunity, changes, home=home, now=now)
    if step is None and closed_on is not None and not opportunity.is_open and closed_on != opportunity.closed_on:
        _correct_closing(opportunity, closed_on, edit)
    edit.occurrences = happened + edit.occurrences
    return Statement(opportunity, edit, change) if change or edit.diff else None


def save_many(*, actor: User | None, statements: Sequence[Statement], now: dt.datetime) -> None:
    """Write changed deals with their history and events, in the caller's transaction."""
    for statement in statements:
        statement.opportunity.version += 1
        statement.opportunity.updated_at = now
    overwrite_rows(Opportunity, _COLUMNS, (_row(statement.opportunity) for statement in statements))
    StageChange.objects.bulk_create([statement.change for statement in statements if statement.change])
    record_batch([o for statement in statements for o in _numbered(statement)], actor=actor, now=now)


_COLUMNS = tuple(field.attname for field in Opportunity._meta.concrete_fields)
_CHANGE_COLUMNS = (
    "id", "opportunity_id", "number", "from_stage_id", "to_stage_id", "at", "recorded_at", "by_id",
    "source", "reason", "skipped", "before",
)  # fmt: skip


def _row(opportunity: Opportunity) -> list[Any]:
    values = opportunity.__dict__
    return [values[name] for name in _COLUMNS]


def _stand_in(opportunity: Opportunity, step: Step, *, home: Organisation) -> None:
    stage = step.stage
    opportunity.stage = stage
    opportunity.kind = stage.kind
    opportunity.stage_entered_at = step.at
    opportunity.temperature = stage.temperature
    opportunity.temperature_override = opportunity.temperature_reason = ""
    opportunity.probability = stage.probability
    opportunity.forecast_category = stage.forecast_category
    opportunity.closed_on = None if stage.is_open else home.today(step.at)


def _step_event(deal: Opportunity, origin: Stage | None, step: Step, change: int, source: Source) -> Occurrence:
    data: EventData = {"to": step.stage.name, "change": change, "source": source.value}
    if origin is None:
        return Occurrence(names.OPPORTUNITY_CREATED, deal, deal, data, step.at)
    return Occurrence(names.OPPORTUNITY_MOVED, deal, deal, {**data, "from": origin.name}, step.at)


def _warm_event(deal: Opportunity, change: int, *, is_baseline: bool) -> Occurrence:
    hot = deal.temperature == Temperature.HOT
    name = names.OPPORTUNITY_TURNED_HOT if hot else names.OPPORTUNITY_TURNED_WARM
    return Occurrence(name, deal, deal, {"change": change, "baseline": is_baseline})


def _enter(
    opportunity: Opportunity,
    step: Step,
    happened: list[Occurrence],
    *,
    newest: StageChange | None,
    stages: Sequence[Stage],
    home: Organisation,
    source: Source,
    is_baseline: bool,
    actor: User | None,
    now: dt.datetime,
) -> StageChange:
    origin, before = opportunity.stage, _snapshot(opportunity)
    at = max(step.at, newest.at) if newest else step.at
    _stand_in(opportunity, Step(step.stage, at), home=home)
    if step.stage.kind != StageKind.LOST:
        opportunity.loss_reason = opportunity.loss_note = ""
    skipped = 0 if is_baseline else skipped_between(origin, step.stage, stages)
    change = StageChange(
        opportunity=opportunity, number=(newest.number if newest else 0) + 1, from_stage=origin, to_stage=step.stage,
        at=at, by=actor, source=source, skipped=skipped, before=before,
    )  # fmt: skip
    told: EventData = {
        "from": origin.name, "to": step.stage.name, "reason": "", "skipped": skipped, "source": source.value,
    }  # fmt: skip
    happened.append(Occurrence(names.OPPORTUNITY_MOVED, opportunity, opportunity, told, at))
    baseline: EventData = {"baseline": True} if is_baseline else {}
    happened += _stage_events(opportunity, origin, step.stage, before["temperature"], baseline)
    reasons = [] if is_baseline else reasons_for_move(
        opportunity, to_stage=step.stage, before=before["temperature"], after=opportunity.temperature, skipped=skipped
    )  # fmt: skip
    if flag(opportunity, reasons, now=now):
        happened.append(flagged_event(opportunity))
    return change


def _correct_closing(opportunity: Opportunity, closed_on: dt.date, edit: Edit) -> None:
    """The day a deal was closed on, stated anew. History keeps what was stated first."""
    diff = [readable(opportunity.closed_on), readable(closed_on)]
    opportunity.closed_on = closed_on
    if edit.diff:
        edit.diff["closed_on"] = diff
        return
    edit.diff["closed_on"] = diff
    label = str(Opportunity._meta.get_field("closed_on").verbose_name)
    data: EventData = {"fields": edit.diff, "labels": label, "version": opportunity.version + 1}
    edit.occurrences.append(Occurrence(names.OPPORTUNITY_CHANGED, opportunity, opportunity, data))


def _numbered(statement: Statement) -> Iterable[Occurrence]:
    """The statement's events; those of its stage change name it, now that it has a key."""
    for occurrence in statement.edit.occurrences:
        if statement.change and occurrence.name in _OF_A_CHANGE:
            occurrence.data["change"] = statement.change.pk
        yield occurrence


_OF_A_CHANGE = frozenset(
    {
        names.OPPORTUNITY_MOVED, names.OPPORTUNITY_WON, names.OPPORTUNITY_LOST, names.OPPORTUNITY_REOPENED,
        names.OPPORTUNITY_TURNED_WARM, names.OPPORTUNITY_TURNED_HOT, names.OPPORTUNITY_COOLED,
        names.OPPORTUNITY_SURFACED_UNFORECASTED,
    }
)  # fmt: skip
