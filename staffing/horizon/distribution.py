"""Demand against capacity per role and week, with its distribution.

All hours are hours per week. Arrays are [R, W]: roles by weeks, week 0 the first of the horizon.

**Weeks with holidays.** What a deal asks is stated in usual weeks. `Horizon.working` says which part of a usual week is
worked, and in that week the deal asks that part of its hours. Demand is computed in hours of usual weeks, where the
same hours stay the same, and compared with the free hours divided by the part; figures are multiplied by it again.

**Grid and error.** Open demand is computed on a grid of hours, with a step for each cell (`Horizon.grid`). The step is
the greatest common divisor of all hours that the role may be asked for, where the cell then needs at most 1,024 points;
nothing is rounded then, and figures are right to 1e-9. Otherwise it is the finest of ¼, ½, 1, 2, 4 … hours within 1,024
points, and hours h between two points are split between them so that their mean stays h. Confirmed hours and capacity
are never rounded.

With X the true open demand of a cell and X' = X + e the one computed, E(e | X) = 0 and e has the standard deviation
g = `Horizon.grid_error`, in hours; g = 0 where nothing was split. Therefore

- expected demand is exact (g is in hours of usual weeks, as the grid is);
- 0 ≤ E(X' − c)⁺ − E(X − c)⁺ ≤ g / 2 for every c (Jensen; E e⁺ = E|e| / 2 ≤ g / 2), so expected overload is never
  understated and at most g / 2 hours too high;
- P(X > c + t) − d ≤ P(X' > c) ≤ P(X > c − t) + d for every t > 0 with d = g² / (g² + t²) (Cantelli), for the
  probability of overload, and likewise for the percentiles.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from staffing.horizon.convolution import RoleDistribution, find_steps, open_distributions
from staffing.horizon.deals import OpenDeal
from staffing.horizon.demand import Bools, Demand, add_up, gather_demand, replace_demand
from staffing.horizon.grid import Floats, rounding_variance

TIE = 1e-9  # chances that differ by less count as equal
SECOND = 1e-6  # hours that differ by less count as equal
BOUNDLESS = 1e9  # hours; more than anybody asks
FIGURES = ("p50", "p80", "overload_probability", "expected_overload")


@dataclass(frozen=True, eq=False)
class Horizon:
    """What is known of demand per role and week; arrays [R, W] in hours per week, read-only.

    - `confirmed`: what is booked firmly or won; the other figures of demand contain it.
    - `expected`: confirmed and the mean of open demand, over winning and over shifts.
    - `exposure`: confirmed and all open deals, as if each were won, whatever its chance, and began in its planned week.
    - `p50`, `p80`: the least demand x with P(demand ≤ x) ≥ 0.5 or 0.8.
    - `overload_probability`: P(demand > capacity), 0 … 1. Demand that just fills capacity is no overload.
    - `expected_overload`: E max(demand − capacity, 0), the hours that are lacking on average.
    - `grid` and `grid_error`: the step and the standard deviation of rounding, see the module.
    - `working`: which part of a usual week is worked; above 1 only where a calendar has extra days.
    """

    capacity: Floats
    confirmed: Floats
    expected: Floats
    exposure: Floats
    p50: Floats
    p80: Floats
    overload_probability: Floats
    expected_overload: Floats
    grid: Floats
    grid_error: Floats
    working: Floats
    deals: Mapping[Hashable, OpenDeal]
    demand: Demand
    asked_grid: float | None = None

    @property
    def roles(self) -> int:
        return int(self.capacity.shape[0])

    @property
    def weeks(self) -> int:
        return int(self.capacity.shape[1])

    @property
    def free(self) -> Floats:
        """What is left beside confirmed work, in hours of usual weeks; boundless in weeks that nobody works in."""
        return free_hours(self.capacity, self.confirmed, self.working)


@dataclass(frozen=True, eq=False)
class CellDistribution:
    """P(demand of a cell is `hours[i]`) = `chances[i]`. Hours ascend, with the confirmed ones in them."""

    hours: Floats
    chances: Floats


def compute_horizon(
    capacity: npt.ArrayLike,
    confirmed: npt.ArrayLike,
    deals: Iterable[OpenDeal],
    *,
    working: npt.ArrayLike | None = None,
    grid: float | None = None,
) -> Horizon:
    """The horizon of these open deals over what is confirmed, [R, W] each; `grid` sets the step for all cells.

    `working` [R, W] is the part of a usual week that is worked, 1 where it isn't given. Raises ValueError for hours
    that are negative or no number, shapes that differ, a role that there isn't, or two deals with the same key.
    """
    capacity, confirmed = _hours(capacity, "Capacity"), _hours(confirmed, "Confirmed work")
    if capacity.shape != confirmed.shape:
        raise ValueError(f"Capacity is {capacity.shape} roles by weeks, but confirmed work {confirmed.shape}.")
    parts = np.ones(capacity.shape) if working is None else _hours(working, "The part of a week")
    if parts.shape != capacity.shape:
        raise ValueError(f"Capacity is {capacity.shape} roles by weeks, but the parts of a week {parts.shape}.")
    if grid is not None and not 0 < grid < np.inf:
        raise ValueError(f"The step of the grid must be a number of hours above 0, not {grid}.")
    deals = list(deals)
    by_key = {deal.key: deal for deal in deals}
    demand = gather_demand(deals, len(capacity))
    everything = np.ones(capacity.shape, dtype=np.bool_)
    return _horizon(capacity, confirmed, parts, by_key, demand, everything, None, grid)


def update_horizon(
    former: Horizon,
    *,
    changed: Iterable[OpenDeal] = (),
    removed: Iterable[Hashable] = (),
    capacity: npt.ArrayLike | None = None,
    confirmed: npt.ArrayLike | None = None,
) -> Horizon:
    """The horizon after some deals came or changed (by their key) or were removed, or hours changed.

    Equal to computing all anew, but only the cells that are touched are convolved again: those that a deal reached
    before or reaches now, those whose capacity or confirmed hours changed, and those whose grid changes. A
    deal that is won, say, is removed while its hours join the confirmed ones. Raises as `compute_horizon`, and
    KeyError for removing a deal that isn't there.
    """
    come, gone = {deal.key: deal for deal in changed}, set(removed)
    if unknown := gone - former.deals.keys():
        raise KeyError(f"There is no open deal {next(iter(unknown))!r}.")
    new_capacity = former.capacity if capacity is None else _hours(capacity, "Capacity")
    new_confirmed = former.confirmed if confirmed is None else _hours(confirmed, "Confirmed work")
    if not former.capacity.shape == new_capacity.shape == new_confirmed.shape:
        raise ValueError("The horizon has other roles or weeks than before; compute it anew.")
    by_key = {key: deal for key, deal in former.deals.items() if key not in gone} | come
    demand = replace_demand(former.demand, gone, come, former.roles)
    touched = (new_capacity != former.capacity) | (new_confirmed != former.confirmed)
    keys = {*gone, *come}
    for each in (former.demand, demand):
        touched |= _touched(each, keys, former.roles, former.weeks)
    return _horizon(new_capacity, new_confirmed, former.working, by_key, demand, touched, former, former.asked_grid)


def cell_distribution(horizon: Horizon, role: int, week: int) -> CellDistribution:
    """The whole distribution of one cell's demand, for a picture, up to the highest hours that have a chance.

    Raises IndexError for a cell outside the horizon.
    """
    check_cell(horizon, role, week)
    (found,) = role_distributions(horizon, role, [week])
    chances = np.where(found.chances[0] < 1e-15, 0.0, found.chances[0])
    chances = chances[: np.flatnonzero(chances)[-1] + 1]
    step = found.step * float(horizon.working[role, week])
    hours = horizon.confirmed[role, week] + step * np.arange(len(chances))
    return CellDistribution(hours, chances / chances.sum())


def role_distributions(
    horizon: Horizon, role: int, weeks: Sequence[int], *, without: Hashable | None = None
) -> Iterator[RoleDistribution]:
    """Open demand of a role in some weeks, on the horizon's grid, leaving out one deal if its key is given."""
    demand = horizon.demand
    chosen = demand.stretches.role == role
    if without is not None and without in horizon.deals:
        chosen &= demand.stretches.deal != demand.keys.index(without)
    demand = demand.taken(chosen)
    wanted = np.zeros((horizon.roles, horizon.weeks), dtype=np.bool_)
    wanted[role, weeks] = True
    return open_distributions(demand, demand.occurrences(horizon.weeks), wanted, horizon.grid)


