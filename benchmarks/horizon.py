"""What the staffing horizon costs to compute, and whether it is right.

    python -m benchmarks.horizon

2,000 open deals, 30 roles, 1,000 people, 52 weeks, on one core, no database. All are measured in turns in one run: the
horizon, the same by simulation with 1,000 draws in NumPy, and the same by convolving term by term, cell by cell. The
figures are compared with both. Medians; CPU time beside the clock's, because other programs may run on the machine.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read when numpy is imported

import argparse
import math
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.common import keep, rows_as_table
from staffing.horizon import (
    Horizon,
    Need,
    OpenDeal,
    cell_distribution,
    cell_drivers,
    compute_horizon,
    earliest_start,
    update_horizon,
)

ROLES, PEOPLE, WEEKLY_HOURS = 30, 1_000, 37.5
USUAL = (8.0, 12.0, 16.0, 20.0, 24.0, 32.0, 40.0)
HALF_DAYS = (7.5, 11.25, 15.0, 20.0, 22.5, 30.0, 37.5, 40.0)
QUARTERS = tuple(quarter / 4 for quarter in range(16, 161))
Case = tuple[np.ndarray, np.ndarray, list[OpenDeal]]


def build_case(deals: int, weeks: int, hours: Sequence[float], seed: int = 1) -> Case:
    """A company that is booked for the next weeks and hopes for later ones; a fifth of the needs change on the way."""
    random = np.random.default_rng(seed)
    people = random.multinomial(PEOPLE, random.dirichlet(np.full(ROLES, 6.0)))
    capacity = people[:, None] * WEEKLY_HOURS * np.where(np.arange(weeks) % 17 == 16, 0.8, 1.0)
    confirmed = capacity * np.linspace(0.85, 0.25, weeks) * random.uniform(0.8, 1.1, capacity.shape)
    made = []
    for key in range(deals):
        needs = []
        for role in random.choice(ROLES, size=random.integers(1, 6), replace=False).tolist():
            length, offset = int(random.integers(3, 20)), int(random.integers(0, 4))
            needs.append(Need(role, float(random.choice(hours)), length, offset))
            if random.random() < 0.2:
                needs.append(Need(role, float(random.choice(hours)), int(random.integers(3, 12)), offset + length // 2))
        probability = float(random.choice([0.1, 0.2, 0.3, 0.5, 0.7, 0.9]))
        made.append(OpenDeal(key, probability, int(random.integers(-2, weeks)), tuple(needs)))
    return capacity, confirmed, made


def simulate(case: Case, draws: int, seed: int = 2, at_once: int = 250) -> tuple[np.ndarray, np.ndarray]:
    """P(overload) and expected overload [R, W] by drawing wins and shifts."""
    capacity, confirmed, deals = case
    random, weeks = np.random.default_rng(seed), capacity.shape[1]
    needs = [(i, n.role, d.start + n.offset, n.weeks, n.hours) for i, d in enumerate(deals) for n in d.needs]
    deal, role, begin, length = np.array([need[:4] for need in needs]).T
    hours = np.array([need[4] for need in needs])
    probability, shift = np.array([each.probability for each in deals]), deals[0].shift
    over, lacking = np.zeros(capacity.shape), np.zeros(capacity.shape)
    for _ in range(draws // at_once):
        won = random.random((at_once, len(deals))) < probability
        moved = shift.first + random.choice(len(shift.chances), p=shift.chances, size=won.shape)
        draw, need = np.nonzero(won[:, deal])
        row = (draw * ROLES + role[need]) * (weeks + 1)
        start = begin[need] + moved[draw, deal[need]]
        size = at_once * ROLES * (weeks + 1)
        change = np.bincount(row + np.clip(start, 0, weeks), hours[need], size)
        change -= np.bincount(row + np.clip(start + length[need], 0, weeks), hours[need], size)
        demand = np.cumsum(change.reshape(at_once, ROLES, weeks + 1), axis=2)[:, :, :weeks]
        excess = np.maximum(demand + confirmed - capacity, 0)
        over += (excess > 1e-6).sum(axis=0)
        lacking += excess.sum(axis=0)
    return over / draws, lacking / draws


def convolve_term_by_term(case: Case, step: float) -> np.ndarray:
    """P(overload) [R, W] by adding one deal after another to each cell; hours must lie on the step's grid."""
    capacity, confirmed, deals = case
    cells: dict[tuple[int, int], list[dict[int, float]]] = defaultdict(list)
    for deal in deals:
        theirs: dict[tuple[int, int], dict[int, float]] = defaultdict(lambda: defaultdict(float))
        for i, chance in enumerate(deal.shift.chances):
            asked: dict[tuple[int, int], float] = defaultdict(float)
            for need in deal.needs:
                begin = deal.start + deal.shift.first + i + need.offset
                for week in range(max(begin, 0), min(begin + need.weeks, capacity.shape[1])):
                    asked[need.role, week] += need.hours
            for cell, hours in asked.items():
                theirs[cell][round(hours / step)] += deal.probability * chance
        for cell, chances in theirs.items():
            cells[cell].append(chances)
    found = (confirmed > capacity + 1e-6).astype(float)
    for cell, parts in cells.items():
        chances = np.zeros(sum(max(part) for part in parts) + 1)
        chances[0] = 1.0
        for part in parts:
            added = chances * (1 - sum(part.values()))
            for units, chance in part.items():
                added[units:] += chance * chances[: len(chances) - units]
            chances = added
        found[cell] = chances[confirmed[cell] + step * np.arange(len(chances)) > capacity[cell] + 1e-6].sum()
    return found


