"""Moving a project's kick-off: what would move, doing it, and taking it back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.calendars import BusinessDays
from accounts.models import User
from accounts.queries import organisation
from events import names
from events.models import Event, subject_kind_of
from events.recording import record, record_many
from handoffs.models import RampPlan, Task, TaskState
from handoffs.ramp_dates import Move, Stay, dates_for, new_anchors, waits_for
from handoffs.services.ramp import common
from opportunities.models import Opportunity
from opportunities.services.editing import apply_changes, save_changed

FIRST_YEAR, LAST_YEAR = 2000, 2100
_WAITING = (TaskState.OPEN, TaskState.PAUSED)
_MAY_NOT = gettext_lazy("People of sales or delivery on this deal move its kick-off.")


@dataclass(frozen=True)
class Preview:
    """What another kick-off would change.

    ``kickoff_on`` is a business day; ``asked_on`` what was asked for, which may be none.
    """

    asked_on: dt.date
    kickoff_on: dt.date
    moves: Sequence[Move]
    stays: Sequence[Stay]

    @property
    def is_shifted(self) -> bool:
        """Whether nobody works on the day that was asked for."""
        return self.asked_on != self.kickoff_on

    @property
    def conflicts(self) -> list[Stay]:
        """Tasks dated by hand that would be due before what they wait for."""
        return [stay for stay in self.stays if stay.is_conflict]


def preview_kickoff(plan: RampPlan, kickoff_on: dt.date, now: dt.datetime) -> Preview:
    """What would move and what can't, if the kick-off were on that day or the business day after it.

    Raises ValidationError (field kickoff_on) for a day that has passed or lies beyond the calendar.
    """
    return _preview(plan, Task.objects.select_related("assignee"), kickoff_on, now)


def move_kickoff(
    *,
    actor: User,
    plan: RampPlan,
    kickoff_on: dt.date,
    now: dt.datetime,
    expected_version: int | None,
    reason: str = "",
) -> RampPlan:
    """Put the kick-off on that day or the business day after it, with the deal's start and the tasks that follow.

    The present day changes nothing. Raises StalePlan, PermissionDenied, ValidationError (also once the ramp has ended).
    """
    with transaction.atomic():
        current = common.hold_live(plan)
        common.require(actor, "handoffs.work_on_ramp", current, str(_MAY_NOT))
        _require_ramping(current)
        why = common.clean(reason, field="reason", longest=500)
        preview = _preview(current, Task.objects.select_for_update(), kickoff_on, now)
        if preview.kickoff_on == current.kickoff_on:
            return current
        common.require_version(current, expected_version)
        before, start_before = current.kickoff_on, current.opportunity.start_on
        _write(current, preview.kickoff_on, preview.kickoff_on, actor, now)
        dated = _date_tasks(current, preview, now)
        record(
            names.RAMP_RESCHEDULED, actor=actor, about=current, within=current.opportunity, now=now,
            data={
                "from": before.isoformat(), "to": current.kickoff_on.isoformat(), "reason": why,
                "start_before": start_before.isoformat() if start_before else None, "version": current.version,
                "moves": dated,
            },
        )  # fmt: skip
    return current


def undo_kickoff(*, actor: User, plan: RampPlan, now: dt.datetime) -> RampPlan:
    """Take the last move of the kick-off back, exactly; nothing happens where it was taken back already.

    Raises StalePlan when the plan was changed since, PermissionDenied, ValidationError (nothing to take back).
    """
    with transaction.atomic():
        current = common.hold_live(plan)
        common.require(actor, "handoffs.work_on_ramp", current, str(_MAY_NOT))
        _require_ramping(current)
        last = _last_move(current)
        if last is None:
            raise ValidationError(_("The kick-off has not been moved."))
        if last.data.get("is_undo"):
            return current
        if last.data["version"] != current.version:
            raise common.StalePlan(current)
        before = current.kickoff_on
        start = last.data["start_before"]
        _write(
            current, dt.date.fromisoformat(last.data["from"]), dt.date.fromisoformat(start) if start else None,
            actor, now,
        )  # fmt: skip
        _date_back(last.data["moves"], now)
        record(
            names.RAMP_RESCHEDULED, actor=actor, about=current, within=current.opportunity, now=now,
            data={
                "from": before.isoformat(), "to": current.kickoff_on.isoformat(), "reason": "", "is_undo": True,
                "version": current.version,
            },
        )  # fmt: skip
    return current


def _preview(plan: RampPlan, tasks: QuerySet[Task], kickoff_on: dt.date, now: dt.datetime) -> Preview:
    home = organisation()
    today, days = home.today(now), BusinessDays(home.calendar)
    day = _checked(kickoff_on, today, days)
    if day == plan.kickoff_on:
        return Preview(kickoff_on, day, (), ())
    own = list(tasks.filter(ramp_plan=plan).order_by("pk"))
    found = dates_for(own, waits_for=waits_for(own), anchors=new_anchors(own, day), today=today, days=days)
    return Preview(kickoff_on, day, found.moves, found.stays)


def _checked(day: dt.date, today: dt.date, days: BusinessDays) -> dt.date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValidationError({"kickoff_on": _("Use a year between 2000 and 2100.")})
    if day < today:
        raise ValidationError({"kickoff_on": _("That day has passed. Choose today or a later day.")})
    business_day = days.on_or_after(day)
    if business_day.year > LAST_YEAR:
        raise ValidationError(
            {"kickoff_on": _("Nobody works from that day to the end of 2100. Choose an earlier day.")}
        )
    return business_day


def _require_ramping(plan: RampPlan) -> None:
    if not plan.is_ramping:
        raise ValidationError(_("The ramp has ended, so its kick-off stays where it was."))


def _write(plan: RampPlan, kickoff_on: dt.date, start_on: dt.date | None, actor: User, now: dt.datetime) -> None:
    """Plan and deal say the same start, each under a new version."""
    opportunity: Opportunity = plan.opportunity
    edit = apply_changes(opportunity, {"start_on": start_on}, home=organisation(), now=now)
    if edit.diff:
        save_changed(opportunity, now=now)
        record_many(edit.occurrences, actor=actor, now=now)
    plan.kickoff_on = kickoff_on
    common.save(plan, now)


def _date_tasks(plan: RampPlan, preview: Preview, now: dt.datetime) -> list[dict[str, object]]:
    """Write the new dates and say what they were.

    What is counted from the kick-off is counted from the new one, even where its date stays the same.
    """
    moved = {move.task.pk: move.to_on for move in preview.moves}
    touched = [move.task for move in preview.moves]
    touched += [stay.task for stay in preview.stays if _follows(stay.task)]
    anchors = new_anchors(touched, plan.kickoff_on)
    told: list[dict[str, object]] = []
    for task in touched:
        to_on = moved.get(task.pk, task.due_on)
        told.append(
            {
                "task": task.pk, "title": task.title, "from": task.due_on.isoformat(), "to": to_on.isoformat(),
                "anchored_on": task.anchored_on.isoformat(),
            }
        )  # fmt: skip
        task.due_on = to_on
        task.anchored_on = anchors.get(task.pk, task.anchored_on)
        task.version += task.pk in moved
        task.updated_at = now
    Task.objects.bulk_update(touched, ["due_on", "anchored_on", "version", "updated_at"])
    return told


def _follows(task: Task) -> bool:
    return task.state in _WAITING and not task.is_due_fixed


def _date_back(moves: Sequence[dict[str, object]], now: dt.datetime) -> None:
    """Give the tasks their dates back, but those that somebody dated or settled since."""
    known = {move["task"]: move for move in moves}
    waiting = Task.objects.filter(pk__in=list(known), state__in=_WAITING, is_due_fixed=False)
    found = waiting.select_for_update()
    tasks = [task for task in found.order_by("pk") if task.due_on.isoformat() == known[task.pk]["to"]]
    for task in tasks:
        move = known[task.pk]
        task.due_on = dt.date.fromisoformat(str(move["from"]))
        task.anchored_on = dt.date.fromisoformat(str(move["anchored_on"]))
        task.version += 1
        task.updated_at = now
    Task.objects.bulk_update(tasks, ["due_on", "anchored_on", "version", "updated_at"])


def _last_move(plan: RampPlan) -> Event | None:
    about = Event.objects.filter(subject_kind=subject_kind_of(plan), subject_id=plan.pk, name=names.RAMP_RESCHEDULED)
    return about.order_by("-pk").first()
