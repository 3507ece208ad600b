"""A scenario's changes laid over the inputs of the horizon: pure, in arrays, without a query.

Changes of a deal that the horizon doesn't know, of a role that nobody can have any more or of somebody who isn't here
in these weeks do nothing. Deals that are won join the confirmed hours at their planned start, with the hours that
the open deal asks for, in weeks with holidays by the part that is worked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from staffing.capacity import Capacity, Floats
from staffing.horizon import ON_TIME, Horizon, OpenDeal, update_horizon
from staffing.horizon.demand import gather_demand
from staffing.horizon_inputs import Inputs
from staffing.models.scenarios import ChangeKind


@dataclass(frozen=True)
class Supposed:
    """A change as the overlay takes it: keys of deal, person and role, ``chance`` from 0 to 1, ``weeks`` later."""

    kind: ChangeKind
    deal: int | None = None
    weeks: int = 0
    chance: float = 0.0
    role: int | None = None
    people: int = 0
    hours: float = 0.0
    person: int | None = None
    from_on: dt.date = dt.date.min
    until_on: dt.date | None = None


@dataclass(frozen=True)
class Overlay:
    """Inputs with the changes laid over, and what of the deals differs from before."""

    inputs: Inputs
    changed: tuple[OpenDeal, ...]
    removed: frozenset[int]


def lay_over(inputs: Inputs, changes: Iterable[Supposed]) -> Overlay:
    """The inputs as they would be. The order of the changes doesn't matter; shifts of one deal add up."""
    changes = list(changes)
    before = {int(str(deal.key)): deal for deal in inputs.deals}
    deals = dict(before)
    for each in changes:
        if each.kind == ChangeKind.SHIFT and each.deal in deals:
            deals[each.deal] = replace(deals[each.deal], start=deals[each.deal].start + each.weeks)
    # Nothing begins before this week, however far it is moved.
    deals = {key: deal if deal.start >= 0 else replace(deal, start=0) for key, deal in deals.items()}
    for each in changes:
        if each.kind == ChangeKind.CHANCE and each.deal in deals:
            deals[each.deal] = replace(deals[each.deal], probability=each.chance)
    confirmed = inputs.confirmed
    for each in changes:
        if each.kind in (ChangeKind.WIN, ChangeKind.LOSE) and each.deal in deals:
            deal = deals.pop(each.deal)
            if each.kind == ChangeKind.WIN:
                confirmed = confirmed + _as_won(deal, inputs)
    capacity, heads = _staffed(inputs, changes)
    after = replace(inputs, deals=list(deals.values()), confirmed=confirmed, capacity=capacity, people=heads)
    changed = tuple(deal for key, deal in deals.items() if deal is not before[key])
    return Overlay(after, changed, frozenset(before.keys() - deals.keys()))


def horizon_with(today: Horizon, overlay: Overlay) -> Horizon:
    """The horizon with the changes, from that of today; only the cells that they touch are computed anew."""
    inputs = overlay.inputs
    return update_horizon(
        today, changed=overlay.changed, removed=overlay.removed, capacity=inputs.capacity, confirmed=inputs.confirmed
    )


def _as_won(deal: OpenDeal, inputs: Inputs) -> Floats:
    """What the deal asks for if it begins as planned, [roles, weeks]."""
    sure = replace(deal, probability=1.0, shift=ON_TIME)
    return inputs.working * gather_demand([sure], len(inputs.roles)).planned(len(inputs.roles), inputs.weeks)


def _staffed(inputs: Inputs, changes: Iterable[Supposed]) -> tuple[Floats, list[int]]:
    """Capacity [roles, weeks] and people of each role."""
    capacity, heads = inputs.capacity.copy(), list(inputs.people)
    row_of = {role.pk: row for row, role in enumerate(inputs.roles)}
    staff = inputs.staff
    if staff is None:
        return capacity, heads
    away: dict[int, np.ndarray[tuple[int], np.dtype[np.bool_]]] = {}
    place = {pk: row for row, pk in enumerate(staff.people) if int(staff.roles[row]) in row_of}
    for each in changes:
        first, last = _days(staff, each)
        if first >= last:
            continue
        if each.kind == ChangeKind.JOIN and each.role in row_of:
            capacity[row_of[each.role]] += each.people * _joining(staff, each.hours, first, last)
            heads[row_of[each.role]] += each.people
        elif each.kind == ChangeKind.LEAVE and each.person in place:
            days = away.setdefault(place[each.person], np.zeros(staff.daily.shape[1], dtype=np.bool_))
            days[first:last] = True
            if first == 0 and last == len(days):
                heads[row_of[int(staff.roles[place[each.person]])]] -= 1
    for person, days in away.items():
        lost = np.where(days, staff.daily[person], 0.0).reshape(inputs.weeks, -1).sum(axis=1)
        row = row_of[int(staff.roles[person])]
        # What floating point leaves of somebody's hours is none.
        capacity[row] = np.maximum(np.round(capacity[row] - lost, 9), 0.0)
    return capacity, heads


def _days(staff: Capacity, change: Supposed) -> tuple[int, int]:
    """Its first day and the one after its last, as numbers within the weeks."""
    end = staff.daily.shape[1]
    first = (change.from_on - staff.monday).days
    last = end if change.until_on is None else (change.until_on - staff.monday).days + 1
    return min(max(first, 0), end), min(max(last, 0), end)


def _joining(staff: Capacity, hours: float, first: int, last: int) -> Floats:
    """Hours by week of one person with the organisation's calendar."""
    one = (np.array([each]) for each in (first, last - 1))
    return np.asarray(staff.days.booked(staff.days.rows([None]), np.array([hours]), *one)[0])
