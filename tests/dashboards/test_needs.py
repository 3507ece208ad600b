"""What waits for each person, and in which order."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.models import Organisation, Role, Side, User
from dashboards.queries.needs import MOST, Need, Needs, needs_of
from handoffs.models import Task
from handoffs.services.engagements import accept_engagement, decline_engagement
from handoffs.services.tasks import complete_task
from opportunities.models import Opportunity
from opportunities.services.closing import snooze
from tests import factories
from tests.handoffs.reactions import FRIDAY, MONDAY, TUESDAY, deal, engagement_of, fresh, move, task_of


def needs(user: User, now: dt.datetime = MONDAY) -> Needs:
    return needs_of(user, home=Organisation.objects.get(), now=now)


def flat(user: User, now: dt.datetime = MONDAY) -> list[Need]:
    return [need for group in needs(user, now).groups for need in group.needs]


def titles(user: User, now: dt.datetime = MONDAY) -> list[str]:
    return [need.line.task.template.key for need in flat(user, now) if need.line is not None]


def requests(user: User, now: dt.datetime = MONDAY) -> list[int]:
    return [need.engagement.engagement.opportunity_id for need in flat(user, now) if need.engagement is not None]


def groups(user: User, now: dt.datetime = MONDAY) -> dict[str, int]:
    return {group.key: group.count for group in needs(user, now).groups}


def tended(owner: User, at: str = "qualified", **values: object) -> Opportunity:
    return deal(at, owner=owner, **values)


@pytest.fixture
def warm(alice: User, dan: User) -> Opportunity:
    return move(tended(alice), "discovery").opportunity


@pytest.fixture
def accepted(warm: Opportunity, dan: User) -> Opportunity:
    accept_engagement(actor=dan, engagement=engagement_of(warm), expected_version=None, now=MONDAY)
    return warm


# --- requests ---


def test_the_proposed_owner_is_asked_with_the_tasks_that_come_along(warm: Opportunity, dan: User) -> None:
    (need,) = flat(dan)
    assert need.engagement is not None
    assert {task.template.key for task in need.engagement.tasks} == {
        "read-the-deal", "scope-call", "rough-team", "first-risks",
    }  # fmt: skip


def test_accepting_turns_the_request_into_tasks(accepted: Opportunity, dan: User) -> None:
    assert requests(dan) == []
    assert titles(dan) == ["first-risks"]
    assert [line.task.template.key for line in needs(dan).waiting_for_others] == [
        "read-the-deal", "scope-call", "rough-team",
    ]  # fmt: skip


def test_another_manager_is_not_asked_until_it_is_late(warm: Opportunity, dan: User) -> None:
    dora = factories.person("Dora", Role.DELIVERY_MANAGER, teams=(dan.teams.get(),))
    assert requests(dora) == []
    late = MONDAY + dt.timedelta(days=3)
    assert requests(dora, late) == [warm.pk]
    assert groups(dora, late) == {"overdue": 1}


def test_managers_get_what_nobody_is_asked_for(warm: Opportunity, dan: User) -> None:
    Opportunity.objects.filter(pk=warm.pk).update(delivery_owner=None)
    assert requests(dan) == [warm.pk]


def test_all_managers_are_told_of_surprises_at_once(alice: User, dan: User) -> None:
    dora = factories.person("Dora", Role.DELIVERY_MANAGER, teams=(dan.teams.get(),))
    found = move(tended(alice), "negotiation").opportunity
    assert fresh(found).delivery_owner == dan
    assert requests(dora) == [found.pk]


def test_a_manager_of_other_lines_is_not_told(alice: User, dan: User) -> None:
    team = factories.team("Data delivery", side=Side.DELIVERY)
    team.service_lines.add(factories.service_line("Data"))
    dora = factories.person("Dora", Role.DELIVERY_MANAGER, teams=(team,))
    move(tended(alice), "negotiation")
    assert flat(dora) == []


def test_a_project_manager_is_asked_only_where_named(warm: Opportunity, pia: User) -> None:
    late = MONDAY + dt.timedelta(days=3)
    assert requests(pia, late) == []
    Opportunity.objects.filter(pk=warm.pk).update(delivery_owner=pia)
    assert requests(pia, late) == [warm.pk]


def test_resting_requests_wait_for_nobody(warm: Opportunity, dan: User) -> None:
    move(warm, "qualified")
    assert flat(dan) == []


# --- tasks ---


def test_sales_gets_its_tasks_before_delivery_has_answered(warm: Opportunity, alice: User) -> None:
    assert titles(alice) == ["brief-delivery", "first-risks"]


def test_shared_tasks_wait_for_both_owners_until_each_has_said_done(
    accepted: Opportunity, alice: User, dan: User
) -> None:
    assert "first-risks" in titles(alice)
    assert "first-risks" in titles(dan)
    complete_task(actor=alice, task=task_of(accepted, "first-risks"), now=MONDAY)
    assert "first-risks" not in titles(alice)
    assert "first-risks" in titles(dan)


def test_an_unassigned_task_waits_for_everybody_of_the_role(alice: User, dan: User) -> None:
    found = move(move(tended(alice), "discovery").opportunity, "negotiation").opportunity
    accept_engagement(actor=dan, engagement=engagement_of(found), expected_version=None, now=MONDAY)
    complete_task(actor=dan, task=task_of(found, "staffing-needs"), now=MONDAY)
    ruth = factories.person("Ruth", Role.RESOURCE_MANAGER, teams=(dan.teams.get(),))
    assert task_of(found, "check-capacity").assignee is None
    assert titles(ruth) == ["check-capacity"]


def test_unassigned_tasks_of_deals_out_of_sight_wait_for_somebody_else(alice: User, dan: User) -> None:
    found = move(move(tended(alice), "discovery").opportunity, "negotiation").opportunity
    complete_task(actor=dan, task=task_of(found, "staffing-needs"), now=MONDAY)
    team = factories.team("Data delivery", side=Side.DELIVERY)
    team.service_lines.add(factories.service_line("Data"))
    other = factories.person("Rick", Role.RESOURCE_MANAGER, teams=(team,))
    assert flat(other) == []


def test_done_resting_and_cancelled_tasks_wait_for_nobody(warm: Opportunity, alice: User) -> None:
    complete_task(actor=alice, task=task_of(warm, "brief-delivery"), now=MONDAY)
    assert "brief-delivery" not in titles(alice)
    move(warm, "qualified")
    assert titles(alice) == []


# --- deals ---


def test_a_deal_past_its_close_date(alice: User) -> None:
    found = tended(alice, close_date=dt.date(2026, 11, 20), start_on=None)
    (need,) = flat(alice)
    assert (need.deal, need.asks, need.due_on) == (found, "close_date", dt.date(2026, 11, 20))
    assert groups(alice) == {"overdue": 1}


def test_a_deal_without_a_next_step(alice: User) -> None:
    tended(alice, next_step="", next_step_on=None)
    (need,) = flat(alice)
    assert (need.asks, need.reasons) == ("next_step", ["No next step"])


def test_a_late_next_step(alice: User) -> None:
    tended(alice, next_step_on=dt.date(2026, 11, 19))
    assert [need.due_on for need in flat(alice)] == [dt.date(2026, 11, 19)]


def test_several_reasons_are_one_row(alice: User) -> None:
    tended(alice, close_date=dt.date(2026, 11, 20), start_on=None, next_step="", next_step_on=None)
    assert [need.reasons for need in flat(alice)] == [["Past its close date", "No next step"]]


def test_a_tended_deal_waits_for_nobody(alice: User) -> None:
    tended(alice)
    assert flat(alice) == []


def test_a_snoozed_deal_is_quiet_until_its_day(alice: User) -> None:
    found = tended(alice, next_step="", next_step_on=None)
    until = dt.date(2026, 12, 1)
    snooze(actor=alice, opportunity=found, until=until, reason="Budget", expected_version=found.version, now=MONDAY)
    assert flat(alice) == []
    assert len(flat(alice, MONDAY + dt.timedelta(days=8))) == 1


def test_deals_of_others_wait_for_their_owners(alice: User, sam: User) -> None:
    tended(alice, next_step="", next_step_on=None)
    assert flat(sam) == []


def test_a_sales_manager_names_owners(alice: User, sam: User) -> None:
    found = tended(alice)
    Opportunity.objects.filter(pk=found.pk).update(owner=None)
    assert [(need.deal, need.asks) for need in flat(sam)] == [(found, "owner")]


def test_a_declined_surprise_waits_for_the_delivery_manager(alice: User, dan: User) -> None:
    found = move(tended(alice), "negotiation").opportunity
    decline_engagement(actor=dan, engagement=engagement_of(found), reason="Busy", expected_version=None, now=MONDAY)
    assert [(need.deal, need.asks) for need in flat(dan) if need.deal] == [(found, "ask_in")]


# --- order ---


def test_oldest_promise_first_grouped_by_urgency(alice: User, dan: User) -> None:
    tended(alice, close_date=dt.date(2026, 11, 2), start_on=None)
    found = move(tended(alice), "discovery").opportunity
    tended(alice, next_step_on=MONDAY.date())
    assert groups(alice) == {"overdue": 1, "today": 1, "week": 1, "later": 1}
    days = [need.due_on for need in flat(alice)]
    assert days == sorted(days)
    Task.objects.filter(opportunity=found, template__key="brief-delivery").update(due_on=dt.date(2026, 10, 1))
    assert titles(alice)[0] == "brief-delivery"
    assert flat(alice)[0].line is not None


def test_the_answer_clock_counts_in_hours(alice: User, dan: User) -> None:
    move(tended(alice), "negotiation")
    (request,) = [need for need in flat(dan) if need.engagement is not None]
    assert request.at == MONDAY + dt.timedelta(hours=4)
    assert groups(dan, MONDAY + dt.timedelta(hours=5))["overdue"] == 1


def test_the_count_is_what_waits_now(accepted: Opportunity, dan: User) -> None:
    found = needs(dan)
    assert (found.count, len(found.waiting_for_others)) == (1, 3)


def test_needs_count_to_the_zone_of_their_deal(alice: User, dan: User) -> None:
    tended(alice, next_step="", next_step_on=None)
    move(tended(alice), "discovery")
    found = needs(alice)
    assert (found.count_in("sales"), found.count_in("one_team")) == (1, 2)


def test_lists_are_bounded_and_say_so(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboards.queries.needs.MOST", 3)
    for _deal in range(5):
        tended(alice, next_step="", next_step_on=None)
    found = needs(alice)
    assert (found.count, found.is_cut) == (3, True)
    assert MOST == 50


def test_the_first_few_keep_their_groups(alice: User, dan: User) -> None:
    tended(alice, close_date=dt.date(2026, 11, 2), start_on=None)
    move(tended(alice), "discovery")
    shown = needs(alice).first(2)
    assert [(group.key, len(group.needs), group.count) for group in shown] == [("overdue", 1, 1), ("week", 1, 1)]


@pytest.mark.parametrize("who", ["eve", "ada"])
def test_those_beside_both_circles_are_not_bothered(
    warm: Opportunity, request: pytest.FixtureRequest, who: str
) -> None:
    assert flat(request.getfixturevalue(who), FRIDAY) == []
    assert TUESDAY > MONDAY
