"""When the tasks of a ramp plan are due, given its kick-off: what moves, what stays, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from django.utils.translation import gettext as _

from accounts.calendars import BusinessDays
from handoffs.models import Anchor, Task, TaskState

_WAITING = (TaskState.OPEN, TaskState.PAUSED)


@dataclass(frozen=True)
class Move:
    """A task that gets another date; ``note`` says why it is not the one that the kick-off alone would give."""

    task: Task
    from_on: dt.date
    to_on: dt.date
    note: str = ""


@dataclass(frozen=True)
class Stay:
    """A task that keeps its date, and why; ``is_conflict`` where it is due before what it waits for."""

    task: Task
    why: str
    is_conflict: bool = False


@dataclass
class Dates:
    """What becomes of each task's date."""

    moves: list[Move] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)


def dates_for(
    tasks: Sequence[Task],
    *,
    waits_for: Mapping[int, Sequence[int]],
    anchors: Mapping[int, dt.date],
    today: dt.date,
    days: BusinessDays,
) -> Dates:
    """Date the tasks of one plan anew, each one after what it waits for.

    ``anchors`` gives the new day that an offset is counted from, by task, for those that have another one now;
    ``waits_for`` the ids that a task waits for. What is done and what was dated by hand keeps its date. No date falls
    before today, or before that of a task that it waits for, except those set by hand, which are named as conflicts.
    """
    by_id = {task.pk: task for task in tasks}
    found = Dates()
    due: dict[int, dt.date] = {}
    for key in _in_order(by_id, waits_for):
        task = by_id[key]
        earlier = [by_id[other] for other in waits_for.get(key, ()) if other in due]
        latest = max(earlier, key=lambda other: due[other.pk], default=None)
        if task.state not in _WAITING:
            found.stays.append(Stay(task, _settled(task)))
            continue
        if task.is_due_fixed:
            due[key] = task.due_on
            found.stays.append(_by_hand(task, latest, due))
            continue
        due[key], note = _due(task, anchors.get(key), latest, due, today=today, days=days)
        if due[key] != task.due_on:
            found.moves.append(Move(task, task.due_on, due[key], note))
        elif key in anchors:
            found.stays.append(Stay(task, note or _("It is due on that day already.")))
        else:
            found.stays.append(Stay(task, _("It is not counted from the kick-off.")))
    return found


def _in_order(tasks: Mapping[int, Task], waits_for: Mapping[int, Sequence[int]]) -> list[int]:
    """Every task after those that it waits for, the earliest first among equals."""
    keys = sorted(tasks, key=lambda key: (tasks[key].due_on, tasks[key].position, key))
    graph = {key: [other for other in waits_for.get(key, ()) if other in tasks] for key in keys}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError:
        # Nothing lets tasks wait for each other; should they all the same, each keeps the order of its date.
        return keys


def _due(
    task: Task,
    anchored: dt.date | None,
    latest: Task | None,
    due: Mapping[int, dt.date],
    *,
    today: dt.date,
    days: BusinessDays,
) -> tuple[dt.date, str]:
    day, note = task.due_on, ""
    if anchored is not None:
        day = days.add(anchored, task.offset_days)
        if day < today:
            day, note = days.on_or_after(today), _("Counted from the kick-off it would be in the past.")
    if latest is not None and day < due[latest.pk]:
        day, note = days.on_or_after(due[latest.pk]), _("It waits for “%(title)s”.") % {"title": latest.title}
    return day, note


def _settled(task: Task) -> str:
    if task.state == TaskState.DONE:
        return _("It is done.")
    return _("It is waived.") if task.state == TaskState.WAIVED else _("It is no longer needed.")


def _by_hand(task: Task, latest: Task | None, due: Mapping[int, dt.date]) -> Stay:
    if latest is not None and task.due_on < due[latest.pk]:
        told = _("Its date was set by hand, and “%(title)s”, which it waits for, would be due later. Change its date.")
        return Stay(task, told % {"title": latest.title}, is_conflict=True)
    return Stay(task, _("Its date was set by hand."))


def new_anchors(tasks: Sequence[Task], kickoff_on: dt.date) -> dict[int, dt.date]:
    """The kick-off, for the tasks that are counted from it."""
    return {task.pk: kickoff_on for task in tasks if task.anchor == Anchor.KICKOFF}


def waits_for(tasks: Iterable[Task]) -> dict[int, list[int]]:
    """The ids that each of the tasks waits for. One query."""
    links = Task.depends_on.through.objects.filter(from_task_id__in=[task.pk for task in tasks])
    found: dict[int, list[int]] = {}
    for later, earlier in links.order_by("pk").values_list("from_task_id", "to_task_id"):
        found.setdefault(later, []).append(earlier)
    return found
