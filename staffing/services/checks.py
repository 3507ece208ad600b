"""What the services of staffing check alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, models
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.text import fault_in, trimmed
from opportunities.models import Opportunity, StageKind
from opportunities.services.editing import readable
from staffing.access import require_planner
from staffing.states import IllegalTransition

EARLIEST, LATEST = 2000, 2100  # years


class Stale(Exception):
    """Somebody else changed it; ``current`` is how it stands now."""

    def __init__(self, current: models.Model) -> None:
        super().__init__(_("Somebody changed this in the meantime. Look at it as it is now and try again."))
        self.current = current


def planner(actor: User) -> None:
    """Raise PermissionDenied for those who don't plan people."""
    if not actor.is_active:
        raise PermissionDenied
    require_planner(actor)


def hold(what: str) -> None:
    """Wait for others who change the same list, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"staffing:{what}"])


def assign(row: models.Model, values: Mapping[str, Any], allowed: Iterable[str]) -> dict[str, list[Any]]:
    """Set what differs; gives each field's values before and after. Raises ValidationError for other fields."""
    diff = {}
    for name, given in values.items():
        if name not in allowed:
            raise ValidationError({name: _("This can't be changed here.")})
        field = row._meta.get_field(name)
        value = _cleaned(name, field, given)
        before = getattr(row, name) if not field.is_relation or _has(row, field) else None
        if before != value:
            setattr(row, name, value)
            diff[name] = [readable(before), readable(value)]
    return diff


def check(row: models.Model, allowed: Iterable[str], problems: Mapping[str, str] | None = None) -> None:
    """Raise ValidationError with a sentence per field, for ``problems`` and for what the columns would refuse."""
    found: dict[str, Any] = dict(problems or {})
    for field in row._meta.fields:
        if field.name not in allowed:
            continue
        value = getattr(row, field.attname)
        if value is None and not field.null:
            found.setdefault(field.name, _("This is needed."))
            continue
        if field.is_relation:
            continue
        if isinstance(value, str):
            fault = fault_in(value)
            if fault:
                found.setdefault(field.name, fault)
        elif isinstance(value, dt.date) and not EARLIEST <= value.year <= LATEST:
            found.setdefault(field.name, _("Use a year between 2000 and 2100."))
        try:
            field.clean(value, row)
        except ValidationError as error:
            found.setdefault(field.name, error.messages)
    if found:
        raise ValidationError(found)


def check_awake(deal: Opportunity) -> None:
    """Raise IllegalTransition for a deal that was lost or archived."""
    if deal.archived_at is not None:
        raise IllegalTransition(_("The deal is in the archive; nothing is planned for it."))
    if deal.kind == StageKind.LOST:
        raise IllegalTransition(_("The deal was lost; nothing is planned for it."))


def check_days(first_on: dt.date | None, last_on: dt.date | None) -> dict[str, str]:
    """What is wrong with a first and a last day."""
    if first_on and last_on and last_on < first_on:
        return {"last_on": _("It can't end before it begins.")}
    return {}


def _cleaned(name: str, field: Any, value: Any) -> Any:
    if isinstance(field, models.CharField):
        return trimmed(value or "")
    if field.is_relation or value is None:
        return value
    try:
        return field.to_python(value)
    except ValidationError as error:
        raise ValidationError({name: error.messages}) from error


def _has(row: models.Model, field: models.Field[Any, Any] | Any) -> bool:
    return getattr(row, field.attname) is not None