def main() -> None:
    """Measure, compare, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deals", type=int, default=2_000)
    parser.add_argument("--repeats", type=int, default=15)
    given = parser.parse_args()
    cases = {
        "usual": build_case(given.deals, 52, USUAL),
        "half days": build_case(given.deals, 52, HALF_DAYS),
        "quarters": build_case(given.deals, 52, QUARTERS),
        "two years": build_case(given.deals, 104, USUAL),
    }
    usual = cases["usual"]
    horizon = compute_horizon(*usual)
    calls: dict[str, Callable[[], object]] = {
        "horizon": lambda: compute_horizon(*usual),
        "simulation, 1,000 draws": lambda: simulate(usual, 1_000),
        "one deal changed": lambda: update_horizon(horizon, changed=[usual[2][5]]),
        "deals that drive one cell": lambda: cell_drivers(horizon, 3, 30),
        "earliest safe start of one deal": lambda: earliest_start(horizon, usual[2][5].needs, deal=5),
        "distribution of one cell": lambda: cell_distribution(horizon, 3, 30),
        "horizon, 104 weeks": lambda: compute_horizon(*cases["two years"]),
        "horizon, hours by half days of 3.75": lambda: compute_horizon(*cases["half days"]),
        "horizon, any quarter of an hour": lambda: compute_horizon(*cases["quarters"]),
    }
    measured = in_turns(calls, given.repeats)
    begun = time.process_time()
    plain = convolve_term_by_term(usual, 4.0)
    measured["term by term, once"] = (None, 1000 * (time.process_time() - begun))
    base = measured["horizon"][1]
    rows = [
        [name, "" if clock is None else f"{clock:.1f}", f"{cpu:.1f}", f"{cpu / base:.2f}"]
        for name, (clock, cpu) in measured.items()
    ]
    agreement = {
        "contributions (deal, role, week)": len(horizon.demand.occurrences(52).week),
        "cells with a chance of overload between 5 and 95 %": int(
            ((horizon.overload_probability > 0.05) & (horizon.overload_probability < 0.95)).sum()
        ),
        "steps of the grid in h": sorted(set(horizon.grid.ravel().tolist())),
        "largest rounding error (standard deviation) in h": float(horizon.grid_error.max()),
        "largest difference from term by term": float(abs(horizon.overload_probability - plain).max()),
        **against_simulation(usual, horizon, 1_000),
        **against_simulation(usual, horizon, 20_000),
    }
    for name in ("half days", "quarters"):
        other = compute_horizon(*cases[name])
        agreement[f"{name}: steps of the grid in h"] = sorted(set(other.grid.ravel().tolist()))
        agreement[f"{name}: largest rounding error (standard deviation) in h"] = round(float(other.grid_error.max()), 2)
        agreement |= {f"{name}: {key}": value for key, value in against_simulation(cases[name], other, 20_000).items()}
    table = rows_as_table(["what", "ms", "CPU ms", "multiple of the horizon"], rows)
    table += "\n\n" + rows_as_table(["agreement", "figure"], [[key, value] for key, value in agreement.items()])
    keep("horizon", "What the staffing horizon costs", {"times": rows, "agreement": agreement}, table)


def in_turns(calls: dict[str, Callable[[], object]], repeats: int) -> dict[str, tuple[float | None, float]]:
    """Median milliseconds by the clock and of CPU, taken in turns so that a busy moment falls on all alike."""
    clock: dict[str, list[float]] = defaultdict(list)
    cpu: dict[str, list[float]] = defaultdict(list)
    for _ in range(repeats):
        for name, call in calls.items():
            begun, worked = time.perf_counter(), time.process_time()
            call()
            clock[name].append(1000 * (time.perf_counter() - begun))
            cpu[name].append(1000 * (time.process_time() - worked))
    return {name: (statistics.median(clock[name]), statistics.median(cpu[name])) for name in calls}


def against_simulation(case: Case, horizon: Horizon, draws: int) -> dict[str, Any]:
    """How far the chances of overload differ from so many draws, in standard errors where there is any chance."""
    over, _ = simulate(case, draws, seed=3)
    chance = horizon.overload_probability
    error = np.sqrt(chance * (1 - chance) / draws)
    compared = error > 0.05 / math.sqrt(draws)
    errors = (over - chance)[compared] / error[compared]
    name = f"{draws:,} draws"
    return {
        f"{name}: largest difference in the chance of overload": round(float(abs(over - chance).max()), 4),
        f"{name}: cells within 2 standard errors (95.4 % expected)": f"{100 * float((abs(errors) < 2).mean()):.1f} %",
        f"{name}: largest difference in standard errors": round(float(abs(errors).max()), 2),
    }


if __name__ == "__main__":
    main()
