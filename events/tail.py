"""Following the Event table: every event once, as soon as it can be seen, also when ids commit out of order.

A transaction takes its ids before it commits, so a higher id may be seen before a lower one. The tail remembers the
ids in between. It forgets one when every transaction that ran when the gap was first seen has ended: then nobody can
fill it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from threading import Event as Flag
from threading import Thread
from typing import Any

import structlog

from events.listening import LOST, Listener
from events.models import Event

log = structlog.get_logger(__name__)

PAGE = 1_000
PRIMED = 1_000  # how many ids before the start are looked at for gaps
MOST_GAPS = 10_000
# An id may be taken a moment before its transaction counts as running.
GRACE_SECONDS = 10.0
COALESCE_SECONDS = 0.02
LONGEST_PAUSE = 5.0

COLUMNS = "id, name, subject_kind, subject_id, opportunity_id, team_id, service_line_id, user_ids, transaction_id"
_SNAPSHOT = """
select pg_snapshot_xmin(now)::text::bigint as oldest_running, pg_snapshot_xmax(now)::text::bigint as next_one
from pg_current_snapshot() now
"""
_NEW = f"""
select snapshot.*, event.* from ({_SNAPSHOT}) snapshot left join lateral (
    select {COLUMNS} from events_event where id = any(%(gaps)s)
    union all
    (select {COLUMNS} from events_event where id > %(last)s order by id limit {PAGE})
) event on true order by event.id
"""  # noqa: S608 - constants of this module
_START = f"select snapshot.*, (select max(id) from events_event) from ({_SNAPSHOT}) snapshot"  # noqa: S608


@dataclass(frozen=True)
class Position:
    """How far a reader has come: the highest id seen, and the oldest transaction that was still running then."""

    last_id: int
    oldest_running: int

    def __str__(self) -> str:
        return f"{self.last_id}-{self.oldest_running}"

    @classmethod
    def parse(cls, text: str) -> Position | None:
        """The position that a browser sends back, or None if it is not one of ours."""
        first, dash, second = text.partition("-")
        if dash and first.isascii() and second.isascii() and first.isdigit() and second.isdigit() and len(text) < 40:
            return cls(int(first), int(second))
        return None

    def is_before(self, event: Event) -> bool:
        """Whether the reader may not have seen this event yet."""
        return event.id > self.last_id or event.transaction_id >= self.oldest_running


@dataclass(frozen=True)
class News:
    """What one look brought."""

    events: Sequence[Event]
    position: Position


@dataclass
class Follower:
    """Where the tail stands. Pure bookkeeping: rows in, events out."""

    last_id: int = 0
    # Missing id -> (transactions from this one on can't hold it, when it was first missed).
    gaps: dict[int, tuple[int, float]] = field(default_factory=dict)

    def take(self, events: Iterable[Event], *, oldest_running: int, next_one: int, at: float) -> list[Event]:
        """The events not taken before. ``at`` is a monotonic time in seconds."""
        fresh = []
        for event in events:
            if event.id > self.last_id:
                first = max(self.last_id + 1, event.id - MOST_GAPS)
                self.gaps.update((missing, (next_one, at)) for missing in range(first, event.id))
                self.last_id = event.id
                fresh.append(event)
            elif self.gaps.pop(event.id, None) is not None:
                fresh.append(event)
        self._forget(oldest_running, at)
        return fresh

    def _forget(self, oldest_running: int, at: float) -> None:
        for missing, (barrier, since) in list(self.gaps.items()):
            if oldest_running >= barrier and at - since > GRACE_SECONDS:
                del self.gaps[missing]
        for missing in sorted(self.gaps)[: max(len(self.gaps) - MOST_GAPS, 0)]:
            del self.gaps[missing]


class Tail:
    """One thread that follows the table and calls ``publish`` with what is new."""

    def __init__(self, publish: Callable[[News], None]) -> None:
        self._publish = publish
        self._follower: Follower | None = None
        self._stop = Flag()
        self._thread = Thread(target=self._run, name="live-tail", daemon=True)

    def start(self) -> None:
        """Begin to follow; the first news are empty and tell the position of the start."""
        self._thread.start()

    def stop(self) -> None:
        """Let the thread end; it does so within a fraction of a second."""
        self._stop.set()

    def _run(self) -> None:
        pause = 0.0
        while not self._stop.wait(pause):
            listener: Listener | None = None
            try:
                listener = Listener()
                if self._follower is None:
                    self._prime(listener)
                pause = 0.0
                while not self._stop.is_set():
                    self._look(listener)
                    listener.wait(self._stop)
                    self._stop.wait(COALESCE_SECONDS)
            except LOST as error:
                pause = min(max(pause * 2, 0.2), LONGEST_PAUSE)
                log.warning("live tail lost the database", error=str(error).strip(), pause=pause)
            finally:
                if listener is not None:
                    listener.close()

    def _prime(self, listener: Listener) -> None:
        """Start at the end of the table, knowing which of the last ids are still to come."""
        oldest_running, _next_one, last = listener.rows(_START, {})[0]
        follower = Follower(last_id=max((last or 0) - PRIMED, 0))
        rows = listener.rows(_NEW, {"gaps": [], "last": follower.last_id})
        events = [event_of(row[2:]) for row in rows if row[2] is not None and row[2] <= (last or 0)]
        follower.take(events, oldest_running=oldest_running, next_one=rows[0][1], at=time.monotonic())
        self._follower = follower
        self._publish(News([], Position(follower.last_id, oldest_running)))

    def _look(self, listener: Listener) -> None:
        assert self._follower is not None
        follower = self._follower
        while True:
            rows = listener.rows(_NEW, {"gaps": list(follower.gaps), "last": follower.last_id})
            oldest_running, next_one = rows[0][:2]
            seen = [event_of(row[2:]) for row in rows if row[2] is not None]
            fresh = follower.take(seen, oldest_running=oldest_running, next_one=next_one, at=time.monotonic())
            if fresh:
                self._publish(News(fresh, Position(follower.last_id, oldest_running)))
            if len(seen) < PAGE:
                return


def event_of(row: Sequence[Any]) -> Event:
    """An event from the columns named in COLUMNS; its data is left out."""
    return Event(**dict(zip(COLUMNS.split(", "), row, strict=True)))
