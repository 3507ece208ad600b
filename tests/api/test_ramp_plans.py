"""Ramp plans through the API."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Organisation, User
from events import names
from events.models import Event
from handoffs import defaults
from handoffs.models import RampPhase, RampPlan, Task, TaskSide
from tests.api.conftest import Program, queries_of
from tests.handoffs.ramping import milestone, ramping, settle, stands

NOW = timezone.now()
LATER = dt.date(NOW.year + 2, 3, 1)


@pytest.fixture
def plan(organisation: Organisation, alice: User, dan: User) -> RampPlan:
    """Alice's won deal ramps; Dan delivers it."""
    defaults.create(organisation=organisation, now=NOW)
    return ramping(owner=alice, delivery_owner=dan)


def act(program: Program, plan: RampPlan, action: str, body: Any = None, **headers: str) -> Any:
    return program.post(f"ramp-plans/{plan.pk}/{action}/", body, **{"If_Match": "*", **headers})


# --- reading ---


def test_a_plan_shows_phases_milestones_duties_and_criteria(plan: RampPlan, dans: Program) -> None:
    access = milestone(plan, "Access")
    duty = milestone(plan, "Introduce", side=TaskSide.SALES, after=(access,))
    scope = milestone(plan, "Scope confirmed", phase=RampPhase.EXIT)
    shown = dans.get(f"ramp-plans/{plan.pk}/")
    assert shown.headers["ETag"] == f'"{stands(plan).version}"'
    body = shown.json
    assert (body["state"], body["kickoff_on"], body["health"]) == ("ramping", "2026-12-14", "green")
    assert [each["id"] for each in body["milestones"]] == [access.pk, duty.pk]
    assert [each["id"] for each in body["sales_duties"]] == [duty.pk]
    assert [each["id"] for each in body["exit_criteria"]] == [scope.pk]
    assert body["milestones"][1]["waits_for"] == [access.pk]
    assert body["missing_for_exit"] == ["Open: “Scope confirmed”."]
    assert [(each["phase"], each["total"], each["is_now"]) for each in body["phases"]] == [
        ("mobilise", 2, True), ("exit", 1, False),
    ]  # fmt: skip


def test_an_outsider_finds_no_plan(plan: RampPlan, charlies: Program) -> None:
    assert charlies.rows("ramp-plans/") == []
    foreign, missing = charlies.get(f"ramp-plans/{plan.pk}/"), charlies.get("ramp-plans/999999/")
    assert foreign.status == missing.status == 404
    assert foreign.json == missing.json
    assert act(charlies, plan, "exit").status == 404


@pytest.mark.parametrize(
    ("query", "is_found"),
    [("state=ramping", True), ("state=closed", False), ("health=green", True), ("health=red", False),
     ("owner={dan}", True), ("owner=999999", False), ("opportunity={deal}", True), ("opportunity=999999", False),
     ("kickoff_from=2026-12-14", True), ("kickoff_from=2026-12-15", False), ("kickoff_to=2026-12-14", True)],
)  # fmt: skip
def test_the_list_is_filtered(plan: RampPlan, dan: User, dans: Program, query: str, is_found: bool) -> None:
    found = dans.rows("ramp-plans/?" + query.format(dan=dan.pk, deal=plan.opportunity_id))
    assert [each["id"] for each in found] == ([plan.pk] if is_found else [])


def test_many_milestones_cost_no_more_queries(plan: RampPlan, dans: Program) -> None:
    for number in range(3):
        milestone(plan, f"Step {number}")
    few = queries_of(dans, "ramp-plans/")
    for number in range(30):
        milestone(plan, f"More {number}")
    assert queries_of(dans, "ramp-plans/") == few


# --- moving the kick-off ---


def test_a_preview_saves_nothing(plan: RampPlan, dans: Program) -> None:
    task, fixed = milestone(plan, "Access", days=2), milestone(plan, "Audit", on=dt.date(2027, 1, 20))
    answer = act(dans, plan, "reschedule", {"kickoff_on": LATER.isoformat(), "preview": True})
    assert answer.status == 200, answer
    (move,) = answer.json["moves"]
    assert (move["task"]["id"], move["from_on"]) == (task.pk, "2026-12-16")
    assert [(each["task"]["id"], each["why"]) for each in answer.json["stays"]] == [
        (fixed.pk, "Its date was set by hand."),
    ]
    assert answer.json["is_saved"] is False
    assert stands(plan).kickoff_on == dt.date(2026, 12, 14)


