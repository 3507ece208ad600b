"""The RAID register of a deal: risks, assumptions, issues and dependencies, and how they are rated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.text import fault_in, trimmed
from events import names
from events.models import EventData
from events.recording import record
from handoffs.ledger_access import no_side, rests
from handoffs.models import RaidItem, RaidKind
from handoffs.states import IllegalTransition
from opportunities.models import Opportunity
from opportunities.services.editing import readable
from opportunities.services.versions import locked

FIELDS = ("kind", "text", "likelihood", "impact", "response", "response_note", "owner", "due_on")


class StaleRaidItem(Exception):
    """Somebody else changed the entry; ``current`` is how it stands now."""

    def __init__(self, current: RaidItem) -> None:
        super().__init__(_("Somebody changed this in the meantime. Look at it as it is now and try again."))
        self.current = current


def add_raid_item(*, actor: User, opportunity: Opportunity, values: Mapping[str, Any], now: dt.datetime) -> RaidItem:
    """Add to the register; the same entry again is the one that is there.

    Raises PermissionDenied, IllegalTransition, ValidationError with a sentence per field.
    """
    if not actor.has_perm("handoffs.keep_ledger", opportunity):
        raise no_side()
    with transaction.atomic():
        deal = locked(opportunity)
        _check_awake(deal)
        item = RaidItem(opportunity=deal, added_by=actor, created_at=now, updated_at=now)
        for name, value in values.items():
            _set(item, name, value)
        _check_values(item)
        same = {name: getattr(item, name) for name in FIELDS}
        known = RaidItem.objects.open().filter(opportunity=deal, **same).first()
        if known is not None:
            return known
        item.save()
        data: EventData = {"text": item.text, "kind": item.kind}
        record(names.RISK_ADDED, actor=actor, about=item, within=deal, now=now, data=data)
    return item


def change_raid_item(
    *, actor: User, item: RaidItem, changes: Mapping[str, Any], expected_version: int | None, now: dt.datetime
) -> RaidItem:
    """Change an open entry. Raises StaleRaidItem, IllegalTransition, PermissionDenied, ValidationError."""
    with transaction.atomic():
        current = _locked(actor, item)
        changes = {name: value for name, value in changes.items() if getattr(current, name, None) != value}
        if not changes:
            return current
        _check_awake(current.opportunity)
        if current.closed_at is not None:
            raise IllegalTransition(_("It is closed. Open it again before changing it."), frozenset())
        if expected_version not in (None, current.version):
            raise StaleRaidItem(current)
        diff = {}
        for name, value in changes.items():
            before = getattr(current, name, None)
            _set(current, name, value)
            diff[name] = [readable(before), readable(getattr(current, name))]
        _check_values(current)
        _save(current, now)
        data: EventData = {"text": current.text, "fields": diff}
        record(names.RISK_CHANGED, actor=actor, about=current, within=current.opportunity, now=now, data=data)
    return current


def close_raid_item(
    *, actor: User, item: RaidItem, note: str, expected_version: int | None, now: dt.datetime
) -> RaidItem:
    """It needs no more minding; ``note`` may say why. Closing twice changes nothing.

    Raises StaleRaidItem, IllegalTransition, PermissionDenied, ValidationError.
    """
    note = trimmed(note)
    fault = fault_in(note, is_multiline=True)
    if fault or len(note) > 500:
        raise ValidationError({"note": fault or _("Keep it to 500 characters.")})
    with transaction.atomic():
        current = _locked(actor, item)
        if current.closed_at is not None:
            return current
        _check_awake(current.opportunity)
        if expected_version not in (None, current.version):
            raise StaleRaidItem(current)
        current.closed_at, current.closed_by, current.closed_note = now, actor, note
        _save(current, now)
        data: EventData = {"text": current.text, "note": note}
        record(names.RISK_CLOSED, actor=actor, about=current, within=current.opportunity, now=now, data=data)
    return current


def reopen_raid_item(*, actor: User, item: RaidItem, expected_version: int | None, now: dt.datetime) -> RaidItem:
    """It has to be minded again. Raises StaleRaidItem, IllegalTransition, PermissionDenied."""
    with transaction.atomic():
        current = _locked(actor, item)
        if current.closed_at is None:
            return current
        _check_awake(current.opportunity)
        if expected_version not in (None, current.version):
            raise StaleRaidItem(current)
        current.closed_at, current.closed_by, current.closed_note = None, None, ""
        _save(current, now)
        data: EventData = {"text": current.text}
        record(names.RISK_REOPENED, actor=actor, about=current, within=current.opportunity, now=now, data=data)
    return current


def _locked(actor: User, item: RaidItem) -> RaidItem:
    """The deal first, so that a profile holds the register as it stands, then the entry."""
    deal = locked(item.opportunity)
    if not actor.has_perm("handoffs.keep_ledger", deal):
        raise no_side()
    current = RaidItem.objects.select_for_update().get(pk=item.pk)
    current.opportunity = deal
    return current


def _check_awake(deal: Opportunity) -> None:
    if rests(deal):
        raise IllegalTransition(_("The deal is closed; its register is kept as it is."), frozenset())


def _set(item: RaidItem, name: str, value: Any) -> None:
    if name not in FIELDS:
        raise ValidationError({name: _("This can't be changed here.")})
    setattr(item, name, trimmed(value) if isinstance(value, str) else value)


def _check_values(item: RaidItem) -> None:
    problems = {}
    if not item.text:
        problems["text"] = _("Write what could go wrong, or what you rely on.")
    for name in ("text", "response_note"):
        fault = fault_in(getattr(item, name))
        if fault:
            problems[name] = fault
    if item.kind == RaidKind.RISK:
        for name in ("likelihood", "impact"):
            if getattr(item, name) is None:
                problems[name] = _("A risk is rated from 1 to 5.")
    if item.due_on is not None and not 2000 <= item.due_on.year <= 2100:
        problems["due_on"] = _("Use a year between 2000 and 2100.")
    if problems:
        raise ValidationError(problems)
    item.clean_fields(exclude=_NOT_STATED)


# Kept by services; relations are checked by the database.
_NOT_STATED = {field.name for field in RaidItem._meta.fields if field.is_relation or field.name not in FIELDS}


def _save(item: RaidItem, now: dt.datetime) -> None:
    item.version += 1
    item.updated_at = now
    item.save()
