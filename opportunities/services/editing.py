"""Adding and changing deals, apart from their stage."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, models, transaction
from django.utils.translation import gettext as _

from accounts.models import Organisation, User
from accounts.queries import organisation
from accounts.text import fault_in, trimmed
from events import names
from events.models import EventData
from events.recording import Occurrence, record_many
from opportunities.access import sales_team_of
from opportunities.models import Opportunity, Stage, StageChange, StageKind, Temperature
from opportunities.models.history import Source
from opportunities.services.versions import Stale, held, locked
from opportunities.unforecasted import UnforecastedReason, flag, flagged_event

# What people may change on a deal; the stage and what follows from it have services of their own.
EDITABLE = (
    "name", "account", "owner", "delivery_owner", "team", "service_line", "region", "amount", "currency",
    "probability", "forecast_category", "close_date", "start_on", "next_step", "next_step_on", "description",
    "product", "loss_reason", "loss_note",
)  # fmt: skip


class EditConflict(Exception):
    """The same field was changed by somebody else; nothing was saved.

    ``fields`` maps each field in conflict to (base, theirs, yours).
    """

    def __init__(self, current: Opportunity, fields: Mapping[str, tuple[Any, Any, Any]]) -> None:
        super().__init__(_("Somebody changed the same field in the meantime."))
        self.current = current
        self.fields = fields


@dataclass
class Edit:
    """What a change did to a deal, for its history."""

    diff: dict[str, list[Any]] = field(default_factory=dict)
    occurrences: list[Occurrence] = field(default_factory=list)


def readable(value: Any) -> Any:
    """A value as history shows and stores it."""
    if isinstance(value, models.Model):
        return str(value)
    if isinstance(value, Decimal):
        return format(value.quantize(Decimal("0.01")), "f")
    return value.isoformat() if isinstance(value, dt.date) else value


def create_opportunity(
    *,
    actor: User,
    stage: Stage,
    values: Mapping[str, Any],
    now: dt.datetime,
    source: str = "manual",
    external_id: str = "",
    request_id: uuid.UUID | None = None,
) -> Opportunity:
    """Add a deal in an open stage, with its first stage change and what follows from it.

    Owner defaults to the actor, team to the owner's, currency to the organisation's, probability and forecast
    category to the stage's. The same ``request_id`` of the same person adds one deal, and answers the same again.
    Raises ValidationError with a sentence per field.
    """
    with transaction.atomic(durable=False):
        known = _already_created(actor, request_id)
        if known is not None:
            return known
        stage = held(stage)
        if stage.kind != StageKind.OPEN:
            raise ValidationError({"stage": _("A deal starts in an open stage; move it to won or lost afterwards.")})
        if stage.archived_at:
            raise ValidationError({"stage": _("That stage is no longer in use. Choose another one.")})
        home = organisation()
        opportunity = Opportunity(
            pipeline=stage.pipeline, stage=stage, kind=stage.kind, stage_entered_at=now,
            temperature=stage.temperature, currency=home.base_currency, probability=stage.probability,
            forecast_category=stage.forecast_category, owner=actor, source=source, external_id=external_id,
            created_by=actor, created_at=now, updated_at=now,
        )  # fmt: skip
        for name, value in values.items():
            if name not in EDITABLE:
                raise ValidationError({name: _("This can't be set.")})
            setattr(opportunity, name, value)
        if opportunity.team is None:
            opportunity.team = sales_team_of(opportunity.owner)
        check_values(opportunity)
        is_surprise = opportunity.temperature != Temperature.COLD
        if is_surprise:
            flag(opportunity, [UnforecastedReason.FIRST_SEEN_WARM], now=now)
        opportunity.save()
        change = StageChange.objects.create(
            opportunity=opportunity, number=1, to_stage=stage, at=now, recorded_at=now, by=actor,
            source=Source.API if source == "api" else Source.FORM, request_id=request_id,
        )  # fmt: skip
        data: EventData = {"to": stage.name, "change": change.pk}
        occurrences = [Occurrence(names.OPPORTUNITY_CREATED, opportunity, opportunity, data)]
        if is_surprise:
            warmed = (
                names.OPPORTUNITY_TURNED_HOT
                if opportunity.temperature == Temperature.HOT
                else names.OPPORTUNITY_TURNED_WARM
            )
            occurrences += [
                Occurrence(warmed, opportunity, opportunity, {"change": change.pk}),
                flagged_event(opportunity, change=change.pk),
            ]
        record_many(occurrences, actor=actor, now=now)
    return opportunity


def _already_created(actor: User, request_id: uuid.UUID | None) -> Opportunity | None:
    """The deal that the same request made before; identical requests at the same moment wait for each other."""
    if request_id is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"opportunities:create:{request_id}"])
    first = StageChange.objects.filter(number=1, request_id=request_id, by=actor).select_related("opportunity").first()
    return first.opportunity if first else None


def update_opportunity(
    *,
    actor: User,
    opportunity: Opportunity,
    changes: Mapping[str, Any],
    expected_version: int,
    now: dt.datetime,
    base: Mapping[str, Any] | None = None,
) -> Opportunity:
    """Change fields of a deal.

    With ``base`` (what the person saw), a stale version merges when nobody else touched the same fields, else
    EditConflict. Without it a stale version raises Stale. A change to the present values does nothing.
    """
    with transaction.atomic():
        current = locked(opportunity)
        changes = {name: value for name, value in changes.items() if getattr(current, name) != value}
        if current.version != expected_version and changes:
            if base is None:
                raise Stale(current)
            changes = _merged(current, changes, base)
        if not changes:
            return current
        edit = apply_changes(current, changes, home=organisation(), now=now)
        save_changed(current, now=now)
        record_many(edit.occurrences, actor=actor, now=now)
    return current


def apply_changes(
    opportunity: Opportunity, changes: Mapping[str, Any], *, home: Organisation, now: dt.datetime
) -> Edit:
    """Set the values on the (locked, unsaved) deal and say what happened. Raises ValidationError."""
    edit = Edit()
    close_before, owner_before = opportunity.close_date, opportunity.owner
    for name, value in changes.items():
        if name not in EDITABLE:
            raise ValidationError({name: _("This can't be changed here.")})
        before = getattr(opportunity, name)
        if before != value:
            edit.diff[name] = [readable(before), readable(value)]
            setattr(opportunity, name, value)
    if opportunity.owner != owner_before and "team" not in changes:
        opportunity.team = sales_team_of(opportunity.owner) or opportunity.team
    check_values(opportunity)
    if not edit.diff:
        return edit
    labels = ", ".join(str(Opportunity._meta.get_field(name).verbose_name) for name in edit.diff)  # type: ignore[union-attr]
    data: EventData = {"fields": edit.diff, "labels": labels, "version": opportunity.version + 1}
    edit.occurrences.append(Occurrence(names.OPPORTUNITY_CHANGED, opportunity, opportunity, data))
    if "owner" in edit.diff or "delivery_owner" in edit.diff:
        people = ", ".join(edit.diff[name][1] or "–" for name in ("owner", "delivery_owner") if name in edit.diff)
        edit.occurrences.append(Occurrence(names.OPPORTUNITY_REASSIGNED, opportunity, opportunity, {"people": people}))
    if "close_date" in edit.diff:
        _close_date_moved(opportunity, close_before, edit, home=home, now=now)
    elif "start_on" in edit.diff:
        starts = {"to": readable(opportunity.start_on) or "–"}
        edit.occurrences.append(Occurrence(names.OPPORTUNITY_START_MOVED, opportunity, opportunity, starts))
    return edit


def save_changed(opportunity: Opportunity, *, now: dt.datetime) -> None:
    """Write the deal under a new version."""
    opportunity.version += 1
    opportunity.updated_at = now
    opportunity.save()


def _merged(current: Opportunity, changes: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """What the person themselves changed, if nobody else changed the same; raises EditConflict."""
    own = {name: value for name, value in changes.items() if name not in base or base[name] != value}
    theirs = {name: getattr(current, name) for name in own}
    clash = {name: (base.get(name), theirs[name], own[name]) for name in own if theirs[name] != base.get(name)}
    if clash:
        raise EditConflict(current, clash)
    return own


def _close_date_moved(
    opportunity: Opportunity, before: dt.date | None, edit: Edit, *, home: Organisation, now: dt.datetime
) -> None:
    after = opportunity.close_date
    if before and after and after > before and opportunity.is_open:
        opportunity.push_count += 1
    dates = {"from": readable(before) or "–", "to": readable(after) or "–"}
    edit.occurrences.append(Occurrence(names.OPPORTUNITY_CLOSE_DATE_MOVED, opportunity, opportunity, dates))
    pulled_in = (before - after).days if before and after else 0
    if opportunity.is_open and pulled_in > home.surprise_pull_in_days:
        added = flag(opportunity, [UnforecastedReason.CLOSE_PULLED_IN], now=now)
        if added:
            edit.occurrences.append(flagged_event(opportunity))


def check_values(opportunity: Opportunity) -> None:
    """Refuse values that the columns or good sense refuse, with a sentence per field."""
    problems = _faulty_texts(opportunity)
    if not trimmed(opportunity.name):
        problems["name"] = _("Give the deal a name.")
    starts, closes = opportunity.start_on, opportunity.close_date
    # Once it has closed, when it was expected to close no longer matters.
    if starts and closes and starts < closes and opportunity.is_open:
        problems["start_on"] = _("The work can't start before the deal closes on %(date)s.") % {
            "date": closes.isoformat()
        }
    for name in ("close_date", "start_on", "next_step_on"):
        value = getattr(opportunity, name)
        if value and not 2000 <= value.year <= 2100:
            problems[name] = _("Use a year between 2000 and 2100.")
    if problems:
        raise ValidationError(problems)
    opportunity.clean_fields(exclude=_NOT_STATED)


# What nobody states: it follows from the stage, or is kept by services. Relations are checked by the database.
_NOT_STATED = {
    field.name
    for field in Opportunity._meta.fields
    if field.is_relation or field.name not in (*EDITABLE, "external_id", "source", "temperature_reason")
}


def _faulty_texts(opportunity: Opportunity) -> dict[str, str]:
    """Texts with characters that deceive or can't be kept."""
    problems = {}
    for name in EDITABLE:
        value = opportunity.__dict__.get(name)
        fault = fault_in(value, is_multiline=name == "description") if isinstance(value, str) else None
        if fault:
            problems[name] = fault
    return problems
