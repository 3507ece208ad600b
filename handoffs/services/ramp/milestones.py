"""Adding to a ramp plan by hand. What is on it is changed, done and waived as every task is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from accounts.calendars import BusinessDays
from accounts.models import User
from accounts.queries import organisation
from events import names
from events.recording import record
from handoffs.assignment import assignee_for
from handoffs.models import Anchor, Assignee, RampPhase, RampPlan, Task, TaskSide, Trigger
from handoffs.services.ramp import common

MOST = 200  # tasks of one plan
FARTHEST = 750  # business days from the kick-off
_OWNERS = {
    TaskSide.SALES: Assignee.SALES_OWNER,
    TaskSide.DELIVERY: Assignee.DELIVERY_OWNER,
    TaskSide.SHARED: Assignee.DELIVERY_OWNER,
}


def add_milestone(
    *,
    actor: User,
    plan: RampPlan,
    phase: RampPhase,
    title: str,
    side: TaskSide,
    now: dt.datetime,
    offset_days: int | None = None,
    due_on: dt.date | None = None,
    evidence_wanted: str = "",
    after: Sequence[Task] = (),
) -> Task:
    """Add a task to the plan: so many business days from the kick-off, or on a day of its own that stays.

    The same one again is the one that there is. Raises PermissionDenied, ValidationError.
    """
    with transaction.atomic():
        current = common.hold_live(plan)
        common.require(
            actor, "handoffs.work_on_ramp", current, _("People of sales or delivery on this deal add to its ramp plan.")
        )
        if current.closed_at is not None:
            raise ValidationError(_("The project is closed. Open it again first."))
        name = common.clean(title, field="title", longest=200, wanted=_("Give it a title."))
        wanted = common.clean(evidence_wanted, field="evidence_wanted", longest=200)
        known = Task.objects.filter(ramp_plan=current, template__isnull=True, phase=phase, title=name, side=side)
        same = known.order_by("pk").first()
        if same is not None:
            return same
        _refuse_too_many(current)
        task = _task(current, phase, name, side, wanted, now)
        _date(task, current, offset_days, due_on, now)
        _refuse_before(task, after, current)
        task.save()
        task.depends_on.set(after)
        record(
            names.TASKS_ADDED, actor=actor, about=task.engagement, within=current.opportunity, now=now,
            data={"count": 1, "playbook": name, "playbook_key": "", "task": task.pk},
        )  # fmt: skip
    return task


def _task(plan: RampPlan, phase: RampPhase, title: str, side: TaskSide, wanted: str, now: dt.datetime) -> Task:
    opportunity = plan.opportunity
    engagement = opportunity.engagements.order_by("-requested_at", "-pk").first()
    if engagement is None:
        raise ValidationError(_("Delivery was never asked in on this deal."))
    role = _OWNERS[side]
    last = Task.objects.filter(ramp_plan=plan).aggregate(last=Max("position"))["last"]
    return Task(
        opportunity=opportunity, engagement=engagement, ramp_plan=plan, phase=phase, trigger=Trigger.WON, title=title,
        side=side, assignee_role=role, assignee=assignee_for(opportunity, role), anchor=Anchor.KICKOFF,
        anchored_on=plan.kickoff_on, evidence_wanted=wanted, position=0 if last is None else last + 1,
        created_at=now, updated_at=now,
    )  # fmt: skip


def _date(task: Task, plan: RampPlan, offset_days: int | None, due_on: dt.date | None, now: dt.datetime) -> None:
    home = organisation()
    today, days = home.today(now), BusinessDays(home.calendar)
    if due_on is not None:
        if not 2000 <= due_on.year <= 2100:
            raise ValidationError({"due_on": _("Use a year between 2000 and 2100.")})
        if due_on < today:
            raise ValidationError({"due_on": _("Choose today or a later day.")})
        # Kept small: how far it lies from the kick-off doesn't matter as long as its date is its own.
        task.due_on, task.is_due_fixed, task.offset_days = due_on, True, 0
        return
    if offset_days is None:
        raise ValidationError({"due_on": _("Say how many business days from the kick-off, or on which day.")})
    if abs(offset_days) > FARTHEST:
        told = _("Use at most %(count)d business days, or name the day.") % {"count": FARTHEST}
        raise ValidationError({"offset_days": told})
    task.offset_days = offset_days
    task.due_on = max(days.add(plan.kickoff_on, offset_days), days.on_or_after(today))


def _refuse_before(task: Task, after: Sequence[Task], plan: RampPlan) -> None:
    for earlier in after:
        if earlier.ramp_plan_id != plan.pk:
            raise ValidationError({"after": _("Choose tasks of this plan.")})
        if earlier.state in ("open", "paused") and task.due_on < earlier.due_on:
            if task.is_due_fixed:
                told = _("It can't be due before “%(title)s”, which it waits for.") % {"title": earlier.title}
                raise ValidationError({"due_on": told})
            task.due_on = earlier.due_on


def _refuse_too_many(plan: RampPlan) -> None:
    if Task.objects.filter(ramp_plan=plan).count() >= MOST:
        raise ValidationError(_("A ramp plan has at most %(count)d tasks.") % {"count": MOST})
