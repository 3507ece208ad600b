"""Making scenarios and what they suppose. Nothing here touches deals or people; see ``applying``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from events import names
from events.recording import record
from opportunities.models import Opportunity
from staffing.models import OUTCOMES, POSSIBLE, ChangeKind, Scenario, ScenarioChange
from staffing.models.scenarios import COLUMNS, NEEDED
from staffing.services.checks import Stale, assign, check, check_days, hold, planner
from staffing.states import IllegalTransition

FIELDS = ("name", "note")


class StaleScenario(Stale):
    """Somebody else changed the scenario, or one of its changes; ``current`` is how it stands now."""


def make_scenario(*, actor: User, values: Mapping[str, Any], now: dt.datetime) -> Scenario:
    """A scenario that supposes nothing yet. Raises PermissionDenied, ValidationError with a sentence per field."""
    planner(actor)
    with transaction.atomic():
        hold("scenarios")
        scenario = Scenario(created_by=actor, created_at=now, updated_at=now)
        assign(scenario, values, FIELDS)
        _check_scenario(scenario)
        scenario.save()
        record(names.SCENARIO_ADDED, actor=actor, about=scenario, now=now)
    return scenario


def change_scenario(
    *, actor: User, scenario: Scenario, changes: Mapping[str, Any], expected_version: int | None, now: dt.datetime
) -> Scenario:
    """Another name or note; the present ones change nothing.

    Raises StaleScenario, PermissionDenied, ValidationError with a sentence per field.
    """
    planner(actor)
    with transaction.atomic():
        hold("scenarios")
        current = Scenario.objects.select_for_update().get(pk=scenario.pk)
        if not assign(current, changes, FIELDS):
            return current
        if expected_version not in (None, current.version):
            raise StaleScenario(Scenario.objects.get(pk=scenario.pk))
        _check_scenario(current)
        return _saved(actor, current, now)


def archive_scenario(
    *, actor: User, scenario: Scenario, now: dt.datetime, expected_version: int | None = None
) -> Scenario:
    """Put it away with what it supposes. Raises StaleScenario, PermissionDenied."""
    return _rest(actor, scenario, now, now, expected_version)


def restore_scenario(
    *, actor: User, scenario: Scenario, now: dt.datetime, expected_version: int | None = None
) -> Scenario:
    """Look at it again. Raises StaleScenario, PermissionDenied, ValidationError where its name was taken meanwhile."""
    return _rest(actor, scenario, None, now, expected_version)


def add_change(
    *, actor: User, scenario: Scenario, kind: ChangeKind, values: Mapping[str, Any], now: dt.datetime
) -> ScenarioChange:
    """Suppose something; the same again is the change that is there.

    Raises PermissionDenied, IllegalTransition for an archived scenario, ValidationError with a sentence per field.
    """
    planner(actor)
    with transaction.atomic():
        held = _held(scenario)
        change = ScenarioChange(scenario=held, kind=kind, added_by=actor, created_at=now, updated_at=now)
        assign(change, values, POSSIBLE[kind])
        _check_change(actor, change)
        rival = rival_of(change)
        if rival is not None and _says_the_same(rival, change):
            return rival
        if rival is not None:
            raise ValidationError({_subject(change): _rivalry(change)})
        change.save()
        _saved(actor, held, now, bump=False)
    return change


def change_change(
    *, actor: User, change: ScenarioChange, changes: Mapping[str, Any], expected_version: int | None, now: dt.datetime
) -> ScenarioChange:
    """Suppose it otherwise; deal and person stay. The present values change nothing.

    Raises StaleScenario, PermissionDenied, IllegalTransition once it was applied, ValidationError.
    """
    planner(actor)
    with transaction.atomic():
        scenario = _held(change.scenario)
        current = locked_change(change)
        allowed = [name for name in POSSIBLE[ChangeKind(current.kind)] if name not in ("opportunity", "person")]
        if not assign(current, changes, allowed):
            return current
        if expected_version not in (None, current.version):
            raise StaleScenario(locked_change(change))
        require_pending(current)
        _check_change(None, current)
        _save_change(current, now)
        _saved(actor, scenario, now, bump=False)
    return current


def remove_change(
    *, actor: User, change: ScenarioChange, now: dt.datetime, expected_version: int | None = None
) -> ScenarioChange:
    """No longer suppose it; removing twice changes nothing.

    Raises StaleScenario, PermissionDenied, IllegalTransition once it was applied.
    """
    planner(actor)
    with transaction.atomic():
        scenario = _held(change.scenario)
        current = locked_change(change)
        if current.removed_at is not None:
            return current
        if expected_version not in (None, current.version):
            raise StaleScenario(current)
        require_pending(current)
        current.removed_at = now
        _save_change(current, now)
        _saved(actor, scenario, now, bump=False)
    return current


def restore_change(*, actor: User, change: ScenarioChange, now: dt.datetime) -> ScenarioChange:
    """Suppose it after all.

    Raises PermissionDenied, IllegalTransition, ValidationError where something else is supposed in its place by now.
    """
    planner(actor)
    with transaction.atomic():
        scenario = _held(change.scenario)
        current = locked_change(change)
        if current.removed_at is None:
            return current
        if rival_of(current) is not None:
            raise ValidationError({_subject(current): _rivalry(current)})
        current.removed_at = None
        _save_change(current, now)
        _saved(actor, scenario, now, bump=False)
    return current


def try_out(
    *, actor: User, scenario: Scenario | None, name: str, kind: ChangeKind, values: Mapping[str, Any], now: dt.datetime
) -> ScenarioChange:
    """Suppose something at once: in a scenario, or in a new one called ``name`` with a number if that is taken.

    What the scenario supposes of the deal already gives way. Raises as ``add_change``.
    """
    with transaction.atomic():
        if scenario is None:
            planner(actor)
            hold("scenarios")
            scenario = make_scenario(actor=actor, values={"name": _free_name(name)}, now=now)
        else:
            wanted = ScenarioChange(scenario=scenario, kind=kind, **values)
            rival = rival_of(wanted)
            if rival is not None and not _says_the_same(rival, wanted):
                remove_change(actor=actor, change=rival, now=now)
        return add_change(actor=actor, scenario=scenario, kind=kind, values=values, now=now)


def rival_of(change: ScenarioChange) -> ScenarioChange | None:
    """What the scenario supposes already in its place. One query; none for people who join."""
    if change.kind == ChangeKind.JOIN:
        return None
    pending = ScenarioChange.objects.live().filter(scenario=change.scenario, applied_at__isnull=True)
    if change.kind == ChangeKind.LEAVE:
        found = pending.filter(person=change.person_id)
    else:
        kinds = [change.kind] if change.kind == ChangeKind.SHIFT else [kind.value for kind in OUTCOMES]
        found = pending.filter(opportunity=change.opportunity_id, kind__in=kinds)
    return found.exclude(pk=change.pk).first()


def locked_change(change: ScenarioChange) -> ScenarioChange:
    """The change as it stands, held against others until the transaction ends."""
    current = ScenarioChange.objects.select_for_update().get(pk=change.pk)
    related = ScenarioChange.objects.select_related("scenario", "opportunity", "person", "role")
    found = related.get(pk=current.pk)
    found.scenario = change.scenario
    return found


def require_pending(change: ScenarioChange) -> None:
    """Raise IllegalTransition for what was applied or removed."""
    if change.applied_at is not None:
        raise IllegalTransition(_("It was applied and is part of today’s truth. Suppose something new instead."))
    if change.removed_at is not None:
        raise IllegalTransition(_("It was removed from the scenario. Bring it back first."))


def _held(scenario: Scenario) -> Scenario:
    """The scenario, held so that its changes are made one after the other."""
    current = Scenario.objects.select_for_update().get(pk=scenario.pk)
    if current.archived_at is not None:
        raise IllegalTransition(_("The scenario is in the archive. Bring it back first."))
    return current


def _check_scenario(scenario: Scenario) -> None:
    problems = {}
    if not scenario.name:
        problems["name"] = _("Give the scenario a name.")
    elif _named(scenario.name).exclude(pk=scenario.pk).exists():
        problems["name"] = _("There is a scenario of this name already.")
    check(scenario, FIELDS, problems)


def _check_change(actor: User | None, change: ScenarioChange) -> None:
    """``actor`` is who names the deal; None where it stays."""
    kind, problems = ChangeKind(change.kind), {}
    if wrong := check_days(change.from_on, change.until_on):
        problems["until_on"] = wrong["last_on"]
    for name in NEEDED[kind]:
        column = ScenarioChange._meta.get_field(name)
        if getattr(change, column.attname if hasattr(column, "attname") else name) is None:
            problems[name] = _("This is needed.")
    if change.weeks == 0:
        problems["weeks"] = _("Say by how many weeks it moves; 0 changes nothing.")
    if change.role is not None and change.role.archived_at is not None:
        problems["role"] = _("This role is no longer in use. Choose another one.")
    deals = Opportunity.objects.current().visible_to(actor) if actor is not None else None
    if change.opportunity_id is not None and deals is not None:
        if not deals.filter(pk=change.opportunity_id).exists():
            raise PermissionDenied(_("There is no such deal."))
        if change.opportunity is not None and not change.opportunity.is_open:
            problems["opportunity"] = _("The deal is closed; only open deals can be supposed otherwise.")
    check(change, [name for name in COLUMNS if name not in problems], problems)


def _says_the_same(one: ScenarioChange, other: ScenarioChange) -> bool:
    names_of = ("kind", "weeks", "percent", "from_on", "until_on")
    return all(getattr(one, name) == getattr(other, name) for name in names_of)


def _subject(change: ScenarioChange) -> str:
    return "person" if change.kind == ChangeKind.LEAVE else "opportunity"


def _rivalry(change: ScenarioChange) -> str:
    if change.kind == ChangeKind.LEAVE:
        return _("The scenario supposes already that this person is away. Change that instead.")
    if change.kind == ChangeKind.SHIFT:
        return _("The scenario moves this deal already. Change by how many weeks instead.")
    return _("The scenario supposes already whether this deal is won. Remove that first.")


def _named(name: str) -> Any:
    return Scenario.objects.current().filter(name__iexact=name)


def _free_name(name: str) -> str:
    taken = {each.lower() for each in Scenario.objects.current().values_list("name", flat=True)}
    names_of = [name[:72], *(f"{name[:72]} ({number})" for number in range(2, len(taken) + 3))]
    return next(each for each in names_of if each.lower() not in taken)


def _rest(
    actor: User, scenario: Scenario, at: dt.datetime | None, now: dt.datetime, expected_version: int | None
) -> Scenario:
    planner(actor)
    with transaction.atomic():
        hold("scenarios")
        current = Scenario.objects.select_for_update().get(pk=scenario.pk)
        if (current.archived_at is None) == (at is None):
            return current
        if expected_version not in (None, current.version):
            raise StaleScenario(current)
        current.archived_at = at
        if at is None:
            _check_scenario(current)
        return _saved(actor, current, now)


def _save_change(change: ScenarioChange, now: dt.datetime) -> None:
    change.version += 1
    change.updated_at = now
    change.save()


def _saved(actor: User, scenario: Scenario, now: dt.datetime, *, bump: bool = True) -> Scenario:
    """Its version counts what is said of the scenario itself; changes have their own."""
    scenario.version += bump
    scenario.updated_at = now
    scenario.save()
    record(names.SCENARIO_CHANGED, actor=actor, about=scenario, now=now)
    return scenario
