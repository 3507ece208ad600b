"""Moving a deal to another stage, and taking a move back."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.queries import organisation
from events import names
from events.models import EventData
from events.recording import Occurrence, record_many
from opportunities.gates import Missing, missing_for
from opportunities.models import (
    GateBypass,
    Opportunity,
    Stage,
    StageChange,
    StageKind,
    Temperature,
)
from opportunities.models.history import Source
from opportunities.services.editing import Edit, apply_changes, readable, save_changed
from opportunities.services.policies import IllegalMove, ReasonNeeded, check_policy
from opportunities.services.versions import Stale, held, locked
from opportunities.together import follow_together
from opportunities.unforecasted import UnforecastedReason, flag, flagged_event, reasons_for_move

UNDO_SECONDS = 60  # the page offers it for ten; the rest is for slow lines


class GateNotMet(Exception):
    """The stage asks for something that the deal lacks; ``missing`` names each."""

    def __init__(self, missing: list[Missing]) -> None:
        super().__init__(" ".join(item.sentence for item in missing))
        self.missing = missing


class CannotUndo(Exception):
    """The move is not the person's newest any more, or it is too long ago."""


@dataclass(frozen=True)
class Move:
    """A deal after a move; ``change`` is None when it already stood there."""

    opportunity: Opportunity
    change: StageChange | None


def move_to_stage(
    *,
    actor: User,
    opportunity: Opportunity,
    stage: Stage,
    expected_version: int | None,
    now: dt.datetime,
    changes: Mapping[str, Any] | None = None,
    reason: str = "",
    bypass: bool = False,
    source: Source = Source.BOARD,
    request_id: uuid.UUID | None = None,
    seen_stage_id: int | None = None,
) -> Move:
    """Move a deal, save what the gate asked for, and record what follows, all or nothing.

    ``changes`` are fields given together with the move. ``expected_version`` None skips the version check (bulk
    edit); with ``seen_stage_id`` a stale version is fine as long as the deal still stands in the stage that the
    person saw, because nobody contradicts them. The same ``request_id`` moves once, and answers the same again.
    Moving to the present stage changes nothing.

    Raises Stale, IllegalMove, ReasonNeeded, GateNotMet, ValidationError, PermissionDenied (bypass without the right).
    """
    with transaction.atomic():
        current, stage = locked(opportunity), held(stage)
        if request_id is not None:
            known = current.stage_changes.filter(request_id=request_id).first()
            if known is not None:
                return Move(current, known)
        if current.stage_id == stage.pk:
            return Move(current, None)
        if expected_version not in (None, current.version) and seen_stage_id != current.stage_id:
            raise Stale(current)
        skipped = check_policy(current, stage, reason)
        before = _snapshot(current)
        edit = apply_changes(current, changes or {}, home=organisation(), now=now)
        missing = missing_for(current, stage, list(stage.criteria.all()))
        if missing:
            _bypass(actor, current, stage, missing, reason, bypass=bypass, now=now)
        change = _enter(
            current, stage, actor=actor, now=now, skipped=skipped, before=before, reason=reason, source=source,
            request_id=request_id, edit=edit,
        )  # fmt: skip
        if missing:
            told = {"missing": ", ".join(item.sentence for item in missing), "reason": reason}
            edit.occurrences.append(Occurrence(names.OPPORTUNITY_GATE_BYPASSED, current, current, told))
        current = _record(current, edit, actor=actor, now=now)
    return Move(current, change)


def undo_move(*, actor: User, change: StageChange, now: dt.datetime) -> Move:
    """Take back one's own newest move by a compensating one; fields given in the drop are kept.

    Undoing twice answers the same. Raises CannotUndo.
    """
    with transaction.atomic():
        current = locked(change.opportunity)
        newest = current.stage_changes.order_by("-number").select_related("from_stage").first()
        if newest is not None and newest.source == Source.UNDO and newest.number == change.number + 1:
            return Move(current, newest)
        is_own_newest = newest is not None and newest.pk == change.pk and change.by_id == actor.pk
        was_stated = change.source in (Source.IMPORT, Source.SYNC)  # another system says so, and will again
        if (
            not is_own_newest
            or was_stated
            or change.from_stage is None
            or held(change.from_stage).archived_at is not None
        ):
            raise CannotUndo(_("The deal has moved on since; move it back by hand if that is right."))
        if (now - change.recorded_at).total_seconds() > UNDO_SECONDS:
            raise CannotUndo(_("That was too long ago to undo; move the deal back by hand."))
        edit = Edit()
        undone = _enter(
            current, change.from_stage, actor=actor, now=now, skipped=0, before=_snapshot(current), reason="",
            source=Source.UNDO, request_id=None, edit=edit, restore=change,
        )  # fmt: skip
        current = _record(current, edit, actor=actor, now=now)
    return Move(current, undone)


