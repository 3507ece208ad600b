"""What was known of a deal at a moment that has passed, from history that is only ever added to.

Every change says what was there before it. So a value at a moment is what the first change since then found there, and
today's value only where nothing has changed it since: nothing that happened later reaches what is said here.
"""

from __future__ import annotations

import datetime as dt
import enum
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from staffing.weeks import monday_of

T = TypeVar("T")


class Sight(enum.Enum):
    """Whether the horizon of a moment could show a deal's work, or why not."""

    SEEN = "seen"
    NO_NEEDS = "no_needs"  # open, but nobody had said what it takes
    NO_DATE = "no_date"  # open, with needs, but neither a start nor a close date
    NOT_THERE = "not_there"  # not entered yet, lost for the time being, or in the archive
    CLOSED = "closed"  # won already: sure, and nothing to foresee
    TOLD_LATER = "told_later"  # it was there, but was told here only later, by an import say
    UNRECORDED = "unrecorded"  # history doesn't say what was needed then

    @property
    def is_open(self) -> bool:
        """Whether the deal was known and open, so that it could have been seen."""
        return self in (Sight.SEEN, Sight.NO_NEEDS, Sight.NO_DATE)

    @property
    def is_told(self) -> bool:
        """Whether history tells at all how it was."""
        return self not in (Sight.TOLD_LATER, Sight.UNRECORDED)


@dataclass(frozen=True)
class Course(Generic[T]):
    """A value over time: what it is now, and in the order of time what each change found before it."""

    now: T
    changes: Sequence[tuple[dt.datetime, T]] = ()

    def at(self, moment: dt.datetime) -> T:
        """As it stood when the moment came; what changes at that very moment comes after."""
        if not self.changes or self.changes[-1][0] < moment:
            return self.now
        return self.changes[bisect_left(self.changes, moment, key=lambda change: change[0])][1]


@dataclass(frozen=True)
class Shape:
    """Hours a week of a role, for so many weeks from so many weeks after the start."""

    role: int
    hours: float
    weeks: int
    offset: int

    @property
    def total(self) -> float:
        """Hours over all its weeks."""
        return self.hours * self.weeks


@dataclass(frozen=True)
class NeedHistory:
    """A need since it was asked for. A shape of None is one that history didn't record."""

    asked_at: dt.datetime
    is_live: Course[bool]
    shape: Course[Shape | None]

    def counts(self, moment: dt.datetime) -> bool:
        """Whether it was asked for and not cancelled."""
        return self.asked_at < moment and self.is_live.at(moment)


@dataclass(frozen=True)
class Entry:
    """A stage that the deal entered ``at`` a time that was told here at ``known_at``."""

    stage: int
    kind: str
    at: dt.datetime
    known_at: dt.datetime
    probability: int
    temperature: str
    name: str = ""


@dataclass(frozen=True)
class DealHistory:
    """A deal over time; ``entries`` in their order. Where a change didn't record what was before, the stage says it."""

    pk: int
    entries: Sequence[Entry]
    probability: Course[int | None]
    temperature: Course[str | None]
    start_on: Course[dt.date | None]
    close_date: Course[dt.date | None]
    is_archived: Course[bool]
    service_line: int | None = None
    needs: Sequence[NeedHistory] = ()
    accepted_at: dt.datetime | None = None

    @property
    def win(self) -> Entry | None:
        """How it was won, if it stands as won and wasn't put away."""
        last = self.entries[-1]
        return last if last.kind == "won" and not self.is_archived.now else None

    def entry(self, moment: dt.datetime) -> Entry | None:
        """The stage in which it stood, as far as that was known."""
        for entry in reversed(self.entries):
            if entry.known_at < moment:
                return entry
        return None

    @cached_property
    def turns(self) -> list[dt.datetime]:
        """All moments at which anything about it changed; in between it is seen alike."""
        courses: list[Course[Any]] = [
            self.probability, self.temperature, self.start_on, self.close_date, self.is_archived,
        ]  # fmt: skip
        for need in self.needs:
            courses += [need.is_live, need.shape]
        found = {at for course in courses for at, _before in course.changes}
        found |= {at for entry in self.entries for at in (entry.at, entry.known_at)}
        found |= {need.asked_at for need in self.needs}
        return sorted(found | ({self.accepted_at} if self.accepted_at is not None else set()))

    def is_settled(self, moment: dt.datetime) -> bool:
        """Whether nothing was to be foreseen of it any more: it never has needs, or had closed for good."""
        last = self.entries[-1]
        return not self.needs or (last.kind != "open" and last.known_at < moment)

    def shapes(self, moment: dt.datetime) -> list[Shape | None]:
        """What was asked for."""
        return [need.shape.at(moment) for need in self.needs if need.counts(moment)]


