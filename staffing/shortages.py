"""Hiring signals: which role is short, from when until when, of how many people, and which deals drive it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from accounts.models import User
from staffing.horizon import CONFIDENCE, Horizon, cell_drivers
from staffing.horizon_inputs import Inputs
from staffing.horizon_queries import FULL_TIME, MOVED_BY, Cell, DriverLine, cell_of, driver_lines
from staffing.models import WorkRole

# Short for this many weeks or more, it is worth hiring; hiring takes about as long.
LASTING = 8
# Weeks that fit between two that don't are too few to end a shortage.
BRIDGED = 1
# Shortages whose drivers are looked for, the worst first, and drivers of each.
MOST_EXPLAINED, MOST_DRIVERS = 20, 3


@dataclass(frozen=True)
class Shortage:
    """A role that doesn't fit with the confidence asked for, from the week ``first`` to ``last``.

    ``lacking`` people would be enough in its ``worst`` week; of them ``sure`` are lacking for confirmed work alone.
    ``short_weeks`` of its weeks don't fit. ``goes_on`` where the horizon ends before it does.
    """

    role: WorkRole
    people: int
    first: Cell
    last: Cell
    worst: Cell
    short_weeks: int
    lacking: float
    sure: float
    goes_on: bool
    drivers: list[DriverLine]

    @property
    def is_lasting(self) -> bool:
        """Whether it is long enough to hire for."""
        return self.short_weeks >= LASTING


def shortages(user: User, inputs: Inputs, horizon: Horizon) -> list[Shortage]:
    """The worst first: most people lacking, times weeks. One query, however many there are."""
    found = [
        (row, first, last) for row in range(len(inputs.roles))
        for first, last in _stretches(horizon.overload_probability[row] > 1 - CONFIDENCE + 1e-9)
    ]  # fmt: skip
    lacks = np.maximum(horizon.p80 - horizon.capacity, 0) / FULL_TIME
    sure = np.maximum(horizon.confirmed - horizon.capacity, 0) / FULL_TIME
    found.sort(key=lambda one: (-float(lacks[one[0], one[1] : one[2] + 1].sum()), one))
    worst = {one: one[1] + int(lacks[one[0], one[1] : one[2] + 1].argmax()) for one in found}
    behind = [
        cell_drivers(horizon, one[0], worst[one], move_by=MOVED_BY)[:MOST_DRIVERS] for one in found[:MOST_EXPLAINED]
    ]
    chances = [float(horizon.overload_probability[one[0], worst[one]]) for one in found[:MOST_EXPLAINED]]
    lines = driver_lines(user, list(zip(behind, chances, strict=True)))
    return [
        Shortage(
            inputs.roles[row], inputs.people[row], cell_of(inputs, horizon, row, first),
            cell_of(inputs, horizon, row, last), cell_of(inputs, horizon, row, worst[row, first, last]),
            int((horizon.overload_probability[row, first : last + 1] > 1 - CONFIDENCE + 1e-9).sum()),
            float(lacks[row, worst[row, first, last]]), float(sure[row, worst[row, first, last]]),
            last == inputs.weeks - 1, lines[number] if number < len(lines) else [],
        )
        for number, (row, first, last) in enumerate(found)
    ]  # fmt: skip


def _stretches(unsafe: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Iterator[tuple[int, int]]:
    """First and last of the weeks in a row that don't fit; a single week that fits between them doesn't count."""
    weeks = np.flatnonzero(unsafe)
    if not len(weeks):
        return
    gaps = np.flatnonzero(np.diff(weeks) > BRIDGED + 1)
    for first, last in zip([0, *(gaps + 1)], [*gaps, len(weeks) - 1], strict=True):
        yield int(weeks[first]), int(weeks[last])