def _record(opportunity: Opportunity, edit: Edit, *, actor: User, now: dt.datetime) -> Opportunity:
    """Write what happened and let others follow in this transaction; the deal as they leave it."""
    follow_together(record_many(edit.occurrences, actor=actor, now=now), now)
    # Whoever follows a win may name a delivery owner.
    return locked(opportunity) if opportunity.kind == StageKind.WON else opportunity


def set_temperature(
    *,
    actor: User,
    opportunity: Opportunity,
    temperature: str,
    reason: str,
    expected_version: int,
    now: dt.datetime,
) -> Opportunity:
    """Override what the stage says about temperature, or go back to it with an empty ``temperature``.

    Raises Stale, IllegalMove for a closed deal, ReasonNeeded.
    """
    with transaction.atomic():
        current = locked(opportunity)
        after = temperature or current.stage.temperature
        if after == current.temperature and temperature == current.temperature_override:
            return current
        if current.version != expected_version:
            raise Stale(current)
        if not current.is_open:
            raise IllegalMove(_("A closed deal has no temperature. Reopen it first."), [])
        if temperature and not reason.strip():
            raise ReasonNeeded(_("Say why the deal is warmer or colder than its stage."))
        before = current.temperature
        current.temperature = after
        current.temperature_override = temperature
        current.temperature_reason = reason.strip()
        data: EventData = {
            "fields": {"temperature": [before, after]},
            "labels": str(Opportunity._meta.get_field("temperature").verbose_name),
            "reason": reason,
        }
        occurrences = [Occurrence(names.OPPORTUNITY_CHANGED, current, current, data)]
        occurrences += _temperature_events(current, before=before, to_stage=current.stage, skipped=0, now=now, data={})
        save_changed(current, now=now)
        record_many(occurrences, actor=actor, now=now)
    return current


def _bypass(
    actor: User,
    opportunity: Opportunity,
    stage: Stage,
    missing: list[Missing],
    reason: str,
    *,
    bypass: bool,
    now: dt.datetime,
) -> None:
    """Let the deal past its gate for those who may, at the cost of a reason and a row."""
    unavoidable = [item for item in missing if item.field == "loss_reason"]
    if not bypass or unavoidable:
        raise GateNotMet(missing)
    if not actor.has_perm("opportunities.bypass_gate"):
        raise PermissionDenied(_("Only a sales manager can move a deal past its gate."))
    if not reason.strip():
        raise ReasonNeeded(_("Say why the deal goes past its gate."))
    GateBypass.objects.create(
        opportunity=opportunity, stage=stage, by=actor, at=now, reason=reason.strip(),
        missing=[{"kind": item.kind, "field": item.field, "sentence": item.sentence} for item in missing],
    )  # fmt: skip


_RESTORED = (
    "probability", "forecast_category", "temperature", "temperature_override", "temperature_reason",
    "is_unforecasted", "unforecasted_reasons", "loss_reason", "loss_note",
)  # fmt: skip


def _snapshot(opportunity: Opportunity) -> dict[str, Any]:
    """What a move overwrites, as JSON."""
    kept = {name: getattr(opportunity, name) for name in _RESTORED}
    kept["stage_entered_at"] = opportunity.stage_entered_at.isoformat()
    kept["closed_on"] = readable(opportunity.closed_on)
    kept["unforecasted_at"] = opportunity.unforecasted_at.isoformat() if opportunity.unforecasted_at else None
    return kept


def _restore(opportunity: Opportunity, before: Mapping[str, Any]) -> None:
    # The one surprise that no move brings: a close date pulled in since stays one.
    pulled_in = UnforecastedReason.CLOSE_PULLED_IN
    later = [pulled_in.value] if pulled_in in opportunity.unforecasted_reasons else []
    surprised_at = opportunity.unforecasted_at
    for name in _RESTORED:
        setattr(opportunity, name, before[name])
    opportunity.stage_entered_at = dt.datetime.fromisoformat(before["stage_entered_at"])
    opportunity.closed_on = dt.date.fromisoformat(before["closed_on"]) if before["closed_on"] else None
    since = before["unforecasted_at"]
    opportunity.unforecasted_at = dt.datetime.fromisoformat(since) if since else None
    if later and pulled_in not in before["unforecasted_reasons"]:
        opportunity.is_unforecasted = True
        opportunity.unforecasted_reasons = [*before["unforecasted_reasons"], *later]
        opportunity.unforecasted_at = opportunity.unforecasted_at or surprised_at


