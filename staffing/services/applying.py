"""Making a supposition true, one by one and on purpose, through the service that people use for it anyway.

Wins and losses are never applied from a scenario: they are decided in the deal, with all that they ask for.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Organisation, User
from accounts.queries import organisation
from events import names
from events.models import EventData
from events.recording import record
from opportunities.models import Comment, Opportunity
from opportunities.services.conversation import add_comment
from opportunities.services.editing import readable, update_opportunity
from opportunities.services.versions import locked
from opportunities.starts import expected_start
from staffing.models import NEVER_APPLIED, ChangeKind, Person, Scenario, ScenarioChange
from staffing.services.checks import planner
from staffing.services.people import add_person, add_time_off, change_person
from staffing.services.scenarios import StaleScenario, locked_change, require_pending
from staffing.states import IllegalTransition
from staffing.weeks import monday_of

DAY = dt.timedelta(days=1)


class NotYours(PermissionDenied):
    """The deal's own people change it; ``owner`` is who can be asked."""

    def __init__(self, owner: User | None) -> None:
        told = _("Only the deal’s own people can change it. Ask %(owner)s.") % {"owner": owner}
        super().__init__(told if owner else _("Only the deal’s own people can change it."))
        self.owner = owner


@dataclass(frozen=True)
class Effect:
    """A field that applying changes, with its values before and after."""

    field: str
    before: Any
    after: Any


def effects_of(change: ScenarioChange, *, home: Organisation, today: dt.date) -> list[Effect]:
    """What applying would do to the deal or person as they stand; nothing for people who join.

    Raises IllegalTransition where it can't be applied, with what stands in the way.
    """
    kind = ChangeKind(change.kind)
    if kind in NEVER_APPLIED:
        raise IllegalTransition(_("Deals are won and lost in the deal itself, never from a scenario."))
    require_pending(change)
    if change.opportunity is not None:
        require_open(change.opportunity)
        wanted = _moved(change, change.opportunity, home, today) if kind == ChangeKind.SHIFT else {
            "probability": change.percent
        }  # fmt: skip
        return [Effect(name, getattr(change.opportunity, name), value) for name, value in wanted.items()]
    if change.person is not None and change.from_on is not None:
        if change.person.archived_at is not None:
            raise IllegalTransition(_("Nobody plans this person any more."))
        if change.until_on is None:
            return [Effect("leaves_on", change.person.leaves_on, change.from_on - DAY)]
        return [Effect("time_off", None, (change.from_on, change.until_on))]
    return []


def require_open(deal: Opportunity) -> None:
    """Raise IllegalTransition for a deal that is closed or archived."""
    if deal.archived_at is not None:
        raise IllegalTransition(_("The deal is in the archive."))
    if not deal.is_open:
        raise IllegalTransition(_("The deal is closed: what is known about it stands already."))


def apply_change(
    *,
    actor: User,
    change: ScenarioChange,
    now: dt.datetime,
    expected_version: int | None,
    seen_version: int | None = None,
    people: Sequence[str] = (),
) -> ScenarioChange:
    """Make it true; once it was applied this does nothing. ``people`` are the names of those who join.

    ``seen_version`` is that of the deal or person as the preview showed it; None for whichever it is. Raises
    StaleScenario, Stale (of the deal), StalePerson, NotYours, PermissionDenied, IllegalTransition, ValidationError.
    """
    planner(actor)
    with transaction.atomic():
        scenario = Scenario.objects.select_for_update().get(pk=change.scenario_id)
        change.scenario = scenario
        current = locked_change(change)
        if current.applied_at is not None:
            return current
        if expected_version not in (None, current.version):
            raise StaleScenario(current)
        if scenario.archived_at is not None:
            raise IllegalTransition(_("The scenario is in the archive. Bring it back first."))
        home = organisation()
        current.did = _do(actor, current, home, seen_version, people, now)
        current.applied_at, current.applied_by = now, actor
        current.version += 1
        current.updated_at = scenario.updated_at = now
        current.save()
        scenario.save(update_fields=["updated_at"])
        record(names.SCENARIO_APPLIED, actor=actor, about=scenario, now=now, data={"change": current.pk})
    return current


