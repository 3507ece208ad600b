"""What a deal needs: asked for, changed, cancelled, and taken from the templates of its service line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from events import names
from events.models import EventData
from events.recording import Occurrence, record, record_many
from opportunities.models import Opportunity
from opportunities.services.versions import locked
from staffing.access import require_stater
from staffing.models import NeedSkill, NeedState, NeedTemplate, StaffingNeed
from staffing.services.checks import Stale, assign, check, check_awake
from staffing.services.filling import refresh
from staffing.services.people import check_skills
from staffing.states import NEED, IllegalTransition

FIELDS = ("role", "hours_per_week", "offset_weeks", "weeks", "note")


class StaleNeed(Stale):
    """Somebody else changed the need; ``current`` is how it stands now."""


def add_need(*, actor: User, opportunity: Opportunity, values: Mapping[str, Any], now: dt.datetime) -> StaffingNeed:
    """Ask for effort on a deal. ``skills`` among the values is a proficiency by id of the skill.

    Raises PermissionDenied, IllegalTransition, ValidationError with a sentence per field.
    """
    require_stater(actor, opportunity)
    with transaction.atomic():
        deal = locked(opportunity)
        require_stater(actor, deal)
        check_awake(deal)
        need = StaffingNeed(opportunity=deal, added_by=actor, created_at=now, updated_at=now)
        values = dict(values)
        skills = values.pop("skills", None) or {}
        assign(need, values, FIELDS)
        check(need, FIELDS, _unusable_role(need))
        check_skills(skills, already={})
        need.save()
        _set_skills(need, skills)
        record(names.NEED_ADDED, actor=actor, about=need, within=deal, now=now, data=_told(need))
    return need


def change_need(
    *, actor: User, need: StaffingNeed, changes: Mapping[str, Any], expected_version: int | None, now: dt.datetime
) -> StaffingNeed:
    """Change what is asked for; its state follows. The present values change nothing.

    Raises StaleNeed, IllegalTransition, PermissionDenied, ValidationError with a sentence per field.
    """
    with transaction.atomic():
        current = _locked(actor, need)
        changes = dict(changes)
        skills = changes.pop("skills", None)
        known = dict(current.skills.values_list("skill_id", "proficiency"))
        role_before, shape_before = current.role_id, _shape(current)
        diff = assign(current, changes, FIELDS)
        if not diff and (skills is None or dict(skills) == known):
            return current
        if expected_version not in (None, current.version):
            raise StaleNeed(_fresh(current))
        check_awake(current.opportunity)
        if current.state == NeedState.CANCELLED:
            raise IllegalTransition(
                _("It was cancelled. Ask for it again before changing it."), NEED[NeedState.CANCELLED]
            )
        check(current, FIELDS, _unusable_role(current) if current.role_id != role_before else None)
        if skills is not None and dict(skills) != known:
            check_skills(skills, already=known)
            _set_skills(current, skills)
            diff["skills"] = [len(known), len(skills)]
        _save(current, now)
        data: EventData = {**_told(current), "fields": diff, "before": shape_before}
        record(names.NEED_CHANGED, actor=actor, about=current, within=current.opportunity, now=now, data=data)
        refresh([current], actor=actor, now=now)
    return current


def cancel_need(*, actor: User, need: StaffingNeed, expected_version: int | None, now: dt.datetime) -> StaffingNeed:
    """It is no longer needed; cancelling twice changes nothing. Refused while somebody is booked for it.

    Raises StaleNeed, IllegalTransition, PermissionDenied.
    """
    with transaction.atomic():
        current = _locked(actor, need)
        if current.state == NeedState.CANCELLED:
            return current
        if expected_version not in (None, current.version):
            raise StaleNeed(current)
        if NeedState.CANCELLED not in NEED[NeedState(current.state)] or current.bookings.live().exists():
            sentence = _("Somebody is booked for it. Release the bookings first.")
            raise IllegalTransition(sentence, NEED[NeedState(current.state)] - {NeedState.CANCELLED})
        current.state, current.cancelled_at = NeedState.CANCELLED, now
        _save(current, now)
        record(
            names.NEED_CANCELLED, actor=actor, about=current, within=current.opportunity, now=now, data=_told(current)
        )
    return current


def restore_need(*, actor: User, need: StaffingNeed, now: dt.datetime) -> StaffingNeed:
    """It is needed after all. Where its template has been asked for again meanwhile, it no longer counts as from it.

    Raises IllegalTransition, PermissionDenied.
    """
    with transaction.atomic():
        current = _locked(actor, need)
        if current.state != NeedState.CANCELLED:
            return current
        check_awake(current.opportunity)
        again = StaffingNeed.objects.live().filter(opportunity=current.opportunity, template=current.template_id)
        if current.template_id is not None and again.exists():
            current.template = None
        current.state, current.cancelled_at = NeedState.OPEN, None
        _save(current, now)
        record(names.NEED_ADDED, actor=actor, about=current, within=current.opportunity, now=now, data=_told(current))
    return current


def apply_templates(*, actor: User | None, opportunity: Opportunity, now: dt.datetime) -> list[StaffingNeed]:
    """Ask for what deals of the service line usually need, else deals whose line has no templates of its own.

    Templates that the deal has a live need of are left out, so that repeating adds nothing. ``actor`` is None where the
    deal's temperature asks. Raises PermissionDenied, IllegalTransition.
    """
    with transaction.atomic():
        deal = locked(opportunity)
        if actor is not None:
            require_stater(actor, deal)
        check_awake(deal)
        wanted = templates_for(deal)
        known = set(StaffingNeed.objects.live().filter(opportunity=deal).values_list("template_id", flat=True))
        needs = StaffingNeed.objects.bulk_create(
            StaffingNeed(
                opportunity=deal, template=template, role=template.role, hours_per_week=template.hours_per_week,
                offset_weeks=template.offset_weeks, weeks=template.weeks, added_by=actor, created_at=now,
                updated_at=now,
            )
            for template in wanted
            if template.pk not in known
        )  # fmt: skip
        told = [Occurrence(names.NEED_ADDED, need, deal, _told(need)) for need in needs]
        record_many(told, actor=actor, now=now)
    return needs


def templates_for(deal: Opportunity) -> list[NeedTemplate]:
    """Templates in use of the deal's service line; those without a line where it has none."""
    found = NeedTemplate.objects.filter(archived_at__isnull=True, role__archived_at__isnull=True).select_related("role")
    own = list(found.filter(service_line=deal.service_line_id)) if deal.service_line_id is not None else []
    return own or list(found.filter(service_line__isnull=True))


