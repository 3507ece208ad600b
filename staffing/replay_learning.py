"""What our own history had taught by a day: only from deals whose closing was known here before it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from staffing.horizon_learning import ENOUGH_CLOSED, RECENT, History, Share, slips_of


@dataclass(frozen=True)
class Closing:
    """A deal that was won or lost, and the open stages it went through.

    It counts from ``known_at`` until it was opened again or put away. ``slip`` in weeks, from the close date planned
    first; ``has_moved`` says whether that date was moved before the deal closed.
    """

    deal: int
    stage: int
    is_won: bool
    closed_on: dt.date
    known_at: dt.datetime
    until: dt.datetime | None
    went_through: frozenset[int]
    slip: int = 0
    has_moved: bool = False


class Closings:
    """All closings that may matter, for asking again and again; pure arithmetic."""

    def __init__(self, rows: Sequence[Closing]) -> None:
        self.rows = sorted(rows, key=lambda row: (row.closed_on, row.deal), reverse=True)
        self._known: dict[dt.datetime, History] = {}

    def at(self, moment: dt.datetime) -> History:
        """What ``horizon_learning.learn`` would have said when the moment came."""
        if moment not in self._known:
            self._known[moment] = self._learn(moment)
        return self._known[moment]

    def _learn(self, moment: dt.datetime) -> History:
        known, until, stage, day = self._columns
        stamp = moment.timestamp()
        there = (known < stamp) & (until >= stamp)
        latest = np.zeros(len(stage), dtype=np.bool_)
        since = -math.inf
        for each in np.unique(stage[there]).tolist():
            of_stage = np.flatnonzero(there & (stage == each))[:RECENT]
            latest[of_stage] = True
            if len(of_stage) == RECENT:
                since = max(since, float(day[of_stage[-1]]))
        won = self._won
        counted = latest & (day > since)
        closed = self._went[counted].sum(axis=0)
        wins = self._went[counted & won].sum(axis=0)
        shares = {
            pk: Share(int(closed[column]), int(wins[column]))
            for pk, column in self._stages.items()
            if closed[column] >= ENOUGH_CLOSED
        }
        slips, deals = np.unique(self._slips[latest & won], axis=0, return_counts=True)
        told = zip(slips.tolist(), deals.tolist(), strict=True)
        return History(shares, slips_of([(weeks, bool(moved), count) for (weeks, moved), count in told]))

    @cached_property
    def _columns(self) -> tuple[npt.NDArray[np.float64], ...]:
        columns = [
            (row.known_at.timestamp(), row.until.timestamp() if row.until else math.inf, row.stage,
             row.closed_on.toordinal())
            for row in self.rows
        ]  # fmt: skip
        table = np.array(columns, dtype=np.float64).reshape(-1, 4)
        return tuple(table.T)

    @cached_property
    def _won(self) -> npt.NDArray[np.bool_]:
        return np.array([row.is_won for row in self.rows], dtype=np.bool_)

    @cached_property
    def _slips(self) -> npt.NDArray[np.int64]:
        return np.array([(row.slip, row.has_moved) for row in self.rows], dtype=np.int64).reshape(-1, 2)

    @cached_property
    def _stages(self) -> dict[int, int]:
        return {pk: column for column, pk in enumerate(sorted({pk for row in self.rows for pk in row.went_through}))}

    @cached_property
    def _went(self) -> npt.NDArray[np.bool_]:
        went = np.zeros((len(self.rows), len(self._stages)), dtype=np.bool_)
        for number, row in enumerate(self.rows):
            went[number, [self._stages[pk] for pk in row.went_through]] = True
        return went
