"""The picture of a ramp plan: where each band, mark and line stands, in units of the drawing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.formats import date_format

from handoffs.models import RampPhase, RampPlan, Task, TaskState

WIDTH = 1060
_LABELS = 148  # for the names of the phases, at the start
_EDGE = 26  # free space at the end
_HEAD = 54  # for the days, today and the kick-off
_LANE = 30
_PAD = 9
_LETTER = 6.7  # the width of one letter, on average and a little more
_LONGEST = 44
_MONTHLY = 150  # days from which only months are marked


@dataclass(frozen=True)
class Mark:
    """One task. ``anchor`` says on which side of the mark its title stands ("start": after it)."""

    task: Task
    x: int
    y: int
    title: str
    anchor: str
    hit_x: int
    hit_width: int
    is_late: bool

    @property
    def text_x(self) -> int:
        """Where the title begins or ends."""
        return self.x + 15 if self.anchor == "start" else self.x - 15

    @property
    def text_y(self) -> int:
        """The base line of the title."""
        return self.y + 4

    @property
    def hit_y(self) -> int:
        """The upper edge of what can be touched."""
        return self.y - _LANE // 2 + 1

    @property
    def hit_height(self) -> int:
        """Its height."""
        return _LANE - 2

    @property
    def diamond(self) -> str:
        """The corners of what belongs to both."""
        x, y = self.x, self.y
        return f"{x},{y - 9} {x + 9},{y} {x},{y + 9} {x - 9},{y}"

    @property
    def is_settled(self) -> bool:
        """Whether it is done or waived."""
        return self.task.state in (TaskState.DONE, TaskState.WAIVED)

    @property
    def check(self) -> str:
        """The hook inside a settled one."""
        return f"M{self.x - 3.5} {self.y} l2.5 2.5 l4.5 -5"

    @property
    def square_x(self) -> int:
        """The corner of what belongs to delivery."""
        return self.x - 7

    @property
    def square_y(self) -> int:
        """The corner of what belongs to delivery."""
        return self.y - 7


@dataclass(frozen=True)
class Band:
    """A phase, as high as its tasks need, with the bar from its first to its last day."""

    label: str
    done: int
    total: int
    y: int
    height: int
    bar_x: int
    bar_width: int
    marks: Sequence[Mark]

    @property
    def label_y(self) -> int:
        """The base line of its name."""
        return self.y + 22

    @property
    def count_y(self) -> int:
        """The base line of how far it is."""
        return self.y + 38

    @property
    def bar_y(self) -> int:
        """The upper edge of its bar."""
        return self.y + 4

    @property
    def bar_height(self) -> int:
        """The height of its bar."""
        return self.height - 8


@dataclass(frozen=True)
class Tick:
    """A day that the picture marks."""

    x: int
    label: str
    is_strong: bool


@dataclass(frozen=True)
class Flag:
    """A line across all phases with a word on top."""

    x: int
    label: str
    anchor: str

    @property
    def text_x(self) -> int:
        """Where its word begins or ends."""
        return self.x + 5 if self.anchor == "start" else self.x - 5


@dataclass(frozen=True)
class Timeline:
    """All of it; empty without tasks."""

    width: int
    height: int
    bands: Sequence[Band]
    ticks: Sequence[Tick]
    lines: Sequence[str]
    today: Flag | None
    kickoff: Flag

    @property
    def view_box(self) -> str:
        """Of the drawing."""
        return f"0 0 {self.width} {self.height}"

    @property
    def band_x(self) -> int:
        """Where the days begin."""
        return _LABELS

    @property
    def band_width(self) -> int:
        """How wide they are."""
        return self.width - _LABELS

    @property
    def head(self) -> int:
        """Where the phases begin."""
        return _HEAD

    @property
    def tick_y(self) -> int:
        """The base line of the days."""
        return _HEAD - 10

    @property
    def tick_top(self) -> int:
        """Where the lines of the days begin."""
        return _HEAD - 4

    @property
    def flag_y(self) -> int:
        """The base line of “today” and “kick-off”."""
        return 15


@dataclass(frozen=True)
class _Scale:
    first: dt.date
    last: dt.date

    def x(self, day: dt.date) -> int:
        span = max((self.last - self.first).days, 1)
        room = WIDTH - _LABELS - 2 * _EDGE
        return round(_LABELS + _EDGE + room * (day - self.first).days / span)

    def covers(self, day: dt.date) -> bool:
        return self.first <= day <= self.last


def timeline_of(
    plan: RampPlan, tasks: Sequence[Task], *, waits_for: Mapping[int, Sequence[int]], today: dt.date
) -> Timeline:
    """Draw the tasks by phase along the days, with what waits for what. Nothing overlaps, nothing is left out."""
    shown = [task for task in tasks if task.state != TaskState.CANCELLED]
    days = [task.due_on for task in shown] + [plan.kickoff_on]
    # Today only stretches the picture where it is near.
    if shown and min(days) - dt.timedelta(days=60) <= today <= max(days) + dt.timedelta(days=60):
        days.append(today)
    scale = _Scale(min(days), max(days))
    bands = []
    y = _HEAD
    for phase in RampPhase:
        own = [task for task in shown if task.phase == phase]
        if own:
            bands.append(_band(phase, own, y, scale, today))
            y += bands[-1].height
    marks = {mark.task.pk: mark for band in bands for mark in band.marks}
    kickoff_x = scale.x(plan.kickoff_on)
    today_x = scale.x(today) if scale.covers(today) else None
    return Timeline(
        width=WIDTH, height=y + 6, bands=bands, ticks=_ticks(scale), lines=_lines(marks, waits_for),
        today=Flag(today_x, "", _away_from(today_x, kickoff_x)) if today_x is not None else None,
        kickoff=Flag(kickoff_x, "", _away_from(kickoff_x, today_x if today_x is not None else 0)),
    )  # fmt: skip


def _band(phase: RampPhase, tasks: Sequence[Task], y: int, scale: _Scale, today: dt.date) -> Band:
    """Each mark goes into the first lane where it and its title have room."""
    ends: list[float] = []
    marks = []
    for task in sorted(tasks, key=lambda each: (each.due_on, each.position, each.pk)):
        x = scale.x(task.due_on)
        title = task.title if len(task.title) <= _LONGEST else f"{task.title[: _LONGEST - 1].rstrip()}…"
        needs = 24 + len(title) * _LETTER
        anchor = "start" if x + needs <= WIDTH - 4 else "end"
        left = x - 13 if anchor == "start" else x - needs
        right = x + needs if anchor == "start" else x + 13
        lane = next((number for number, end in enumerate(ends) if end + 6 <= left), len(ends))
        ends[lane : lane + 1] = [right]
        marks.append(
            Mark(
                task=task, x=x, y=y + _PAD + lane * _LANE + _LANE // 2, title=title, anchor=anchor, hit_x=round(left),
                hit_width=round(right - left), is_late=task.is_overdue(today),
            )
        )  # fmt: skip
    height = max(len(ends) * _LANE + 2 * _PAD, 48)
    xs = [mark.x for mark in marks]
    done = sum(mark.is_settled for mark in marks)
    return Band(
        label=str(phase.label), done=done, total=len(marks), y=y, height=height, bar_x=min(xs) - 14,
        bar_width=max(xs) - min(xs) + 28, marks=marks,
    )  # fmt: skip


def _lines(marks: Mapping[int, Mark], waits_for: Mapping[int, Sequence[int]]) -> list[str]:
    """From each task to those that wait for it."""
    found = []
    for later, earlier in ((later, each) for later, all_earlier in waits_for.items() for each in all_earlier):
        if later in marks and earlier in marks:
            start, end = marks[earlier], marks[later]
            bend = max(12, (end.x - start.x) // 2)
            found.append(f"M{start.x} {start.y} C{start.x + bend} {start.y} {end.x - bend} {end.y} {end.x} {end.y}")
    return found


def _ticks(scale: _Scale) -> list[Tick]:
    """Mondays; over a long time the first of each month, over years of each January."""
    span = (scale.last - scale.first).days
    day = scale.first
    ticks: list[Tick] = []
    while day <= scale.last:
        if span <= _MONTHLY and day.weekday() == 0:
            ticks.append(Tick(scale.x(day), date_format(day, "j M"), day.day <= 7))
        elif _MONTHLY < span <= 1500 and day.day == 1:
            ticks.append(Tick(scale.x(day), date_format(day, "M Y" if day.month == 1 else "M"), day.month == 1))
        elif span > 1500 and day.day == day.month == 1:
            ticks.append(Tick(scale.x(day), date_format(day, "Y"), is_strong=True))
        day += dt.timedelta(days=1)
    return _thinned(ticks)


def _thinned(ticks: list[Tick]) -> list[Tick]:
    """Words that would touch are left out, their lines stay."""
    kept: list[Tick] = []
    last = -100
    for tick in ticks:
        has_room = tick.x - last >= 46 and tick.x <= WIDTH - 18
        last = tick.x if has_room else last
        kept.append(tick if has_room else Tick(tick.x, "", tick.is_strong))
    return kept


def _away_from(x: int, other: int | None) -> str:
    """The word stands on the side where the other line isn't, and inside the picture."""
    if x > WIDTH - 130:
        return "end"
    if other is None or abs(other - x) > 130:
        return "start"
    return "start" if x >= other else "end"
