"""Closing, reopening and snoozing a deal, for callers that don't name a stage."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.queries import organisation
from events import names
from events.recording import record
from opportunities.models import Opportunity, Stage, StageChange, StageKind
from opportunities.models.history import Source
from opportunities.services.editing import save_changed
from opportunities.services.moves import Move, move_to_stage
from opportunities.services.policies import IllegalMove, legal_stages
from opportunities.services.versions import Stale, locked


def lose(
    *,
    actor: User,
    opportunity: Opportunity,
    loss_reason: str,
    loss_note: str,
    expected_version: int,
    now: dt.datetime,
    source: Source = Source.FORM,
    request_id: uuid.UUID | None = None,
) -> Move:
    """Close a deal as lost. Raises what move_to_stage raises."""
    changes: Mapping[str, Any] = {"loss_reason": loss_reason, "loss_note": loss_note}
    return move_to_stage(
        actor=actor, opportunity=opportunity, stage=_stage_of_kind(opportunity, StageKind.LOST),
        expected_version=expected_version, now=now, changes=changes, source=source, request_id=request_id,
    )  # fmt: skip


def reopen(
    *,
    actor: User,
    opportunity: Opportunity,
    reason: str,
    expected_version: int,
    now: dt.datetime,
    source: Source = Source.FORM,
    request_id: uuid.UUID | None = None,
) -> Move:
    """Take a closed deal up again in the open stage that it was closed from. Raises what move_to_stage raises."""
    if opportunity.is_open:
        raise IllegalMove(_("The deal is open already."), legal_stages(opportunity))
    closing = (
        StageChange.objects.filter(opportunity=opportunity, from_stage__kind=StageKind.OPEN)
        .select_related("from_stage")
        .order_by("-number")
        .first()
    )
    stage = closing.from_stage if closing else None
    if stage is None or stage.archived_at:
        stage = _stage_of_kind(opportunity, StageKind.OPEN)
    return move_to_stage(
        actor=actor, opportunity=opportunity, stage=stage, expected_version=expected_version, now=now,
        reason=reason, source=source, request_id=request_id,
    )  # fmt: skip


def snooze(
    *,
    actor: User,
    opportunity: Opportunity,
    until: dt.date | None,
    reason: str,
    expected_version: int,
    now: dt.datetime,
) -> Opportunity:
    """Keep quiet about a deal until a day, with a reason; None wakes it. Raises Stale, ValidationError."""
    if until is not None and until <= organisation().today(now):
        raise ValidationError({"until": _("Choose a day in the future.")})
    if until is not None and not reason.strip():
        raise ValidationError({"reason": _("Say what the deal waits for.")})
    with transaction.atomic():
        current = locked(opportunity)
        if current.snoozed_until == until and current.snooze_reason == reason.strip():
            return current
        if current.version != expected_version:
            raise Stale(current)
        current.snoozed_until = until
        current.snooze_reason = reason.strip() if until else ""
        save_changed(current, now=now)
        name = names.OPPORTUNITY_SNOOZED if until else names.OPPORTUNITY_WOKEN
        told = {"until": until.isoformat(), "reason": current.snooze_reason} if until else {}
        record(name, actor=actor, about=current, within=current, now=now, data=told)
    return current


def _stage_of_kind(opportunity: Opportunity, kind: StageKind) -> Stage:
    stage = Stage.objects.active().filter(pipeline_id=opportunity.pipeline_id, kind=kind).order_by("position").first()
    if stage is None:
        raise IllegalMove(
            _("This pipeline has no such stage. An administrator can add one."), legal_stages(opportunity)
        )
    return stage
