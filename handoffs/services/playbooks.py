"""Putting a playbook's tasks on a deal, and keeping their dates and people right."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from accounts.calendars import BusinessDays
from accounts.models import Organisation
from accounts.queries import organisation
from events import names
from events.recording import record
from handoffs.assignment import assignee_for
from handoffs.conditions import applies
from handoffs.dates import anchor_date, due_date
from handoffs.models import (
    Anchor,
    Engagement,
    Handoff,
    Playbook,
    PlaybookTask,
    RampPlan,
    Section,
    Task,
    TaskState,
    Trigger,
)
from handoffs.ramp_dates import dates_for, waits_for
from opportunities.models import Opportunity

_WAITING = (TaskState.OPEN, TaskState.PAUSED)


def playbook_for(trigger: Trigger, opportunity: Opportunity) -> Playbook | None:
    """The active playbook of the deal's service line, else the one for all lines."""
    active = Playbook.objects.filter(trigger=trigger, is_active=True)
    if opportunity.service_line_id is not None:
        own = active.filter(service_line=opportunity.service_line_id).first()
        if own is not None:
            return own
    return active.filter(service_line__isnull=True).first()


def apply_playbook(
    *,
    engagement: Engagement,
    opportunity: Opportunity,
    trigger: Trigger,
    now: dt.datetime,
    handoff: Handoff | None = None,
) -> list[Task]:
    """Add the tasks that the deal does not have yet; those whose conditions don't hold are left out.

    Given the handoff of a won deal, tasks with a section become items of its checklist, those with a phase
    milestones of its ramp plan.
    """
    playbook = playbook_for(trigger, opportunity)
    if playbook is None:
        return []
    templates = list(playbook.tasks.filter(archived_at__isnull=True).prefetch_related("depends_on"))
    known = dict(Task.objects.filter(opportunity=opportunity, template__isnull=False).values_list("template_id", "pk"))
    fresh = [t for t in templates if t.pk not in known and applies(t.conditions, opportunity)]
    if not fresh:
        return []
    home = organisation()
    days = BusinessDays(home.calendar)
    people = {kind: assignee_for(opportunity, kind) for kind in {template.assignee for template in fresh}}
    plan = handoff.ramp_plan if handoff is not None else None
    kickoff_on = plan.kickoff_on if plan is not None else None
    tasks = [
        _task(template, engagement, opportunity, trigger, kickoff_on=kickoff_on, home=home, days=days, now=now)
        for template in fresh
    ]
    for task, template in zip(tasks, fresh, strict=True):
        task.assignee = people[task.assignee_role]
        if handoff is not None and trigger == Trigger.HANDOFF:
            task.handoff, task.section = handoff, template.section or Section.START_UP
        if plan is not None and template.phase:
            task.ramp_plan, task.phase = plan, template.phase
    Task.objects.bulk_create(tasks)
    made = {template.pk: task.pk for template, task in zip(fresh, tasks, strict=True)}
    _link(templates, {**known, **made}, fresh)
    record(
        names.TASKS_ADDED, actor=None, about=engagement, within=opportunity, now=now,
        data={"count": len(tasks), "playbook": playbook.name, "playbook_key": playbook.key},
    )  # fmt: skip
    return tasks


def reschedule(*, opportunity: Opportunity, now: dt.datetime) -> list[Task]:
    """Let open and paused tasks follow the deal's dates; dates set by hand stay. Returns those that moved."""
    plan = RampPlan.objects.ramping().select_for_update().filter(opportunity_id=opportunity.pk).first()
    if plan is not None:
        _follow_start(opportunity, plan, now)
    moved = preview_reschedule(opportunity=opportunity, now=now)
    for task in moved:
        task.version += 1
        task.updated_at = now
    Task.objects.bulk_update(moved, ["anchored_on", "due_on", "version", "updated_at"])
    if moved:
        record(
            names.TASKS_RESCHEDULED, actor=None, about=opportunity, within=opportunity, now=now,
            data={"count": len(moved)},
        )  # fmt: skip
    return moved


