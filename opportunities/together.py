"""What other apps do in the very transaction of a move: one registry, filled in their AppConfig.ready.

Most of what follows from a move is done afterwards, by the handlers of its events. A win is different: it must not
stand without what it brings. What is registered here sees the events of the move just recorded, and may refuse the
move by raising.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from events.models import Event

Follower = Callable[[Sequence[Event], dt.datetime], None]
FOLLOWERS: dict[str, Follower] = {}


def register(name: str, follower: Follower) -> None:
    """Add a follower under a name, which can be taken once."""
    if name in FOLLOWERS:
        raise ValueError(f"The follower {name!r} is registered twice.")
    FOLLOWERS[name] = follower


def follow_together(events: Sequence[Event], now: dt.datetime) -> None:
    """Let every follower act on the events of a move, in the caller's transaction."""
    for follower in FOLLOWERS.values():
        follower(events, now)
