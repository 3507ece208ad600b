"""Whatever is added to history after a moment, what is said of that moment stays the same."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffing.replay import Course, DealHistory, Entry, NeedHistory, Shape, Views, view
from staffing.replay_learning import Closing, Closings

START = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
AFTER = dt.timedelta(days=14)


def at(hour: int) -> dt.datetime:
    return START + dt.timedelta(hours=hour)


# What a value is from an hour on, first of all from the beginning.
values = st.lists(st.tuples(st.integers(1, 400), st.integers(0, 100)), max_size=8).map(
    lambda steps: [(0, 50), *sorted(steps, key=lambda step: step[0])]
)


def course(steps: list[tuple[int, int]], until: int, of: Any = lambda value: value) -> Course[Any]:
    """As history tells it once all up to an hour has happened."""
    told = [step for step in steps if step[0] < until]
    changes = [(at(hour), of(before)) for (_hour, before), (hour, _value) in pairwise(told)]
    return Course(of(told[-1][1]), changes)


def day(value: int) -> dt.date | None:
    return START.date() + dt.timedelta(days=value) if value % 5 else None


@st.composite
def lives(draw: st.DrawFn) -> dict[str, Any]:
    """A deal as it went, each value with its hours."""
    names = ("probability", "start_on", "close_date", "archived", "live", "hours")
    kinds = st.sampled_from(["open", "open", "open", "won", "lost"])
    entries = draw(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 60), kinds), min_size=1, max_size=5))
    asked = draw(st.lists(st.integers(0, 400), max_size=3))
    return {name: draw(values) for name in names} | {"entries": sorted(entries), "asked": asked}


def told(life: dict[str, Any], until: int) -> DealHistory | None:
    """The deal as history tells it at an hour, or None before it was there."""
    known = 0
    entries = []
    for hour, late, kind in life["entries"]:
        known = max(known, hour + late)  # nobody tells the second step before the first
        if known < until:
            entries.append(Entry(1, kind, at(hour), at(known), 40, "warm"))
    if not entries:
        return None
    needs = [
        NeedHistory(at(hour), course(life["live"], until, lambda value: value < 80),
                    course(life["hours"], until, lambda value: Shape(1, value, 4, 0) if value < 90 else None))
        for hour in life["asked"] if hour < until
    ]  # fmt: skip
    return DealHistory(
        1, entries, course(life["probability"], until), Course("warm"), course(life["start_on"], until, day),
        course(life["close_date"], until, day), course(life["archived"], until, lambda value: value > 90), needs=needs,
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(life=lives(), moment=st.integers(1, 500), later=st.integers(0, 500))
def test_a_deal_is_seen_alike_however_much_happens_later(life: dict[str, Any], moment: int, later: int) -> None:
    then, afterwards = told(life, moment), told(life, moment + later)
    if then is None:
        assert afterwards is None or not view(afterwards, at(moment), start_after=AFTER).sight.is_open
        return
    assert afterwards is not None
    assert view(afterwards, at(moment), start_after=AFTER) == view(then, at(moment), start_after=AFTER)


@settings(max_examples=150, deadline=None)
@given(life=lives(), moments=st.lists(st.integers(0, 500), min_size=2, max_size=8))
def test_what_is_kept_between_turns_is_what_would_be_found(life: dict[str, Any], moments: list[int]) -> None:
    deal, views = told(life, 1000), Views(AFTER)
    assert deal is not None
    for moment in moments:
        assert views.of(deal, at(moment)) == view(deal, at(moment), start_after=AFTER)


closings = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 40), st.booleans(), st.none() | st.integers(1, 300)), max_size=30
)


@settings(max_examples=150, deadline=None)
@given(rows=closings, moment=st.integers(0, 500))
def test_what_was_learned_stays_however_much_closes_later(rows: list[Any], moment: int) -> None:
    made = [
        Closing(
            number, 9 if is_won else 8, is_won, at(hour).date(), at(hour + late),
            None if until is None else at(hour + late + until), frozenset({1, 2} if number % 2 else {1}),
            number % 3, number % 2 == 0,
        )
        for number, (hour, late, is_won, until) in enumerate(rows)
    ]  # fmt: skip
    known = [
        Closing(row.deal, row.stage, row.is_won, row.closed_on, row.known_at,
                row.until if row.until and row.until < at(moment) else None, row.went_through, row.slip,
                row.has_moved)
        for row in made if row.known_at < at(moment)
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("staffing.replay_learning.ENOUGH_CLOSED", 1)
        patch.setattr("staffing.replay_learning.RECENT", 8)
        patch.setattr("staffing.horizon_learning.ENOUGH_SLIPS", 1)
        assert Closings(made).at(at(moment)) == Closings(known).at(at(moment))