@dataclass(frozen=True)
class View:
    """A deal as it was seen at a moment. ``needs`` are empty unless it is seen."""

    deal: int
    sight: Sight
    entry: Entry | None = None
    percent: int = 0
    temperature: str = ""
    starts_on: dt.date | None = None
    is_engaged: bool = False
    needs: tuple[Shape, ...] = field(default=())

    @property
    def hours(self) -> float:
        """That it asked for over all weeks."""
        return sum(need.total for need in self.needs)


def view(deal: DealHistory, moment: dt.datetime, *, start_after: dt.timedelta) -> View:
    """What was known of the deal when the moment came; ``start_after`` is added to the close date without a start."""
    entry = deal.entry(moment)
    if entry is None:
        was_there = deal.entries[0].at < moment
        return View(deal.pk, Sight.TOLD_LATER if was_there else Sight.NOT_THERE)
    if entry.kind == "won":
        return View(deal.pk, Sight.CLOSED, entry)
    if entry.kind != "open" or deal.is_archived.at(moment):
        return View(deal.pk, Sight.NOT_THERE, entry)
    percent, temperature = deal.probability.at(moment), deal.temperature.at(moment)
    starts_on = _start(deal.start_on.at(moment), deal.close_date.at(moment), start_after)
    asked = deal.shapes(moment)
    needs = tuple(shape for shape in asked if shape is not None)
    sight = Sight.SEEN
    if not asked:
        sight = Sight.NO_NEEDS
    elif len(needs) < len(asked):
        sight = Sight.UNRECORDED
    elif starts_on is None:
        sight = Sight.NO_DATE
    return View(
        deal.pk, sight, entry, entry.probability if percent is None else percent, temperature or entry.temperature,
        starts_on, deal.accepted_at is not None and deal.accepted_at < moment, needs if sight is Sight.SEEN else (),
    )  # fmt: skip


class Views:
    """Deals as they were seen at one moment after another; what stayed alike is not looked at again."""

    def __init__(self, start_after: dt.timedelta) -> None:
        self._start_after = start_after
        self._last: dict[int, tuple[int, View]] = {}

    def of(self, deal: DealHistory, moment: dt.datetime) -> View:
        """As ``view``."""
        turn = bisect_left(deal.turns, moment)
        known = self._last.get(deal.pk)
        if known is None or known[0] != turn:
            known = self._last[deal.pk] = (turn, view(deal, moment, start_after=self._start_after))
        return known[1]


class Apart(enum.Enum):
    """Why a win is compared with nothing."""

    NO_NEEDS = "no_needs"
    LATE_NEEDS = "late_needs"
    IMPORTED = "imported"
    UNRECORDED = "unrecorded"


@dataclass(frozen=True)
class Win:
    """A deal that was won, with what it took as it stood at the end of that day, and when its work began."""

    deal: DealHistory
    on: dt.date
    starts_on: dt.date
    needs: tuple[Shape, ...]

    @property
    def hours(self) -> float:
        """Over all weeks."""
        return sum(need.total for need in self.needs)

    def in_week(self, monday: dt.date) -> Iterable[tuple[int, float]]:
        """Role and hours of what it takes in that week."""
        week = (monday - monday_of(self.starts_on)).days // 7
        return ((need.role, need.hours) for need in self.needs if need.offset <= week < need.offset + need.weeks)


def win_of(deal: DealHistory, *, home: Calendar) -> Win | Apart | None:
    """What came of the deal: None unless it stands as won; Apart where history can't say what it took or was before.

    Work doesn't begin before the win; for the rest its start is the one that is named today.
    """
    entry = deal.win
    if entry is None:
        return None
    if deal.entries[0].known_at >= entry.known_at:
        return Apart.IMPORTED
    on = home.day(entry.at)
    asked = deal.shapes(home.midnight(home.day(entry.known_at) + dt.timedelta(days=1)))
    if not asked:
        return Apart.LATE_NEEDS if any(need.is_live.now for need in deal.needs) else Apart.NO_NEEDS
    needs = tuple(shape for shape in asked if shape is not None)
    if len(needs) < len(asked):
        return Apart.UNRECORDED
    starts_on = deal.start_on.now or on + home.start_after
    return Win(deal, on, max(starts_on, on), needs)


@dataclass(frozen=True)
class Calendar:
    """Days where the organisation is, and how long after closing its work begins."""

    zone: dt.tzinfo
    start_after: dt.timedelta

    def day(self, moment: dt.datetime) -> dt.date:
        """The date at the moment."""
        return moment.astimezone(self.zone).date()

    def midnight(self, day: dt.date) -> dt.datetime:
        """The moment at which the day begins."""
        return dt.datetime.combine(day, dt.time(), self.zone)


def _start(start_on: dt.date | None, close_date: dt.date | None, start_after: dt.timedelta) -> dt.date | None:
    if start_on is not None or close_date is None:
        return start_on
    try:
        return close_date + start_after
    except OverflowError:
        return close_date
