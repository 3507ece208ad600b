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

from staffing.horizon.demand import Bools, Demand, Ints, Occurrences, add_up
from staffing.horizon.grid import Complexes, Floats, Transforms, choose_steps, transform_size


@dataclass(frozen=True, eq=False)
class RoleDistribution:
    """Open demand of a role in some weeks: `chances[i, k]` = P(demand in week `weeks[i]` is k · `step` hours)."""

    role: int
    weeks: Ints
    step: float
    chances: Floats


@dataclass(frozen=True, eq=False)
class _Single:
    """What single stretches ask, counted by group of equal hours and week.

    `table[rows[group, week], n]` = P(n deals come true), up to `highest[group, week]`; the last row stands for none.
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
    """The grid step of each cell in hours, [roles, weeks]: `grid` if given, else as `choose_steps` finds for each role.

    Cells of roles without open demand have step 1 then.
    """
    if grid is not None:
        return np.full((roles, weeks), grid)
    peaks = _peaks(demand, found, demand.stretches.hours[found.stretch], roles, weeks)
    steps = np.ones((roles, weeks))
    occurring = np.unique(found.stretch)
    role, hours = demand.stretches.role[occurring], demand.stretches.hours[occurring]
    for number in np.unique(role).tolist():
        steps[number] = choose_steps(np.unique(hours[role == number]), peaks[number])
    return steps


def open_distributions(demand: Demand, found: Occurrences, wanted: Bools, steps: Floats) -> Iterator[RoleDistribution]:
    """The distributions of the wanted cells [R, W], by role and step of the grid.

    `found` is `demand.occurrences(W)`, `steps` [R, W] the step of each cell.
    """
    role, weeks = demand.stretches.role, wanted.shape[1]
    found = found.taken(wanted[role[found.stretch], found.week])
    highest = np.ceil(demand.stretches.hours[found.stretch] / steps[role[found.stretch], found.week] - 1e-9)
    points = _peaks(demand, found, highest, *wanted.shape).astype(np.int64) + 1
    single = _count(demand, found.taken(found.alone), weeks)
    mixed = _sort_mixed(demand, found.taken(~found.alone))
    begins = np.searchsorted(role, np.arange(len(wanted) + 1)).tolist()  # of the roles' stretches
    transforms: dict[tuple[float, int], Transforms] = {}
    for number in np.flatnonzero(wanted.any(axis=1)).tolist():
        for step in np.unique(steps[number, wanted[number]]).tolist():
            here = np.flatnonzero(wanted[number] & (steps[number] == step))
            key = (step, transform_size(int(points[number, here].max())))
            transform = transforms.setdefault(key, Transforms(*key))
            product = np.ones((len(here), transform.frequencies), dtype=np.complex128)
            _multiply_single(product, transform, single, demand, slice(begins[number], begins[number + 1]), here)
            _multiply_mixed(product, transform, mixed, number, here)
            yield RoleDistribution(number, here, step, np.fft.irfft(product, n=transform.size, axis=1))


def deal_weights(transform: Transforms, deals: int, deal: Ints, hours: Floats, chance: Floats) -> tuple[Floats, Floats]:
    """Weights [deals, H] and rows [H, 2 · frequencies] whose product are the deals' characteristic functions in a cell.

    Deal `deal[i]` of 0 … `deals` − 1 asks `hours[i]` with `chance[i]`; what its chances leave of 1 is no hours. Rows
    are of the different hours, real and imaginary parts in turns, to be viewed as complex.
    """
    distinct, kind = np.unique(hours, return_inverse=True)
    nothing = np.ones(transform.frequencies, dtype=np.complex128)
    rows = np.stack([nothing, *(transform.powers(each, 1)[1] for each in distinct.tolist())])
    asked = add_up(deal * len(distinct) + kind, chance, deals * len(distinct)).reshape(deals, len(distinct))
    return np.concatenate([1 - asked.sum(axis=1, keepdims=True), asked], axis=1), rows.view(np.float64)


def _peaks(demand: Demand, found: Occurrences, value: Floats, roles: int, weeks: int) -> Floats:
    """The highest sum of `value` (one for each occurrence, ≥ 0) that can occur, [roles, weeks]."""
    role, deal = demand.stretches.role[found.stretch], demand.stretches.deal[found.stretch]
    cell, several = role * weeks + found.week, ~found.alone
    sums = add_up(cell[found.alone], value[found.alone], roles * weeks)
    pair, which = np.unique(cell[several] * len(demand.keys) + deal[several], return_inverse=True)
    most = np.zeros(len(pair))
    np.maximum.at(most, which, value[several])
    sums += add_up(pair // max(len(demand.keys), 1), most, roles * weeks)
    return np.asarray(sums.reshape(roles, weeks))


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
    return _Single(table, rows_of.reshape(groups, weeks), highest.reshape(groups, weeks))


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
    highest = single.highest[np.ix_(groups, weeks)].max(axis=1)
    hours = demand.stretches.hours[stretches][begins]
    for group, asked, most in zip(groups.tolist(), hours.tolist(), highest.tolist(), strict=True):
        if most:
            table = single.table[single.rows[group, weeks], : most + 1]
            powers = transform.powers(asked, most)[: most + 1]
            np.matmul(table, powers.view(np.float64), out=factor.view(np.float64))
            np.multiply(product, factor, out=product)


def _multiply_mixed(product: Complexes, transform: Transforms, mixed: _Mixed, role: int, weeks: Ints) -> None:
    """Multiply `product` [weeks, frequencies] by what a role's mixed occurrences come to, in place."""
    begin, end = np.searchsorted(mixed.role, [role, role + 1]).tolist()
    here = begin + np.flatnonzero(np.isin(mixed.week[begin:end], weeks))
    if not len(here):
        return
    week, deal = mixed.week[here], mixed.deal[here]
    new = (np.diff(week, prepend=-1) != 0) | (np.diff(deal, prepend=-1) != 0)
    pair, row = np.cumsum(new) - 1, np.searchsorted(weeks, week[new])
    begins = np.flatnonzero(np.diff(row, prepend=-1))
    place = np.arange(len(row)) - np.repeat(begins, np.diff(begins, append=len(row)))  # among the deals of its week
    layers = int(place.max()) + 1
    cell = (place * len(weeks) + row)[pair]
    weights, rows = deal_weights(transform, layers * len(weeks), cell, mixed.hours[here], mixed.chance[here])
    factor = np.empty_like(product)
    for layer in weights.reshape(layers, len(weeks), -1):
        np.matmul(layer, rows, out=factor.view(np.float64))
        np.multiply(product, factor, out=product)
