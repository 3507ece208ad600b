"""What follows from a deal's signals: the table in section 4 of the product."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from accounts.models import User
from events import names
from events.models import Event
from handoffs.models import Engagement, EngagementState, Outcome, Task, TaskState, Trigger
from handoffs.services.engagements import accept_engagement, ask_in, decline_engagement
from handoffs.services.tasks import complete_task
from opportunities.models import Opportunity, UnforecastedReason
from opportunities.services.editing import update_opportunity
from tests.handoffs.reactions import (
    FRIDAY,
    MONDAY,
    NEXT_MONDAY,
    TUESDAY,
    deal,
    dues,
    engagement_of,
    fresh,
    move,
    react,
    states,
    task_of,
    undo,
)

WARM = {"brief-delivery", "read-the-deal", "scope-call", "rough-team", "first-risks"}
HOT = {"staffing-needs", "check-capacity", "deal-review", "risk-profile", "confirm-dates", "name-pm"}
FAST = {"express-brief", "express-answer", "express-review"}
WON = {"handover-call", "introduce-pm", "internal-kickoff", "client-kickoff", "expectations"}


def open_keys(opportunity: Opportunity) -> set[str]:
    return {key for key, state in states(opportunity).items() if state == TaskState.OPEN}


# --- turned warm ---


def test_turning_warm_asks_delivery_in_with_the_warm_playbook(warm_deal: Opportunity, dan: User) -> None:
    engagement = engagement_of(warm_deal)
    assert (engagement.state, engagement.trigger, engagement.is_fast_lane) == ("requested", "warm", False)
    assert open_keys(warm_deal) == WARM
    assert fresh(warm_deal).delivery_owner == dan


def test_answer_to_a_warm_deal_is_due_in_two_business_days(alice: User, dan: User) -> None:
    found = move(deal(owner=alice, now=FRIDAY), "discovery", now=FRIDAY).opportunity
    assert engagement_of(found).answer_due_at == FRIDAY + dt.timedelta(days=4)


def test_tasks_go_to_the_deals_people(warm_deal: Opportunity, alice: User, dan: User) -> None:
    assert task_of(warm_deal, "brief-delivery").assignee == alice
    assert task_of(warm_deal, "read-the-deal").assignee == dan


def test_a_cold_deal_has_no_engagement(alice: User) -> None:
    assert not Engagement.objects.filter(opportunity=deal("qualified", owner=alice)).exists()


# --- turned hot ---


def test_turning_hot_adds_the_hot_playbook_to_the_same_engagement(warm_deal: Opportunity) -> None:
    move(move(warm_deal, "proposal").opportunity, "negotiation", now=TUESDAY)
    assert open_keys(warm_deal) == WARM | HOT
    assert engagement_of(warm_deal).trigger == Trigger.WARM


def test_deal_review_is_due_within_five_business_days_of_turning_hot(warm_deal: Opportunity) -> None:
    move(move(warm_deal, "proposal").opportunity, "negotiation", now=TUESDAY)
    assert dues(warm_deal)["deal-review"] == dt.date(2026, 12, 1)


def test_deal_review_is_due_before_an_earlier_close_date(alice: User, dan: User) -> None:
    found = deal(owner=alice, close_date=dt.date(2026, 11, 26))
    for key in ("discovery", "proposal", "negotiation"):
        found = move(found, key).opportunity
    assert dues(found)["deal-review"] == dt.date(2026, 11, 26)


def test_condition_on_the_amount_adds_a_task_for_large_deals_only(alice: User, dan: User) -> None:
    small, large = (deal("negotiation", owner=alice, amount=amount) for amount in (249_999, 250_000))
    assert "large-deal" not in states(small)
    assert "large-deal" in states(large)


# --- surfaced un-forecasted ---


def test_surfacing_unforecasted_takes_the_fast_lane(alice: User, dan: User) -> None:
    found = move(deal(owner=alice), "negotiation").opportunity
    engagement = engagement_of(found)
    assert fresh(found).unforecasted_reasons == [UnforecastedReason.COLD_TO_HOT, UnforecastedReason.STAGE_SKIPPED]
    assert engagement.is_fast_lane
    assert engagement.answer_due_at == MONDAY + dt.timedelta(hours=4)
    assert open_keys(found) == WARM | HOT | FAST


def test_fast_lane_asks_the_one_on_call(alice: User, dan: User, pia: User) -> None:
    team = pia.teams.get()
    team.on_call = pia
    team.save()
    assert fresh(move(deal(owner=alice), "negotiation").opportunity).delivery_owner == pia


def test_usual_lane_asks_the_manager_whoever_is_on_call(alice: User, dan: User, pia: User) -> None:
    team = pia.teams.get()
    team.on_call = pia
    team.save()
    assert fresh(move(deal(owner=alice), "discovery").opportunity).delivery_owner == dan


# --- cooled ---


def test_cooling_pauses_engagement_and_tasks(warm_deal: Opportunity) -> None:
    move(warm_deal, "qualified", now=TUESDAY)
    assert set(states(warm_deal).values()) == {TaskState.PAUSED}
    assert engagement_of(warm_deal).paused_at == TUESDAY
    assert engagement_of(warm_deal).state == EngagementState.REQUESTED


def test_cooling_from_hot_to_warm_pauses_only_the_hot_tasks(warm_deal: Opportunity) -> None:
    hot = move(warm_deal, "negotiation").opportunity
    move(hot, "discovery", now=TUESDAY)
    assert open_keys(warm_deal) == WARM | FAST
    assert {states(warm_deal)[key] for key in HOT} == {TaskState.PAUSED}
    assert engagement_of(warm_deal).paused_at is None


def test_done_tasks_stay_done_when_a_deal_cools(warm_deal: Opportunity, alice: User) -> None:
    complete_task(actor=alice, task=task_of(warm_deal, "brief-delivery"), now=MONDAY)
    move(warm_deal, "qualified", now=TUESDAY)
    assert states(warm_deal)["brief-delivery"] == TaskState.DONE


def test_warming_again_resumes_and_duplicates_nothing(warm_deal: Opportunity) -> None:
    before = set(Task.objects.filter(opportunity=warm_deal).values_list("pk", flat=True))
    move(move(warm_deal, "qualified", now=TUESDAY).opportunity, "discovery", now=NEXT_MONDAY)
    assert set(Task.objects.filter(opportunity=warm_deal).values_list("pk", flat=True)) == before
    assert open_keys(warm_deal) == WARM
    assert engagement_of(warm_deal).paused_at is None


def test_resumed_tasks_get_the_rested_business_days_back(warm_deal: Opportunity) -> None:
    before = dues(warm_deal)["scope-call"]
    move(move(warm_deal, "qualified", now=TUESDAY).opportunity, "discovery", now=NEXT_MONDAY)
    assert (before, dues(warm_deal)["scope-call"]) == (dt.date(2026, 11, 30), dt.date(2026, 12, 4))


def test_a_rested_request_gets_the_business_days_back_for_its_answer(warm_deal: Opportunity) -> None:
    before = engagement_of(warm_deal).answer_due_at
    move(move(warm_deal, "qualified", now=TUESDAY).opportunity, "discovery", now=NEXT_MONDAY)
    assert engagement_of(warm_deal).answer_due_at == before + dt.timedelta(days=6)


def test_a_reopened_request_gets_the_business_days_back_for_its_answer(warm_deal: Opportunity) -> None:
    before = engagement_of(warm_deal).answer_due_at
    move(move(warm_deal, "lost", now=TUESDAY).opportunity, "discovery", now=NEXT_MONDAY)
    assert engagement_of(warm_deal).answer_due_at == before + dt.timedelta(days=6)


def test_back_and_forth_within_a_day_leaves_due_dates_alone(warm_deal: Opportunity) -> None:
    before = dues(warm_deal)
    move(move(warm_deal, "qualified").opportunity, "discovery")
    assert dues(warm_deal) == before


# --- won ---


def test_winning_ends_the_engagement_and_brings_the_won_playbook(warm_deal: Opportunity) -> None:
    move(warm_deal, "won", now=TUESDAY)
    engagement = engagement_of(warm_deal)
    assert (engagement.state, engagement.outcome, engagement.ended_at) == ("done", Outcome.WON, TUESDAY)
    assert open_keys(warm_deal) >= WON
    assert {states(warm_deal)[key] for key in WARM} == {TaskState.CANCELLED}


def test_winning_a_cold_deal_asks_delivery_at_once(alice: User, dan: User) -> None:
    found = move(deal(owner=alice), "won").opportunity
    assert open_keys(found) >= WON
    assert fresh(found).delivery_owner == dan


# --- lost ---


def test_losing_ends_the_engagement_and_cancels_the_tasks(warm_deal: Opportunity) -> None:
    move(warm_deal, "lost", now=TUESDAY)
    assert engagement_of(warm_deal).outcome == Outcome.LOST
    assert set(states(warm_deal).values()) == {TaskState.CANCELLED}


def test_losing_a_cold_deal_asks_nobody(alice: User, dan: User) -> None:
    found = move(deal(owner=alice), "lost").opportunity
    assert not Engagement.objects.filter(opportunity=found).exists()


# --- reopened ---


def test_reopening_takes_up_the_engagement_where_it_was(warm_deal: Opportunity, dan: User) -> None:
    accept_engagement(actor=dan, engagement=engagement_of(warm_deal), expected_version=None, now=MONDAY)
    lost = move(warm_deal, "lost", now=TUESDAY).opportunity
    move(lost, "discovery", now=FRIDAY)
    engagement = engagement_of(warm_deal)
    assert (engagement.state, engagement.outcome, engagement.ended_at) == ("accepted", "", None)
    assert open_keys(warm_deal) == WARM


def test_reopening_into_a_cold_stage_lets_everything_rest(warm_deal: Opportunity) -> None:
    move(move(warm_deal, "lost").opportunity, "qualified", now=TUESDAY)
    assert engagement_of(warm_deal).paused_at == TUESDAY
    assert set(states(warm_deal).values()) == {TaskState.PAUSED}


def test_reopening_a_won_deal_cancels_nothing_that_was_done(warm_deal: Opportunity, alice: User) -> None:
    won = move(warm_deal, "won").opportunity
    complete_task(actor=alice, task=task_of(won, "introduce-pm"), evidence="Tuesday, with Ms Roth", now=MONDAY)
    move(won, "discovery", now=TUESDAY)
    assert states(warm_deal)["introduce-pm"] == TaskState.DONE
    assert open_keys(warm_deal) >= WARM
    assert not open_keys(warm_deal) & WON


# --- close date moved ---


def _set(opportunity: Opportunity, now: dt.datetime = MONDAY, **changes: object) -> None:
    current = fresh(opportunity)
    actor = current.owner
    assert actor is not None
    update_opportunity(actor=actor, opportunity=current, changes=changes, expected_version=current.version, now=now)
    react(now)


def test_due_dates_follow_the_close_date(warm_deal: Opportunity) -> None:
    hot = move(move(warm_deal, "proposal").opportunity, "negotiation").opportunity
    assert dues(hot)["name-pm"] == dt.date(2027, 3, 8)
    _set(hot, close_date=dt.date(2027, 3, 22), start_on=dt.date(2027, 4, 1))
    assert dues(hot)["name-pm"] == dt.date(2027, 3, 15)


def test_a_date_set_by_hand_does_not_follow(warm_deal: Opportunity) -> None:
    hot = move(move(warm_deal, "proposal").opportunity, "negotiation").opportunity
    Task.objects.filter(opportunity=hot, template__key="name-pm").update(due_on=dt.date(2027, 2, 1), is_due_fixed=True)
    _set(hot, close_date=dt.date(2027, 3, 22))
    assert dues(hot)["name-pm"] == dt.date(2027, 2, 1)


def test_tasks_from_the_signal_stay_but_for_the_cap_at_the_close_date(warm_deal: Opportunity) -> None:
    _set(warm_deal, close_date=dt.date(2026, 12, 2), start_on=dt.date(2026, 12, 14))
    found = dues(warm_deal)
    assert (found["scope-call"], found["first-risks"]) == (dt.date(2026, 11, 30), dt.date(2026, 12, 2))


def test_kick_off_tasks_follow_the_named_start(warm_deal: Opportunity) -> None:
    won = move(warm_deal, "won").opportunity
    assert dues(won)["client-kickoff"] == dt.date(2027, 4, 1)
    _set(won, start_on=dt.date(2027, 4, 12))
    assert dues(won)["client-kickoff"] == dt.date(2027, 4, 12)


def test_due_dates_moved_is_told_once_and_only_if_something_moved(warm_deal: Opportunity) -> None:
    _set(warm_deal, close_date=dt.date(2027, 3, 16))
    assert not Event.objects.filter(name=names.TASKS_RESCHEDULED).exists()


# --- owners ---


def test_open_tasks_follow_a_new_owner(warm_deal: Opportunity, pia: User) -> None:
    _set(warm_deal, delivery_owner=pia)
    assert task_of(warm_deal, "read-the-deal").assignee == pia


def test_done_tasks_keep_who_had_them(warm_deal: Opportunity, alice: User, sam: User) -> None:
    complete_task(actor=alice, task=task_of(warm_deal, "brief-delivery"), now=MONDAY)
    _set(warm_deal, owner=sam)
    assert task_of(warm_deal, "brief-delivery").assignee == alice


# --- undo ---


def test_undo_of_the_move_withdraws_the_untouched_request(alice: User, dan: User) -> None:
    moved = move(deal(owner=alice), "discovery")
    undo(moved.change)
    engagement = engagement_of(moved.opportunity)
    assert (engagement.state, engagement.outcome) == (EngagementState.DONE, Outcome.WITHDRAWN)
    assert not open_keys(moved.opportunity)


def test_undo_before_the_reaction_ran_asks_nobody(alice: User, dan: User) -> None:
    moved = move(deal(owner=alice), "discovery", reacts=False)
    undo(moved.change)
    assert not Engagement.objects.filter(opportunity=moved.opportunity).exists()


def test_undo_after_delivery_accepted_lets_the_engagement_rest(alice: User, dan: User) -> None:
    moved = move(deal(owner=alice), "discovery")
    accept_engagement(actor=dan, engagement=engagement_of(moved.opportunity), expected_version=None, now=MONDAY)
    undo(moved.change)
    engagement = engagement_of(moved.opportunity)
    assert engagement.state == EngagementState.ACCEPTED
    assert engagement.paused_at is not None


def test_warming_after_an_undo_asks_again_and_keeps_the_tasks(alice: User, dan: User) -> None:
    moved = move(deal(owner=alice), "discovery")
    undo(moved.change)
    move(moved.opportunity, "discovery", now=TUESDAY)
    assert list(
        Engagement.objects.filter(opportunity=moved.opportunity).order_by("pk").values_list("state", flat=True)
    ) == ["done", "requested"]
    assert open_keys(moved.opportunity) == WARM
    assert Task.objects.filter(opportunity=moved.opportunity).count() == len(WARM)


# --- declined, asked by hand ---


def test_a_declined_deal_is_not_asked_about_again_by_the_same_event(warm_deal: Opportunity, dan: User) -> None:
    engagement = engagement_of(warm_deal)
    decline_engagement(actor=dan, engagement=engagement, reason="Nobody free", expected_version=None, now=MONDAY)
    react(TUESDAY)
    assert engagement_of(warm_deal).state == EngagementState.DECLINED


def test_turning_hot_asks_again_after_a_decline(warm_deal: Opportunity, dan: User) -> None:
    engagement = engagement_of(warm_deal)
    decline_engagement(actor=dan, engagement=engagement, reason="Nobody free", expected_version=None, now=MONDAY)
    move(move(warm_deal, "proposal").opportunity, "negotiation", now=TUESDAY)
    newest = Engagement.objects.filter(opportunity=warm_deal).first()
    assert newest is not None
    assert (newest.state, newest.trigger) == ("requested", "hot")
    assert open_keys(warm_deal) == WARM | HOT


def test_asking_in_on_a_cold_deal_brings_the_warm_playbook(alice: User, dan: User) -> None:
    found = deal(owner=alice)
    ask_in(actor=alice, opportunity=found, now=MONDAY)
    react()
    assert engagement_of(found).trigger == Trigger.ASKED
    assert open_keys(found) == WARM
    assert engagement_of(found).paused_at is None


def test_asking_in_twice_is_one_engagement(alice: User, dan: User) -> None:
    found = deal(owner=alice)
    first = ask_in(actor=alice, opportunity=found, now=MONDAY)
    assert ask_in(actor=alice, opportunity=found, now=TUESDAY).pk == first.pk


def test_no_delivery_person_leaves_the_request_unowned(alice: User) -> None:
    found = move(deal(owner=alice), "discovery").opportunity
    assert fresh(found).delivery_owner is None
    assert engagement_of(found).state == EngagementState.REQUESTED
    assert task_of(found, "read-the-deal").assignee is None


@pytest.mark.parametrize("times", [2, 10])
def test_every_reaction_run_again_changes_nothing(warm_deal: Opportunity, times: int) -> None:
    from events.models import Delivery
    from tests.handoffs.reactions import run

    move(move(warm_deal, "negotiation").opportunity, "won", now=TUESDAY)
    before = _rows(warm_deal)
    for _time in range(times):
        run(Delivery.objects.select_related("event").order_by("pk"), now=TUESDAY)
    assert _rows(warm_deal) == before


def _rows(opportunity: Opportunity) -> tuple[list[object], list[object]]:
    engagements = Engagement.objects.filter(opportunity=opportunity).order_by("pk")
    tasks = Task.objects.filter(opportunity=opportunity).order_by("pk")
    return (
        list(engagements.values_list("pk", "state", "outcome", "paused_at", "version")),
        list(tasks.values_list("pk", "state", "due_on", "assignee", "version")),
    )


def test_now_of_the_tests_is_a_monday() -> None:
    assert MONDAY.weekday() == 0
    assert timezone.is_aware(MONDAY)
