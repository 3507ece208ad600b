"""Roles, skills, and the needs that deals of a service line usually have."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from accounts.models import ServiceLine, User
from events import names
from events.models import EventData
from events.recording import record
from staffing.models import NeedTemplate, Skill, WorkRole
from staffing.services.checks import Stale, assign, check, hold, planner

Row = TypeVar("Row", WorkRole, Skill, NeedTemplate)
TEMPLATE_FIELDS = ("service_line", "role", "hours_per_week", "offset_weeks", "weeks", "position")


class StaleEntry(Stale):
    """Somebody else changed the role, skill or template; ``current`` is how it stands now."""


def save_role(
    *, actor: User, role: WorkRole | None, name: str, now: dt.datetime, expected_version: int | None = None
) -> WorkRole:
    """Add a role, or rename it. Raises PermissionDenied, ValidationError, StaleEntry."""
    planner(actor)
    with transaction.atomic():
        hold("roles")
        row = WorkRole.objects.select_for_update().get(pk=role.pk) if role is not None else WorkRole()
        if role is None:
            highest = WorkRole.objects.aggregate(models.Max("position"))["position__max"]
            row.position = 0 if highest is None else min(highest + 1, 32_767)
        if WorkRole.objects.filter(name__iexact=name.strip()).exclude(pk=row.pk).exists():
            raise ValidationError({"name": _("There is a role of this name already.")})
        return _save(actor, row, {"name": name}, ("name",), expected_version, now)


def archive_role(*, actor: User, role: WorkRole, now: dt.datetime, expected_version: int | None = None) -> WorkRole:
    """No longer offer it; people and needs that have it keep it. Raises PermissionDenied, StaleEntry."""
    return _rest(actor, role, now, now, expected_version)


def restore_role(*, actor: User, role: WorkRole, now: dt.datetime, expected_version: int | None = None) -> WorkRole:
    """Offer it again. Raises PermissionDenied, StaleEntry."""
    return _rest(actor, role, None, now, expected_version)


def save_skill(
    *, actor: User, skill: Skill | None, name: str, now: dt.datetime, expected_version: int | None = None
) -> Skill:
    """Add a skill, or rename it. Raises PermissionDenied, ValidationError, StaleEntry."""
    planner(actor)
    with transaction.atomic():
        hold("skills")
        row = Skill.objects.select_for_update().get(pk=skill.pk) if skill is not None else Skill()
        if Skill.objects.filter(name__iexact=name.strip()).exclude(pk=row.pk).exists():
            raise ValidationError({"name": _("There is a skill of this name already.")})
        return _save(actor, row, {"name": name}, ("name",), expected_version, now)


def archive_skill(*, actor: User, skill: Skill, now: dt.datetime, expected_version: int | None = None) -> Skill:
    """No longer offer it; people who have it keep it. Raises PermissionDenied, StaleEntry."""
    return _rest(actor, skill, now, now, expected_version)


def restore_skill(*, actor: User, skill: Skill, now: dt.datetime, expected_version: int | None = None) -> Skill:
    """Offer it again. Raises PermissionDenied, StaleEntry."""
    return _rest(actor, skill, None, now, expected_version)


def save_template(
    *,
    actor: User,
    template: NeedTemplate | None,
    values: Mapping[str, Any],
    now: dt.datetime,
    expected_version: int | None = None,
) -> NeedTemplate:
    """Add a template, or change it; needs that came from it stay. Raises PermissionDenied, ValidationError, StaleEntry.

    A new one comes last among those of its service line.
    """
    planner(actor)
    with transaction.atomic():
        hold("templates")
        row = NeedTemplate.objects.select_for_update().get(pk=template.pk) if template is not None else NeedTemplate()
        if template is None and "position" not in values:
            line: ServiceLine | None = values.get("service_line")
            highest = NeedTemplate.objects.filter(service_line=line).aggregate(models.Max("position"))
            last = highest["position__max"]
            row.position = 0 if last is None else min(last + 1, 32_767)
        return _save(actor, row, values, TEMPLATE_FIELDS, expected_version, now)


def archive_template(
    *, actor: User, template: NeedTemplate, now: dt.datetime, expected_version: int | None = None
) -> NeedTemplate:
    """No longer ask for it on new deals. Raises PermissionDenied, StaleEntry."""
    return _rest(actor, template, now, now, expected_version)


def restore_template(
    *, actor: User, template: NeedTemplate, now: dt.datetime, expected_version: int | None = None
) -> NeedTemplate:
    """Ask for it on new deals again. Raises PermissionDenied, StaleEntry."""
    return _rest(actor, template, None, now, expected_version)


def _save(
    actor: User,
    row: Row,
    values: Mapping[str, Any],
    allowed: tuple[str, ...],
    expected_version: int | None,
    now: dt.datetime,
) -> Row:
    diff = assign(row, values, allowed)
    if row.pk is not None:
        if not diff:
            return row
        if expected_version not in (None, row.version):
            row.refresh_from_db()
            raise StaleEntry(row)
        row.version += 1
    check(row, allowed)
    row.save()
    _tell(actor, row, now)
    return row


def _rest(actor: User, row: Row, at: dt.datetime | None, now: dt.datetime, expected_version: int | None = None) -> Row:
    planner(actor)
    with transaction.atomic():
        current = type(row)._default_manager.select_for_update().get(pk=row.pk)
        if (current.archived_at is None) == (at is None):
            return current
        if expected_version not in (None, current.version):
            raise StaleEntry(current)
        current.archived_at = at
        current.version += 1
        current.save(update_fields=["archived_at", "version"])
        _tell(actor, current, now)
        return current


def _tell(actor: User, row: WorkRole | Skill | NeedTemplate, now: dt.datetime) -> None:
    data: EventData = {"what": str(row._meta.model_name), "name": str(row)}
    record(names.STAFFING_LIST_CHANGED, actor=actor, about=row, now=now, data=data)
