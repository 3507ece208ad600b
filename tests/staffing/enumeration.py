"""The horizon by going through every outcome: slow, plain, and with nothing in common with the real one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from staffing.horizon import ON_TIME, Need, OpenDeal, Shift

WEEKS, ROLES = 5, 2
SECOND = 1e-6

shifts = st.sampled_from(
    [ON_TIME, Shift(-1, (0.25, 0.5, 0.25)), Shift(0, (0.6, 0.4)), Shift(2, (1.0,)), Shift(0, (0.5, 0.0, 0.5))]
)
probabilities = st.one_of(st.sampled_from([0.0, 1.0, 0.5]), st.integers(0, 100).map(lambda percent: percent / 100))
usual_hours = st.sampled_from([0.0, 7.5, 8.0, 16.0, 20.0, 37.5, 40.0])
# Which part of a usual week is worked: usual weeks, one or three holidays in a week, and nothing but holidays.
parts = st.sampled_from([1.0, 1.0, 0.8, 0.4, 0.0])
odd_hours = st.integers(0, 6000).map(lambda hundredths: hundredths / 100)


def needs(hours: st.SearchStrategy[float]) -> st.SearchStrategy[Need]:
    return st.builds(
        Need, role=st.integers(0, ROLES - 1), hours=hours, weeks=st.integers(0, 4), offset=st.integers(-1, 3)
    )


def open_deals(hours: st.SearchStrategy[float] = usual_hours, most: int = 5) -> st.SearchStrategy[list[OpenDeal]]:
    deals = st.tuples(probabilities, st.integers(-3, 7), st.lists(needs(hours), max_size=3).map(tuple), shifts)
    return st.lists(deals, max_size=most).map(
        lambda drawn: [OpenDeal(f"deal {i}", *values) for i, values in enumerate(drawn)]
    )


def tables(hours: st.SearchStrategy[float] = usual_hours) -> st.SearchStrategy[np.ndarray]:
    return st.lists(hours, min_size=ROLES * WEEKS, max_size=ROLES * WEEKS).map(
        lambda values: np.array(values).reshape(ROLES, WEEKS)
    )


def hours_of(deal: OpenDeal, moved: int, shape: tuple[int, int] = (ROLES, WEEKS)) -> np.ndarray:
    """What a won deal asks, [R, W], if its start moves."""
    hours = np.zeros(shape)
    for need in deal.needs:
        for week in range(need.weeks):
            index = deal.start + moved + need.offset + week
            if 0 <= index < shape[1]:
                hours[need.role, index] += need.hours
    return hours


def all_outcomes(deals: Sequence[OpenDeal], shape: tuple[int, int] = (ROLES, WEEKS)) -> tuple[np.ndarray, np.ndarray]:
    """The chance [n] and the open demand [n, R, W] of everything that can happen."""
    chances, hours = np.ones(1), np.zeros((1, *shape))
    for deal in deals:
        parts = [(1 - deal.probability, np.zeros(shape))]
        parts += [
            (deal.probability * chance, hours_of(deal, deal.shift.first + i, shape))
            for i, chance in enumerate(deal.shift.chances)
        ]
        chances = np.concatenate([chances * chance for chance, _ in parts])
        hours = np.concatenate([hours + asked for _, asked in parts])
    return chances, hours


def percentile(chances: np.ndarray, demand: np.ndarray, part: float) -> np.ndarray:
    """The least x with P(demand ≤ x) ≥ part, [R, W]."""
    found = np.zeros(demand.shape[1:])
    for cell in np.ndindex(found.shape):
        order = np.argsort(demand[:, *cell], kind="stable")
        below = np.cumsum(chances[order])
        found[cell] = demand[order[np.argmax(below >= part - 1e-9)], *cell]
    return found


def enumerated(
    capacity: np.ndarray, confirmed: np.ndarray, deals: Sequence[OpenDeal], working: np.ndarray | float = 1.0
) -> dict[str, Any]:
    """The figures of the horizon by their definitions."""
    chances, hours = all_outcomes(deals, capacity.shape)
    demand = confirmed + hours * working
    planned = sum((hours_of(deal, 0, capacity.shape) for deal in deals), np.zeros(capacity.shape))
    over = np.maximum(demand - capacity, 0)
    return {
        "expected": np.tensordot(chances, demand, 1),
        "exposure": confirmed + planned * working,
        "p50": percentile(chances, demand, 0.5),
        "p80": percentile(chances, demand, 0.8),
        "overload_probability": np.tensordot(chances, over > SECOND, 1),
        "expected_overload": np.tensordot(chances, over, 1),
    }
