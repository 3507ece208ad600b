"""Who can deliver: adding and changing people, their skills, and when they are away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.text import trimmed
from events import names
from events.recording import record
from staffing.models import LEAST_PROFICIENCY, MOST_PROFICIENCY, Person, PersonSkill, Skill, TimeOff
from staffing.services.checks import Stale, assign, check, check_days, hold, planner

FIELDS = (
    "name", "user", "role", "weekly_hours", "calendar", "region", "joins_on", "leaves_on", "external_id",
)  # fmt: skip
TIME_OFF_FIELDS = ("first_on", "last_on", "hours_per_day", "note")


class StalePerson(Stale):
    """Somebody else changed the person; ``current`` is how they stand now."""


def add_person(*, actor: User, values: Mapping[str, Any], now: dt.datetime) -> Person:
    """Add somebody who can be planned. Raises PermissionDenied, ValidationError with a sentence per field."""
    planner(actor)
    with transaction.atomic():
        hold("people")
        person = Person(created_at=now, updated_at=now)
        assign(person, values, FIELDS)
        _check(person)
        person.save()
        _tell(actor, person, now)
    return person


def change_person(
    *, actor: User, person: Person, changes: Mapping[str, Any], expected_version: int | None, now: dt.datetime
) -> Person:
    """Change somebody's data; the present values change nothing.

    Raises StalePerson, PermissionDenied, ValidationError with a sentence per field.
    """
    planner(actor)
    with transaction.atomic():
        hold("people")
        current = Person.objects.select_for_update().get(pk=person.pk)
        if not assign(current, changes, FIELDS):
            return current
        if expected_version not in (None, current.version):
            raise StalePerson(Person.objects.get(pk=person.pk))
        _check(current)
        return _saved(actor, current, now)


def archive_person(*, actor: User, person: Person, now: dt.datetime, expected_version: int | None = None) -> Person:
    """No longer plan somebody. What they are booked for stays until it is released.

    Raises PermissionDenied, StalePerson.
    """
    return _rest(actor, person, now, now, expected_version)


def restore_person(*, actor: User, person: Person, now: dt.datetime, expected_version: int | None = None) -> Person:
    """Plan somebody again. Raises PermissionDenied, StalePerson."""
    return _rest(actor, person, None, now, expected_version)


def set_skills(
    *, actor: User, person: Person, skills: Mapping[int, int], expected_version: int | None, now: dt.datetime
) -> Person:
    """Make these the person's skills: proficiency by id of the skill; others are taken away.

    Raises StalePerson, PermissionDenied, ValidationError.
    """
    planner(actor)
    with transaction.atomic():
        current = Person.objects.select_for_update().get(pk=person.pk)
        known = dict(current.skills.values_list("skill_id", "proficiency"))
        if known == dict(skills):
            return current
        if expected_version not in (None, current.version):
            raise StalePerson(current)
        check_skills(skills, already=known)
        current.skills.exclude(skill_id__in=skills).delete()
        PersonSkill.objects.bulk_create(
            [PersonSkill(person=current, skill_id=key, proficiency=level) for key, level in skills.items()],
            update_conflicts=True, unique_fields=["person", "skill"], update_fields=["proficiency"],
        )  # fmt: skip
        return _saved(actor, current, now)


def check_skills(skills: Mapping[int, int], *, already: Mapping[int, int]) -> None:
    """Raise ValidationError for skills that nobody offers, or proficiencies that don't exist."""
    if any(not LEAST_PROFICIENCY <= level <= MOST_PROFICIENCY for level in skills.values()):
        raise ValidationError({"skills": _("Proficiency goes from 1 (has begun) to 5 (teaches it).")})
    new = set(skills) - set(already)
    if new and Skill.objects.filter(pk__in=new, archived_at__isnull=True).count() != len(new):
        raise ValidationError({"skills": _("Choose skills from the list.")})


def add_time_off(
    *,
    actor: User,
    person: Person,
    first_on: dt.date,
    last_on: dt.date,
    hours_per_day: Decimal,
    note: str,
    now: dt.datetime,
) -> TimeOff:
    """Somebody is away, or works only so many hours a day; the same again is the one that is there.

    Raises PermissionDenied, ValidationError.
    """
    planner(actor)
    with transaction.atomic():
        current = Person.objects.select_for_update().get(pk=person.pk)
        row = TimeOff(person=current, created_at=now)
        values = {"first_on": first_on, "last_on": last_on, "hours_per_day": hours_per_day, "note": note}
        assign(row, values, TIME_OFF_FIELDS)
        check(row, TIME_OFF_FIELDS, check_days(row.first_on, row.last_on))
        known = TimeOff.objects.filter(
            person=current, first_on=row.first_on, last_on=row.last_on, hours_per_day=row.hours_per_day,
            note=trimmed(note),
        ).first()  # fmt: skip
        if known is not None:
            return known
        row.save()
        _tell(actor, current, now)
    return row


def change_time_off(*, actor: User, time_off: TimeOff, changes: Mapping[str, Any], now: dt.datetime) -> TimeOff:
    """Change when somebody is away. Raises PermissionDenied, ValidationError, TimeOff.DoesNotExist."""
    planner(actor)
    with transaction.atomic():
        person = Person.objects.select_for_update().get(pk=time_off.person_id)
        current = TimeOff.objects.select_for_update().get(pk=time_off.pk)
        if not assign(current, changes, TIME_OFF_FIELDS):
            return current
        check(current, TIME_OFF_FIELDS, check_days(current.first_on, current.last_on))
        current.save()
        _tell(actor, person, now)
    return current


def remove_time_off(*, actor: User, time_off: TimeOff, now: dt.datetime) -> None:
    """Somebody is there after all; removing twice changes nothing. Raises PermissionDenied."""
    planner(actor)
    with transaction.atomic():
        person = Person.objects.select_for_update().get(pk=time_off.person_id)
        removed, _kinds = TimeOff.objects.filter(pk=time_off.pk).delete()
        if removed:
            _tell(actor, person, now)


def _check(person: Person) -> None:
    problems = {}
    if not person.name:
        problems["name"] = _("Give them a name.")
    others = Person.objects.exclude(pk=person.pk)
    if person.user_id is not None and others.filter(user_id=person.user_id).exists():
        problems["user"] = _("This login belongs to somebody else already.")
    if person.external_id and others.filter(external_id=person.external_id).exists():
        problems["external_id"] = _("Somebody else has this already.")
    if person.joins_on and person.leaves_on and person.leaves_on < person.joins_on:
        problems["leaves_on"] = _("Nobody leaves before they join.")
    check(person, FIELDS, problems)


def _rest(
    actor: User, person: Person, at: dt.datetime | None, now: dt.datetime, expected_version: int | None
) -> Person:
    planner(actor)
    with transaction.atomic():
        current = Person.objects.select_for_update().get(pk=person.pk)
        if (current.archived_at is None) == (at is None):
            return current
        if expected_version not in (None, current.version):
            raise StalePerson(current)
        current.archived_at = at
        return _saved(actor, current, now)


def _saved(actor: User, person: Person, now: dt.datetime) -> Person:
    person.version += 1
    person.updated_at = now
    person.save()
    _tell(actor, person, now)
    return person


def _tell(actor: User, person: Person, now: dt.datetime) -> None:
    record(names.PERSON_CHANGED, actor=actor, about=person, now=now, data={"name": person.name})
