"""What a cell's overload would be without each of its deals, against computing it without them."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffing.horizon import ON_TIME, Need, OpenDeal, Shift, cell_drivers, compute_horizon
from tests.staffing.enumeration import odd_hours, open_deals, parts, tables, usual_hours
from tests.staffing.test_distribution import large_case

WHEN = st.tuples(st.integers(0, 1), st.integers(0, 4))


def assert_falls(capacity, confirmed, deals, cell, *, move_by, grid=None, working=None):
    horizon = compute_horizon(capacity, confirmed, deals, grid=grid, working=working)
    drivers = cell_drivers(horizon, *cell, move_by=move_by)
    for driver in drivers:
        others = [one for one in deals if one.key != driver.key]
        moved = dataclasses.replace(horizon.deals[driver.key], start=horizon.deals[driver.key].start + move_by)
        lost = compute_horizon(capacity, confirmed, others, grid=grid, working=working)
        later = compute_horizon(capacity, confirmed, [*others, moved], grid=grid, working=working)
        for figure, falls in (
            ("overload_probability", (driver.probability_fall_if_lost, driver.probability_fall_if_moved)),
            ("expected_overload", (driver.hours_fall_if_lost, driver.hours_fall_if_moved)),
        ):
            for there, fall in zip((lost, later), falls, strict=True):
                assert fall == pytest.approx(getattr(horizon, figure)[cell] - getattr(there, figure)[cell], abs=1e-8)
        assert driver.expected_hours == pytest.approx(horizon.expected[cell] - lost.expected[cell], abs=1e-8)
    return drivers


@given(tables(), tables(), open_deals(usual_hours), WHEN, st.sampled_from([4, 1, -1, 0]), tables(parts))
@settings(max_examples=100, deadline=None)
def test_falls_are_those_of_computing_without_the_deal(capacity, confirmed, deals, cell, move_by, working):
    assert_falls(capacity, confirmed, deals, cell, move_by=move_by, working=working)


@given(tables(odd_hours), tables(odd_hours), open_deals(odd_hours), WHEN)
@settings(max_examples=50, deadline=None)
def test_falls_are_those_of_computing_without_the_deal_on_a_coarse_grid(capacity, confirmed, deals, cell):
    assert_falls(capacity, confirmed, deals, cell, move_by=2, grid=7.0)


def test_falls_in_a_large_case_are_those_of_computing_without_the_deal():
    capacity, confirmed, deals = large_case(roles=2, weeks=8, count=60)
    drivers = assert_falls(capacity / 4, confirmed / 4, deals, (1, 4), move_by=4)
    assert len(drivers) > 20
    assert drivers[0].hours_fall_if_lost > 0


@given(tables(), tables(), open_deals(usual_hours), WHEN)
@settings(max_examples=50, deadline=None)
def test_every_deal_that_can_ask_hours_is_there_the_strongest_first(capacity, confirmed, deals, cell):
    horizon = compute_horizon(capacity, confirmed, deals)
    drivers = cell_drivers(horizon, *cell)
    alone = {one.key: compute_horizon(capacity, confirmed * 0, [one]).expected[cell] for one in deals}
    assert {driver.key for driver in drivers} == {key for key, hours in alone.items() if hours > 0}
    falls = [(driver.hours_fall_if_lost, driver.probability_fall_if_lost) for driver in drivers]
    assert falls == sorted(falls, reverse=True)


def test_a_deal_that_moves_into_its_fullest_week_raises_the_overload():
    growing = OpenDeal("growing", 1, 0, (Need(0, 10, 1), Need(0, 30, 1, 1)), ON_TIME)
    horizon = compute_horizon([[20, 20, 20]], [[0, 0, 0]], [growing])
    (driver,) = cell_drivers(horizon, 0, 0, move_by=-1)
    assert (driver.probability_fall_if_moved, driver.hours_fall_if_moved) == (-1, -10)


def test_the_chance_is_that_of_asking_any_hours_in_the_week():
    late = OpenDeal("late", 0.5, 0, (Need(0, 10, 1), Need(0, 30, 1, 1)), Shift(0, (0.5, 0.25, 0.25)))
    (driver,) = cell_drivers(compute_horizon([[0, 0]], [[0, 0]], [late]), 0, 1)
    assert driver.chance == pytest.approx(0.5 * 0.75)
    assert driver.expected_hours == pytest.approx(0.5 * (0.5 * 30 + 0.25 * 10))


def test_a_cell_without_open_demand_has_no_drivers():
    elsewhere = OpenDeal("elsewhere", 0.5, 2, (Need(0, 10, 1),), ON_TIME)
    assert cell_drivers(compute_horizon([[5] * 4], [[9] * 4], [elsewhere]), 0, 1) == ()


@pytest.mark.parametrize("cell", [(1, 0), (-1, 0), (0, 4), (0, -1)])
def test_a_cell_that_is_not_there_is_refused(cell):
    with pytest.raises(IndexError, match="no role"):
        cell_drivers(compute_horizon([[5] * 4], [[9] * 4], []), *cell)
