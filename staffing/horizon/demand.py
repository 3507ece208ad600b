"""Open demand as arrays: what each deal asks of each role, and with which chance in which week."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from staffing.horizon.deals import Need, OpenDeal, Shift
from staffing.horizon.grid import Floats

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Stretches(NamedTuple):
    """Weeks in a row in which a deal asks the same hours (> 0) of a role, as arrays of equal length.

    Those of one deal and role don't overlap. `first` is a week of the horizon, if the deal starts as planned.
    """

    deal: Ints
    role: Ints
    first: Ints
    weeks: Ints
    hours: Floats


class Occurrences(NamedTuple):
    """`chance` (> 0) that the deal is won and the stretch covers `week`; arrays of equal length, by stretch and week.

    `alone` says that the deal can ask nothing else of the role in that week. Otherwise what it can ask excludes each
    other, since only one shift comes true.
    """

    stretch: Ints
    week: Ints
    chance: Floats
    alone: Bools

    def taken(self, chosen: Bools) -> Occurrences:
        """Only the chosen ones, in their order; of a deal and cell all or none are to be chosen."""
        return Occurrences(self.stretch[chosen], self.week[chosen], self.chance[chosen], self.alone[chosen])


@dataclass(frozen=True, eq=False)
class Demand:
    """Stretches sorted by role, then hours, then deal, with each one's deal's probability and the number of its shift.

    `deal` indexes `keys`, `shift` indexes `shifts`. Keys of deals that are gone stay in `keys`, without stretches.
    """

    keys: tuple[Hashable, ...]
    shifts: tuple[Shift, ...]
    stretches: Stretches
    probability: Floats
    shift: Ints

    @cached_property
    def group(self) -> Ints:
        """A number for each stretch, ascending from 0, shared by up to 64 stretches with the same role and hours.

        No more than that are counted together, since what counting costs grows with the square.
        """
        role, hours = self.stretches.role, self.stretches.hours
        new = (np.diff(role, prepend=-1) != 0) | (np.diff(hours, prepend=0.0) != 0)
        begins = np.flatnonzero(new)
        place = np.arange(len(new)) - np.repeat(begins, np.diff(begins, append=len(new)))
        return np.asarray(np.cumsum(new | (place % 64 == 0)) - 1)

    def taken(self, chosen: Bools | Ints) -> Demand:
        """Only the chosen stretches, in their order."""
        of = self.stretches
        stretches = Stretches(of.deal[chosen], of.role[chosen], of.first[chosen], of.weeks[chosen], of.hours[chosen])
        return Demand(self.keys, self.shifts, stretches, self.probability[chosen], self.shift[chosen])

    def occurrences(self, weeks: int, *, moved: int = 0) -> Occurrences:
        """What can occur in the first `weeks` weeks if every deal is planned to start `moved` weeks later."""
        if not len(self.probability):
            return Occurrences(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.bool_))
        lowest = np.array([shift.first for shift in self.shifts])
        spread = np.array([len(shift.chances) for shift in self.shifts])
        cumulative = np.ones((len(self.shifts), int(spread.max()) + 1))  # [shift, i] = P(shift < lowest + i)
        for row, shift in zip(cumulative, self.shifts, strict=True):
            sums = np.cumsum(shift.chances)
            row[0] = 0.0
            row[1 : len(sums)] = sums[:-1] / sums[-1]
        soonest = self.stretches.first + moved + lowest[self.shift]
        begins = np.clip(soonest, 0, weeks)
        ends = np.clip(soonest + self.stretches.weeks + spread[self.shift] - 1, 0, weeks)
        lengths = ends - begins
        stretch = np.repeat(np.arange(len(lengths)), lengths)
        week = np.arange(len(stretch)) - np.repeat(np.cumsum(lengths) - lengths - begins, lengths)
        row_begins, last = self.shift[stretch] * cumulative.shape[1], cumulative.shape[1] - 1
        passed = week - soonest[stretch] + 1
        chance = cumulative.ravel()[row_begins + np.minimum(passed, last)]
        passed = np.clip(passed - self.stretches.weeks[stretch], 0, last)
        chance = self.probability[stretch] * (chance - cumulative.ravel()[row_begins + passed])
        possible = chance > 0
        stretch, week = stretch[possible], week[possible]
        _, pair = np.unique(self.stretches.role * len(self.keys) + self.stretches.deal, return_inverse=True)
        cell = pair[stretch] * weeks + week
        return Occurrences(stretch, week, chance[possible], np.bincount(cell)[cell] == 1)

    def planned(self, roles: int, weeks: int) -> Floats:
        """Hours [roles, weeks] if every deal were won and started as planned."""
        first, width = self.stretches.first, weeks + 1
        row = self.stretches.role * width
        begins, ends = np.clip(first, 0, weeks), np.clip(first + self.stretches.weeks, 0, weeks)
        change = add_up(row + begins, self.stretches.hours, roles * width)
        change -= add_up(row + ends, self.stretches.hours, roles * width)
        return np.asarray(np.round(np.cumsum(change.reshape(roles, width), axis=1)[:, :weeks], 9))


def add_up(places: Ints, values: Floats, size: int) -> Floats:
    """The sum of the values for each of the places 0 … `size` − 1; of no values too, other than numpy.bincount."""
    return np.bincount(places, values, size).astype(np.float64, copy=False)


def stretches_of(needs: Sequence[tuple[int, int, Need]]) -> Stretches:
    """The needs, given as (number of the deal, week in which it starts, need); those of one deal and role are added.

    Sums are rounded to 1e-9 hours.
    """
    rows = [(deal, need.role, start + need.offset, need.weeks, need.hours) for deal, start, need in needs if need.weeks]
    deal, role, first, weeks, hours = np.array(rows, dtype=np.float64).reshape(-1, 5).T
    # A need adds its hours where it begins and takes them away where it ends; between two such weeks nothing changes.
    deal, role, week = np.tile(deal, 2), np.tile(role, 2), np.concatenate([first, first + weeks])
    order = np.lexsort((week, role, deal))
    deal, role, week = deal[order], role[order], week[order]
    sums = np.round(np.cumsum(np.concatenate([hours, -hours])[order]), 9)
    last_here = (np.diff(deal, append=-1) != 0) | (np.diff(role, append=-1) != 0) | (np.diff(week, append=-1) != 0)
    deal, role, week, sums = deal[last_here], role[last_here], week[last_here], sums[last_here]
    changes = np.diff(sums, prepend=0.0) != 0
    deal, role, week, sums = deal[changes], role[changes], week[changes], sums[changes]
    lasting = np.diff(week, append=0.0).astype(np.int64)
    kept = sums > 0
    whole = [column[kept].astype(np.int64) for column in (deal, role, week)]
    return Stretches(whole[0], whole[1], whole[2], lasting[kept], sums[kept])


def gather_demand(deals: Iterable[OpenDeal], roles: int) -> Demand:
    """The demand of these deals. Raises ValueError for a role from `roles` up and for two deals with one key."""
    deals = list(deals)
    keys = tuple(deal.key for deal in deals)
    if len(set(keys)) != len(keys):
        raise ValueError("Two open deals have the same key.")
    shifts: dict[Shift, int] = {}
    shift = np.array([shifts.setdefault(deal.shift, len(shifts)) for deal in deals], dtype=np.int64)
    probability = np.array([deal.probability for deal in deals], dtype=np.float64)
    stretches = stretches_of([(i, deal.start, need) for i, deal in enumerate(deals) for need in deal.needs])
    if len(stretches.role) and (most := int(stretches.role.max())) >= roles:
        key = keys[stretches.deal[stretches.role.argmax()]]
        raise ValueError(f"Deal {key!r} needs role {most}, but there are only {roles} roles.")
    of = stretches.deal
    return _sorted(Demand(keys, tuple(shifts), stretches, probability[of], shift[of]))


def replace_demand(demand: Demand, gone: Iterable[Hashable], come: Mapping[Hashable, OpenDeal], roles: int) -> Demand:
    """The demand without the deals `gone` and with those that `come`, which may have keys that were there before."""
    number = {key: i for i, key in enumerate(demand.keys)}
    left = np.zeros(len(demand.keys), dtype=np.bool_)
    left[[number[key] for key in {*gone, *come} if key in number]] = True
    kept, new = demand.taken(~left[demand.stretches.deal]), gather_demand(come.values(), roles)
    number_of = np.array([number.setdefault(key, len(number)) for key in new.keys], dtype=np.int64)
    shifts = {shift: i for i, shift in enumerate(demand.shifts)}
    shift_of = np.array([shifts.setdefault(shift, len(shifts)) for shift in new.shifts], dtype=np.int64)
    theirs = new.stretches._replace(deal=number_of[new.stretches.deal])
    joined = Stretches(*(np.concatenate(both) for both in zip(kept.stretches, theirs, strict=True)))
    probability = np.concatenate([kept.probability, new.probability])
    shift = np.concatenate([kept.shift, shift_of[new.shift]])
    return _sorted(Demand(tuple(number), tuple(shifts), joined, probability, shift))


def _sorted(demand: Demand) -> Demand:
    stretches = demand.stretches
    return demand.taken(np.lexsort((stretches.first, stretches.deal, stretches.hours, stretches.role)))
