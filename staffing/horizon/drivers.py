"""The deals that drive the demand of one cell: what it would be without each of them, or if each began later."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from staffing.horizon.convolution import deal_weights
from staffing.horizon.demand import Demand, Ints
from staffing.horizon.distribution import Horizon, check_cell, overload
from staffing.horizon.grid import Complexes, Floats, Transforms, transform_size


@dataclass(frozen=True, slots=True)
class Driver:
    """A deal that can ask hours of a cell, and how much the cell's overload falls without it.

    `chance` is that of asking any hours there, `expected_hours` what it asks on average, lost or won. The falls are of
    P(demand > capacity) and of the expected overload in hours; a fall below zero, possible only where the deal is
    moved, is a rise.
    """

    key: Hashable
    chance: float
    expected_hours: float
    probability_fall_if_lost: float
    hours_fall_if_lost: float
    probability_fall_if_moved: float
    hours_fall_if_moved: float


def cell_drivers(horizon: Horizon, role: int, week: int, *, move_by: int = 4) -> tuple[Driver, ...]:
    """The deals that can ask hours of the cell, first the one without which expected overload falls most.

    Among equals the fall of the probability of overload decides, then expected hours. Exact as the horizon is, on its
    grid. `move_by` weeks is how much later each would be planned, with the same shift around the new start. Raises
    IndexError for a cell outside the horizon.
    """
    check_cell(horizon, role, week)
    demand = horizon.demand.taken(horizon.demand.stretches.role == role)
    deal, hours, chance = _asked(demand, horizon.weeks, week, 0)
    deals, number = np.unique(deal, return_inverse=True)
    if not len(deals):
        return ()
    elsewhere, other_hours, other_chance = _asked(demand, horizon.weeks, week, move_by)
    known = np.isin(elsewhere, deals)
    other, other_hours, other_chance = np.searchsorted(deals, elsewhere[known]), other_hours[known], other_chance[known]
    step, most = float(horizon.grid[role, week]), np.zeros(len(deals))
    np.maximum.at(most, np.concatenate([number, other]), np.concatenate([hours, other_hours]))
    transform = Transforms(step, transform_size(int(np.ceil(most / step - 1e-9).sum()) + 1))
    factors = _factors(transform, len(deals), number, hours, chance)
    others = _without_each(factors)
    moved = others * _factors(transform, len(deals), other, other_hours, other_chance)
    cases = np.concatenate([others[:1] * factors[:1], others, moved])
    working = float(horizon.working[role, week])
    free = np.full(len(cases), horizon.free[role, week])
    cumulative = np.cumsum(np.fft.irfft(cases, n=transform.size, axis=1), axis=1)
    probability, lacking = overload(cumulative, step, free)
    falls = [_fall(figure).reshape(2, len(deals)) for figure in (probability, working * lacking)]
    found = [
        Driver(
            horizon.demand.keys[deals[i]], float(chance[number == i].sum()),
            working * float((chance * hours)[number == i].sum()),
            float(falls[0][0, i]), float(falls[1][0, i]), float(falls[0][1, i]), float(falls[1][1, i]),
        )
        for i in range(len(deals))
    ]  # fmt: skip
    return tuple(
        sorted(found, key=lambda one: (-one.hours_fall_if_lost, -one.probability_fall_if_lost, -one.expected_hours))
    )


def _asked(demand: Demand, weeks: int, week: int, moved: int) -> tuple[Ints, Floats, Floats]:
    """Number of the deal, hours and chance of what can be asked in the week."""
    found = demand.occurrences(weeks, moved=moved)
    here = found.week == week
    stretch = found.stretch[here]
    return demand.stretches.deal[stretch], demand.stretches.hours[stretch], found.chance[here]


def _factors(transform: Transforms, deals: int, deal: Ints, hours: Floats, chance: Floats) -> Complexes:
    """Each deal's characteristic function, [deals, frequencies]."""
    weights, rows = deal_weights(transform, deals, deal, hours, chance)
    return np.asarray((weights @ rows).view(np.complex128))


def _without_each(factors: Complexes) -> Complexes:
    """Row i is the product of all rows but the i-th, without dividing (a factor may be 0)."""
    before, after = np.ones_like(factors), np.ones_like(factors)
    np.multiply.accumulate(factors[:-1], axis=0, out=before[1:])
    np.multiply.accumulate(factors[:0:-1], axis=0, out=after[-2::-1])
    return np.asarray(before * after)


def _fall(figures: Floats) -> Floats:
    """From the first to each of the others; what is only rounding counts as none."""
    falls = figures[0] - figures[1:]
    falls[np.abs(falls) < 1e-9] = 0.0
    return np.asarray(falls)
