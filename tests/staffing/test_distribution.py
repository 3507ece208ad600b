"""The horizon's figures against everything that can happen, one by one, and against chance."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffing.horizon import (
    DEFAULT_SHIFT,
    ON_TIME,
    Horizon,
    Need,
    OpenDeal,
    Shift,
    cell_distribution,
    compute_horizon,
    update_horizon,
)
from tests.staffing.enumeration import all_outcomes, enumerated, odd_hours, open_deals, parts, tables

FIGURES = ["expected", "exposure", "p50", "p80", "overload_probability", "expected_overload"]


def assert_equal(found: Horizon, wanted: Horizon | dict[str, np.ndarray]) -> None:
    for name in FIGURES:
        other = wanted[name] if isinstance(wanted, dict) else getattr(wanted, name)
        np.testing.assert_allclose(getattr(found, name), other, rtol=0, atol=1e-8, err_msg=name)


def one_cell(*deals: OpenDeal, capacity: float = 40, confirmed: float = 0) -> Horizon:
    return compute_horizon([[capacity]], [[confirmed]], deals)


def deal(*needs: Need, probability: float = 0.5, start: int = 0, shift: Shift = ON_TIME, key: str = "a") -> OpenDeal:
    return OpenDeal(key, probability, start, needs, shift)


@given(tables(), tables(), open_deals(), tables(parts))
@settings(max_examples=150, deadline=None)
def test_figures_are_those_of_all_outcomes(capacity, confirmed, deals, working):
    horizon = compute_horizon(capacity, confirmed, deals)
    assert not horizon.grid_error.any()
    assert_equal(horizon, enumerated(capacity, confirmed, deals))
    with_holidays = compute_horizon(capacity, confirmed, deals, working=working)
    assert_equal(with_holidays, enumerated(capacity, confirmed, deals, working))


@given(tables(), tables(), open_deals(), st.integers(0, 1), st.integers(0, 4), parts)
@settings(max_examples=75, deadline=None)
def test_a_cells_distribution_is_that_of_all_outcomes(capacity, confirmed, deals, role, week, part):
    horizon = compute_horizon(capacity, confirmed, deals, working=np.full(capacity.shape, part))
    found = cell_distribution(horizon, role, week)
    chances, hours = all_outcomes(deals)
    wanted: dict[float, float] = {}
    for chance, demand in zip(chances, confirmed[role, week] + part * hours[:, role, week], strict=True):
        wanted[round(demand, 6)] = wanted.get(round(demand, 6), 0) + chance
    given_hours: dict[float, float] = {}
    for x, chance in zip(found.hours, found.chances, strict=True):
        given_hours[round(x, 6)] = given_hours.get(round(x, 6), 0) + chance
    assert math.isclose(found.chances.sum(), 1)
    for x in wanted.keys() | given_hours.keys():
        assert given_hours.get(x, 0) == pytest.approx(wanted.get(x, 0), abs=1e-12)


@given(tables(odd_hours), tables(odd_hours), open_deals(odd_hours), st.sampled_from([None, 0.7, 4.0, 16.0]))
@settings(max_examples=150, deadline=None)
def test_off_the_grid_figures_stay_within_the_stated_error(capacity, confirmed, deals, grid):
    horizon, exact = compute_horizon(capacity, confirmed, deals, grid=grid), enumerated(capacity, confirmed, deals)
    chances, hours = all_outcomes(deals)
    error = horizon.grid_error
    for name in ("expected", "exposure"):
        np.testing.assert_allclose(getattr(horizon, name), exact[name], rtol=0, atol=1e-8)
    excess = horizon.expected_overload - exact["expected_overload"]
    assert (excess >= -1e-8).all()
    assert (excess <= error / 2 + 1e-8).all()
    for off in (1.0, 5.0, 20.0):
        doubt = error**2 / (error**2 + off**2)
        over = confirmed + hours - capacity
        lowest = np.tensordot(chances, over > off + 1e-6, 1) - doubt
        highest = np.tensordot(chances, over > 1e-6 - off, 1) + doubt
        assert (horizon.overload_probability >= lowest - 1e-8).all()
        assert (horizon.overload_probability <= highest + 1e-8).all()
        for name, part in (("p50", 0.5), ("p80", 0.8)):
            found = confirmed + hours - getattr(horizon, name)
            assert (np.tensordot(chances, found <= off + 1e-6, 1) + doubt >= part - 1e-8).all()
            assert (np.tensordot(chances, found < -off - 1e-6, 1) - doubt <= part + 1e-8).all()


def test_hours_between_grid_points_keep_their_mean_and_say_their_error():
    horizon = compute_horizon([[100]], [[0]], [deal(Need(0, 39, 1), probability=1)], grid=4)
    found = cell_distribution(horizon, 0, 0)
    assert dict(zip(found.hours[-2:], found.chances[-2:], strict=True)) == pytest.approx({36: 0.25, 40: 0.75})
    assert horizon.expected[0, 0] == pytest.approx(39)
    assert horizon.grid_error[0, 0] == pytest.approx(4 * math.sqrt(0.25 * 0.75))


def test_the_grid_is_as_fine_as_the_hours_ask():
    weeks = [Need(0, 37.5, 1)]
    assert one_cell(deal(*weeks)).grid == [37.5]
    assert one_cell(deal(*weeks), deal(Need(0, 20, 1), key="b")).grid == [2.5]
    many = [deal(Need(0, 20.01 + i / 100, 1), key=str(i)) for i in range(500)]
    assert one_cell(*many).grid == [16.0]
    assert one_cell(*many).grid_error > 0


def large_case(*, roles: int = 6, weeks: int = 30, count: int = 300) -> tuple[np.ndarray, np.ndarray, list[OpenDeal]]:
    random = np.random.default_rng(20261123)
    deals = []
    for i in range(count):
        needs = [
            Need(int(random.integers(roles)), hours, int(random.integers(2, 15)), int(random.integers(0, 6)))
            for hours in random.choice([7.5, 10.0, 20.0, 30.0, 37.5], size=random.integers(1, 5)).tolist()
        ]
        start = int(random.integers(-5, weeks))
        deals.append(OpenDeal(i, float(random.choice([0.1, 0.3, 0.6, 0.9])), start, tuple(needs)))
    capacity = random.uniform(400, 1100, (roles, weeks))
    return capacity, capacity * random.uniform(0.2, 0.6, (roles, weeks)), deals


def simulated(capacity: np.ndarray, confirmed: np.ndarray, deals: list[OpenDeal], draws: int) -> dict[str, np.ndarray]:
    """Means over draws of winning and of shifts, with the spread of what is averaged."""
    random = np.random.default_rng(7)
    roles, weeks = capacity.shape
    change = np.zeros((draws, roles, weeks + 1))
    for one in deals:
        won = np.flatnonzero(random.random(draws) < one.probability)
        moved = one.shift.first + random.choice(len(one.shift.chances), p=one.shift.chances, size=len(won))
        for need in one.needs:
            begins = one.start + need.offset + moved
            np.add.at(change, (won, need.role, np.clip(begins, 0, weeks)), need.hours)
            np.add.at(change, (won, need.role, np.clip(begins + need.weeks, 0, weeks)), -need.hours)
    demand = confirmed + np.cumsum(change, axis=2)[:, :, :weeks]
    over = np.maximum(demand - capacity, 0)
    return {
        "demand": demand, "expected": demand.mean(axis=0), "expected_overload": over.mean(axis=0),
        "overload_probability": (over > 1e-6).mean(axis=0), "demand spread": demand.std(axis=0),
        "overload spread": over.std(axis=0),
    }  # fmt: skip


def test_a_large_case_agrees_with_simulation():
    """Within 4.5 standard errors of 4,000 draws in each of 180 cells (by chance alone, one run in 300 would not)."""
    draws = 4_000
    capacity, confirmed, deals = large_case()
    horizon, drawn = compute_horizon(capacity, confirmed, deals), simulated(capacity, confirmed, deals, draws)
    within = 4.5 / math.sqrt(draws)
    assert 0.1 < horizon.overload_probability.mean() < 0.9
    assert (abs(drawn["expected"] - horizon.expected) <= within * drawn["demand spread"] + 1e-9).all()
    spread = np.sqrt(horizon.overload_probability * (1 - horizon.overload_probability))
    assert (abs(drawn["overload_probability"] - horizon.overload_probability) <= within * spread + 4 / draws).all()
    allowed = within * drawn["overload spread"] + horizon.grid_error / 2 + 0.05
    assert (abs(drawn["expected_overload"] - horizon.expected_overload) <= allowed).all()
    for name, part in (("p50", 0.5), ("p80", 0.8)):
        level, around = getattr(horizon, name), within * math.sqrt(part * (1 - part))
        assert ((drawn["demand"] <= level + horizon.grid).mean(axis=0) >= part - around).all()
        assert ((drawn["demand"] < level - horizon.grid).mean(axis=0) <= part + around).all()


@pytest.mark.parametrize(
    ("probability", "p50", "p80"), [(0.2, 0, 0), (0.201, 0, 8), (0.5, 0, 8), (0.501, 8, 8), (0.999, 8, 8)]
)
def test_percentiles_are_the_least_hours_that_suffice_so_often(probability, p50, p80):
    horizon = one_cell(deal(Need(0, 8, 1), probability=probability))
    assert (horizon.p50, horizon.p80) == (p50, p80)


def test_many_deals_with_equal_hours_are_binomial():
    horizon = compute_horizon([[500]], [[0]], [deal(Need(0, 10, 1), probability=0.3, key=str(i)) for i in range(150)])
    binomial = [math.comb(150, n) * 0.3**n * 0.7 ** (150 - n) for n in range(151)]
    found = cell_distribution(horizon, 0, 0)
    np.testing.assert_allclose(found.chances, binomial[: len(found.chances)], atol=1e-13)
    assert horizon.overload_probability[0, 0] == pytest.approx(sum(binomial[51:]))


@given(st.data(), tables(), tables(), open_deals(), open_deals(most=2), st.sampled_from([None, 6.0]))
@settings(max_examples=150, deadline=None)
def test_an_update_equals_computing_all_anew(data, capacity, confirmed, deals, others, grid):
    working = data.draw(tables(parts))
    removed = data.draw(st.sets(st.sampled_from([one.key for one in deals]))) if deals else set()
    changed = [dataclasses.replace(one, key=data.draw(st.sampled_from(["deal 1", "new"]))) for one in others[:1]]
    booked = confirmed.copy()
    booked[0, data.draw(st.integers(0, 4))] += data.draw(st.sampled_from([0, 7.5]))
    former = compute_horizon(capacity, confirmed, deals, working=working, grid=grid)
    updated = update_horizon(former, changed=changed, removed=removed, confirmed=booked)
    there = {one.key: one for one in deals if one.key not in removed} | {one.key: one for one in changed}
    anew = compute_horizon(capacity, booked, there.values(), working=working, grid=grid)
    assert updated.deals == there
    assert_equal(updated, anew)
    np.testing.assert_array_equal(updated.grid, anew.grid)
    np.testing.assert_allclose(updated.grid_error, anew.grid_error, atol=1e-9)
    np.testing.assert_array_equal(updated.confirmed, booked)


def test_a_large_update_equals_computing_all_anew_again_and_again():
    capacity, confirmed, deals = large_case()
    horizon, there = compute_horizon(capacity, confirmed, deals), {one.key: one for one in deals}
    for key in (3, 77, 200):
        there[key] = dataclasses.replace(there[key], start=there[key].start + 5, probability=0.5)
        horizon = update_horizon(horizon, changed=[there[key]], removed=[key + 1])
        del there[key + 1]
    assert_equal(horizon, compute_horizon(capacity, confirmed, there.values()))


def test_an_update_leaves_cells_alone_that_the_deal_does_not_touch():
    capacity, confirmed, deals = large_case()
    moved = deal(Need(0, 20, 2), start=10, key="moved")
    former = compute_horizon(capacity, confirmed, [*deals, moved])
    marked = dataclasses.replace(former, overload_probability=np.full_like(capacity, -1))
    updated = update_horizon(marked, changed=[dataclasses.replace(moved, start=12)])
    touched = np.zeros(capacity.shape, dtype=bool)
    touched[0, 10:14] = True
    assert ((updated.overload_probability >= 0) == touched).all()


def test_an_update_that_changes_the_grid_equals_computing_all_anew():
    capacity, confirmed = np.full((1, 4), 36.9), np.zeros((1, 4))
    deals = [deal(Need(0, 7.3, 1), key="a"), deal(Need(0, 36.9, 1), key="b")]
    odd = deal(Need(0, 20.01, 1), start=3, key="odd")
    former, anew = (compute_horizon(capacity, confirmed, there) for there in (deals, [*deals, odd]))
    assert former.overload_probability[0, 0] != anew.overload_probability[0, 0]
    assert_equal(update_horizon(former, changed=[odd]), anew)
    assert_equal(update_horizon(anew, removed=["odd"]), former)


def test_a_deal_that_is_won_moves_into_what_is_confirmed():
    capacity, confirmed, deals = large_case()
    won = dataclasses.replace(deals[0], needs=(Need(1, 20, 4, 1),), start=3)
    former = compute_horizon(capacity, confirmed, [won, *deals[1:]])
    booked = confirmed.copy()
    booked[1, 4:8] += 20
    updated = update_horizon(former, removed=[won.key], confirmed=booked)
    sure = dataclasses.replace(won, probability=1, shift=ON_TIME)
    assert_equal(updated, compute_horizon(capacity, confirmed, [sure, *deals[1:]]))


def test_without_deals_demand_is_what_is_confirmed():
    horizon = compute_horizon([[40, 40, 0]], [[40, 41, 0]], [])
    for name in ("expected", "exposure", "p50", "p80"):
        np.testing.assert_array_equal(getattr(horizon, name), [[40, 41, 0]])
    np.testing.assert_array_equal(horizon.overload_probability, [[0, 1, 0]])
    np.testing.assert_array_equal(horizon.expected_overload, [[0, 1, 0]])
    assert cell_distribution(horizon, 0, 1).hours.tolist() == [41]


def test_without_roles_there_are_no_figures():
    assert compute_horizon(np.zeros((0, 4)), np.zeros((0, 4)), []).p80.shape == (0, 4)


def test_a_deal_without_a_chance_counts_in_the_exposure_alone():
    horizon = one_cell(deal(Need(0, 50, 1), probability=0))
    assert (horizon.exposure, horizon.expected, horizon.p80, horizon.overload_probability) == (50, 0, 0, 0)


def test_a_sure_deal_is_all_there():
    horizon = one_cell(deal(Need(0, 50, 1), probability=1), confirmed=10)
    assert (horizon.p50, horizon.p80, horizon.overload_probability, horizon.expected_overload) == (60, 60, 1, 20)


def test_zero_capacity_is_overloaded_by_any_demand():
    assert one_cell(deal(Need(0, 8, 1), probability=0.25), capacity=0).overload_probability == 0.25


def test_demand_that_just_fills_capacity_is_no_overload():
    assert one_cell(deal(Need(0, 0.1, 1)), deal(Need(0, 0.2, 1), key="b"), capacity=0.3).overload_probability == 0
    assert one_cell(deal(Need(0, 37.5, 1)), capacity=37.4).overload_probability == 0.5


def test_needs_of_nothing_ask_nothing():
    horizon = one_cell(deal(Need(0, 0, 5), Need(0, 10, 0)))
    assert (horizon.exposure, horizon.p80, horizon.overload_probability) == (0, 0, 0)


@pytest.mark.parametrize("start", [-416_000, -60, 53, 416_000])
def test_needs_outside_the_horizon_do_not_count(start):
    horizon = compute_horizon(np.zeros((1, 52)), np.zeros((1, 52)), [deal(Need(0, 40, 8), start=start)])
    assert not horizon.exposure.any()
    assert not horizon.overload_probability.any()


def test_a_need_that_began_before_the_horizon_counts_from_its_first_week():
    horizon = compute_horizon(np.zeros((1, 4)), np.zeros((1, 4)), [deal(Need(0, 40, 8), start=-6)])
    np.testing.assert_allclose(horizon.expected, [[20, 20, 0, 0]])


def test_two_years_of_weeks():
    endless = deal(Need(0, 10, 5_000), probability=0.5, shift=DEFAULT_SHIFT)
    horizon = compute_horizon(np.full((1, 104), 9.0), np.zeros((1, 104)), [endless])
    assert horizon.overload_probability[0, 0] == pytest.approx(0.5 * 0.4)
    np.testing.assert_allclose(horizon.overload_probability[0, 8:], 0.5)


def test_overlapping_needs_of_one_role_are_added_together():
    both = deal(Need(0, 10, 3), Need(0, 20, 3, 1), Need(0, 10, 1, 3), probability=0.5)
    horizon = compute_horizon(np.full((1, 5), 15.0), np.zeros((1, 5)), [both])
    np.testing.assert_array_equal(horizon.exposure, [[10, 30, 30, 30, 0]])
    np.testing.assert_allclose(horizon.overload_probability, [[0, 0.5, 0.5, 0.5, 0]])


def test_what_comes_out_can_not_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        one_cell().p80[0, 0] = 1


def test_the_default_shift_is_two_weeks_late_on_average():
    assert DEFAULT_SHIFT.mean == pytest.approx(2.02)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Need(0, math.nan, 1), "hours per week must be a number from 0 up"),
        (lambda: Need(0, math.inf, 1), "hours per week"),
        (lambda: Need(0, -1, 1), "hours per week"),
        (lambda: Need(-1, 8, 1), "role is an index"),
        (lambda: Need(0, 8, -1), "can't last -1 weeks"),
        (lambda: deal(probability=math.nan), "between 0 and 1"),
        (lambda: deal(probability=1.01), "between 0 and 1"),
        (lambda: Shift(0, (0.5, 0.4)), "sum to 1"),
        (lambda: Shift(0, ()), "sum to 1"),
        (lambda: Shift(0, (1.5, -0.5)), "from 0 to 1"),
        (lambda: Shift(0, (math.nan,)), "from 0 to 1"),
        (lambda: compute_horizon([[math.nan]], [[0]], []), "Capacity must be numbers of hours from 0 up"),
        (lambda: compute_horizon([[1]], [[-1]], []), "Confirmed work must be numbers"),
        (lambda: compute_horizon([[math.inf]], [[0]], []), "Capacity must be numbers"),
        (lambda: compute_horizon([[1, 2]], [[1]], []), "roles by weeks"),
        (lambda: compute_horizon([1, 2], [1, 2], []), "a row for each role"),
        (lambda: compute_horizon([[]], [[]], []), "at least one week"),
        (lambda: compute_horizon([[1]], [[1]], [], grid=0), "step of the grid"),
        (lambda: one_cell(deal(Need(3, 8, 1))), "Deal 'a' needs role 3, but there are only 1 roles"),
        (lambda: one_cell(deal(), deal()), "same key"),
        (lambda: update_horizon(one_cell(), capacity=[[1, 2]]), "other roles or weeks"),
        (lambda: update_horizon(one_cell(), confirmed=[[math.nan]]), "Confirmed work must be numbers"),
    ],
)
def test_impossible_input_is_refused_with_a_sentence(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_what_is_not_there_can_not_be_removed_or_looked_into():
    with pytest.raises(KeyError, match="no open deal 'b'"):
        update_horizon(one_cell(), removed=["b"])
    for cell in ((1, 0), (0, 1), (0, -1)):
        with pytest.raises(IndexError, match="no role"):
            cell_distribution(one_cell(), *cell)