def quantile(cumulative: Floats, part: float) -> npt.NDArray[np.int64]:
    """The least grid point k with P(K ≤ k) = `cumulative[:, k]` ≥ part, [n]."""
    return np.asarray(np.minimum((cumulative < part - TIE).sum(axis=1), cumulative.shape[1] - 1))


def overload(cumulative: Floats, step: float, free: Floats) -> tuple[Floats, Floats]:
    """P(demand > free) and E max(demand − free, 0) in hours, [n] each, for P(demand ≤ k · step) = `cumulative[:, k]`.

    `free` [n] hours may be negative, then demand is sure to exceed it.
    """
    highest = cumulative.shape[1] - 1
    fits = np.clip(np.floor((free + SECOND) / step), -1, highest).astype(np.int64)
    above = np.maximum(1 - cumulative, 0.0)
    above[above < 1e-13] = 0.0
    # E max(demand − free, 0) is the integral of P(demand > x) from `free` on: the rest of a step, then whole steps.
    sums = np.concatenate([np.cumsum(above[:, ::-1], axis=1)[:, ::-1], np.zeros((len(free), 1))], axis=1)
    rows = np.arange(len(free))
    probability = np.where(fits < 0, 1.0, above[rows, np.maximum(fits, 0)])
    first = np.maximum((fits + 1) * step - free, 0.0)
    return probability, probability * first + step * sums[rows, fits + 1]


