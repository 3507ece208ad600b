"""The best team for all needs of a deal at once: arrays in, arrays out, without Django.

One person may take part of several needs, and several people may share one. Whoever is best for one need may be
wanted more for another, so picking the best for each in turn is not the best for all; this is a mixed-integer linear
programme, solved by HiGHS through SciPy (Huangfu and Hall, 2018, doi:10.1007/s12532-017-0130-5).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

Floats = npt.NDArray[np.float64]

# Whoever is away in one week of five counts as free: somebody stands in for them.
WEEKS_AWAY = 0.2
# Nobody is asked for less than a day a week, unless no more is needed.
LEAST_HOURS = 8.0
# What the best person adds to the worth of an hour that is covered at all.
WORTH_OF_QUALITY = 0.5
# What each further person costs, as a part of the need: they have to talk to each other.
COST_OF_A_PERSON = 0.1
# People looked at for one need, the best first; and the seconds after which the best team so far will do.
MOST_CONSIDERED, MOST_SECONDS = 40, 2.0
TENTH = 10.0


@dataclass(frozen=True, slots=True)
class Ask:
    """`hours` a week in the weeks numbered from `first`, `weeks` of them."""

    hours: float
    first: int
    weeks: int

    @property
    def span(self) -> slice:
        """Its weeks."""
        return slice(self.first, self.first + self.weeks)


@dataclass(frozen=True, eq=False)
class Team:
    """Hours a week of each person for each ask, [asks, people], in tenths; `is_best` if nothing better exists."""

    hours: Floats
    is_best: bool


def best_team(asks: Sequence[Ask], quality: Floats, free: Floats) -> Team:
    """The team that covers the most hours with the ablest people, and with few of them.

    `quality` [asks, people] is 0 to 1, NaN for whoever can't do it; `free` [people, weeks] are hours a week. Maximises

        Σ weeks · (hours · (1 + quality / 2) − asked hours / 10 for each person of an ask)

    where nobody is given more hours than they have free in four of five weeks of an ask, of all asks that overlap
    together, and at least a day a week. Raises ValueError for arrays that don't fit each other.
    """
    if quality.shape != (len(asks), len(free)) or any(ask.first + ask.weeks > free.shape[1] for ask in asks):
        raise ValueError("Quality is by ask and person, free hours by person and week, and asks lie in these weeks.")
    nobody = Team(np.zeros(quality.shape), is_best=True)
    which, who, most = _pairs(asks, quality, free)
    if not len(which):
        return nobody
    asked = np.array([ask.hours for ask in asks])[which]
    weeks = np.array([ask.weeks for ask in asks], dtype=np.float64)[which]
    worth = weeks * (1 + WORTH_OF_QUALITY * quality[which, who])
    # Variables: the hours of each pair, then whether it is chosen.
    rows = _Rows(2 * len(which))
    for number, ask in enumerate(asks):
        rows.add(np.flatnonzero(which == number), ask.hours)
    for pair in range(len(which)):
        rows.add(np.array([pair, len(which) + pair]), 0.0, np.array([1.0, -most[pair]]))
        least = min(LEAST_HOURS, asked[pair], most[pair])
        rows.add(np.array([pair, len(which) + pair]), 0.0, np.array([-1.0, least]))
    for active, span in _overlaps(asks):
        for person in np.unique(who):
            pairs = np.flatnonzero((who == person) & np.isin(which, active))
            if len(pairs) > 1:
                rows.add(pairs, float(_dependable(free[person : person + 1, span])[0]))
    found = milp(
        np.concatenate([-worth, COST_OF_A_PERSON * asked * weeks]),
        integrality=np.concatenate([np.zeros(len(which)), np.ones(len(which))]),
        bounds=Bounds(0.0, np.concatenate([most, np.ones(len(which))])),
        constraints=rows.constraint(),
        options={"time_limit": MOST_SECONDS},
    )
    if found.x is None:
        return Team(nobody.hours, is_best=False)
    hours = nobody.hours.copy()
    hours[which, who] = np.floor(found.x[: len(which)] * TENTH + 1e-6) / TENTH
    return Team(hours, is_best=found.status == 0)


class _Rows:
    """Constraints `coefficients · variables ≤ limit`, collected one by one."""

    def __init__(self, variables: int) -> None:
        self.variables = variables
        self.limits: list[float] = []
        self._cells: list[tuple[npt.NDArray[np.int64], Floats]] = []

    def add(self, variables: npt.NDArray[np.int64], limit: float, coefficients: Floats | None = None) -> None:
        """One more; coefficients are 1 where they are not given."""
        self._cells.append((variables, np.ones(len(variables)) if coefficients is None else coefficients))
        self.limits.append(limit)

    def constraint(self) -> LinearConstraint:
        """All of them."""
        row = np.repeat(np.arange(len(self._cells)), [len(variables) for variables, _values in self._cells])
        column = np.concatenate([variables for variables, _values in self._cells])
        values = np.concatenate([values for _variables, values in self._cells])
        matrix = coo_array((values, (row, column)), shape=(len(self._cells), self.variables)).tocsr()
        return LinearConstraint(matrix, ub=np.array(self.limits))


def _pairs(
    asks: Sequence[Ask], quality: Floats, free: Floats
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]:
    """Asks and people that come together at all, and how many hours a week at most."""
    which, who, most = [], [], []
    for number, ask in enumerate(asks):
        hours = np.minimum(_dependable(free[:, ask.span]), ask.hours)
        able = ~np.isnan(quality[number]) & (hours >= min(LEAST_HOURS, ask.hours)) & (hours > 0)
        found = np.flatnonzero(able)
        worth = hours[found] * (1 + quality[number, found])
        chosen = found[np.argsort(-worth, kind="stable")][:MOST_CONSIDERED]
        which.append(np.full(len(chosen), number))
        who.append(chosen)
        most.append(hours[chosen])
    if not which:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)
    return np.concatenate(which), np.concatenate(who), np.concatenate(most)


def _dependable(free: Floats) -> Floats:
    """Hours a week that each row has free in at least four of five of its weeks."""
    weeks = free.shape[1]
    if not weeks:
        return np.zeros(len(free))
    return np.asarray(np.sort(free, axis=1)[:, int(WEEKS_AWAY * weeks)])


def _overlaps(asks: Sequence[Ask]) -> list[tuple[list[int], slice]]:
    """Stretches of weeks in which the same two or more asks run, with their numbers."""
    edges = sorted({edge for ask in asks for edge in (ask.first, ask.first + ask.weeks)})
    found = []
    for begin, end in itertools.pairwise(edges):
        active = [number for number, ask in enumerate(asks) if ask.first <= begin and end <= ask.first + ask.weeks]
        if len(active) > 1:
            found.append((active, slice(begin, end)))
    return found
