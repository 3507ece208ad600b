"""Reactions may run late, twice or out of order: what comes of them is the same."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from accounts.models import User
from events.models import Delivery
from handoffs.invariants import INVARIANTS
from handoffs.models import DealReview, Engagement, Task, TaskState
from handoffs.services.signals import wanted_triggers
from opportunities.models import Opportunity
from opportunities.models.history import Source
from opportunities.services.editing import update_opportunity
from opportunities.services.moves import CannotUndo, undo_move
from opportunities.services.policies import IllegalMove
from tests.handoffs.reactions import MONDAY, deal, engagement_of, fresh, move, owed, react, run, undo

STAGES = ("prospect", "qualified", "discovery", "proposal", "negotiation", "won", "lost")
steps = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.sampled_from(STAGES)),
        st.tuples(st.just("undo"), st.none()),
        st.tuples(st.just("close"), st.integers(-30, 60)),
    ),
    min_size=1,
    max_size=6,
)
shuffles = st.randoms(use_true_random=False)
# Shrinking takes minutes on a database; ONETEAM_EXAMPLES asks for more examples.
each_example = settings(
    max_examples=int(os.environ.get("ONETEAM_EXAMPLES", "8")), deadline=None, database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


def _act(opportunity: Opportunity, kind: str, argument: Any) -> None:
    """One thing that a person does; what is not allowed is not done."""
    current = fresh(opportunity)
    assert current.owner is not None
    if kind == "move":
        try:
            move(current, argument, reacts=False)
        except IllegalMove:
            return
    elif kind == "undo":
        change = current.stage_changes.order_by("-number").first()
        if change.source == Source.UNDO:  # no page offers to undo an undo
            return
        try:
            undo_move(actor=current.owner, change=change, now=change.recorded_at)
        except CannotUndo:
            return
    else:
        closes = MONDAY.date() + dt.timedelta(days=argument)
        moved = {"close_date": closes, "start_on": closes + dt.timedelta(days=14)}
        update_opportunity(
            actor=current.owner, opportunity=current, changes=moved, expected_version=current.version, now=MONDAY
        )


def _outcome(opportunity: Opportunity) -> tuple[list[Any], list[Any], list[Any]]:
    """The rows, without their keys."""
    engagements = Engagement.objects.filter(opportunity=opportunity).order_by("requested_at", "pk")
    tasks = Task.objects.filter(opportunity=opportunity).order_by("template__key")
    return (
        list(engagements.values_list("state", "trigger", "outcome", "is_fast_lane", "answer_due_at", "paused_at")),
        list(tasks.values_list("template__key", "state", "due_on", "assignee", "paused_on")),
        list(
            DealReview.objects.filter(opportunity=opportunity)
            .annotate(asked=Count("questions"))
            .values_list("state", "state_before_end", "trigger", "is_express", "due_at", "paused_at", "asked")
        ),
    )


def _broken() -> list[str]:
    """Invariants that do not hold. `verify` wants a transaction of its own, which a test is in already."""
    broken = []
    for invariant in INVARIANTS:
        with connection.cursor() as cursor:
            cursor.execute(f"select count(*) from ({invariant.sql}) found")
            if cursor.fetchone()[0]:
                broken.append(invariant.name)
    return broken


def _assert_in_line(opportunity: Opportunity) -> None:
    """The rows are what the deal as it stands asks for."""
    assert _broken() == []
    current = fresh(opportunity)
    newest = Engagement.objects.filter(opportunity=current).first()
    wanted = wanted_triggers(current, newest) if newest is not None else set()
    is_open = set(Task.objects.open().filter(opportunity=current).values_list("trigger", flat=True))
    assert is_open <= {trigger.value for trigger in wanted}
    if newest is not None and newest.is_open:
        assert (newest.paused_at is None) == bool(wanted)
    waiting = Task.objects.filter(opportunity=current, trigger__in=wanted).exclude(state=TaskState.OPEN)
    assert not waiting.exclude(state=TaskState.DONE).exists()


@given(steps=steps, shuffle=shuffles)
@each_example
def test_late_reactions_in_any_order_and_twice_give_the_same_rows(
    alice: User, dan: User, steps: list[tuple[str, Any]], shuffle: Any
) -> None:
    in_order, shuffled = (deal("prospect", owner=alice) for _deal in range(2))
    for kind, argument in steps:
        _act(in_order, kind, argument)
    react()
    for kind, argument in steps:
        _act(shuffled, kind, argument)
    deliveries = owed() * 2
    shuffle.shuffle(deliveries)
    note(str([delivery.event.name for delivery in deliveries]))
    run(deliveries)
    react()
    assert _outcome(shuffled) == _outcome(in_order)
    _assert_in_line(shuffled)


@given(steps=steps, shuffle=shuffles)
@each_example
def test_reactions_at_any_moment_leave_the_deal_in_line(
    alice: User, dan: User, steps: list[tuple[str, Any]], shuffle: Any
) -> None:
    found = deal("prospect", owner=alice)
    for kind, argument in steps:
        _act(found, kind, argument)
        some = [delivery for delivery in owed() if shuffle.random() < 0.5]
        shuffle.shuffle(some)
        note(f"{kind} {argument}, then {[delivery.event.name for delivery in some]}")
        run(some)
    late = owed()
    shuffle.shuffle(late)
    run(late)
    react()
    again = list(Delivery.objects.filter(event__opportunity_id=found.pk).select_related("event"))
    shuffle.shuffle(again)
    before = _outcome(found)
    run(again)
    react()
    assert _outcome(found) == before
    _assert_in_line(found)


def _withdrawal_late(opportunity: Opportunity) -> None:
    moved = move(opportunity, "discovery")
    undo(moved.change, reacts=False)
    late = owed()
    move(opportunity, "discovery", reacts=False)
    run([delivery for delivery in owed() if delivery.pk not in {each.pk for each in late}])
    run(late)


def _hot_before_warm(opportunity: Opportunity) -> None:
    warm = move(opportunity, "discovery", reacts=False).opportunity
    move(move(warm, "proposal", reacts=False).opportunity, "negotiation", reacts=False)
    run(reversed(owed()))


@pytest.mark.parametrize("happen", [_withdrawal_late, _hot_before_warm])
def test_known_hard_orders(alice: User, dan: User, happen: Callable[[Opportunity], None]) -> None:
    found = deal(owner=alice)
    happen(found)
    _assert_in_line(found)
    newest = engagement_of(found)
    assert (newest.state, newest.trigger) == ("requested", "warm")


def test_an_undone_move_leaves_what_a_pulled_in_date_asked_for_however_often_it_is_heard(
    alice: User, dan: User
) -> None:
    found = deal("prospect", owner=alice)
    _act(found, "move", "proposal")
    react()
    _act(found, "close", -13)
    react()
    _act(found, "undo", None)
    react()
    before = _outcome(found)
    run(list(Delivery.objects.filter(event__opportunity_id=found.pk).select_related("event").order_by("pk")))
    react()
    assert _outcome(found) == before
    assert Engagement.objects.filter(opportunity=found).count() == 1


def test_what_is_taken_up_again_has_the_dates_that_moved_meanwhile(alice: User, dan: User) -> None:
    lost = move(deal("prospect", owner=alice), "lost").opportunity
    taken_up = move(lost, "proposal")
    undo(taken_up.change)
    _act(lost, "close", 10)
    react()
    reopened = move(fresh(lost), "negotiation").opportunity
    due = dict(Task.objects.filter(opportunity=reopened).values_list("template__key", "due_on"))
    run([each for each in Delivery.objects.select_related("event") if each.event.name.endswith("close_date_moved")])
    assert dict(Task.objects.filter(opportunity=reopened).values_list("template__key", "due_on")) == due
