"""What the horizon would have said of past weeks so long before them, against what came; NumPy alone.

Foreseen is the demand of deals that were open then, with the chances, dates and needs of that day. It came where such a
deal was won and its work fell into the week. Work that was sure already is neither, and capacity plays no part.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from staffing.horizon import Need, OpenDeal, compute_horizon
from staffing.horizon_learning import History
from staffing.replay import Calendar, DealHistory, Sight, View, Views, Win
from staffing.replay_learning import Closings
from staffing.weeks import monday_of

Floats = npt.NDArray[np.float64]

# From so many wins whose hours came in the weeks, figures are given.
ENOUGH_WINS = 10
SECOND = 1e-6


@dataclass(frozen=True, eq=False)
class BackTest:
    """Hours by role and week [R + 1, weeks]; the last row is all roles together.

    ``came`` of deals that were known and open then, ``surprised`` of deals that weren't. ``wins`` [R + 1] that brought
    any hours in these weeks. ``untold`` deals are left out of weeks, since history can't tell what was known of them.
    """

    mondays: Sequence[dt.date]
    lead: int
    expected: Floats
    p50: Floats
    p80: Floats
    came: Floats
    surprised: Floats
    wins: npt.NDArray[np.int64]
    untold: int


@dataclass(frozen=True)
class Figures:
    """How well a row was foreseen, over the weeks in which something was foreseen or came.

    Hours a week: ``expected`` and ``came`` on average, ``bias`` their difference (above 0: more came than expected),
    ``error`` how far they were apart, whichever way. Shares from 0 to 1: of weeks at or below P80, the same with
    surprises counted in, and of all hours that came as a surprise.
    """

    weeks: int
    wins: int
    expected: float
    came: float
    bias: float
    error: float
    within_p80: float
    within_p80_with_surprises: float
    surprise_share: float


def back_test(
    deals: Sequence[DealHistory],
    wins: Mapping[int, Win],
    closings: Closings,
    *,
    mondays: Sequence[dt.date],
    lead: int,
    rows: Mapping[int, int],
    home: Calendar,
) -> BackTest:
    """Each of the weeks as it was foreseen ``lead`` weeks before; ``rows`` are those of the roles, from 0 on.

    All weeks are computed in one go, each as if its roles were others.
    """
    size, count = len(rows) + 1, len(mondays)
    tally = _Tally(np.zeros((size, count)), np.zeros((size, count)), [set() for _row in range(size)], set())
    open_deals: list[OpenDeal] = []
    views = Views(home.start_after)
    for week, monday in enumerate(mondays):
        day = monday - dt.timedelta(weeks=lead)
        moment = home.midnight(day)
        learned = closings.at(moment)
        for deal in deals:
            if deal.is_settled(moment):
                continue
            seen = views.of(deal, moment)
            if seen.sight is Sight.SEEN:
                found = open_deal(seen, learned, day, rows=rows, lead=lead, offset=week * size, size=size, key=week)
                open_deals += [found] if found is not None else []
            elif seen.sight is Sight.UNRECORDED:
                tally.untold.add(deal.pk)
            if deal.pk in wins and seen.sight is not Sight.CLOSED:
                tally.add(week, seen, wins[deal.pk].in_week(monday), rows)
    nothing = np.zeros((size * count, 1))
    horizon = compute_horizon(nothing, nothing, open_deals)
    expected, p50, p80 = (
        np.ascontiguousarray(values.reshape(count, size).T) for values in (horizon.expected, horizon.p50, horizon.p80)
    )
    brought = np.array([len(keys) for keys in tally.brought])
    return BackTest(mondays, lead, expected, p50, p80, tally.came, tally.surprised, brought, len(tally.untold))


@dataclass(frozen=True, eq=False)
class _Tally:
    """Hours that came, [R + 1, weeks], and the deals that brought them to each row."""

    came: Floats
    surprised: Floats
    brought: list[set[int]]
    untold: set[int]

    def add(self, week: int, seen: View, hours: Iterable[tuple[int, float]], rows: Mapping[int, int]) -> None:
        """What a won deal took in the week, by whether it was known and open when the week was foreseen."""
        into = self.came if seen.sight.is_open else self.surprised
        for role, each in hours:
            if not seen.sight.is_told:
                self.untold.add(seen.deal)
                continue
            for row in (rows[role], len(self.brought) - 1):
                into[row, week] += each
                self.brought[row].add(seen.deal)


def open_deal(
    seen: View, learned: History, day: dt.date, *, rows: Mapping[int, int], lead: int, offset: int, size: int, key: int
) -> OpenDeal | None:
    """The deal as the horizon of the day takes it, for the one week that lies ``lead`` weeks ahead.

    Needs of a role stand in its row and in the last one, both from ``offset`` on. None if it can't reach the week.
    """
    if seen.starts_on is None or seen.entry is None:
        return None
    start = max((monday_of(seen.starts_on) - monday_of(day)).days // 7, 0) - lead
    shift = learned.slips.shift
    last = shift.first + len(shift.chances) - 1
    needs = [
        Need(offset + row, need.hours, need.weeks, need.offset)
        for need in seen.needs
        if start + need.offset + shift.first <= 0 < start + need.offset + need.weeks + last
        for row in (rows[need.role], size - 1)
    ]
    return OpenDeal((key, seen.deal), chance_of(seen, learned), start, tuple(needs), shift) if needs else None


def chance_of(seen: View, learned: History) -> float:
    """The share of deals won from its stage where enough had closed by then, else what the deal said."""
    share = learned.shares.get(seen.entry.stage) if seen.entry is not None else None
    return share.chance if share else seen.percent / 100


def figures(test: BackTest, row: int) -> Figures | None:
    """Of a row; None while too few deals were won to say anything."""
    wins = int(test.wins[row])
    expected, came, surprised, p80 = (
        values[row] for values in (test.expected, test.came, test.surprised, test.p80)
    )  # fmt: skip
    counted = (expected > SECOND) | (came > SECOND) | (surprised > SECOND)
    if wins < ENOUGH_WINS or not counted.any():
        return None
    expected, came, surprised, p80 = expected[counted], came[counted], surprised[counted], p80[counted]
    everything = float((came + surprised).sum())
    return Figures(
        int(counted.sum()), wins, float(expected.mean()), float(came.mean()), float((came - expected).mean()),
        float(np.abs(came - expected).mean()), float((came <= p80 + SECOND).mean()),
        float((came + surprised <= p80 + SECOND).mean()), float(surprised.sum()) / everything if everything else 0.0,
    )  # fmt: skip
