"""Moving the kick-off: what moves with it, what can't, and taking it back."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.calendars import BusinessDays
from accounts.models import CalendarDay, Organisation, User
from events import names
from events.models import Event
from handoffs.models import Anchor, RampPlan, Task, TaskState
from handoffs.ramp_dates import dates_for
from handoffs.services.ramp import StalePlan, move_kickoff, preview_kickoff, undo_kickoff
from handoffs.services.tasks import change_task
from opportunities.services.editing import update_opportunity
from tests.handoffs.ramping import deal_of, due, milestone, ramping, settle, stands
from tests.handoffs.reactions import MONDAY, TUESDAY, react

KICKOFF, LATER = dt.date(2026, 12, 14), dt.date(2027, 1, 11)


@pytest.fixture
def plan(alice: User, dan: User) -> RampPlan:
    return ramping(owner=alice, delivery_owner=dan)


def shift(plan: RampPlan, day: dt.date, by: User, *, seen: int | None = None, now: dt.datetime = MONDAY) -> RampPlan:
    return move_kickoff(actor=by, plan=plan, kickoff_on=day, now=now, expected_version=seen)


def moves(plan: RampPlan, day: dt.date, now: dt.datetime = MONDAY) -> dict[str, tuple[dt.date, str]]:
    return {each.task.title: (each.to_on, each.note) for each in preview_kickoff(plan, day, now).moves}


def stays(plan: RampPlan, day: dt.date) -> dict[str, str]:
    return {each.task.title: each.why for each in preview_kickoff(plan, day, MONDAY).stays}


def test_what_is_counted_from_the_kickoff_moves_with_it(plan: RampPlan, dan: User) -> None:
    before, after = milestone(plan, "Team meets", days=-5), milestone(plan, "First delivery", days=10)
    assert (due(before), due(after)) == (dt.date(2026, 12, 7), dt.date(2026, 12, 28))
    shift(plan, LATER, dan)
    assert (due(before), due(after)) == (dt.date(2027, 1, 4), dt.date(2027, 1, 25))


def test_plan_and_deal_say_the_same_start(plan: RampPlan, dan: User) -> None:
    version = deal_of(plan).version
    moved = shift(plan, LATER, dan)
    assert (moved.kickoff_on, moved.version) == (LATER, plan.version + 1)
    assert (deal_of(plan).start_on, deal_of(plan).version) == (LATER, version + 1)
    told = Event.objects.get(name=names.RAMP_RESCHEDULED)
    assert (told.data["from"], told.data["to"], told.actor) == (KICKOFF.isoformat(), LATER.isoformat(), dan)


def test_reactions_to_the_move_change_nothing_more(plan: RampPlan, dan: User) -> None:
    early = milestone(plan, "Team meets", days=-20)
    milestone(plan, "Access", days=3)
    shift(plan, dt.date(2026, 11, 24), dan)
    own = Task.objects.filter(ramp_plan=plan)
    after_move = set(own.values_list("pk", "due_on", "version"))
    react(TUESDAY)
    assert set(own.values_list("pk", "due_on", "version")) == after_move
    assert stands(plan).kickoff_on == dt.date(2026, 11, 24)
    assert due(early) == MONDAY.date()


def test_a_preview_is_what_happens(plan: RampPlan, dan: User) -> None:
    first = milestone(plan, "Access", days=2)
    milestone(plan, "Data", days=1, after=(first,))
    milestone(plan, "Fixed", on=dt.date(2026, 12, 20))
    expected = {each.task.pk: each.to_on for each in preview_kickoff(plan, LATER, MONDAY).moves}
    unmoved = {task.pk: task.due_on for task in Task.objects.filter(ramp_plan=plan)}
    shift(plan, LATER, dan)
    assert {task.pk: task.due_on for task in Task.objects.filter(ramp_plan=plan)} == {**unmoved, **expected}


def test_what_is_done_or_dated_by_hand_stays_and_says_so(plan: RampPlan, dan: User) -> None:
    settle(milestone(plan, "Done", days=1))
    task = milestone(plan, "By hand", days=2)
    change_task(
        actor=dan, task=task, changes={"due_on": dt.date(2026, 12, 30)}, expected_version=task.version, now=MONDAY
    )
    assert stays(plan, LATER) == {"Done": "It is done.", "By hand": "Its date was set by hand."}
    shift(plan, LATER, dan)
    assert due(task) == dt.date(2026, 12, 30)


def test_nothing_falls_before_today(plan: RampPlan) -> None:
    milestone(plan, "Team meets", days=-5)
    assert moves(plan, dt.date(2026, 11, 25))["Team meets"] == (
        MONDAY.date(), "Counted from the kick-off it would be in the past.",
    )  # fmt: skip


def test_nothing_is_due_before_what_it_waits_for(plan: RampPlan) -> None:
    contract = milestone(plan, "Contract", on=dt.date(2027, 1, 29))
    milestone(plan, "Access", days=1, after=(contract,))
    milestone(plan, "Free", days=1)
    found = moves(plan, LATER)
    assert found == {"Free": (dt.date(2027, 1, 12), "")}
    assert stays(plan, LATER)["Access"] == "It waits for “Contract”."


def test_a_date_by_hand_before_what_it_waits_for_is_named(plan: RampPlan) -> None:
    access = milestone(plan, "Access", days=1)
    milestone(plan, "Demo", on=dt.date(2026, 12, 20), after=(access,))
    conflicts = preview_kickoff(plan, LATER, MONDAY).conflicts
    assert [each.task.title for each in conflicts] == ["Demo"]
    assert "“Access”" in conflicts[0].why


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (dt.date(2027, 1, 16), dt.date(2027, 1, 18)),  # a Saturday
        (dt.date(2028, 2, 29), dt.date(2028, 2, 29)),
        (MONDAY.date(), MONDAY.date()),
    ],
)
def test_a_day_without_work_gives_the_next_business_day(plan: RampPlan, asked: dt.date, found: dt.date) -> None:
    preview = preview_kickoff(plan, asked, MONDAY)
    assert (preview.kickoff_on, preview.is_shifted) == (found, asked != found)


def test_a_holiday_counts_as_a_day_without_work(plan: RampPlan, organisation: Organisation) -> None:
    CalendarDay.objects.create(calendar=organisation.calendar, on=LATER, name="Day of the company", is_working=False)
    assert preview_kickoff(plan, LATER, MONDAY).kickoff_on == dt.date(2027, 1, 12)


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (dt.date(2026, 11, 22), "That day has passed."),
        (dt.date(1999, 12, 31), "between 2000 and 2100"),
        (dt.date(2101, 1, 1), "between 2000 and 2100"),
    ],
)
def test_a_day_that_has_passed_or_lies_too_far_is_refused(plan: RampPlan, dan: User, day: dt.date, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        shift(plan, day, dan)
    assert stands(plan).kickoff_on == KICKOFF


def test_the_last_day_of_the_calendar_can_be_named(plan: RampPlan, dan: User) -> None:
    assert shift(plan, dt.date(2100, 12, 31), dan).kickoff_on == dt.date(2100, 12, 31)


def test_moving_it_to_where_it_is_does_nothing(plan: RampPlan, dan: User) -> None:
    shift(plan, KICKOFF, dan, seen=99)
    assert stands(plan).version == plan.version
    assert not Event.objects.filter(name=names.RAMP_RESCHEDULED).exists()


def test_somebody_who_saw_another_version_is_told(plan: RampPlan, dan: User, alice: User) -> None:
    shift(plan, LATER, alice, seen=plan.version)
    with pytest.raises(StalePlan):
        shift(plan, dt.date(2027, 2, 1), dan, seen=plan.version)
    assert stands(plan).kickoff_on == LATER


def test_outsiders_move_nothing(plan: RampPlan, charlie: User) -> None:
    with pytest.raises(PermissionDenied):
        shift(plan, LATER, charlie)


def test_undo_gives_every_date_back(plan: RampPlan, dan: User) -> None:
    milestone(plan, "Team meets", days=-5)
    first = milestone(plan, "Access", days=2)
    milestone(plan, "Data", days=1, after=(first,))
    was = set(Task.objects.values_list("pk", "due_on", "anchored_on"))
    shift(plan, dt.date(2026, 11, 24), dan)
    undo_kickoff(actor=dan, plan=plan, now=MONDAY)
    react()
    assert set(Task.objects.values_list("pk", "due_on", "anchored_on")) == was
    assert stands(plan).kickoff_on == deal_of(plan).start_on == KICKOFF


def test_undo_twice_changes_nothing_more(plan: RampPlan, dan: User) -> None:
    shift(plan, LATER, dan)
    undo_kickoff(actor=dan, plan=plan, now=MONDAY)
    undo_kickoff(actor=dan, plan=plan, now=MONDAY)
    assert Event.objects.filter(name=names.RAMP_RESCHEDULED).count() == 2


def test_undo_is_refused_once_somebody_went_on(plan: RampPlan, dan: User, alice: User) -> None:
    shift(plan, LATER, dan)
    stale = stands(plan)
    RampPlan.objects.filter(pk=plan.pk).update(version=stale.version + 1)
    with pytest.raises(StalePlan):
        undo_kickoff(actor=dan, plan=plan, now=MONDAY)


def test_without_a_move_there_is_nothing_to_undo(plan: RampPlan, dan: User) -> None:
    with pytest.raises(ValidationError, match="has not been moved"):
        undo_kickoff(actor=dan, plan=plan, now=MONDAY)


def test_a_new_start_on_the_deal_moves_the_plan_by_the_same_rules(plan: RampPlan, alice: User) -> None:
    contract = milestone(plan, "Contract", on=dt.date(2027, 1, 29))
    waits = milestone(plan, "Access", days=1, after=(contract,))
    free = milestone(plan, "Free", days=1)
    current = deal_of(plan)
    update_opportunity(
        actor=alice, opportunity=current, changes={"start_on": LATER}, expected_version=current.version, now=MONDAY
    )
    react()
    assert stands(plan).kickoff_on == LATER
    assert (due(waits), due(free)) == (dt.date(2027, 1, 29), dt.date(2027, 1, 12))


# --- the rules, for any plan ---


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[Task], dict[int, list[int]], dt.date]:
    """Tasks that wait only for those before them, in any state, on any day."""
    days = st.dates(dt.date(2026, 1, 1), dt.date(2027, 12, 31))
    tasks = []
    waits: dict[int, list[int]] = {}
    for key in range(1, draw(st.integers(1, 9)) + 1):
        tasks.append(
            Task(
                pk=key, title=f"T{key}", due_on=draw(days), anchored_on=dt.date(2026, 12, 14), position=key,
                offset_days=draw(st.integers(-40, 80)), anchor=draw(st.sampled_from([Anchor.KICKOFF, Anchor.TRIGGER])),
                is_due_fixed=draw(st.booleans()), state=draw(st.sampled_from(TaskState.values)),
            )
        )  # fmt: skip
        if key > 1:
            waits[key] = draw(st.lists(st.integers(1, key - 1), unique=True, max_size=3))
    return tasks, waits, draw(days)


@settings(max_examples=300, deadline=None)
@given(given_plan=plans(), today=st.dates(dt.date(2026, 1, 1), dt.date(2027, 12, 31)))
def test_the_rules_hold_for_any_plan(given_plan: Any, today: dt.date) -> None:
    tasks, waits, kickoff = given_plan
    days = _weekdays()
    anchors = {task.pk: kickoff for task in tasks if task.anchor == Anchor.KICKOFF}
    found = dates_for(tasks, waits_for=waits, anchors=anchors, today=today, days=days)
    moved = {move.task.pk: move for move in found.moves}
    stayed = {stay.task.pk: stay for stay in found.stays}
    assert set(moved).isdisjoint(stayed)
    assert set(moved) | set(stayed) == {task.pk for task in tasks}
    due_on = {task.pk: moved[task.pk].to_on if task.pk in moved else task.due_on for task in tasks}
    waiting = {task.pk for task in tasks if task.state in (TaskState.OPEN, TaskState.PAUSED)}
    for task in tasks:
        if task.pk in moved:
            assert task.pk in waiting
            assert not task.is_due_fixed
            assert days.is_business_day(due_on[task.pk])
            if task.pk in anchors:
                assert due_on[task.pk] >= today
        ahead = [due_on[earlier] for earlier in waits.get(task.pk, []) if earlier in waiting]
        if task.pk in waiting and ahead and max(ahead) > due_on[task.pk]:
            assert task.is_due_fixed
            assert stayed[task.pk].is_conflict


def _weekdays() -> BusinessDays:
    days = BusinessDays.__new__(BusinessDays)
    days._weekdays, days._country, days._subdivision, days._exceptions = frozenset(range(5)), "", None, {}
    return days
