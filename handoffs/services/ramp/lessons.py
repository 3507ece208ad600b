"""What was learned from a start, and what administrators make of it in the playbooks."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from events import names
from events.recording import record
from handoffs.models import (
    Anchor,
    Assignee,
    Lesson,
    LessonProposal,
    LessonState,
    Playbook,
    PlaybookTask,
    RampPhase,
    RampPlan,
    Section,
    TaskSide,
    Trigger,
)
from handoffs.services import playbook_editing
from handoffs.services.ramp import common
from handoffs.states import IllegalTransition
from opportunities.services.versions import locked


def add_lesson(
    *,
    actor: User,
    plan: RampPlan,
    text: str,
    request_id: uuid.UUID,
    now: dt.datetime,
    proposal: LessonProposal = LessonProposal.NONE,
    playbook: Playbook | None = None,
    playbook_task: PlaybookTask | None = None,
    title: str = "",
) -> Lesson:
    """Note a lesson, and what it would change in a playbook: a task to add, to reword or to leave out.

    The same ``request_id`` notes one. Raises PermissionDenied, ValidationError.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"handoffs:lesson:{request_id}"]
            )  # fmt: skip
        known = Lesson.objects.filter(request_id=request_id, plan=plan, by=actor).first()
        if known is not None:
            return known
        current = common.hold_live(plan)
        common.require(
            actor, "handoffs.work_on_ramp", current, _("People of sales or delivery on this deal note its lessons.")
        )
        lesson = Lesson(
            plan=current, proposal=proposal, by=actor, at=now, request_id=request_id,
            text=common.clean(
                text, field="text", longest=1000, wanted=_("Say what you learned."), is_multiline=True
            ),
            title=common.clean(title, field="title", longest=200),
        )  # fmt: skip
        _propose(lesson, playbook, playbook_task)
        lesson.save()
        record(
            names.LESSON_ADDED, actor=actor, about=lesson, within=current.opportunity, now=now,
            data={"text": lesson.text, "proposal": str(proposal.value)},
        )  # fmt: skip
    return lesson


def adopt_lesson(*, actor: User, lesson: Lesson, now: dt.datetime) -> Lesson:
    """Let a lesson change its playbook, once; deals that run already keep what they have.

    Raises PermissionDenied, IllegalTransition (dismissed), ValidationError (the playbook refuses the change).
    """
    with transaction.atomic():
        current = _held(actor, lesson)
        if current.state == LessonState.ADOPTED:
            return current
        _require_open(current)
        _apply(actor, current, now)
        return _settle(actor, current, LessonState.ADOPTED, "", _("taken into the playbook"), now)


def dismiss_lesson(*, actor: User, lesson: Lesson, reason: str, now: dt.datetime) -> Lesson:
    """Leave the playbooks as they are, and say why.

    Raises PermissionDenied, IllegalTransition (adopted), ValidationError (reason).
    """
    with transaction.atomic():
        current = _held(actor, lesson)
        if current.state == LessonState.DISMISSED:
            return current
        _require_open(current)
        why = common.clean(
            reason, field="reason", longest=500, wanted=_("Say why: whoever proposed it reads this."), is_multiline=True
        )
        return _settle(actor, current, LessonState.DISMISSED, why, _("left aside: %(why)s") % {"why": why}, now)


def _propose(lesson: Lesson, playbook: Playbook | None, task: PlaybookTask | None) -> None:
    """Keep what the proposal needs, and no more. Raises ValidationError for what is missing."""
    if lesson.proposal == LessonProposal.NONE:
        lesson.title = ""
        return
    if lesson.proposal == LessonProposal.ADD:
        if playbook is None:
            raise ValidationError({"playbook": _("Choose the playbook.")})
        lesson.playbook = playbook
    elif task is None or task.archived_at is not None:
        raise ValidationError({"playbook_task": _("Choose a task that is in use.")})
    else:
        lesson.playbook_task, lesson.playbook = task, task.playbook
    if lesson.proposal == LessonProposal.LEAVE_OUT:
        lesson.title = ""
    elif not lesson.title:
        raise ValidationError({"title": _("Give the task a title.")})


def _held(actor: User, lesson: Lesson) -> Lesson:
    if not actor.has_perm("handoffs.settle_lesson"):
        raise PermissionDenied(_("An administrator decides about playbooks."))
    opportunity = locked(lesson.plan.opportunity)
    current = Lesson.objects.select_for_update().get(pk=lesson.pk)
    current.plan = lesson.plan
    current.plan.opportunity = opportunity
    return current


def _require_open(lesson: Lesson) -> None:
    if lesson.state != LessonState.OPEN:
        told = _("This lesson was settled already: %(state)s.") % {"state": lesson.get_state_display().lower()}
        raise IllegalTransition(told, frozenset())


def _apply(actor: User, lesson: Lesson, now: dt.datetime) -> None:
    task, playbook = lesson.playbook_task, lesson.playbook
    if lesson.proposal == LessonProposal.ADD and playbook is not None:
        playbook_editing.add_task(actor=actor, playbook=playbook, values=_new_task(playbook, lesson.title), now=now)
    elif lesson.proposal == LessonProposal.REWORD and task is not None:
        if task.archived_at is not None:
            raise ValidationError(_("The task was left out meanwhile. Dismiss the lesson, or bring the task back."))
        playbook_editing.change_task(
            actor=actor, task=task, wanted={"title": lesson.title}, base={"title": task.title}, now=now
        )
    elif lesson.proposal == LessonProposal.LEAVE_OUT and task is not None:
        playbook_editing.archive_task(actor=actor, task=task, now=now)


def _new_task(playbook: Playbook, title: str) -> Mapping[str, Any]:
    """A task as the form would begin it; side, person and day are then set in the playbook."""
    is_ramp = playbook.trigger == Trigger.WON
    return {
        "title": title, "help_text": "", "side": TaskSide.DELIVERY, "assignee": Assignee.DELIVERY_OWNER,
        "offset_days": 0, "anchor": Anchor.KICKOFF if is_ramp else Anchor.TRIGGER, "conditions": [], "evidence": "",
        "action": "", "depends_on": frozenset(), "phase": RampPhase.MOBILISE if is_ramp else "",
        "section": Section.START_UP if playbook.trigger == Trigger.HANDOFF else "", "is_required": True,
    }  # fmt: skip


def _settle(
    actor: User, lesson: Lesson, state: LessonState, note: str, outcome: str, now: dt.datetime
) -> Lesson:  # fmt: skip
    lesson.state, lesson.settled_by, lesson.settled_at, lesson.settled_note = state, actor, now, note
    lesson.save()
    record(
        names.LESSON_SETTLED, actor=actor, about=lesson, within=lesson.plan.opportunity, now=now,
        data={"outcome": outcome, "state": str(state.value)},
    )  # fmt: skip
    return lesson
