"""The earliest safe start: the first week in which what a deal needs fits beside everybody else's demand."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from staffing.horizon.deals import Need
from staffing.horizon.demand import Bools, stretches_of
from staffing.horizon.distribution import SECOND, Horizon, quantile, role_distributions
from staffing.horizon.grid import Floats

CONFIDENCE = 0.8


class Reason(StrEnum):
    """Why there is no safe start."""

    NO_CAPACITY = "no_capacity"  # nobody has the role in any week from the asked one on
    BEYOND_HORIZON = "beyond_horizon"  # its last week lies past the horizon even if it starts in the asked week
    NEVER_FITS = "never_fits"  # it has room in no week within the horizon
    NEVER_TOGETHER = "never_together"  # each need fits somewhere, but not all with one start


@dataclass(frozen=True, slots=True)
class NeedStart:
    """The first start of the deal with which this need fits; `week` is None for a `reason`."""

    need: Need
    week: int | None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class EarliestStart:
    """The first start with which all needs fit, or None for a `reason`.

    `binding` is the role that stands in the way of starting a week earlier, or of starting at all; None if the deal can
    start in the week asked for. `needs` are in the order given, each with its own first start.
    """

    week: int | None
    binding: int | None
    needs: tuple[NeedStart, ...]
    reason: Reason | None = None


def earliest_start(
    horizon: Horizon,
    needs: Sequence[Need],
    *,
    from_week: int = 0,
    confidence: float = CONFIDENCE,
    deal: Hashable | None = None,
) -> EarliestStart:
    """The first week s ≥ `from_week` so that in every week of every need, if the deal is won and starts in s,

        P(confirmed + demand of all other open deals + what this deal asks of the role ≤ capacity) ≥ `confidence`.

    All that the deal asks of a role in a week is added up. `deal` is its key, so that its own part in the horizon's
    demand is left out; None for a deal that isn't part of it. A start fits only if the needs end within the horizon.
    The horizon's grid and error apply. Raises ValueError for a week or confidence that can't be, or an unknown role.
    """
    if not 0 < confidence <= 1:
        raise ValueError(f"The confidence must be above 0 and at most 1, not {confidence}.")
    if from_week < 0:
        raise ValueError(f"The first week can't be {from_week}; the horizon begins with week 0.")
    asking = [need for need in needs if need.hours > 0 and need.weeks > 0]
    if unknown := [need.role for need in asking if need.role >= horizon.roles]:
        raise ValueError(f"A need names role {unknown[0]}, but there are only {horizon.roles} roles.")
    room = {role: headroom(horizon, role, confidence=confidence, without=deal) for role in {n.role for n in asking}}
    fits = {need: _fitting_starts(need, asking, room[need.role])[from_week:] for need in asking}
    found = tuple(_need_start(horizon, need, fits.get(need), from_week) for need in needs)
    together = np.logical_and.reduce([*fits.values(), np.ones(max(horizon.weeks - from_week, 0), dtype=np.bool_)])
    if together.any() or not asking:
        after = int(together.argmax()) if together.any() else 0
        refused = [one for one in found if one.need in fits and after and not fits[one.need][after - 1]]
        last = max(refused, key=lambda one: one.week or 0, default=None)
        return EarliestStart(from_week + after, last.need.role if last else None, found)
    for reason in Reason:
        for one in found:
            if one.reason is reason:
                return EarliestStart(None, one.need.role, found, reason)
    scarcest = min(fits, key=lambda need: int(fits[need].sum()))
    return EarliestStart(None, scarcest.role, found, Reason.NEVER_TOGETHER)


def headroom(horizon: Horizon, role: int, *, confidence: float = CONFIDENCE, without: Hashable | None = None) -> Floats:
    """Hours per usual week, [W], that one more deal can ask of the role so that all still fits with `confidence`.

    Capacity less the least x with P(demand of all deals but `without` ≤ x) ≥ confidence; below zero where that alone is
    too much.
    """
    room = horizon.free[role]
    for found in role_distributions(horizon, role, range(horizon.weeks), without=without):
        room[found.weeks] -= found.step * quantile(np.cumsum(found.chances, axis=1), confidence)
    return np.asarray(room)


def _fitting_starts(need: Need, needs: Sequence[Need], room: Floats) -> Bools:
    """[W]: whether the need, with the others of its role, has room in all its weeks if the deal starts in the week."""
    weeks = len(room)
    fits = np.ones(weeks, dtype=np.bool_)
    starts = np.arange(weeks)
    fits &= (starts + need.offset >= 0) & (starts + need.offset + need.weeks <= weeks)
    _, _, first, length, hours = stretches_of([(0, 0, other) for other in needs if other.role == need.role])
    for begin, lasting, asked in zip(first.tolist(), length.tolist(), hours.tolist(), strict=True):
        lowest, highest = max(begin, need.offset), min(begin + lasting, need.offset + need.weeks)
        enough = np.concatenate([[0], np.cumsum(room + SECOND >= asked)])
        ends = np.clip(starts + highest, 0, weeks)
        begins = np.clip(starts + lowest, 0, weeks)
        if lowest < highest:
            fits &= enough[ends] - enough[begins] == ends - begins
    return fits


def _need_start(horizon: Horizon, need: Need, fits: Bools | None, from_week: int) -> NeedStart:
    if fits is None:
        return NeedStart(need, from_week)
    if fits.any():
        return NeedStart(need, from_week + int(fits.argmax()))
    if not horizon.capacity[need.role, from_week:].any():
        return NeedStart(need, None, Reason.NO_CAPACITY)
    if from_week + need.offset + need.weeks > horizon.weeks:
        return NeedStart(need, None, Reason.BEYOND_HORIZON)
    return NeedStart(need, None, Reason.NEVER_FITS)
