"""The best team for several needs at once, against trying every team there is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffing.assignment import COST_OF_A_PERSON, LEAST_HOURS, WORTH_OF_QUALITY, Ask, best_team

WEEKS = 6


def free(*hours: float) -> np.ndarray:
    """People with so many free hours in every week."""
    return np.repeat(np.array(hours, dtype=np.float64)[:, None], WEEKS, axis=1)


def worth(asks: list[Ask], quality: np.ndarray, hours: np.ndarray) -> float:
    """As the docstring of `best_team` says."""
    weeks = np.array([ask.weeks for ask in asks], dtype=np.float64)[:, None]
    asked = np.array([ask.hours for ask in asks])[:, None]
    covered = weeks * hours * (1 + WORTH_OF_QUALITY * np.nan_to_num(quality))
    return float((covered - COST_OF_A_PERSON * asked * weeks * (hours > 0)).sum())


def test_the_best_for_one_is_wanted_more_for_the_other() -> None:
    # Taken in turn, the first ask would get the first person, and nobody able would be left for the second.
    asks = [Ask(40, 0, 6), Ask(40, 0, 6)]
    quality = np.array([[1.0, 0.9], [0.9, np.nan]])
    team = best_team(asks, quality, free(40, 40))
    assert team.hours.tolist() == [[0, 40], [40, 0]]
    assert team.is_best


def test_two_share_what_is_too_much_for_one() -> None:
    team = best_team([Ask(60, 0, 4)], np.array([[1.0, 0.5, 0.2]]), free(40, 40, 40))
    assert team.hours.tolist() == [[40, 20, 0]]


def test_one_takes_two_that_follow_each_other_but_not_two_at_once() -> None:
    quality = np.array([[1.0], [1.0]])
    in_turn = best_team([Ask(40, 0, 3), Ask(40, 3, 3)], quality, free(40))
    at_once = best_team([Ask(40, 0, 3), Ask(40, 2, 3)], quality, free(40))
    assert in_turn.hours.tolist() == [[40], [40]]
    assert sorted(at_once.hours[:, 0].tolist()) == [0, 40]


def test_part_of_two_that_overlap() -> None:
    team = best_team([Ask(20, 0, 4), Ask(16, 2, 4)], np.array([[1.0], [1.0]]), free(36))
    assert team.hours.tolist() == [[20], [16]]


def test_a_week_away_of_five_is_no_matter_and_two_are() -> None:
    away = free(40)
    away[0, 1] = 0
    assert best_team([Ask(40, 0, 5)], np.array([[1.0]]), away).hours.tolist() == [[40]]
    away[0, 2] = 0
    assert best_team([Ask(40, 0, 5)], np.array([[1.0]]), away).hours.tolist() == [[0]]


def test_crumbs_are_nobodys_job() -> None:
    assert best_team([Ask(40, 0, 4)], np.array([[1.0]]), free(LEAST_HOURS - 1)).hours.tolist() == [[0]]
    assert best_team([Ask(4, 0, 4)], np.array([[1.0]]), free(4)).hours.tolist() == [[4]]


@pytest.mark.parametrize("people", [0, 1])
def test_nobody_is_able(people: int) -> None:
    team = best_team([Ask(40, 0, 4)], np.full((1, people), np.nan), free(*[40] * people))
    assert (team.hours.sum(), team.is_best) == (0, True)


def test_nothing_is_asked() -> None:
    assert best_team([], np.zeros((0, 2)), free(40, 40)).hours.shape == (0, 2)


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="Quality is by ask"):
        best_team([Ask(8, 0, 9)], np.array([[1.0]]), free(40))


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3)), min_size=1, max_size=3),
    st.lists(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=3, max_size=3), min_size=3, max_size=3),
    st.lists(st.sampled_from([0, 20, 40]), min_size=3, max_size=3),
)
def test_no_team_is_better(spans: list[tuple[int, int]], rows: list[list[float]], hours: list[int]) -> None:
    asks = [Ask(20, first, weeks) for first, weeks in spans]
    quality, room = np.array(rows)[: len(asks)], free(*hours)
    team = best_team(asks, quality, room)
    best = 0.0
    for chosen in itertools.product(range(-1, 3), repeat=len(asks)):  # who gets each ask, whole; -1 is nobody
        given_hours = np.zeros(quality.shape)
        for number, person in enumerate(chosen):
            if person >= 0:
                given_hours[number, person] = 20
        load = np.zeros(room.shape)
        for number, ask in enumerate(asks):
            load[:, ask.span] += given_hours[number][:, None]
        if (load <= room).all():
            best = max(best, worth(asks, quality, given_hours))
    assert worth(asks, quality, team.hours) >= best - 1e-6
    load = np.zeros(room.shape)
    for number, ask in enumerate(asks):
        load[:, ask.span] += team.hours[number][:, None]
    assert (load <= room + 1e-6).all()
