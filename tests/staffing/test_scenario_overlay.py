"""A scenario laid over the inputs of the horizon: what each change comes to, in figures."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Organisation
from staffing.capacity import Capacity, WorkingDays
from staffing.horizon import ON_TIME, Horizon, Need, OpenDeal, Shift, compute_horizon
from staffing.horizon_inputs import Inputs, gather
from staffing.horizon_learning import Slips
from staffing.models import ChangeKind, WorkRole
from staffing.scenario_overlay import Supposed, horizon_with, lay_over
from tests.staffing.staffed import role, worker

MONDAY = dt.date(2026, 11, 23)
WEEKS = 12
FIGURES = ("capacity", "confirmed", "expected", "exposure", "p50", "p80", "overload_probability", "expected_overload")
K = ChangeKind
# The machine may be busy; a few dozen cases cover two roles and five deals.
few = settings(deadline=None, max_examples=40)

needs = st.builds(
    Need, role=st.integers(0, 1), hours=st.sampled_from([0.0, 10.0, 20.0, 40.0]), weeks=st.integers(0, 6),
    offset=st.integers(0, 4),
)  # fmt: skip
shifts = st.sampled_from([ON_TIME, Shift(0, (0.5, 0.25, 0.25)), Shift(-1, (0.2, 0.8))])


@st.composite
def some_inputs(draw: st.DrawFn) -> Inputs:
    """Two roles over twelve weeks, and up to five open deals."""
    deals = [
        OpenDeal(
            key + 1, draw(st.sampled_from([0.0, 0.25, 0.6, 1.0])), draw(st.integers(0, WEEKS)),
            tuple(draw(st.lists(needs, max_size=3))), draw(shifts),
        )
        for key in range(draw(st.integers(1, 5)))
    ]  # fmt: skip
    hours = st.sampled_from([0.0, 20.0, 40.0, 80.0])
    capacity, confirmed = (np.full((2, WEEKS), draw(hours)) for _ in range(2))
    roles = [WorkRole(pk=1, name="Architect"), WorkRole(pk=2, name="Tester")]
    working = np.full((2, WEEKS), draw(st.sampled_from([1.0, 0.6])))
    return Inputs(MONDAY, WEEKS, roles, [1, 1], capacity, confirmed, working, deals, {}, Slips(ON_TIME), {}, 0, 0)


def today(inputs: Inputs) -> Horizon:
    return compute_horizon(inputs.capacity, inputs.confirmed, inputs.deals, working=inputs.working)


def laid(inputs: Inputs, *changes: Supposed) -> Horizon:
    return horizon_with(today(inputs), lay_over(inputs, changes))


def same(one: Horizon, other: Horizon, figures: tuple[str, ...] = FIGURES) -> None:
    for name in figures:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-7, err_msg=name)


def with_deal(inputs: Inputs, **changes: object) -> Inputs:
    """With the first deal changed."""
    first, *others = inputs.deals
    return replace(inputs, deals=[replace(first, **changes), *others])  # type: ignore[arg-type]


@few
@given(some_inputs())
def test_an_empty_scenario_is_today(inputs: Inputs) -> None:
    same(laid(inputs), today(inputs))


@few
@given(some_inputs())
def test_winning_is_a_probability_of_one_that_starts_as_planned(inputs: Inputs) -> None:
    sure = today(with_deal(inputs, probability=1.0, shift=ON_TIME))
    figures = tuple(name for name in FIGURES if name != "confirmed")
    same(laid(inputs, Supposed(K.WIN, deal=1)), sure, figures)


@few
@given(some_inputs())
def test_what_is_won_is_confirmed(inputs: Inputs) -> None:
    before, after = today(inputs), laid(inputs, Supposed(K.WIN, deal=1))
    sure = [replace(inputs.deals[0], shift=ON_TIME)]
    alone = compute_horizon(inputs.capacity, inputs.confirmed * 0, sure, working=inputs.working)
    np.testing.assert_allclose(after.confirmed - before.confirmed, alone.exposure, atol=1e-7)


@few
@given(some_inputs())
def test_losing_is_leaving_it_out(inputs: Inputs) -> None:
    same(laid(inputs, Supposed(K.LOSE, deal=1)), today(replace(inputs, deals=inputs.deals[1:])))


@few
@given(some_inputs(), st.integers(-8, 8), st.integers(-8, 8))
def test_two_shifts_add_up(inputs: Inputs, one: int, other: int) -> None:
    both = laid(inputs, Supposed(K.SHIFT, deal=1, weeks=one), Supposed(K.SHIFT, deal=1, weeks=other))
    same(both, laid(inputs, Supposed(K.SHIFT, deal=1, weeks=one + other)))


@few
@given(some_inputs(), st.integers(-8, 8))
def test_a_shift_is_another_start_and_not_before_this_week(inputs: Inputs, weeks: int) -> None:
    moved = today(with_deal(inputs, start=max(inputs.deals[0].start + weeks, 0)))
    same(laid(inputs, Supposed(K.SHIFT, deal=1, weeks=weeks)), moved)


@few
@given(some_inputs(), st.sampled_from([0.0, 0.35, 1.0]))
def test_a_chance_is_another_probability(inputs: Inputs, chance: float) -> None:
    same(laid(inputs, Supposed(K.CHANCE, deal=1, chance=chance)), today(with_deal(inputs, probability=chance)))


@few
@given(some_inputs(), st.permutations([0, 1, 2]))
def test_the_order_does_not_matter(inputs: Inputs, order: list[int]) -> None:
    changes = [
        Supposed(K.SHIFT, deal=1, weeks=3), Supposed(K.WIN, deal=1), Supposed(K.CHANCE, deal=2, chance=0.9)
    ]  # fmt: skip
    same(laid(inputs, *(changes[place] for place in order)), laid(inputs, *changes))


@few
@given(some_inputs(), st.sampled_from(list(ChangeKind)))
def test_a_deal_or_person_that_is_not_there_changes_nothing(inputs: Inputs, kind: ChangeKind) -> None:
    gone = Supposed(kind, deal=99, weeks=4, chance=0.5, role=99, people=3, hours=40, person=99, from_on=MONDAY)
    same(laid(inputs, gone), today(inputs))


# --- people, by days ---


@pytest.fixture
def architect(organisation: Organisation) -> WorkRole:
    """Two architects of 40 and 20 hours."""
    made = role("Architect")
    worker("Nora", made)
    worker("Nils", made, hours=20)
    return made


def hours(inputs: Inputs, change: Supposed) -> list[float]:
    """Of the first four weeks."""
    laid_over = lay_over(inputs, [change]).inputs
    return [float(each) for each in laid_over.capacity[0, :4]]


def test_people_join_on_a_day(organisation: Organisation, architect: WorkRole) -> None:
    inputs = gather(MONDAY, WEEKS, home=organisation)
    wednesday = MONDAY + dt.timedelta(weeks=1, days=2)
    two = Supposed(K.JOIN, role=architect.pk, people=2, hours=30, from_on=wednesday)
    assert hours(inputs, two) == [60, 60 + 2 * 30 * 3 / 5, 120, 120]
    assert lay_over(inputs, [two]).inputs.people == [4]


def test_people_join_for_some_time(organisation: Organisation, architect: WorkRole) -> None:
    inputs = gather(MONDAY, WEEKS, home=organisation)
    first, last = MONDAY + dt.timedelta(weeks=1), MONDAY + dt.timedelta(weeks=2, days=-1)
    one = Supposed(K.JOIN, role=architect.pk, people=1, hours=40, from_on=first, until_on=last)
    assert hours(inputs, one) == [60, 100, 60, 60]


def test_somebody_leaves_in_the_middle_of_a_week(organisation: Organisation, architect: WorkRole) -> None:
    inputs = gather(MONDAY, WEEKS, home=organisation)
    nora = architect.people.get(name="Nora")
    gone = Supposed(K.LEAVE, person=nora.pk, from_on=MONDAY + dt.timedelta(weeks=1, days=3))
    assert hours(inputs, gone) == [60, 20 + 40 * 3 / 5, 20, 20]


def test_somebody_is_away_and_comes_back(organisation: Organisation, architect: WorkRole) -> None:
    inputs = gather(MONDAY, WEEKS, home=organisation)
    nora = architect.people.get(name="Nora")
    away = Supposed(
        K.LEAVE, person=nora.pk, from_on=MONDAY + dt.timedelta(weeks=1),
        until_on=MONDAY + dt.timedelta(weeks=2, days=-1),
    )  # fmt: skip
    assert hours(inputs, away) == [60, 20, 60, 60]


def test_who_is_away_twice_is_away_once(organisation: Organisation, architect: WorkRole) -> None:
    inputs = gather(MONDAY, WEEKS, home=organisation)
    nora = architect.people.get(name="Nora")
    twice = [Supposed(K.LEAVE, person=nora.pk, from_on=MONDAY)] * 2
    assert lay_over(inputs, twice).inputs.capacity[0, 0] == 20
    assert lay_over(inputs, twice[:1]).inputs.people == [1]


def test_what_is_over_or_far_away_changes_nothing(organisation: Organisation, architect: WorkRole) -> None:
    inputs = gather(MONDAY, WEEKS, home=organisation)
    nora = architect.people.get(name="Nora")
    past = Supposed(K.LEAVE, person=nora.pk, from_on=dt.date(2020, 1, 1), until_on=dt.date(2020, 2, 1))
    far = Supposed(K.LEAVE, person=nora.pk, from_on=dt.date(2090, 1, 1))
    assert hours(inputs, past) == hours(inputs, far) == [60, 60, 60, 60]


def test_the_people_behind_the_capacity_are_known(organisation: Organisation, architect: WorkRole) -> None:
    staff = gather(MONDAY, WEEKS, home=organisation).staff
    assert isinstance(staff, Capacity)
    assert isinstance(staff.days, WorkingDays)
    np.testing.assert_allclose(staff.daily.reshape(2, WEEKS, 7).sum(axis=2), staff.hours)
