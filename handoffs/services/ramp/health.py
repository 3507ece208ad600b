"""How a project is doing, and what was said to the client: reports and contacts."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.queries import organisation
from events import names
from events.recording import record
from handoffs.access import side_in
from handoffs.models import HealthReport, Rag, RampPlan, Touchpoint, TouchpointKind
from handoffs.services.ramp import common
from opportunities.models import Contact

_MAY_NOT = gettext_lazy("People of sales or delivery on this deal work on its ramp plan.")


def report_health(
    *,
    actor: User,
    plan: RampPlan,
    rag: Rag,
    reason: str,
    now: dt.datetime,
    expected_version: int | None = None,
) -> HealthReport:
    """Say how the project is doing, and why. Earlier reports stay; saying the same again is the same report.

    Raises StalePlan, PermissionDenied, ValidationError.
    """
    with transaction.atomic():
        current = common.hold_live(plan)
        common.require(actor, "handoffs.work_on_ramp", current, str(_MAY_NOT))
        why = common.clean(
            reason, field="reason", longest=500, wanted=_("Say why: the other side acts on it."), is_multiline=True
        )
        newest = current.health_reports.first()
        if newest is not None and (newest.rag, newest.reason, newest.by_id) == (rag, why, actor.pk):
            return newest
        if current.closed_at is not None:
            raise ValidationError(_("The project is closed. Open it again first."))
        common.require_version(current, expected_version)
        report = HealthReport.objects.create(plan=current, rag=rag, reason=why, by=actor, at=now)
        before, current.rag = current.rag, rag
        common.save(current, now)
        record(
            names.RAMP_HEALTH_REPORTED, actor=actor, about=current, within=current.opportunity, now=now,
            data={"from": before, "to": str(rag.value), "rag": str(rag.label).lower(), "reason": why},
        )  # fmt: skip
    return report


def log_touchpoint(
    *,
    actor: User,
    plan: RampPlan,
    kind: TouchpointKind,
    on: dt.date,
    note: str,
    contacts: Sequence[Contact],
    request_id: uuid.UUID,
    now: dt.datetime,
) -> Touchpoint:
    """Note a contact with the client. The same ``request_id`` logs one.

    Raises PermissionDenied, ValidationError.
    """
    with transaction.atomic():
        _one_at_a_time("handoffs:touchpoint", request_id)
        known = Touchpoint.objects.filter(request_id=request_id, plan=plan, by=actor).first()
        if known is not None:
            return known
        current = common.hold_live(plan)
        common.require(actor, "handoffs.work_on_ramp", current, str(_MAY_NOT))
        said = common.clean(
            note, field="note", longest=1000, wanted=_("Say in a line what it was about."), is_multiline=True
        )
        _refuse_day(on, organisation().today(now))
        _refuse_strangers(current, contacts)
        side = side_in(actor, current.opportunity)
        touchpoint = Touchpoint.objects.create(
            plan=current, kind=kind, on=on, side=side.value if side else "", note=said, by=actor,
            request_id=request_id, created_at=now,
        )  # fmt: skip
        touchpoint.contacts.set(contacts)
        record(
            names.RAMP_TOUCHED, actor=actor, about=touchpoint, within=current.opportunity, now=now,
            data={"note": said, "kind": str(kind.value), "on": on.isoformat()},
        )  # fmt: skip
    return touchpoint


def remove_touchpoint(*, actor: User, touchpoint: Touchpoint, now: dt.datetime) -> Touchpoint:
    """Take an entry off the log; one that is gone already stays so. Raises PermissionDenied."""
    return _keep(actor, touchpoint, now, is_kept=False)


def restore_touchpoint(*, actor: User, touchpoint: Touchpoint, now: dt.datetime) -> Touchpoint:
    """Bring a removed entry back. Raises PermissionDenied."""
    return _keep(actor, touchpoint, now, is_kept=True)


def _keep(actor: User, touchpoint: Touchpoint, now: dt.datetime, *, is_kept: bool) -> Touchpoint:
    with transaction.atomic():
        plan = common.hold(touchpoint.plan)
        current = Touchpoint.objects.select_for_update().get(pk=touchpoint.pk)
        current.plan = plan
        if not actor.has_perm("handoffs.remove_touchpoint", current):
            raise PermissionDenied(_("Whoever logged it takes it off the log."))
        if is_kept == (current.removed_at is None):
            return current
        current.removed_at = None if is_kept else now
        current.save(update_fields=["removed_at"])
        record(
            names.RAMP_TOUCHED if is_kept else names.RAMP_TOUCH_REMOVED,
            actor=actor, about=current, within=plan.opportunity, now=now, data={"note": current.note},
        )  # fmt: skip
    return current


def _refuse_day(on: dt.date, today: dt.date) -> None:
    if on > today:
        raise ValidationError({"on": _("That day has not come yet. Choose today or an earlier day.")})
    if on.year < 2000:
        raise ValidationError({"on": _("Use a year between 2000 and 2100.")})


def _refuse_strangers(plan: RampPlan, contacts: Sequence[Contact]) -> None:
    """Only people of the client: contacts of the deal or of its account."""
    opportunity = plan.opportunity
    near = Q(opportunities=opportunity)
    if opportunity.account_id is not None:
        near |= Q(account_id=opportunity.account_id)
    known = set(Contact.objects.filter(near, pk__in=[each.pk for each in contacts]).values_list("pk", flat=True))
    if known != {each.pk for each in contacts}:
        raise ValidationError({"contacts": _("Choose people of this client.")})


def _one_at_a_time(what: str, request_id: uuid.UUID) -> None:
    """Identical requests at the same moment wait for each other."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{what}:{request_id}"])