def test_a_move_says_what_it_did(plan: RampPlan, dans: Program) -> None:
    task = milestone(plan, "Access", days=2)
    answer = act(dans, plan, "reschedule", {"kickoff_on": LATER.isoformat()})
    assert answer.status == 200, answer
    assert answer.json["plan"]["kickoff_on"] == answer.json["kickoff_on"] == stands(plan).kickoff_on.isoformat()
    assert answer.headers["ETag"] == f'"{stands(plan).version}"'
    assert Task.objects.get(pk=task.pk).due_on.isoformat() == answer.json["moves"][0]["to_on"]


def test_the_same_request_again_moves_once(plan: RampPlan, dans: Program) -> None:
    for _again in range(2):
        answer = act(dans, plan, "reschedule", {"kickoff_on": LATER.isoformat()}, Idempotency_Key="move-1")
        assert answer.status == 200, answer
    assert Event.objects.filter(name=names.RAMP_RESCHEDULED).count() == 1


@pytest.mark.parametrize("day", ["2020-01-01", "2101-01-01", "2027-02-29", "soon"])
def test_a_day_that_can_not_be_is_refused(plan: RampPlan, dans: Program, day: str) -> None:
    answer = act(dans, plan, "reschedule", {"kickoff_on": day})
    assert (answer.status, answer.code) == (400, "invalid")
    assert "kickoff_on" in answer.json["fields"]


def test_a_stale_move_gets_the_plan_as_it_is(plan: RampPlan, dans: Program, alices: Program) -> None:
    seen = f'"{stands(plan).version}"'
    act(alices, plan, "health", {"rag": "red", "reason": "The sponsor left"})
    answer = act(dans, plan, "reschedule", {"kickoff_on": LATER.isoformat()}, If_Match=seen)
    assert (answer.status, answer.code) == (412, "stale")
    assert answer.json["current"]["health"] == "red"


def test_without_if_match_nothing_moves(plan: RampPlan, dans: Program) -> None:
    answer = dans.post(f"ramp-plans/{plan.pk}/reschedule/", {"kickoff_on": LATER.isoformat()})
    assert answer.status == 428


# --- health, exit, close ---


def test_health_is_reported(plan: RampPlan, dans: Program) -> None:
    answer = act(dans, plan, "health", {"rag": "amber", "reason": "No access"})
    assert (answer.status, answer.json["health"]) == (200, "amber")
    assert answer.json["health_reports"][0]["reason"] == "No access"
    assert act(dans, plan, "health", {"rag": "amber", "reason": " "}).status == 400


def test_exit_names_each_missing_criterion(plan: RampPlan, dans: Program) -> None:
    milestone(plan, "Scope confirmed", phase=RampPhase.EXIT)
    settle(milestone(plan, "Risks confirmed", phase=RampPhase.EXIT, evidence="by whom"))
    answer = act(dans, plan, "exit")
    assert (answer.status, answer.code) == (422, "gate_not_met")
    assert answer.json["fields"]["missing"] == ["Open: “Scope confirmed”.", "Without evidence: “Risks confirmed”."]


def test_an_early_exit_needs_the_right_and_a_reason(plan: RampPlan, dans: Program, pia: User) -> None:
    milestone(plan, "Scope confirmed", phase=RampPhase.EXIT)
    assert act(Program(pia), plan, "exit", {"early": True, "reason": "Hurry"}).status == 403
    assert act(dans, plan, "exit", {"early": True}).status == 400
    answer = act(dans, plan, "exit", {"early": True, "reason": "They are on leave"})
    assert (answer.status, answer.json["state"], answer.json["exit_reason"]) == (
        200, "in_delivery", "They are on leave",
    )  # fmt: skip
    assert answer.json["missing_for_exit"] == ["Open: “Scope confirmed”."]


def test_sales_does_not_end_it(plan: RampPlan, alices: Program) -> None:
    assert act(alices, plan, "exit").status == 403


def test_closing_warns_of_duties(plan: RampPlan, dans: Program) -> None:
    milestone(plan, "Introduce", side=TaskSide.SALES)
    early = act(dans, plan, "close")
    assert (early.status, early.json["legal"]) == (409, ["in_delivery", "planned"])
    act(dans, plan, "exit")
    answer = act(dans, plan, "close")
    assert (answer.status, answer.json["fields"]) == (422, {"despite_duties": ["Introduce"]})
    assert answer.code == "gate_not_met"
    assert act(dans, plan, "close", {"despite_duties": True}).json["state"] == "closed"
