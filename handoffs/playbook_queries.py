"""Playbooks as their settings pages show them, and what one would do to a deal."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch
from django.utils import formats
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.calendars import BusinessDays
from accounts.models import Organisation, ServiceLine
from handoffs.conditions import FIELDS, OPERATORS, applies
from handoffs.dates import anchor_date, due_date
from handoffs.models import Anchor, Playbook, PlaybookTask, TaskSide, Trigger
from handoffs.playbook_places import PLACES, in_order, place_of
from handoffs.services.playbook_editing import TRIGGERS
from opportunities.models import Opportunity, StageKind, Temperature

_WARMTH = {Trigger.WARM: Temperature.WARM, Trigger.UNFORECASTED: Temperature.WARM}


@dataclass(frozen=True)
class Listed:
    """A playbook on the list: how many tasks each side has."""

    playbook: Playbook
    count: int
    sides: list[tuple[TaskSide, int]]


@dataclass(frozen=True)
class Signal:
    """A signal with the playbooks that answer it; ``is_covered`` when one of them is for all service lines."""

    trigger: Trigger
    playbooks: list[Listed]
    is_covered: bool


@dataclass(frozen=True)
class Line:
    """A task on the page of its playbook."""

    task: PlaybookTask
    due: str
    conditions: str
    waits_for: list[str]


@dataclass(frozen=True)
class Group:
    """The tasks of one section or phase."""

    place: str
    label: str
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True)
class Foreseen:
    """A task as a deal would get it; ``waits_past`` is a task it waits for that is due later than itself."""

    task: PlaybookTask
    due_on: dt.date
    waits_past: str = ""


@dataclass(frozen=True)
class Preview:
    """What a deal would get, by due date, and what it would not, with the conditions that don't hold."""

    tasks: list[Foreseen] = field(default_factory=list)
    left_out: list[tuple[PlaybookTask, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Example:
    """The deal that a preview imagines; for a won deal, ``day`` is when the work starts."""

    day: dt.date | None
    amount: Decimal | None = None


def signals() -> list[Signal]:
    """All playbooks by the signal that they answer. Two queries."""
    found: dict[str, list[Listed]] = {trigger: [] for trigger in TRIGGERS}
    for playbook in Playbook.objects.select_related("service_line").prefetch_related(_active_tasks()):
        tasks = list(playbook.tasks.all())
        sides = Counter(task.side for task in tasks)
        listed = Listed(playbook, len(tasks), [(side, sides[side]) for side in TaskSide if sides[side]])
        found.setdefault(playbook.trigger, []).append(listed)
    return [
        Signal(
            Trigger(trigger),
            sorted(rows, key=lambda row: (not row.playbook.is_active, row.playbook.service_line is not None)),
            any(row.playbook.is_active and row.playbook.service_line is None for row in rows),
        )
        for trigger, rows in found.items()
    ]


def task_lines(playbook: Playbook) -> tuple[list[Line], list[PlaybookTask]]:
    """The playbook's tasks in order with what they say in words, and those left out. Two queries."""
    everything = list(playbook.tasks.prefetch_related("depends_on"))
    tasks = in_order((task for task in everything if task.archived_at is None), playbook.trigger)
    lines = [
        Line(
            task, due_sentence(task), conditions_sentence(task.conditions),
            [other.title for other in tasks if other in task.depends_on.all()],
        )
        for task in tasks
    ]  # fmt: skip
    return lines, [task for task in everything if task.archived_at is not None]


def grouped(lines: Sequence[Line], trigger: str) -> list[Group]:
    """The lines by section or phase; one group without a name where the signal knows neither."""
    labels = dict(PLACES[trigger][1].choices) if trigger in PLACES else {}
    groups: list[Group] = []
    for line in lines:
        place = place_of(line.task, trigger)
        if not groups or groups[-1].place != place:
            label = labels.get(place, _("Not in the ramp plan") if labels else "")
            groups.append(Group(place, str(label)))
        groups[-1].lines.append(line)
    return groups


def lines_without(playbook: Playbook) -> list[ServiceLine]:
    """Service lines that have no playbook of their own for the signal."""
    taken = Playbook.objects.filter(trigger=playbook.trigger, service_line__isnull=False).values("service_line")
    return list(ServiceLine.objects.filter(is_active=True).exclude(pk__in=taken))


def preview(playbook: Playbook, example: Example, *, today: dt.date, home: Organisation) -> Preview:
    """The tasks that the example deal would get if the signal came today, with the dates it would get."""
    deal = _deal(playbook, example, today=today, home=home)
    days = BusinessDays(home.calendar)
    tasks = list(playbook.tasks.filter(archived_at__isnull=True).prefetch_related("depends_on"))
    wanted = [task for task in tasks if applies(task.conditions, deal)]
    due = {task.pk: _due(task, playbook, deal, today=today, home=home, days=days) for task in wanted}
    foreseen = [Foreseen(task, due[task.pk], _waits_past(task, due)) for task in wanted]
    return Preview(
        tasks=sorted(foreseen, key=lambda row: (row.due_on, row.task.position)),
        left_out=[(task, conditions_sentence(task.conditions)) for task in tasks if task not in wanted],
    )


def due_sentence(task: PlaybookTask) -> str:
    """When the task is due: “3 business days after the signal”."""
    days, anchor = abs(task.offset_days), Anchor(task.anchor).label
    if not days:
        return _("on the day of %(anchor)s") % {"anchor": anchor}
    if task.offset_days > 0:
        sentence = ngettext("%(days)d business day after %(anchor)s", "%(days)d business days after %(anchor)s", days)
    else:
        sentence = ngettext("%(days)d business day before %(anchor)s", "%(days)d business days before %(anchor)s", days)
    return sentence % {"days": days, "anchor": anchor}


def conditions_sentence(conditions: Sequence[Mapping[str, Any]]) -> str:
    """What must hold: “amount is at least 250,000 and region is North”; empty where nothing must."""
    return str(get_text_list([_condition(condition) for condition in conditions], _("and")))


def _condition(condition: Mapping[str, Any]) -> str:
    name, value = str(condition.get("field", "")), condition.get("value", "")
    operator = OPERATORS.get(str(condition.get("op", "")))
    if name == "is_unforecasted":
        wanted = str(value).lower() in ("true", "1", "yes")
        is_so = wanted == (condition.get("op") == "is")
        return _("the deal is un-forecasted") if is_so else _("the deal is not un-forecasted")
    label = _("service line") if name == "service_line" else str(FIELDS.get(name, name))
    return f"{label} {operator[0] if operator else condition.get('op')} {_value(name, value)}"


def _value(name: str, value: Any) -> str:
    if name == "amount":
        return str(formats.number_format(value, force_grouping=True))
    if name == "temperature" and value in Temperature.values:
        return str(Temperature(value).label).lower()
    if name == "service_line":
        return ServiceLine.objects.filter(key=value).values_list("name", flat=True).first() or str(value)
    return f"{value} %" if name == "probability" else str(value)


def _active_tasks() -> Prefetch[str, Any, Any]:
    return Prefetch("tasks", PlaybookTask.objects.filter(archived_at__isnull=True))


def _deal(playbook: Playbook, example: Example, *, today: dt.date, home: Organisation) -> Opportunity:
    trigger = Trigger(playbook.trigger)
    is_won = trigger in (Trigger.WON, Trigger.HANDOFF)
    return Opportunity(
        kind=StageKind.WON if is_won else StageKind.OPEN, closed_on=today if is_won else None,
        close_date=today if is_won else example.day, start_on=example.day if is_won else None, amount=example.amount,
        currency=home.base_currency, probability=0, temperature=_WARMTH.get(trigger, Temperature.HOT),
        service_line=playbook.service_line, is_unforecasted=trigger == Trigger.UNFORECASTED,
    )  # fmt: skip


def _due(
    task: PlaybookTask, playbook: Playbook, deal: Opportunity, *, today: dt.date, home: Organisation, days: BusinessDays
) -> dt.date:
    anchored = anchor_date(task.anchor, deal, signalled_on=today, home=home, days=days)
    return due_date(
        anchored_on=anchored, offset_days=task.offset_days, trigger=playbook.trigger, opportunity=deal,
        signalled_on=today, days=days,
    )  # fmt: skip


def _waits_past(task: PlaybookTask, due: Mapping[int, dt.date]) -> str:
    later = [other for other in task.depends_on.all() if other.pk in due and due[other.pk] > due[task.pk]]
    return later[0].title if later else ""
