"""The checklist by hand: items of one's own, and leaving one out with a reason."""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.calendars import BusinessDays
from accounts.models import User
from accounts.queries import organisation
from accounts.text import fault_in, trimmed
from events import names
from events.recording import record
from handoffs.models import Anchor, Assignee, Handoff, RampPhase, Section, Task, TaskSide, TaskState, Trigger
from handoffs.services.handoff.common import hold, require_changeable
from handoffs.services.handoff.following import LONGEST_TITLE
from handoffs.services.task_rows import StaleTask, hold_task, save_task
from handoffs.states import TASK, IllegalTransition

# Business days in which an item added by hand should be done.
DAYS_FOR_ITEMS = 5
LONGEST_REASON = 500
_ASSIGNEES = {
    TaskSide.SALES: Assignee.SALES_OWNER,
    TaskSide.DELIVERY: Assignee.DELIVERY_OWNER,
    TaskSide.SHARED: Assignee.DELIVERY_OWNER,
}


def waive_item(*, actor: User, task: Task, reason: str, now: dt.datetime, expected_version: int | None = None) -> Task:
    """Leave an item of the checklist or a milestone out, and say why; an exit criterion can't be waived.

    Waiving a waived one changes nothing; ``reopen_task`` takes it back. Raises StaleTask, HandoffFrozen,
    IllegalTransition, PermissionDenied, ValidationError (``reason``).
    """
    reason = _clean(reason, "reason", LONGEST_REASON)
    with transaction.atomic():
        current = hold_task(task)
        if current.handoff_id is None and current.ramp_plan_id is None:
            raise IllegalTransition(_("Only an item of a handoff or a milestone can be waived."), frozenset())
        if not actor.has_perm("handoffs.waive_item", current):
            raise PermissionDenied(_("The managers of both sides and the project manager can waive an item."))
        if current.state == TaskState.WAIVED:
            return current
        if not reason:
            raise ValidationError({"reason": _("Say why it can be left out; the approvers read it.")})
        if current.phase == RampPhase.EXIT:
            raise IllegalTransition(
                _("An exit criterion can't be waived. End the ramp early and say why instead."), frozenset()
            )
        legal = TASK[TaskState(current.state)]
        if TaskState.WAIVED not in legal:
            sentence = _("The item is %(state)s; it can't be waived now.")
            raise IllegalTransition(sentence % {"state": current.get_state_display().lower()}, legal)
        if expected_version not in (None, current.version):
            raise StaleTask(current)
        if current.handoff is not None:
            require_changeable(current.handoff)
        current.state = TaskState.WAIVED
        current.waived_by, current.waived_at, current.waived_reason = actor, now, reason
        save_task(current, now)
        record(
            names.ITEM_WAIVED, actor=actor, about=current, within=current.opportunity, now=now,
            data={"title": current.title, "reason": reason},
        )  # fmt: skip
    return current


def add_item(
    *, actor: User, handoff: Handoff, section: str, title: str, side: str, is_required: bool, now: dt.datetime
) -> Task:
    """Add an item to the checklist; an open one with the same title in the section is the one that is there.

    Raises HandoffFrozen, PermissionDenied, ValidationError (``title``, ``section``, ``side``).
    """
    title = _clean(title, "title", LONGEST_TITLE)
    if not title:
        raise ValidationError({"title": _("Say what is to be done.")})
    if section not in Section.values:
        raise ValidationError({"section": _("Choose one of the sections.")})
    if side not in TaskSide.values:
        raise ValidationError({"side": _("Choose sales, delivery or both.")})
    with transaction.atomic():
        current = hold(handoff)
        if not actor.has_perm("handoffs.work_on_handoff", current):
            raise PermissionDenied(_("People of sales or delivery on this deal work on its handoff."))
        require_changeable(current)
        deal = current.opportunity
        items = Task.objects.filter(handoff=current, section=section)
        known = items.filter(title=title, state=TaskState.OPEN).first()
        if known is not None:
            return known
        home = organisation()
        today = home.today(now)
        role = _ASSIGNEES[TaskSide(side)]
        last = items.order_by("-position").values_list("position", flat=True).first() or 0
        item = Task.objects.create(
            opportunity=deal, engagement=deal.engagements.order_by("-requested_at", "-pk")[0], handoff=current,
            section=section, trigger=Trigger.HANDOFF, title=title, side=side, assignee_role=role,
            assignee=deal.owner if role == Assignee.SALES_OWNER else deal.delivery_owner, anchor=Anchor.TRIGGER,
            anchored_on=today, offset_days=DAYS_FOR_ITEMS, is_required=is_required, position=last + 1,
            due_on=BusinessDays(home.calendar).add(today, DAYS_FOR_ITEMS), created_at=now, updated_at=now,
        )  # fmt: skip
        item.handoff = current
        record(names.ITEM_ADDED, actor=actor, about=item, within=deal, now=now, data={"title": title})
    return item


def _clean(value: str, field: str, longest: int) -> str:
    """The text without space at its ends. Raises ValidationError for the field."""
    text = trimmed(value)
    fault = fault_in(text)
    if fault is None and len(text) > longest:
        fault = _("Use at most %(count)d characters.") % {"count": longest}
    if fault is not None:
        raise ValidationError({field: fault})
    return text