def ask_owner(
    *, actor: User, change: ScenarioChange, body: str, now: dt.datetime, request_id: uuid.UUID | None = None
) -> Comment:
    """Ask the deal's people, in a comment on it, for what the actor may not do. The same request asks once.

    Raises PermissionDenied, IllegalTransition, ValidationError.
    """
    planner(actor)
    require_pending(change)
    deal = change.opportunity
    if deal is None or not Opportunity.objects.visible_to(actor).filter(pk=deal.pk).exists():
        raise PermissionDenied(_("There is no such deal."))
    require_open(deal)
    return add_comment(actor=actor, opportunity=deal, body=body, now=now, request_id=request_id)


def may_apply(actor: User, change: ScenarioChange) -> bool:
    """Whether the actor has the right, in the scenario and on the deal."""
    if not actor.has_perm("staffing.plan") or change.kind in NEVER_APPLIED:
        return False
    return change.opportunity is None or actor.has_perm("opportunities.edit", change.opportunity)


def _do(
    actor: User, change: ScenarioChange, home: Organisation, seen_version: int | None, people: Sequence[str],
    now: dt.datetime,
) -> EventData:  # fmt: skip
    if change.opportunity is not None:
        change.opportunity = deal = locked(change.opportunity)
        if not Opportunity.objects.visible_to(actor).filter(pk=deal.pk).exists():
            raise PermissionDenied(_("There is no such deal."))
        effects = effects_of(change, home=home, today=home.today(now))
        if not actor.has_perm("opportunities.edit", deal):
            raise NotYours(deal.owner)
        update_opportunity(
            actor=actor, opportunity=deal, changes={each.field: each.after for each in effects},
            expected_version=seen_version or deal.version, now=now,
        )  # fmt: skip
        return _told(effects)
    effects = effects_of(change, home=home, today=home.today(now))
    if change.person is not None and change.from_on is not None:
        if change.until_on is None:
            change_person(
                actor=actor, person=change.person, changes={"leaves_on": change.from_on - DAY},
                expected_version=seen_version, now=now,
            )  # fmt: skip
            return _told(effects)
        off = add_time_off(
            actor=actor, person=change.person, first_on=change.from_on, last_on=change.until_on,
            hours_per_day=Decimal(0), note="", now=now,
        )  # fmt: skip
        return {"time_off": off.pk}
    return {"people": [each.pk for each in _join(actor, change, people, now)]}


def _join(actor: User, change: ScenarioChange, people: Sequence[str], now: dt.datetime) -> list[Person]:
    given = [name.strip() for name in people if name.strip()]
    if len(given) != change.people:
        raise ValidationError({"people": _("Name all who join: %(count)d.") % {"count": change.people}})
    values = {
        "role": change.role, "weekly_hours": change.hours_per_week, "joins_on": change.from_on,
        "leaves_on": change.until_on,
    }  # fmt: skip
    return [add_person(actor=actor, values={**values, "name": name}, now=now) for name in given]


def _moved(change: ScenarioChange, deal: Opportunity, home: Organisation, today: dt.date) -> Mapping[str, dt.date]:
    """The start of the work moves; the close date goes with it only where the work would begin before that."""
    start = expected_start(deal, home)
    if start is None or change.weeks is None:
        raise IllegalTransition(_("The deal has neither a start nor a close date. Give it one first."))
    # As the horizon has it: nothing begins before this week.
    by = dt.timedelta(weeks=change.weeks)
    moved = max(max(start, monday_of(today)) + by, monday_of(today))
    if deal.close_date is not None and moved < deal.close_date:
        return {"close_date": min(deal.close_date + by, moved), "start_on": moved}
    return {"start_on": moved}


def _told(effects: Sequence[Effect]) -> EventData:
    return {each.field: [readable(each.before), readable(each.after)] for each in effects}