def _locked(actor: User, need: StaffingNeed) -> StaffingNeed:
    """The deal first, as everywhere, then the need."""
    deal = locked(need.opportunity)
    require_stater(actor, deal)
    current = StaffingNeed.objects.select_for_update().get(pk=need.pk)
    current.opportunity = deal
    return current


def _fresh(need: StaffingNeed) -> StaffingNeed:
    found = StaffingNeed.objects.select_related("role").get(pk=need.pk)
    found.opportunity = need.opportunity
    return found


def _unusable_role(need: StaffingNeed) -> dict[str, str]:
    if need.role_id is not None and need.role.archived_at is not None:
        return {"role": _("This role is no longer in use. Choose another one.")}
    return {}


def _set_skills(need: StaffingNeed, skills: Mapping[int, int]) -> None:
    need.skills.exclude(skill_id__in=skills).delete()
    NeedSkill.objects.bulk_create(
        [NeedSkill(need=need, skill_id=key, proficiency=level) for key, level in skills.items()],
        update_conflicts=True, unique_fields=["need", "skill"], update_fields=["proficiency"],
    )  # fmt: skip


def _save(need: StaffingNeed, now: dt.datetime) -> None:
    need.version += 1
    need.updated_at = now
    need.save()


def _told(need: StaffingNeed) -> EventData:
    return {
        "role": str(need.role), "hours": f"{need.hours_per_week.normalize():f}", "weeks": need.weeks,
        "state": str(NeedState(need.state).label),
    }  # fmt: skip


def _shape(need: StaffingNeed) -> EventData:
    """What the replay of the horizon takes from history; roles by key, since they may be renamed."""
    return {
        "role": need.role_id, "hours": f"{need.hours_per_week.normalize():f}", "weeks": need.weeks,
        "offset": need.offset_weeks,
    }  # fmt: skip
