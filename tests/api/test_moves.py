"""Actions on deals through the API: move, temperature, snooze, lose, reopen."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from events.models import Event
from opportunities.models import GateBypass, Opportunity, Pipeline, Policy
from tests import factories
from tests.api.conftest import Program


def move(program: Program, deal: Opportunity, body: Any, **headers: str) -> Any:
    headers.setdefault("If_Match", "*")
    return program.post(f"opportunities/{deal.pk}/move/", body, **headers)


@pytest.mark.parametrize("by", ["id", "key"])
def test_moves_a_deal(alices: Program, by: str) -> None:
    deal = factories.deal("qualified")
    target = factories.stage("discovery")
    answer = move(alices, deal, {"stage": target.pk if by == "id" else target.key}, If_Match='"1"')
    assert answer.status == 200, answer
    assert answer.json["stage"]["key"] == "discovery"
    assert answer.json["temperature"] == "warm"
    assert answer.headers["ETag"] == '"2"'
    assert deal.stage_changes.order_by("-number")[0].source == "api"
    assert Event.objects.filter(opportunity_id=deal.pk, name="opportunities.turned_warm").count() == 1


def test_the_present_stage_changes_nothing(alices: Program) -> None:
    deal = factories.deal("qualified")
    answer = move(alices, deal, {"stage": "qualified"}, If_Match='"7"')
    assert answer.status == 200
    assert answer.json["version"] == 1


def test_stale_move_gets_the_deal_as_it_is(alices: Program) -> None:
    answer = move(alices, factories.deal("qualified"), {"stage": "discovery"}, If_Match='"7"')
    assert answer.status == 412
    assert answer.json["current"]["stage"]["key"] == "qualified"


def test_outsider_can_not_move(charlies: Program) -> None:
    assert move(charlies, factories.deal(), {"stage": "qualified"}).status == 404


def test_reader_may_not_move(dans: Program) -> None:
    assert move(dans, factories.deal(), {"stage": "qualified"}).status == 403


def test_gate_names_each_missing_criterion(alices: Program) -> None:
    deal = factories.deal("discovery", amount=None, next_step="", next_step_on=None)
    answer = move(alices, deal, {"stage": "proposal"})
    assert answer.status == 422
    assert answer.code == "gate_not_met"
    assert set(answer.json["fields"]) == {"amount", "next_step"}
    deal.refresh_from_db()
    assert deal.version == 1


def test_fields_that_the_gate_asks_for_come_along(alices: Program) -> None:
    deal = factories.deal("discovery", amount=None, next_step="", next_step_on=None)
    fields = {"amount": {"amount": "99.90", "currency": "CHF"}, "next_step": "Call"}
    answer = move(alices, deal, {"stage": "proposal", "fields": fields})
    assert answer.status == 200, answer
    assert answer.json["amount"] == fields["amount"]
    assert answer.json["next_step"] == "Call"
    assert answer.json["version"] == 2


def test_nothing_is_saved_when_a_field_that_comes_along_is_wrong(alices: Program) -> None:
    deal = factories.deal("discovery")
    answer = move(alices, deal, {"stage": "proposal", "fields": {"probability": 500, "stage": 3, "wat": 1}})
    assert answer.status == 400
    assert {name.partition(".")[0] for name in answer.json["fields"]} == {"fields"}
    deal.refresh_from_db()
    assert deal.version == 1


def test_illegal_move_names_the_legal_ones(alices: Program) -> None:
    deal = factories.deal("lost")
    answer = move(alices, deal, {"stage": "won"})
    assert answer.status == 409
    assert answer.code == "illegal_transition"
    assert [stage["key"] for stage in answer.json["legal"]] == [
        "prospect", "qualified", "discovery", "proposal", "negotiation",
    ]  # fmt: skip
    assert "Prospect, Qualified" in answer.json["detail"]


def test_stage_of_another_pipeline_is_illegal(alices: Program) -> None:
    deal = factories.deal()
    other = Pipeline.objects.create(key="other", name="Other").stages.create(key="open", name="Open", position=0)
    answer = move(alices, deal, {"stage": other.pk})
    assert answer.status == 409
    assert "qualified" in [stage["key"] for stage in answer.json["legal"]]


def test_retired_stage_is_illegal(alices: Program) -> None:
    deal = factories.deal()
    retired = factories.pipeline().stages.create(
        key="old", name="Old", position=90, archived_at=dt.datetime.now(dt.UTC)
    )
    assert move(alices, deal, {"stage": retired.pk}).status == 409


@pytest.mark.parametrize("stage", [0, -1, 2**63, 10**50, "nowhere", "", None, True, 1.5, [1], {"id": 1}])
def test_stage_that_is_none_is_refused(alices: Program, stage: Any) -> None:
    answer = move(alices, factories.deal(), {"stage": stage})
    assert answer.status == 400
    assert list(answer.json["fields"]) == ["stage"]


def test_skipping_forbidden_names_where_it_can_go(alices: Program) -> None:
    Pipeline.objects.filter(pk=factories.pipeline().pk).update(skip_policy=Policy.FORBID)
    deal = factories.deal("prospect")
    answer = move(alices, deal, {"stage": "proposal"})
    assert answer.status == 409
    assert [stage["key"] for stage in answer.json["legal"]] == ["qualified", "lost"]


def test_moving_back_asks_why(alices: Program) -> None:
    deal = factories.deal("proposal")
    answer = move(alices, deal, {"stage": "discovery"})
    assert answer.status == 422
    assert answer.code == "reason_needed"
    assert list(answer.json["fields"]) == ["reason"]
    assert move(alices, deal, {"stage": "discovery", "reason": "Budget was cut"}).status == 200


def test_manager_may_pass_a_gate_with_a_reason(alices: Program, sams: Program) -> None:
    deal = factories.deal("discovery", amount=None)
    body = {"stage": "proposal", "bypass": True, "reason": "Framework contract"}
    assert move(alices, deal, body).status == 403
    assert move(sams, deal, body).status == 200
    assert GateBypass.objects.get().reason == "Framework contract"


def test_temperature_apart_from_the_stage(alices: Program) -> None:
    deal = factories.deal("prospect")
    path = f"opportunities/{deal.pk}/temperature/"
    unexplained = alices.post(path, {"temperature": "hot"}, If_Match='"1"')
    assert unexplained.status == 422
    assert list(unexplained.json["fields"]) == ["reason"]
    answer = alices.post(path, {"temperature": "hot", "reason": "The board said yes"}, If_Match='"1"')
    assert answer.status == 200
    assert (answer.json["temperature"], answer.json["temperature_override"]) == ("hot", "hot")
    back = alices.post(path, {"temperature": None}, If_Match='"2"')
    assert (back.json["temperature"], back.json["temperature_override"]) == ("cold", "")


def test_closed_deal_has_no_temperature(alices: Program) -> None:
    deal = factories.deal("lost")
    answer = alices.post(f"opportunities/{deal.pk}/temperature/", {"temperature": "hot", "reason": "x"}, If_Match="*")
    assert answer.status == 409


def test_snoozes_and_wakes(alices: Program) -> None:
    deal = factories.deal()
    path = f"opportunities/{deal.pk}/snooze/"
    until = (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=30)).isoformat()
    answer = alices.post(path, {"until": until, "reason": "Budget round"}, If_Match='"1"')
    assert answer.status == 200, answer
    assert answer.json["snoozed_until"] == until
    assert alices.post(path, {"until": None}, If_Match='"2"').json["snoozed_until"] is None


@pytest.mark.parametrize("body", [{"until": "2020-01-01", "reason": "x"}, {"until": "2099-01-01"}, {}])
def test_snooze_needs_a_later_day_and_a_reason(alices: Program, body: Any) -> None:
    answer = alices.post(f"opportunities/{factories.deal().pk}/snooze/", body, If_Match="*")
    assert answer.status == 400
    assert answer.json["fields"]


def test_loses_with_a_reason(alices: Program) -> None:
    deal = factories.deal("proposal")
    path = f"opportunities/{deal.pk}/lose/"
    unexplained = alices.post(path, {}, If_Match='"1"')
    assert unexplained.status == 422
    assert list(unexplained.json["fields"]) == ["loss_reason"]
    answer = alices.post(path, {"reason": "no_decision", "note": "Postponed"}, If_Match='"1"')
    assert answer.status == 200, answer
    assert (answer.json["kind"], answer.json["loss_reason"], answer.json["loss_note"]) == (
        "lost", "no_decision", "Postponed",
    )  # fmt: skip
    again = alices.post(path, {"reason": "no_decision", "note": "Postponed"}, If_Match='"1"')
    assert again.status == 200
    assert again.json["version"] == 2


def test_reopens_where_it_was_closed(alices: Program) -> None:
    deal = factories.deal("lost")
    path = f"opportunities/{deal.pk}/reopen/"
    assert alices.post(path, {}, If_Match="*").status == 422
    answer = alices.post(path, {"reason": "They called back"}, If_Match="*")
    assert answer.status == 200, answer
    assert answer.json["stage"]["key"] == "negotiation"
    assert alices.post(path, {"reason": "Again"}, If_Match="*").status == 409


@pytest.mark.parametrize("action", ["move", "snooze", "temperature", "lose", "reopen"])
def test_every_action_keeps_the_rules_of_the_house(
    alices: Program, dans: Program, charlies: Program, action: str
) -> None:
    """Wrong method, no If-Match, stale, outsider, reader, unknown field: the same for all of them."""
    bodies: dict[str, Any] = {
        "move": {"stage": "discovery"},
        "snooze": {"until": "2099-12-31", "reason": "x"},
        "temperature": {"temperature": "warm", "reason": "x"},
        "lose": {"reason": "price"},
        "reopen": {"reason": "x"},
    }
    deal = factories.deal("lost" if action == "reopen" else "qualified")
    path, body = f"opportunities/{deal.pk}/{action}/", bodies[action]
    assert alices.get(path).status == 405
    assert alices.ask("DELETE", path).status == 405
    assert alices.post(path, body).status == 428
    assert alices.post(path, body, If_Match='"99"').code == "stale"
    assert charlies.post(path, body, If_Match="*").status == 404
    assert dans.post(path, body, If_Match="*").status == 403
    assert alices.post(path, {**body, "colour": "red"}, If_Match="*").json["fields"].keys() == {"colour"}
    assert alices.post(path, [], If_Match="*").status == 400
    assert alices.post(path, body, If_Match="*").status == 200
