"""Working on tasks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.models import Side, User
from accounts.queries import organisation
from accounts.text import trimmed
from events import names
from events.recording import record
from handoffs.access import sides_of
from handoffs.models import EngagementState, Task, TaskSide, TaskState
from handoffs.services.actions import DONE_ELSEWHERE
from handoffs.services.handoff.common import HandoffFrozen, require_awake, require_changeable
from handoffs.services.handoff.following import follow_handoff
from handoffs.services.task_rows import StaleTask, hold_task, save_task
from handoffs.states import TASK, IllegalTransition
from opportunities.models import Attachment
from opportunities.services.editing import readable

__all__ = ["CHANGEABLE", "StaleTask", "change_task", "complete_task", "reopen_task"]

CHANGEABLE = ("title", "due_on", "assignee")
_SCHEMES = ("https://", "http://")


def complete_task(
    *,
    actor: User,
    task: Task,
    now: dt.datetime,
    evidence: str = "",
    link: str = "",
    attachment: Attachment | None = None,
    expected_version: int | None = None,
) -> Task:
    """Say done, for one's own side. A shared task is done when somebody of each side said so.

    Evidence is a note, a link (http or https), a file of the same deal, or several of them; what is given replaces
    what the other side gave. Saying it twice changes nothing. Raises StaleTask, HandoffFrozen, IllegalTransition,
    PermissionDenied, ValidationError (``evidence``, ``link``, ``attachment``).
    """
    with transaction.atomic():
        current = _locked(actor, task)
        if current.state == TaskState.DONE or _has_said_done(actor, current):
            return current
        _check_by_hand(current)
        _check(current, TaskState.DONE, expected_version)
        _check_unfrozen(current)
        _give_evidence(current, evidence, link, attachment)
        _check_ready(current)
        if current.side == TaskSide.SHARED:
            _sign(actor, current, now)
            is_done = current.sales_done_at is not None and current.delivery_done_at is not None
        else:
            _sign_for(Side(current.side), actor, current, now)
            is_done = True
        if is_done:
            current.state = TaskState.DONE
            current.done_at = now
        save_task(current, now)
        _start_engagement(current, actor, now)
        record(
            names.TASK_COMPLETED, actor=actor, about=current, within=current.opportunity, now=now,
            data={"title": current.title, "done": is_done, "side": current.side},
        )  # fmt: skip
    return current


def reopen_task(*, actor: User, task: Task, now: dt.datetime, expected_version: int | None = None) -> Task:
    """Take a done back, of both sides, or a waiver, for which one needs the right to waive.

    Raises StaleTask, HandoffFrozen, IllegalTransition, PermissionDenied.
    """
    with transaction.atomic():
        current = _locked(actor, task)
        is_untouched = current.sales_done_at is None and current.delivery_done_at is None
        if current.state == TaskState.OPEN and is_untouched:
            return current
        is_waived = current.state == TaskState.WAIVED
        if is_waived and not actor.has_perm("handoffs.waive_item", current):
            raise PermissionDenied(_("Only those who may waive an item can take that back."))
        if not is_waived:
            _check_by_hand(current)
        if current.state not in (TaskState.OPEN, TaskState.DONE, TaskState.WAIVED):
            raise IllegalTransition(_("Only a completed task can be reopened."), TASK[TaskState(current.state)])
        if expected_version not in (None, current.version):
            raise StaleTask(current)
        _check_unfrozen(current)
        current.state = TaskState.OPEN
        current.sales_done_at = current.delivery_done_at = current.done_at = None
        current.sales_done_by = current.delivery_done_by = None
        current.waived_at, current.waived_by, current.waived_reason = None, None, ""
        save_task(current, now)
        record(
            names.TASK_REOPENED, actor=actor, about=current, within=current.opportunity, now=now,
            data={"title": current.title},
        )  # fmt: skip
        if is_waived:
            # What it is about may have been done meanwhile.
            follow_handoff(current.opportunity, now)
            current.refresh_from_db(fields=["state", "done_at", "version"])
    return current


def change_task(
    *, actor: User, task: Task, changes: Mapping[str, Any], expected_version: int, now: dt.datetime
) -> Task:
    """Change title, due date or assignee; a due date set by hand no longer follows the deal's dates.

    Raises StaleTask, HandoffFrozen (another title while it is approved), PermissionDenied, ValidationError.
    """
    with transaction.atomic():
        current = _locked(actor, task)
        changes = {name: value for name, value in changes.items() if getattr(current, name, None) != value}
        if not changes:
            return current
        if current.version != expected_version:
            raise StaleTask(current)
        if "title" in changes:
            _check_unfrozen(current)
        diff = {}
        for name, value in changes.items():
            if name not in CHANGEABLE:
                raise ValidationError({name: _("This can't be changed here.")})
            diff[name] = [readable(getattr(current, name)), readable(value)]
            setattr(current, name, value)
        _check_values(current, changes, now)
        current.is_due_fixed = current.is_due_fixed or "due_on" in changes
        save_task(current, now)
        record(
            names.TASK_CHANGED, actor=actor, about=current, within=current.opportunity, now=now,
            data={"title": current.title, "fields": diff},
        )  # fmt: skip
    return current


def _locked(actor: User, task: Task) -> Task:
    current = hold_task(task)
    if not actor.has_perm("handoffs.work_on_task", current):
        raise PermissionDenied(_("This task belongs to the other side."))
    return current


def _has_said_done(actor: User, task: Task) -> bool:
    return task.state == TaskState.OPEN and actor.pk in (task.sales_done_by_id, task.delivery_done_by_id)


def _check(task: Task, wanted: TaskState, expected_version: int | None) -> None:
    legal = TASK[TaskState(task.state)]
    if wanted not in legal:
        sentence = _("The task is %(state)s; it can't be completed now.")
        raise IllegalTransition(sentence % {"state": task.get_state_display().lower()}, legal)
    if expected_version not in (None, task.version):
        raise StaleTask(task)


def _check_by_hand(task: Task) -> None:
    """Refuse what only the thing itself can do: sign the review, agree the profile."""
    elsewhere = DONE_ELSEWHERE.get(task.action)
    if elsewhere is not None:
        raise ValidationError(str(elsewhere))


def _check_unfrozen(task: Task) -> None:
    """A required item stands as the approvers saw it; what belongs to a deal that is open again stands still."""
    if task.ramp_plan is not None and task.ramp_plan.shelved_at is not None:
        raise HandoffFrozen(_("The ramp rests while the deal is open again. Win the deal to go on."), frozenset())
    if task.handoff is None:
        return
    if task.is_required:
        require_changeable(task.handoff)
    else:
        require_awake(task.handoff)


def _give_evidence(task: Task, evidence: str, link: str, attachment: Attachment | None) -> None:
    """Set what was given, not saved. Raises ValidationError."""
    link = trimmed(link)
    if link and not link.lower().startswith(_SCHEMES):
        raise ValidationError({"link": _("Give a whole address that begins with https:// or http://.")})
    if attachment is not None and (
        attachment.opportunity_id != task.opportunity_id or attachment.removed_at is not None
    ):
        raise ValidationError({"attachment": _("Choose a file of this deal.")})
    task.evidence = trimmed(evidence) or task.evidence
    task.evidence_link = link or task.evidence_link
    task.evidence_file = attachment or task.evidence_file


def _check_ready(task: Task) -> None:
    earlier = [other.title for other in task.depends_on.filter(state__in=[TaskState.OPEN, TaskState.PAUSED])]
    if earlier:
        raise ValidationError(_("First complete: %(titles)s.") % {"titles": "; ".join(earlier)})
    has_evidence = bool(task.evidence or task.evidence_link or task.evidence_file_id)
    if task.evidence_wanted and not has_evidence:
        raise ValidationError({"evidence": _("Evidence is wanted: %(what)s.") % {"what": task.evidence_wanted}})


def _sign(actor: User, task: Task, now: dt.datetime) -> None:
    """Sign a shared task for the side of the actor that is still open."""
    sides = sides_of(actor)
    if Side.SALES in sides and task.sales_done_at is None:
        _sign_for(Side.SALES, actor, task, now)
    elif Side.DELIVERY in sides and task.delivery_done_at is None:
        _sign_for(Side.DELIVERY, actor, task, now)
    else:
        raise PermissionDenied(_("Your side has said done already; the other side has to say so too."))


def _sign_for(side: Side, actor: User, task: Task, now: dt.datetime) -> None:
    if side == Side.SALES:
        task.sales_done_at, task.sales_done_by = now, actor
    else:
        task.delivery_done_at, task.delivery_done_by = now, actor


def _start_engagement(task: Task, actor: User, now: dt.datetime) -> None:
    """Delivery's first completed task makes an accepted engagement active."""
    engagement = task.engagement
    if task.side == TaskSide.SALES or Side.DELIVERY not in sides_of(actor):
        return
    type(engagement).objects.filter(pk=engagement.pk, state=EngagementState.ACCEPTED).update(
        state=EngagementState.ACTIVE, updated_at=now, version=F("version") + 1
    )


def _check_values(task: Task, changes: Mapping[str, Any], now: dt.datetime) -> None:
    problems = {}
    if not task.title.strip():
        problems["title"] = _("Give the task a title.")
    if "due_on" in changes and not 2000 <= task.due_on.year <= 2100:
        problems["due_on"] = _("Use a year between 2000 and 2100.")
    if "due_on" in changes and task.due_on < organisation().today(now):
        problems["due_on"] = _("Choose today or a later day.")
    if task.assignee is not None and not task.assignee.is_active:
        problems["assignee"] = _("%(name)s can't sign in any more.") % {"name": task.assignee}
    if problems:
        raise ValidationError(problems)