def _enter(
    opportunity: Opportunity,
    stage: Stage,
    *,
    actor: User,
    now: dt.datetime,
    skipped: int,
    before: dict[str, Any],
    reason: str,
    source: Source,
    request_id: uuid.UUID | None,
    edit: Edit,
    restore: StageChange | None = None,
) -> StageChange:
    """Set the stage with all it implies, write the change, and add what happened to ``edit``."""
    origin = opportunity.stage
    last = opportunity.stage_changes.order_by("-number").values_list("number", flat=True).first() or 0
    opportunity.stage = stage
    opportunity.kind = stage.kind
    opportunity.stage_entered_at = now
    opportunity.probability = stage.probability
    opportunity.forecast_category = stage.forecast_category
    opportunity.temperature = stage.temperature
    opportunity.temperature_override = opportunity.temperature_reason = ""
    opportunity.closed_on = None if stage.kind == StageKind.OPEN else organisation().today(now)
    if stage.kind != StageKind.LOST:
        opportunity.loss_reason = opportunity.loss_note = ""
    if restore is not None:
        _restore(opportunity, restore.before)
    change = StageChange(
        opportunity=opportunity, number=last + 1, from_stage=origin, to_stage=stage, at=now, recorded_at=now, by=actor,
        source=source, reason=reason.strip(), skipped=skipped, before=before, request_id=request_id,
    )  # fmt: skip
    if restore is None:
        surprises = reasons_for_move(
            opportunity, to_stage=stage, before=before["temperature"], after=opportunity.temperature, skipped=skipped
        )
        is_surprise = flag(opportunity, surprises, now=now)
    else:
        is_surprise = False
    save_changed(opportunity, now=now)
    change.save()
    data: EventData = {"change": change.pk}
    if restore is not None:
        data["undoes_change"] = restore.pk
    edit.occurrences.append(
        Occurrence(
            names.OPPORTUNITY_MOVED, opportunity, opportunity,
            {**data, "from": origin.name, "to": stage.name, "reason": reason, "skipped": skipped, "source": source},
        )
    )  # fmt: skip
    edit.occurrences += _stage_events(opportunity, origin, stage, before["temperature"], data)
    if is_surprise:
        edit.occurrences.append(flagged_event(opportunity, **data))
    return change


def _stage_events(
    opportunity: Opportunity, origin: Stage, stage: Stage, before: str, data: EventData
) -> list[Occurrence]:
    if stage.kind == StageKind.WON:
        return [Occurrence(names.OPPORTUNITY_WON, opportunity, opportunity, data)]
    if stage.kind == StageKind.LOST:
        lost = {**data, "reason": opportunity.get_loss_reason_display(), "note": opportunity.loss_note}
        return [Occurrence(names.OPPORTUNITY_LOST, opportunity, opportunity, lost)]
    if origin.kind != StageKind.OPEN:
        return [
            Occurrence(names.OPPORTUNITY_REOPENED, opportunity, opportunity, data),
            *warmth_events(opportunity, Temperature.COLD, data),
        ]
    return warmth_events(opportunity, before, data)


def warmth_events(opportunity: Opportunity, before: str, data: EventData) -> list[Occurrence]:
    """What a temperature that was ``before`` until now means to delivery; nothing where it is the same."""
    was, now_is = Temperature(before), Temperature(opportunity.temperature)
    if now_is.degree == was.degree:
        return []
    if now_is.degree < was.degree:
        cooled = {**data, "temperature": str(now_is.label).lower()}
        return [Occurrence(names.OPPORTUNITY_COOLED, opportunity, opportunity, cooled)]
    hotter = names.OPPORTUNITY_TURNED_HOT if now_is == Temperature.HOT else names.OPPORTUNITY_TURNED_WARM
    return [Occurrence(hotter, opportunity, opportunity, data)]


def _temperature_events(
    opportunity: Opportunity, *, before: str, to_stage: Stage, skipped: int, now: dt.datetime, data: EventData
) -> list[Occurrence]:
    events = warmth_events(opportunity, before, data)
    reasons = reasons_for_move(
        opportunity, to_stage=to_stage, before=before, after=opportunity.temperature, skipped=skipped
    )
    if flag(opportunity, reasons, now=now):
        events.append(flagged_event(opportunity, **data))
    return events