def preview_reschedule(*, opportunity: Opportunity, now: dt.datetime) -> list[Task]:
    """The tasks whose due date would follow the deal's dates as they stand on the (maybe unsaved) deal."""
    home = organisation()
    days = BusinessDays(home.calendar)
    moved = []
    waiting = Task.objects.filter(opportunity_id=opportunity.pk, state__in=_WAITING)
    plan = RampPlan.objects.ramping().filter(opportunity_id=opportunity.pk).first()
    kickoff_on = kickoff_of(opportunity, plan, home=home, days=days) if plan is not None else None
    if plan is not None and kickoff_on is not None:
        moved += _milestones_moved(opportunity, plan, kickoff_on, home=home, days=days, now=now)
    for task in waiting.filter(is_due_fixed=False, ramp_plan__isnull=True):
        signalled_on = home.today(task.created_at)
        origin = task.anchored_on if task.anchor == Anchor.TRIGGER else signalled_on
        anchored = anchor_date(
            task.anchor, opportunity, signalled_on=origin, kickoff_on=kickoff_on, home=home, days=days
        )
        due = due_date(
            anchored_on=anchored, offset_days=task.offset_days, trigger=task.trigger, opportunity=opportunity,
            signalled_on=signalled_on, days=days,
        )  # fmt: skip
        if due != task.due_on:
            task.anchored_on, task.due_on = anchored, due
            moved.append(task)
    return moved


def _milestones_moved(
    opportunity: Opportunity,
    plan: RampPlan,
    kickoff_on: dt.date,
    *,
    home: Organisation,
    days: BusinessDays,
    now: dt.datetime,
) -> list[Task]:
    """Those of a ramp plan keep their order, and move only with what they are counted from."""
    tasks = list(Task.objects.filter(ramp_plan=plan).order_by("pk"))
    anchors: dict[int, dt.date] = {}
    for task in tasks:
        origin = task.anchored_on if task.anchor == Anchor.TRIGGER else home.today(task.created_at)
        anchored = anchor_date(
            task.anchor, opportunity, signalled_on=origin, kickoff_on=kickoff_on, home=home, days=days
        )
        if anchored != task.anchored_on and task.state in _WAITING and not task.is_due_fixed:
            anchors[task.pk] = anchored
    if not anchors:
        return []
    found = dates_for(tasks, waits_for=waits_for(tasks), anchors=anchors, today=home.today(now), days=days)
    for move in found.moves:
        move.task.due_on = move.to_on
        move.task.anchored_on = anchors.get(move.task.pk, move.task.anchored_on)
    return [move.task for move in found.moves]


def kickoff_of(opportunity: Opportunity, plan: RampPlan, *, home: Organisation, days: BusinessDays) -> dt.date:
    """The kick-off that a named start asks for, not before the plan was made; as planned where no start is named."""
    if opportunity.start_on is None:
        return plan.kickoff_on
    return days.on_or_after(max(opportunity.start_on, home.today(plan.created_at)))


def _follow_start(opportunity: Opportunity, plan: RampPlan, now: dt.datetime) -> None:
    home = organisation()
    kickoff_on = kickoff_of(opportunity, plan, home=home, days=BusinessDays(home.calendar))
    if kickoff_on != plan.kickoff_on:
        plan.kickoff_on, plan.updated_at = kickoff_on, now
        plan.version += 1
        plan.save(update_fields=["kickoff_on", "version", "updated_at"])


def _task(
    template: PlaybookTask,
    engagement: Engagement,
    opportunity: Opportunity,
    trigger: Trigger,
    *,
    kickoff_on: dt.date | None,
    home: Organisation,
    days: BusinessDays,
    now: dt.datetime,
) -> Task:
    signalled_on = home.today(now)
    anchored = anchor_date(
        template.anchor, opportunity, signalled_on=signalled_on, kickoff_on=kickoff_on, home=home, days=days
    )
    return Task(
        opportunity=opportunity, engagement=engagement, template=template, trigger=trigger, title=template.title,
        help_text=template.help_text, side=template.side, assignee_role=template.assignee, anchor=template.anchor,
        anchored_on=anchored, offset_days=template.offset_days, evidence_wanted=template.evidence,
        action=template.action, position=template.position, is_required=template.is_required, created_at=now,
        updated_at=now,
        due_on=due_date(
            anchored_on=anchored, offset_days=template.offset_days, trigger=trigger, opportunity=opportunity,
            signalled_on=signalled_on, days=days,
        ),
    )  # fmt: skip


def _link(templates: Iterable[PlaybookTask], tasks: dict[int, int], fresh: list[PlaybookTask]) -> None:
    """Copy the dependencies between templates to their tasks."""
    new = {template.pk for template in fresh}
    through = Task.depends_on.through
    through.objects.bulk_create(
        through(from_task_id=tasks[template.pk], to_task_id=tasks[earlier.pk])
        for template in templates
        if template.pk in new
        for earlier in template.depends_on.all()
        if earlier.pk in tasks
    )