def free_hours(capacity: Floats, confirmed: Floats, working: Floats) -> Floats:
    """Hours of usual weeks that are left; without a working day any number, or less than none if work is confirmed."""
    left = capacity - confirmed
    nobody_works = np.where(left < -SECOND, -BOUNDLESS, BOUNDLESS)
    return np.where(working > 0, left / np.where(working > 0, working, 1.0), nobody_works)


def check_cell(horizon: Horizon, role: int, week: int) -> None:
    """Raise IndexError unless the horizon has this role and week."""
    if not (0 <= role < horizon.roles and 0 <= week < horizon.weeks):
        raise IndexError(f"The horizon has no role {role} in week {week}.")


def _horizon(
    capacity: Floats, confirmed: Floats, working: Floats, deals: Mapping[Hashable, OpenDeal], demand: Demand,
    touched: Bools, former: Horizon | None, asked_grid: float | None,
) -> Horizon:  # fmt: skip
    """Figures of the touched cells [R, W] anew, of the others as in the former horizon.

    What is quick is computed anew for all cells of a touched role; those whose grid changes count as touched.
    """
    roles, weeks = capacity.shape
    anew = np.asarray(touched.any(axis=1))
    theirs = demand.taken(anew[demand.stretches.role])
    found, hours, role = theirs.occurrences(weeks), theirs.stretches.hours, theirs.stretches.role
    grid = find_steps(theirs, found, roles, weeks, grid=asked_grid)
    cell = role[found.stretch] * weeks + found.week
    mean, variance = (
        add_up(cell, found.chance * each, capacity.size).reshape(capacity.shape)
        for each in (hours[found.stretch], rounding_variance(hours[found.stretch], grid.ravel()[cell]))
    )
    figures = {
        "expected": confirmed + working * mean,
        "exposure": confirmed + working * theirs.planned(roles, weeks),
        "grid": grid,
        "grid_error": np.sqrt(variance),
    }
    if former is not None:
        for name, values in figures.items():
            values[~anew] = getattr(former, name)[~anew]
        touched[grid != former.grid] = True
    for name in FIGURES:
        figures[name] = np.zeros(capacity.shape) if former is None else getattr(former, name).copy()
    free = free_hours(capacity, confirmed, working)
    for each in open_distributions(theirs, found, touched, grid):
        cells, cumulative = (each.role, each.weeks), np.cumsum(each.chances, axis=1)
        for name, part in (("p50", 0.5), ("p80", 0.8)):
            figures[name][cells] = confirmed[cells] + working[cells] * each.step * quantile(cumulative, part)
        chance, lacking = overload(cumulative, each.step, free[cells])
        figures["overload_probability"][cells] = chance
        figures["expected_overload"][cells] = np.where(
            working[cells] > 0, working[cells] * lacking, np.maximum(confirmed[cells] - capacity[cells], 0.0)
        )
    figures |= {"capacity": capacity, "confirmed": confirmed, "working": working}
    for array in figures.values():
        array.flags.writeable = False
    return Horizon(**figures, deals=MappingProxyType(dict(deals)), demand=demand, asked_grid=asked_grid)


def _touched(demand: Demand, keys: set[Hashable], roles: int, weeks: int) -> Bools:
    """The cells [R, W] for which these deals matter: where they may ask hours, or would if they began as planned."""
    theirs = np.array([key in keys for key in demand.keys], dtype=np.bool_)
    demand = demand.taken(theirs[demand.stretches.deal])
    found = demand.occurrences(weeks)
    touched = demand.planned(roles, weeks) > 0
    touched[demand.stretches.role[found.stretch], found.week] = True
    return np.asarray(touched)


def _hours(values: npt.ArrayLike, what: str) -> Floats:
    """A copy as [R, W] hours; ValueError if they can't be."""
    hours = np.array(values, dtype=np.float64)
    if hours.ndim != 2 or hours.shape[1] == 0:
        raise ValueError(f"{what} must have a row for each role and at least one week in it.")
    if not np.isfinite(hours).all() or (hours < 0).any():
        raise ValueError(f"{what} must be numbers of hours from 0 up.")
    return hours
