"""Who takes over whom: the project manager, and each stakeholder's way from sales to delivery."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.models.people import DELIVERY_ROLES
from accounts.queries import organisation
from accounts.text import fault_in, trimmed
from events import names
from events.recording import record
from handoffs.handoff_access import possible_project_managers
from handoffs.models import Assignee, Handoff, HandoffState, RelationshipTransfer, Task, TaskState
from handoffs.services.handoff.common import HandoffFrozen, StaleHandoff, hold, require_awake, save
from handoffs.services.handoff.following import follow_relationships
from handoffs.states import HANDOFF
from opportunities.models import Opportunity
from opportunities.queries.people import people_who_see
from opportunities.services.editing import readable

FIELDS = ("owner_now", "owner_next", "introduced_on", "introduced_how")
# What an acceptance was about: with another person or without the introduction it has to be given again.
ACCEPTED = ("owner_next", "introduced_on")
LONGEST_HOW = 300


class StaleRelationship(Exception):
    """Somebody else changed it; ``current`` is how it stands now."""

    def __init__(self, current: RelationshipTransfer) -> None:
        super().__init__(_("Somebody changed this relationship in the meantime. Look at it as it is now."))
        self.current = current


def name_project_manager(
    *, actor: User, handoff: Handoff, person: User | None, now: dt.datetime, expected_version: int | None
) -> Handoff:
    """Say who runs the project; relationships and tasks that went to the one before, or to nobody, are theirs.

    The same person again changes nothing. Raises StaleHandoff, HandoffFrozen (resting, or with its approvers),
    PermissionDenied, ValidationError (``person``).
    """
    with transaction.atomic():
        current = hold(handoff)
        deal = current.opportunity
        if not actor.has_perm("handoffs.name_project_manager", current):
            raise PermissionDenied(_("The delivery owner, managers and resource managers name the project manager."))
        before = current.project_manager
        if before == person:
            return current
        require_awake(current)
        if current.state == HandoffState.SUBMITTED:
            raise HandoffFrozen(
                _("The handoff is with its approvers. Recall it before naming another project manager."),
                HANDOFF[HandoffState.SUBMITTED],
            )
        if person is None and current.state == HandoffState.APPROVED:
            raise ValidationError({"person": _("An approved handoff keeps a project manager. Name another one.")})
        if expected_version not in (None, current.version):
            raise StaleHandoff(current)
        if person is not None and not possible_project_managers(deal).filter(pk=person.pk).exists():
            raise ValidationError({"person": _("Choose a project or delivery manager who can see this deal.")})
        current.project_manager = person
        save(current, now)
        _hand_on(current, before, person, now)
        record(
            names.HANDOFF_CHANGED, actor=actor, about=current, within=deal, now=now,
            data={
                "labels": _("project manager"),
                "fields": {"project_manager": [readable(before), readable(person)]},
            },
        )  # fmt: skip
    return current


def change_relationship(
    *,
    actor: User,
    transfer: RelationshipTransfer,
    values: Mapping[str, Any],
    now: dt.datetime,
    expected_version: int | None,
) -> RelationshipTransfer:
    """Say who owns a relationship now and next, and when and how they were introduced (``FIELDS``).

    Another next owner, or no introduction any more, takes the acceptance back. While the approvers look at the
    handoff, what was accepted stays. Raises StaleRelationship, HandoffFrozen, PermissionDenied, ValidationError with a
    sentence per field.
    """
    with transaction.atomic():
        current = _held(transfer)
        if not actor.has_perm("handoffs.change_relationship", current):
            raise PermissionDenied(_("People of sales or delivery on this deal keep its relationships."))
        unknown = set(values) - set(FIELDS)
        if unknown:
            raise ValidationError({name: _("This can't be changed here.") for name in unknown})
        given = {name: trimmed(value) if isinstance(value, str) else value for name, value in values.items()}
        changes = {name: value for name, value in given.items() if getattr(current, name) != value}
        if not changes:
            return current
        _check_there(current)
        if expected_version not in (None, current.version):
            raise StaleRelationship(current)
        takes_back = current.accepted_at is not None and any(name in changes for name in ACCEPTED)
        if takes_back and current.handoff.state == HandoffState.SUBMITTED:
            raise HandoffFrozen(
                _("The handoff is with its approvers. Recall it before changing who took over whom."),
                HANDOFF[HandoffState.SUBMITTED],
            )
        diff = {}
        for name, value in changes.items():
            diff[name] = [readable(getattr(current, name)), readable(value)]
            setattr(current, name, value)
        _check_values(current, changes, organisation().today(now))
        if takes_back:
            current.accepted_by, current.accepted_at = None, None
        current.version += 1
        current.save()
        deal = current.handoff.opportunity
        record(
            names.RELATIONSHIP_CHANGED, actor=actor, about=current, within=deal, now=now,
            data={"contact": current.contact.name, "fields": diff, "taken_back": takes_back},
        )  # fmt: skip
        follow_relationships(deal, now, actor)
    return current


def accept_relationship(*, actor: User, transfer: RelationshipTransfer, now: dt.datetime) -> RelationshipTransfer:
    """Take a stakeholder over, after an introduction; only the next owner can.

    Accepting twice changes nothing. Raises HandoffFrozen, PermissionDenied, ValidationError.
    """
    with transaction.atomic():
        current = _held(transfer)
        if current.owner_next_id != actor.pk or not actor.is_active:
            raise PermissionDenied(_("Only the person who takes over can say so."))
        if current.accepted_at is not None:
            return current
        _check_there(current)
        if current.introduced_on is None:
            raise ValidationError({"introduced_on": _("First note when you were introduced.")})
        current.accepted_by, current.accepted_at = actor, now
        current.version += 1
        current.save()
        deal = current.handoff.opportunity
        record(
            names.RELATIONSHIP_ACCEPTED, actor=actor, about=current, within=deal, now=now,
            data={"contact": current.contact.name},
        )  # fmt: skip
        follow_relationships(deal, now, actor)
    return current


def _held(transfer: RelationshipTransfer) -> RelationshipTransfer:
    handoff = hold(transfer.handoff)
    current = (
        RelationshipTransfer.objects.select_related("contact", "owner_now", "owner_next")
        .select_for_update(of=("self",))
        .get(pk=transfer.pk)
    )
    current.handoff = handoff
    return current


def _check_there(transfer: RelationshipTransfer) -> None:
    require_awake(transfer.handoff)
    if transfer.dropped_at is not None:
        raise HandoffFrozen(
            _("%(name)s was taken off the deal. Add the contact to the deal again first.")
            % {"name": transfer.contact.name},
            frozenset(),
        )


def _check_values(transfer: RelationshipTransfer, changes: Mapping[str, Any], today: dt.date) -> None:
    problems: dict[str, str] = {}
    deal = transfer.handoff.opportunity
    named = {name: getattr(transfer, name) for name in ("owner_now", "owner_next") if changes.get(name) is not None}
    keys = [person.pk for person in named.values()]
    seeing = dict(people_who_see(deal).filter(pk__in=keys).values_list("pk", "roles")) if keys else {}
    for name, person in named.items():
        if person.pk not in seeing:
            problems[name] = _("%(name)s can't see this deal. Choose somebody who can.") % {"name": person}
        elif name == "owner_next" and not DELIVERY_ROLES.intersection(seeing[person.pk]):
            problems[name] = _("Choose somebody of delivery: they take the relationship over.")
    day = transfer.introduced_on
    if "introduced_on" in changes and day is not None and not dt.date(2000, 1, 1) <= day <= today:
        problems["introduced_on"] = _("Choose today or an earlier day.")
    fault = fault_in(transfer.introduced_how)
    if fault is None and len(transfer.introduced_how) > LONGEST_HOW:
        fault = _("Use at most %(count)d characters.") % {"count": LONGEST_HOW}
    if fault is not None:
        problems["introduced_how"] = fault
    if problems:
        raise ValidationError(problems)


def _hand_on(handoff: Handoff, before: User | None, person: User | None, now: dt.datetime) -> None:
    """What waited for the project manager before, or for nobody, waits for the new one."""
    waiting = handoff.relationships.filter(accepted_at__isnull=True, owner_next=before)
    for transfer in waiting.select_for_update():
        transfer.owner_next = person
        transfer.version += 1
        transfer.save(update_fields=["owner_next", "version"])
    deal: Opportunity = handoff.opportunity
    tasks = Task.objects.filter(
        opportunity=deal, assignee_role=Assignee.PROJECT_MANAGER, state__in=[TaskState.OPEN, TaskState.PAUSED]
    )
    if person is not None:
        tasks.exclude(assignee=person).update(assignee=person, updated_at=now)
