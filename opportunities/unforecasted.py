"""When a deal surfaces without having been forecast, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from events import names
from events.models import EventData
from events.recording import Occurrence
from opportunities.models import (
    ForecastSnapshot,
    Opportunity,
    SnapshotLine,
    Stage,
    StageKind,
    Temperature,
    UnforecastedReason,
)

__all__ = ["UnforecastedReason", "flag", "flagged_event", "reasons_for_move"]


def reasons_for_move(
    opportunity: Opportunity, *, to_stage: Stage, before: str, after: str, skipped: int
) -> list[UnforecastedReason]:
    """Why a move comes as a surprise to delivery; empty when it doesn't.

    ``before`` and ``after`` are temperatures. Losing surprises nobody; winning past stages does.
    """
    if to_stage.kind == StageKind.LOST:
        return []
    reasons = []
    if to_stage.kind == StageKind.OPEN and before == Temperature.COLD and after == Temperature.HOT:
        reasons.append(UnforecastedReason.COLD_TO_HOT)
    if skipped and (after != Temperature.COLD or to_stage.kind == StageKind.WON):
        reasons.append(UnforecastedReason.STAGE_SKIPPED)
    turns_up = to_stage.kind == StageKind.OPEN and before == Temperature.COLD and after != Temperature.COLD
    if turns_up and _is_absent_from_snapshot(opportunity):
        reasons.append(UnforecastedReason.NOT_IN_SNAPSHOT)
    return reasons


def flag(opportunity: Opportunity, reasons: Iterable[UnforecastedReason], *, now: dt.datetime) -> bool:
    """Put reasons on the (unsaved) deal; True when that made it un-forecasted or added a reason."""
    new = [reason.value for reason in reasons if reason.value not in opportunity.unforecasted_reasons]
    if not new:
        return False
    opportunity.unforecasted_reasons = [*opportunity.unforecasted_reasons, *new]
    opportunity.is_unforecasted = True
    opportunity.unforecasted_at = opportunity.unforecasted_at or now
    return True


def flagged_event(opportunity: Opportunity, **data: object) -> Occurrence:
    """The event that opens the fast lane."""
    content: EventData = {
        "reasons": ", ".join(opportunity.unforecasted_labels),
        "codes": list(opportunity.unforecasted_reasons),
        **data,
    }
    return Occurrence(names.OPPORTUNITY_SURFACED_UNFORECASTED, opportunity, opportunity, content)


def _is_absent_from_snapshot(opportunity: Opportunity) -> bool:
    """Whether a snapshot was locked and the newest one doesn't know the deal."""
    newest = ForecastSnapshot.objects.order_by("-period").first()
    if newest is None:
        return False
    return not SnapshotLine.objects.filter(snapshot=newest, opportunity=opportunity).exists()
