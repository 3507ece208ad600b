"""The end of a ramp, by evidence; closing the project, and opening it again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from events import names
from events.recording import record
from handoffs.models import ProjectState, RampPhase, RampPlan, Task, TaskSide, TaskState
from handoffs.services.ramp import common
from handoffs.states import PROJECT, IllegalTransition

_OPEN = (TaskState.OPEN, TaskState.PAUSED)
_MAY_NOT = gettext_lazy("The project manager, or delivery on this deal, does this.")


@dataclass(frozen=True)
class Missing:
    """What stands between a project and the end of its ramp; ``task`` is the exit criterion, if it is one."""

    sentence: str
    task: Task | None = None


class ExitNotReady(Exception):
    """Exit criteria are open; ``missing`` names each."""

    def __init__(self, missing: Sequence[Missing]) -> None:
        super().__init__(_("The ramp can't end yet. %(missing)s") % {"missing": " ".join(m.sentence for m in missing)})
        self.missing = missing


class DutiesOpen(Exception):
    """Sales still owes something; ``tasks`` are its open duties."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        titles = "; ".join(task.title for task in tasks)
        sentence = _("Sales still owes: %(titles)s. It can be closed all the same, once that was read.")
        super().__init__(sentence % {"titles": titles})
        self.tasks = tasks


def missing_for_exit(plan: RampPlan) -> list[Missing]:
    """What must be done before the ramp may end: the handoff taken on, and each exit criterion with its evidence."""
    criteria = Task.objects.filter(ramp_plan=plan, phase=RampPhase.EXIT).order_by("due_on", "position", "pk")
    return missing_among(plan, criteria)


def missing_among(plan: RampPlan, criteria: Iterable[Task]) -> list[Missing]:
    """As ``missing_for_exit``, for exit criteria that were read already. No query."""
    found = []
    if plan.state == ProjectState.PLANNED:
        found.append(Missing(_("The project manager has not taken the handoff on.")))
    for task in criteria:
        if task.is_required and task.state in _OPEN:
            found.append(Missing(_("Open: “%(title)s”.") % {"title": task.title}, task))
        elif task.state == TaskState.DONE and task.evidence_wanted and not _has_evidence(task):
            found.append(Missing(_("Without evidence: “%(title)s”.") % {"title": task.title}, task))
    return found


def sales_duties(plan: RampPlan) -> QuerySet[Task]:
    """What sales still owes: its own open tasks on the plan, by date."""
    own = Task.objects.filter(ramp_plan=plan, state__in=_OPEN, side=TaskSide.SALES)
    return own.order_by("due_on", "position", "pk")


def exit_ramp(
    *,
    actor: User,
    plan: RampPlan,
    now: dt.datetime,
    reason: str = "",
    early: bool = False,
    expected_version: int | None = None,
) -> RampPlan:
    """End the ramp: every exit criterion is done with its evidence, or waived. An ended one stays as it is.

    ``early`` ends it although something is missing, for those who may, with a reason; without anything missing it is
    an ordinary end. Raises ExitNotReady, StalePlan, PermissionDenied, IllegalTransition, ValidationError (reason).
    """
    with transaction.atomic():
        current = common.hold_live(plan)
        if early:
            _require_early(actor, current)
        else:
            common.require(actor, "handoffs.exit_ramp", current, str(_MAY_NOT))
        if current.state in (ProjectState.IN_DELIVERY, ProjectState.CLOSED):
            return current
        common.require_version(current, expected_version)
        common.require_step(current, ProjectState.IN_DELIVERY)
        missing = missing_for_exit(current)
        if missing and not early:
            raise ExitNotReady(missing)
        why = common.clean(reason, field="reason", longest=500, is_multiline=True)
        if missing and not why:
            raise ValidationError({"reason": _("Say why the ramp ends although something is missing.")})
        current.state = ProjectState.IN_DELIVERY
        current.exited_at, current.exited_by = now, actor
        current.exit_missing = [_stored(each) for each in missing]
        current.exit_reason = why if missing else ""
        common.save(current, now)
        told = {"reason": why, "missing": [each.sentence for each in missing]} if missing else {}
        record(
            names.RAMP_EXITED_EARLY if missing else names.RAMP_EXITED,
            actor=actor, about=current, within=current.opportunity, now=now, data=told,
        )  # fmt: skip
    return current


