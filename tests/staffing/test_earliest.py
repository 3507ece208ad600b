"""The earliest safe start against trying each week in turn over all that can happen."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffing.horizon import ON_TIME, Need, OpenDeal, Reason, compute_horizon, earliest_start, headroom
from tests.staffing.enumeration import WEEKS, all_outcomes, needs, odd_hours, open_deals, parts, tables, usual_hours


def fits_naively(capacity, confirmed, working, others, wanted, start, confidence, *, need=None):
    """Whether all needs, or the one, have room if the deal starts in the week."""
    chances, hours = all_outcomes(others)
    own = np.zeros((*capacity.shape[:1], 60))
    for one in wanted:
        own[one.role, 20 + start + one.offset : 20 + start + one.offset + one.weeks] += one.hours
    for one in [need] if need else wanted:
        if not one.hours:
            continue
        for week in range(start + one.offset, start + one.offset + one.weeks):
            if not 0 <= week < WEEKS:
                return False
            asked = hours[:, one.role, week] + own[one.role, 20 + week]
            demand = confirmed[one.role, week] + working[one.role, week] * asked
            if chances[demand <= capacity[one.role, week] + 1e-6].sum() < confidence - 1e-9:
                return False
    return True


@given(
    tables(), tables(st.sampled_from([0.0, 0.0, 7.5, 20.0])), open_deals(usual_hours, most=4),
    st.lists(needs(usual_hours), min_size=1, max_size=3), st.integers(0, 3), st.sampled_from([0.8, 0.5, 0.95, 1.0]),
    tables(parts),
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_the_start_is_the_first_week_that_fits(capacity, confirmed, deals, wanted, from_week, confidence, working):
    own = deals[0].key if deals else None
    horizon = compute_horizon(capacity, confirmed, deals, working=working)
    found = earliest_start(horizon, wanted, from_week=from_week, confidence=confidence, deal=own)

    def first(need=None):
        starts = range(from_week, WEEKS)
        check = (capacity, confirmed, working, deals[1:], wanted)
        return next((start for start in starts if fits_naively(*check, start, confidence, need=need)), None)

    assert found.week == first()
    assert [(one.need, one.week) for one in found.needs] == [(need, first(need)) for need in wanted]
    assert (found.week is None) == (found.reason is not None)
    if found.week is not None and found.week > from_week:
        assert found.binding in {
            need.role
            for need in wanted
            if not fits_naively(capacity, confirmed, working, deals[1:], wanted, found.week - 1, confidence, need=need)
        }
    elif found.week == from_week:
        assert found.binding is None


@given(tables(odd_hours), open_deals(odd_hours), st.integers(0, 1), st.sampled_from([0.8, 0.3]))
@settings(max_examples=75, deadline=None)
def test_headroom_is_what_still_fits_with_confidence(capacity, deals, role, confidence):
    horizon = compute_horizon(capacity, capacity * 0, deals, grid=0.01)
    chances, hours = all_outcomes(deals)
    room = headroom(horizon, role, confidence=confidence)
    for week in range(WEEKS):
        demand = hours[:, role, week]
        assert chances[demand + room[week] <= capacity[role, week] + 1e-6].sum() >= confidence - 1e-8
        assert chances[demand + room[week] + 0.02 <= capacity[role, week]].sum() < confidence + 1e-8


def weeks(*values: float) -> list[list[float]]:
    return [list(values)]


def test_a_deal_does_not_stand_in_its_own_way():
    own = OpenDeal("own", 0.9, 0, (Need(0, 40, 3),), ON_TIME)
    horizon = compute_horizon(weeks(40, 40, 40), weeks(0, 0, 0), [own])
    assert earliest_start(horizon, own.needs, deal="own").week == 0
    assert earliest_start(horizon, own.needs, deal="another").reason == Reason.NEVER_FITS


def test_needs_of_one_role_are_added_together():
    two = [Need(0, 20, 2), Need(0, 15, 1, 1)]
    horizon = compute_horizon(weeks(40, 30, 40, 40), weeks(0, 0, 0, 0), [])
    found = earliest_start(horizon, two)
    assert (found.week, [one.week for one in found.needs]) == (1, [1, 1])
    assert earliest_start(horizon, two[:1]).week == 0


def test_equal_needs_count_each():
    found = earliest_start(compute_horizon(weeks(20, 40), weeks(0, 0), []), [Need(0, 20, 1), Need(0, 20, 1)])
    assert (found.week, found.binding, len(found.needs)) == (1, 0, 2)


def test_the_binding_role_is_the_one_that_was_full_the_week_before():
    capacity = [[40, 40, 40, 40], [0, 40, 40, 40], [0, 0, 40, 40]]
    found = earliest_start(compute_horizon(capacity, np.zeros((3, 4)), []), [Need(role, 30, 1) for role in range(3)])
    assert (found.week, found.binding, [one.week for one in found.needs]) == (2, 2, [0, 1, 2])


def test_of_two_full_roles_the_one_binds_that_never_fitted_before():
    capacity = [[40, 0, 40], [0, 0, 40]]
    found = earliest_start(compute_horizon(capacity, np.zeros((2, 3)), []), [Need(0, 30, 1), Need(1, 30, 1)])
    assert (found.week, found.binding) == (2, 1)


def test_needs_that_fit_one_by_one_must_fit_together():
    capacity = [[40, 0, 40, 0], [0, 40, 0, 40]]
    found = earliest_start(compute_horizon(capacity, np.zeros((2, 4)), []), [Need(0, 30, 1), Need(1, 30, 1)])
    assert (found.week, found.reason, [one.week for one in found.needs]) == (None, Reason.NEVER_TOGETHER, [0, 1])


def test_a_role_nobody_has():
    horizon = compute_horizon([[40] * 4, [0] * 4], np.zeros((2, 4)), [])
    found = earliest_start(horizon, [Need(0, 30, 1), Need(1, 8, 1)])
    assert (found.week, found.reason, found.binding) == (None, Reason.NO_CAPACITY, 1)
    assert [one.reason for one in found.needs] == [None, Reason.NO_CAPACITY]


def test_needs_longer_than_the_horizon():
    found = earliest_start(compute_horizon(weeks(40, 40, 40), weeks(0, 0, 0), []), [Need(0, 1, 3)], from_week=1)
    assert (found.week, found.reason, found.binding) == (None, Reason.BEYOND_HORIZON, 0)


def test_a_first_week_past_the_horizon():
    found = earliest_start(compute_horizon(weeks(40, 40), weeks(0, 0), []), [Need(0, 1, 1)], from_week=9)
    assert found.reason is not None
    assert found.week is None


def test_a_role_that_is_always_full():
    found = earliest_start(compute_horizon(weeks(40, 40), weeks(40, 40), []), [Need(0, 1, 1)])
    assert (found.week, found.reason) == (None, Reason.NEVER_FITS)


def test_who_needs_nobody_can_start_at_once():
    horizon = compute_horizon(weeks(0, 0), weeks(0, 0), [])
    for none in ([], [Need(0, 0, 5)], [Need(0, 5, 0)]):
        found = earliest_start(horizon, none, from_week=1)
        assert (found.week, found.binding, found.reason) == (1, None, None)


def test_confidence_decides():
    rival = OpenDeal("rival", 0.3, 0, (Need(0, 20, 1),), ON_TIME)
    horizon = compute_horizon(weeks(40, 40), weeks(0, 0), [rival])
    assert earliest_start(horizon, [Need(0, 30, 1)], confidence=0.7).week == 0
    assert earliest_start(horizon, [Need(0, 30, 1)], confidence=0.71).week == 1


@pytest.mark.parametrize("confidence", [0, -0.1, 1.1, math.nan])
def test_an_impossible_confidence_is_refused(confidence):
    with pytest.raises(ValueError, match="confidence must be above 0"):
        earliest_start(compute_horizon(weeks(1), weeks(0), []), [Need(0, 1, 1)], confidence=confidence)


def test_an_impossible_week_or_role_is_refused():
    horizon = compute_horizon(weeks(1), weeks(0), [])
    with pytest.raises(ValueError, match="first week can't be -1"):
        earliest_start(horizon, [Need(0, 1, 1)], from_week=-1)
    with pytest.raises(ValueError, match="only 1 roles"):
        earliest_start(horizon, [Need(1, 1, 1)])
