"""The distribution of open demand per role and week: the convolution of all deals' contributions.

Deals are independent, so the characteristic function of their sum is the product of theirs, and one inverse transform
gives the chances. This is the convolution itself, not an approximation of it: the transform is as long as the highest
sum that can occur, so nothing wraps around, and what is left is the rounding of floating point, below 1e-12 in every
chance. To be quick, deals that ask the same hours of a cell are counted first: with their chances q1 … qn the number
that comes true has the generating polynomial Π (1 − qi + qi·x) (the Poisson binomial distribution), whose value at the
hours' characteristic function is that of all of them together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from staffing.horizon.demand import Bools, Demand, Ints, Occurrences
from staffing.horizon.grid import POINTS, Complexes, Floats, Transforms, choose_step, transform_size


@dataclass(frozen=True, eq=False)
class RoleDistribution:
    """Open demand of a role: `chances[i, k]` = P(demand in week `weeks[i]` is k · `step` hours)."""

    role: int
    weeks: Ints
    step: float
    chances: Floats


@dataclass(frozen=True, eq=False)
class _Single:
    """What single stretches ask, counted by group of equal hours and week.

    `table[rows[group, week], n]` = P(n deals come true); the last row stands for none. `highest[group]` is the most.
    """

    table: Floats
    rows: Ints
    highest: Ints


@dataclass(frozen=True, eq=False)
class _Mixed:
    """Occurrences of deals that may ask one of several hours of a cell, sorted by role, week and deal."""

    role: Ints
    week: Ints
    deal: Ints
    hours: Floats
    chance: Floats


def find_steps(demand: Demand, found: Occurrences, roles: int, weeks: int, *, grid: float | None) -> Floats:
    """The grid step of each role in hours, [roles]: `grid` if given, else as `choose_step` finds for what can occur.

    Roles without open demand have step 1 then.
    """
    if grid is not None:
        return np.full(roles, grid)
    peaks = _peaks(demand, found, demand.stretches.hours, roles, weeks)
    steps = np.ones(roles)
    occurring = np.unique(found.stretch)
    role, hours = demand.stretches.role[occurring], demand.stretches.hours[occurring]
    for number in np.unique(role).tolist():
        steps[number] = choose_step(np.unique(hours[role == number]), float(peaks[number]), POINTS)
    return steps


def open_distributions(demand: Demand, found: Occurrences, wanted: Bools, steps: Floats) -> Iterator[RoleDistribution]:
    """The distributions of the wanted roles and weeks [R, W], role by role; a role without a wanted week is left out.

    `found` is `demand.occurrences(W)`, `steps` [R] the step of each role.
    """
    role, weeks = demand.stretches.role, wanted.shape[1]
    found = found.taken(wanted[role[found.stretch], found.week])
    step = steps[role]
    points = _peaks(demand, found, np.ceil(demand.stretches.hours / step - 1e-9), *wanted.shape).astype(np.int64) + 1
    single = _count(demand, found.taken(found.alone), weeks)
    mixed = _sort_mixed(demand, found.taken(~found.alone))
    groups = np.searchsorted(role, np.arange(len(wanted) + 1))  # where the roles' stretches begin
    transforms: dict[tuple[float, int], Transforms] = {}
    for number in np.flatnonzero(wanted.any(axis=1)).tolist():
        key = (float(steps[number]), transform_size(int(points[number])))
        transform = transforms.setdefault(key, Transforms(*key))
        here = np.flatnonzero(wanted[number])
        product = np.ones((len(here), transform.frequencies), dtype=np.complex128)
        _multiply_single(product, transform, single, demand, slice(groups[number], groups[number + 1]), here)
        _multiply_mixed(product, transform, mixed, number, here)
        yield RoleDistribution(number, here, key[0], np.fft.irfft(product, n=transform.size, axis=1))


def deal_factors(transform: Transforms, deals: int, deal: Ints, hours: Floats, chance: Floats) -> Complexes:
    """Characteristic functions of deals 0 … `deals` − 1 in a cell, [deals, frequencies].

    Deal `deal[i]` asks `hours[i]` with `chance[i]`; what its chances leave of 1 is no hours.
    """
    distinct, kind = np.unique(hours, return_inverse=True)
    rows = np.concatenate([np.ones((1, transform.frequencies)), transform.of(distinct)])
    asked = np.bincount(deal * len(distinct) + kind, chance, deals * len(distinct)).reshape(deals, len(distinct))
    weights = np.concatenate([1 - asked.sum(axis=1, keepdims=True), asked], axis=1)
    return np.asarray((weights @ rows.view(np.float64)).view(np.complex128))


def _peaks(demand: Demand, found: Occurrences, value: Floats, roles: int, weeks: int) -> Floats:
    """The highest sum of `value` (one for each stretch, ≥ 0) that can occur in any week, [roles]."""
    role, deal = demand.stretches.role[found.stretch], demand.stretches.deal[found.stretch]
    cell, value, several = role * weeks + found.week, value[found.stretch], ~found.alone
    sums = np.bincount(cell[found.alone], value[found.alone], roles * weeks)
    pair, which = np.unique(cell[several] * len(demand.keys) + deal[several], return_inverse=True)
    most = np.zeros(len(pair))
    np.maximum.at(most, which, value[several])
    sums += np.bincount(pair // max(len(demand.keys), 1), most, roles * weeks)
    return np.asarray(sums.reshape(roles, weeks).max(axis=1, initial=0.0))


def _count(demand: Demand, found: Occurrences, weeks: int) -> _Single:
    """Count by group and week how many come true."""
    groups = int(demand.group[-1]) + 1 if len(demand.group) else 0
    cell = demand.group[found.stretch] * weeks + found.week
    order = np.argsort(cell.astype(np.uint16) if groups * weeks < 2**16 else cell, kind="stable")
    cell, chance = cell[order], found.chance[order]
    begins = np.flatnonzero(np.diff(cell, prepend=-1))
    lengths = np.diff(begins, append=len(cell))
    longest_first = np.argsort(-lengths, kind="stable")
    begins, lengths = begins[longest_first], lengths[longest_first]
    most = int(lengths[0]) if len(lengths) else 0
    table = np.zeros((len(begins) + 1, most + 1))
    table[:, 0] = 1.0
    reaching = np.searchsorted(-lengths, -np.arange(most), side="left")  # how many cells have more than 0, 1, … deals
    for j, rows in enumerate(reaching.tolist()):
        won = table[:rows, : j + 1] * chance[begins[:rows] + j, None]
        table[:rows, : j + 1] -= won
        table[:rows, 1 : j + 2] += won
    rows_of = np.full(groups * weeks, len(begins), dtype=np.int64)
    rows_of[cell[begins]] = np.arange(len(begins))
    highest = np.zeros(groups * weeks, dtype=np.int64)
    highest[cell[begins]] = lengths
    return _Single(table, rows_of.reshape(groups, weeks), highest.reshape(groups, weeks).max(axis=1, initial=0))


def _sort_mixed(demand: Demand, found: Occurrences) -> _Mixed:
    role, deal, hours = (getattr(demand.stretches, name)[found.stretch] for name in ("role", "deal", "hours"))
    order = np.lexsort((deal, found.week, role))
    return _Mixed(role[order], found.week[order], deal[order], hours[order], found.chance[order])


def _multiply_single(
    product: Complexes, transform: Transforms, single: _Single, demand: Demand, stretches: slice, weeks: Ints
) -> None:
    """Multiply `product` [weeks, frequencies] by the groups of a role, in place."""
    factor = np.empty_like(product)
    groups, begins = np.unique(demand.group[stretches], return_index=True)
    for group, hours in zip(groups.tolist(), demand.stretches.hours[stretches][begins].tolist(), strict=True):
        highest = int(single.highest[group])
        if not highest:
            continue
        table = single.table[single.rows[group, weeks], : highest + 1]
        powers = transform.powers(hours, highest)[: highest + 1]
        np.matmul(table, powers.view(np.float64), out=factor.view(np.float64))
        np.multiply(product, factor, out=product)


def _multiply_mixed(product: Complexes, transform: Transforms, mixed: _Mixed, role: int, weeks: Ints) -> None:
    """Multiply `product` [weeks, frequencies] by what a role's mixed occurrences come to, in place."""
    begin, end = np.searchsorted(mixed.role, [role, role + 1]).tolist()
    if begin == end:
        return
    week, deal = mixed.week[begin:end], mixed.deal[begin:end]
    new = (np.diff(week, prepend=-1) != 0) | (np.diff(deal, prepend=-1) != 0)
    number, week = np.cumsum(new) - 1, week[new]
    factors = deal_factors(transform, len(week), number, mixed.hours[begin:end], mixed.chance[begin:end])
    begins = np.flatnonzero(np.diff(week, prepend=-1))
    product[np.searchsorted(weeks, week[begins])] *= np.multiply.reduceat(factors, begins, axis=0)