def resume_ramp(*, actor: User, plan: RampPlan, now: dt.datetime, expected_version: int | None = None) -> RampPlan:
    """Let a project in delivery ramp again, as if its ramp had not ended; one that ramps is left alone.

    Raises StalePlan, PermissionDenied, IllegalTransition.
    """
    with transaction.atomic():
        current = common.hold_live(plan)
        common.require(actor, "handoffs.exit_ramp", current, str(_MAY_NOT))
        if current.is_ramping:
            return current
        common.require_version(current, expected_version)
        common.require_step(current, ProjectState.RAMPING)
        wanted = ProjectState.RAMPING if current.handoff.accepted_at is not None else ProjectState.PLANNED
        current.state = wanted
        current.exited_at, current.exited_by = None, None
        current.exit_missing, current.exit_reason = [], ""
        common.save(current, now)
        record(
            names.PROJECT_REOPENED, actor=actor, about=current, within=current.opportunity, now=now,
            data={"to": str(wanted.value)},
        )  # fmt: skip
    return current


def close_project(
    *,
    actor: User,
    plan: RampPlan,
    now: dt.datetime,
    expected_version: int | None = None,
    despite_duties: bool = False,
) -> RampPlan:
    """Close a project in delivery. ``despite_duties`` says that the open duties of sales were read.

    Raises DutiesOpen, StalePlan, PermissionDenied, IllegalTransition.
    """
    with transaction.atomic():
        current = common.hold_live(plan)
        common.require(actor, "handoffs.close_project", current, str(_MAY_NOT))
        if current.state == ProjectState.CLOSED:
            return current
        common.require_version(current, expected_version)
        common.require_step(current, ProjectState.CLOSED)
        duties = list(sales_duties(current))
        if duties and not despite_duties:
            raise DutiesOpen(duties)
        current.state = ProjectState.CLOSED
        current.closed_at, current.closed_by = now, actor
        common.save(current, now)
        record(
            names.PROJECT_CLOSED, actor=actor, about=current, within=current.opportunity, now=now,
            data={"open_duties": len(duties)},
        )  # fmt: skip
    return current


def reopen_project(*, actor: User, plan: RampPlan, now: dt.datetime, expected_version: int | None = None) -> RampPlan:
    """Open a closed project again; one in delivery is left alone.

    Raises StalePlan, PermissionDenied, IllegalTransition.
    """
    with transaction.atomic():
        current = common.hold_live(plan)
        common.require(actor, "handoffs.close_project", current, str(_MAY_NOT))
        if current.state == ProjectState.IN_DELIVERY:
            return current
        common.require_version(current, expected_version)
        if current.state != ProjectState.CLOSED:
            raise IllegalTransition(_("The project is not closed."), PROJECT[ProjectState(current.state)])
        current.state = ProjectState.IN_DELIVERY
        current.closed_at = current.closed_by = None
        common.save(current, now)
        record(
            names.PROJECT_REOPENED, actor=actor, about=current, within=current.opportunity, now=now,
            data={"to": str(ProjectState.IN_DELIVERY.value)},
        )  # fmt: skip
    return current


def _require_early(actor: User, plan: RampPlan) -> None:
    if not actor.has_perm("handoffs.exit_early", plan):
        raise PermissionDenied(_("Only a delivery manager can end a ramp while something is missing."))


def _has_evidence(task: Task) -> bool:
    return bool(task.evidence or task.evidence_link or task.evidence_file_id)


def _stored(missing: Missing) -> dict[str, object]:
    return {"task": missing.task.pk if missing.task else None, "sentence": missing.sentence}
