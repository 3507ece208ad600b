"""The back-test against small cases worked out by hand."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from staffing.horizon import ON_TIME
from staffing.horizon_learning import History, Share, Slips
from staffing.replay import Calendar, Course, DealHistory, Entry, NeedHistory, Shape, Win, win_of
from staffing.replay_backtest import BackTest, back_test, figures
from staffing.replay_learning import Closings

DAY = dt.timedelta(days=1)
WEEK = 7 * DAY
# A Monday.
MONDAY = dt.date(2026, 3, 2)
HOME = Calendar(dt.UTC, 14 * DAY)
ARCHITECT, TESTER = 11, 12
ROWS = {ARCHITECT: 0, TESTER: 1}


class OnTime(Closings):
    """Nothing slips, and stages say nothing unless told otherwise."""

    def __init__(self, shares: dict[int, Share] | None = None) -> None:
        super().__init__([])
        self.shares = shares or {}

    def at(self, moment: dt.datetime) -> History:
        return History(self.shares, Slips(ON_TIME))


def at(week: float) -> dt.datetime:
    return dt.datetime.combine(MONDAY, dt.time(), dt.UTC) + week * WEEK


def deal(
    pk: int, *, percent: int, starts: int, needs: list[tuple[int, float, int, int]], entered: float = 0,
    won: float | None = None, asked: float | None = None, told: float | None = None,
) -> DealHistory:  # fmt: skip
    """Entered, asked and won in so many weeks after the Monday; work starts in week ``starts``."""
    entries = [Entry(1, "open", at(entered), at(entered if told is None else told), percent, "warm")]
    entries += [Entry(9, "won", at(won), at(won), 100, "hot")] if won is not None else []
    probability: Course[Any] = Course(percent) if won is None else Course(100, [(at(won), percent)])
    return DealHistory(
        pk, entries, probability, Course("warm"), Course(MONDAY + starts * WEEK), Course(None), Course(False),
        needs=[
            NeedHistory(at(entered if asked is None else asked), Course(True), Course(Shape(*need))) for need in needs
        ],
    )  # fmt: skip


def checked(deals: list[DealHistory], lead: int, *, first: int = 0, weeks: int = 20, **shares: Any) -> BackTest:
    outcomes = {each.pk: win_of(each, home=HOME) for each in deals}
    wins = {pk: found for pk, found in outcomes.items() if isinstance(found, Win)}
    mondays = [MONDAY + (first + number) * WEEK for number in range(weeks)]
    return back_test(deals, wins, OnTime(**shares), mondays=mondays, lead=lead, rows=ROWS, home=HOME)


def test_a_deal_counts_with_its_chance_before_and_with_its_hours_after() -> None:
    won = deal(1, percent=40, starts=10, won=8, needs=[(ARCHITECT, 30, 2, 0), (TESTER, 10, 1, 1)])
    test = checked([won], 4)
    # Week 10 as of week 6, week 11 as of week 7: open. It was won at week 8.
    assert test.expected[0, 9:13] == pytest.approx([0, 12, 12, 0])
    assert test.expected[1, 9:13] == pytest.approx([0, 0, 4, 0])
    assert test.expected[2, 9:13] == pytest.approx([0, 12, 16, 0])
    assert test.p80[0, 10] == 30
    assert test.p50[0, 10] == 0
    assert test.came[0, 9:13].tolist() == [0, 30, 30, 0]
    assert test.came[2, 9:13].tolist() == [0, 30, 40, 0]
    assert not test.surprised.any()
    assert test.wins.tolist() == [1, 1, 1]


def test_work_that_was_sure_by_then_is_neither_foreseen_nor_come() -> None:
    test = checked([deal(1, percent=40, starts=10, won=8, needs=[(ARCHITECT, 30, 6, 0)])], 2)
    # As of week 8, when it was just being won, it is still open; as of week 9 it is won.
    assert test.came[0, 10:13].tolist() == [30, 0, 0]
    assert test.expected[0, 10:13] == pytest.approx([12, 0, 0])


def test_what_was_not_there_comes_as_a_surprise() -> None:
    test = checked([deal(1, percent=40, starts=10, entered=7, won=8, needs=[(ARCHITECT, 30, 2, 0)])], 4)
    # As of week 6 it isn't there; as of week 7, when it is just being entered, neither.
    assert test.surprised[0, 10:12].tolist() == [30, 30]
    assert not test.came.any()
    assert not test.expected.any()


def test_what_nobody_had_asked_for_yet_comes_unforeseen() -> None:
    test = checked([deal(1, percent=40, starts=10, asked=7.5, won=8, needs=[(ARCHITECT, 30, 1, 0)])], 4)
    assert (test.came[0, 10], test.expected[0, 10], test.surprised[0, 10]) == (30, 0, 0)


def test_what_was_told_later_is_left_out_and_counted() -> None:
    test = checked([deal(1, percent=40, starts=10, told=7, won=8, needs=[(ARCHITECT, 30, 1, 0)])], 4)
    assert test.untold == 1
    assert not test.came.any()
    assert not test.surprised.any()


def test_what_history_does_not_hold_is_left_out_and_counted() -> None:
    known = deal(1, percent=50, starts=6, needs=[(ARCHITECT, 8, 2, 0)])
    need = NeedHistory(known.needs[0].asked_at, Course(True), Course(known.needs[0].shape.now, [(at(30), None)]))
    test = checked([replace(known, needs=[need])], 4)
    assert test.untold == 1
    assert not test.expected.any()


def test_open_deals_that_never_come_are_foreseen_all_the_same() -> None:
    test = checked([deal(1, percent=50, starts=6, needs=[(ARCHITECT, 8, 2, 0)])], 4)
    # Its start moves along with the week it is seen from, since nothing begins before that.
    assert test.expected[0, 5:9] == pytest.approx([0, 4, 4, 0])
    assert not test.came.any()


def test_a_share_of_wins_stands_in_for_the_deals_chance() -> None:
    test = checked([deal(1, percent=50, starts=6, needs=[(ARCHITECT, 8, 1, 0)])], 4, shares={1: Share(100, 25)})
    assert test.expected[0, 6] == pytest.approx(2)


def test_two_deals_are_added_as_chances_are() -> None:
    deals = [deal(pk, percent=50, starts=6, needs=[(ARCHITECT, 10, 1, 0)]) for pk in (1, 2)]
    test = checked(deals, 4)
    # 0, 10 or 20 hours with 25, 50 and 25 %.
    assert (test.p50[0, 6], test.p80[0, 6]) == (10, 20)
    assert test.expected[0, 6] == pytest.approx(10)


def test_figures_worked_out_by_hand() -> None:
    def row(*hours: float) -> Any:
        return np.array([hours], dtype=np.float64)

    test = BackTest(
        [MONDAY + number * WEEK for number in range(5)], 4, expected=row(10, 20, 0, 0, 30), p50=row(8, 20, 0, 0, 30),
        p80=row(20, 30, 0, 0, 40), came=row(20, 50, 0, 0, 0), surprised=row(0, 0, 0, 30, 0), wins=np.array([10]),
        untold=0,
    )  # fmt: skip
    found = figures(test, 0)
    assert found is not None
    # The middle week has nothing in it and doesn't count.
    assert (found.weeks, found.wins) == (4, 10)
    assert found.expected == pytest.approx(15)
    assert found.came == pytest.approx(17.5)
    assert found.bias == pytest.approx(2.5)
    assert found.error == pytest.approx((10 + 30 + 0 + 30) / 4)
    assert found.within_p80 == pytest.approx(3 / 4)
    assert found.within_p80_with_surprises == pytest.approx(2 / 4)
    assert found.surprise_share == pytest.approx(0.3)


@pytest.mark.parametrize(("wins", "has_figures"), [(9, False), (10, True)])
def test_no_figures_below_the_floor(wins: int, has_figures: bool) -> None:
    deals = [deal(pk, percent=40, starts=10, won=8, needs=[(ARCHITECT, 30, 1, 0)]) for pk in range(wins)]
    test = checked(deals, 4)
    assert (figures(test, 0) is not None) is has_figures
    assert (figures(test, 2) is not None) is has_figures


def test_a_forecast_that_is_right_is_within_p80_four_times_out_of_five() -> None:
    """Deals that are won exactly as often as they say: the check checks."""
    chance = np.random.default_rng(7)
    deals = []
    for pk in range(1500):
        start, percent = int(chance.integers(6, 106)), int(chance.integers(10, 91))
        won = start - 1.5 if chance.random() < percent / 100 else None
        hours = float(chance.integers(2, 40))
        deals.append(deal(pk, percent=percent, starts=start, won=won, needs=[(ARCHITECT, hours, 2, 0)]))
        # What isn't won is lost in the week in which it would have begun.
        if won is None:
            lost = Entry(8, "lost", at(start - 1.5), at(start - 1.5), 0, "cold")
            deals[-1] = DealHistory(
                pk, [*deals[-1].entries, lost], Course(0, [(at(start - 1.5), percent)]), Course("warm"),
                deals[-1].start_on, Course(None), Course(False), needs=deals[-1].needs,
            )  # fmt: skip
    found = figures(checked(deals, 4, first=8, weeks=95), 0)
    assert found is not None
    assert found.within_p80 == pytest.approx(0.8, abs=0.1)
    assert abs(found.bias) < found.expected * 0.05
