"""Engagements through the API."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from handoffs.models import Engagement, Task, TaskState
from tests import factories
from tests.api.conftest import Program, engaged, queries_of

ACTIONS: dict[str, Any] = {
    "accept": {},
    "decline": {"reason": "Nobody has the skill"},
    "reassign": {"delivery_owner": 0},
    "complete": {},
}


def act(program: Program, engagement: Engagement, action: str, body: Any = None, **headers: str) -> Any:
    return program.post(f"engagements/{engagement.pk}/{action}/", body, **{"If_Match": "*", **headers})


def test_shows_who_was_asked_and_why(dans: Program, dan: User, engagement: Engagement) -> None:
    answer = dans.get(f"engagements/{engagement.pk}/")
    assert answer.status == 200
    assert answer.headers["ETag"] == f'"{engagement.version}"'
    assert answer.json["opportunity"]["id"] == engagement.opportunity_id
    assert (answer.json["state"], answer.json["lead_days"]) == ("requested", None)
    assert answer.json["delivery_owner"] == {"id": dan.pk, "name": "Dan"}
    assert answer.json["requested_at"].endswith("Z")


def test_outsider_sees_no_engagement(charlies: Program, engagement: Engagement) -> None:
    assert charlies.rows("engagements/") == []
    foreign, missing = charlies.get(f"engagements/{engagement.pk}/"), charlies.get("engagements/999999/")
    assert foreign.status == missing.status == 404
    assert foreign.json == missing.json


@pytest.mark.parametrize(
    ("query", "is_found"),
    [("state=requested", True), ("state=done", False), ("opportunity={deal}", True), ("opportunity=999999", False),
     ("delivery_owner={dan}", True), ("delivery_owner=999999", False)],
)  # fmt: skip
def test_filters(dans: Program, dan: User, engagement: Engagement, query: str, is_found: bool) -> None:
    rows = dans.rows("engagements/?" + query.format(deal=engagement.opportunity_id, dan=dan.pk))
    assert bool(rows) == is_found


def test_accepts(dans: Program, engagement: Engagement) -> None:
    answer = act(dans, engagement, "accept", If_Match=f'"{engagement.version}"')
    assert answer.status == 200, answer
    assert (answer.json["state"], answer.json["accepted_by"]["name"]) == ("accepted", "Dan")
    assert answer.json["lead_days"] > 0
    again = act(dans, engagement, "accept", If_Match=f'"{engagement.version}"')
    assert again.status == 200
    assert again.json["version"] == answer.json["version"]


def test_declines_with_a_reason(dans: Program, engagement: Engagement) -> None:
    assert act(dans, engagement, "decline", {"reason": " "}).status == 400
    answer = act(dans, engagement, "decline", {"reason": "Nobody has the skill"})
    assert (answer.status, answer.json["state"]) == (200, "declined")
    accepted = act(dans, engagement, "accept")
    assert accepted.status == 409
    assert accepted.code == "illegal_transition"
    assert accepted.json["legal"] == []


def test_reassigns_to_somebody_from_delivery(dans: Program, alice: User, pia: User, engagement: Engagement) -> None:
    answer = act(dans, engagement, "reassign", {"delivery_owner": pia.pk})
    assert answer.status == 200, answer
    assert answer.json["delivery_owner"]["name"] == "Pia"
    refused = act(dans, engagement, "reassign", {"delivery_owner": alice.pk})
    assert refused.status == 400
    assert list(refused.json["fields"]) == ["delivery_owner"]


def test_completes_after_its_tasks(dans: Program, engagement: Engagement) -> None:
    early = act(dans, engagement, "complete")
    assert early.status == 409
    assert early.json["legal"]
    act(dans, engagement, "accept")
    assert "still open" in act(dans, engagement, "complete").json["detail"]
    Task.objects.update(state=TaskState.CANCELLED)
    answer = act(dans, engagement, "complete")
    assert (answer.status, answer.json["state"], answer.json["outcome"]) == (200, "done", "completed")


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_keeps_the_rules_of_the_house(
    dans: Program, alices: Program, charlies: Program, pia: User, engagement: Engagement, action: str
) -> None:
    """Wrong method, no If-Match, stale, outsider, other side, unknown field, repeated with a key."""
    if action == "complete":
        act(dans, engagement, "accept")
        Task.objects.update(state=TaskState.CANCELLED)
    path = f"engagements/{engagement.pk}/{action}/"
    body = {"delivery_owner": pia.pk} if action == "reassign" else ACTIONS[action]
    assert dans.get(path).status == 405
    assert dans.post(path, body).status == 428
    stale = dans.post(path, body, If_Match='"99"')
    assert stale.code == "stale"
    assert stale.json["current"]["id"] == engagement.pk
    assert charlies.post(path, body, If_Match="*").status == 404
    assert alices.post(path, body, If_Match="*").status == 403
    assert dans.post(path, {**body, "colour": "red"}, If_Match="*").json["fields"].keys() == {"colour"}
    done = dans.post(path, body, If_Match="*", Idempotency_Key="key-1")
    assert done.status == 200
    assert dans.post(path, body, If_Match="*", Idempotency_Key="key-1").json == done.json


def test_nobody_writes_engagements_directly(dans: Program, engagement: Engagement) -> None:
    assert dans.post("engagements/", {}).status == 405
    assert dans.patch(f"engagements/{engagement.pk}/", {"state": "done"}, If_Match="*").status == 405


@pytest.mark.parametrize("path", ["engagements/?page_size=200", "tasks/?page_size=200&ordering=due_on"])
def test_queries_do_not_grow_with_rows(dans: Program, alices: Program, path: str) -> None:
    engaged()
    few = [queries_of(program, path) for program in (dans, alices)]
    for _ in range(4):
        engaged()
    assert len(dans.rows(path)) >= 5
    assert [queries_of(program, path) for program in (dans, alices)] == few
    assert max(few) <= 6


def test_unknown_order_is_refused(dans: Program) -> None:
    factories.organisation()
    assert dans.get("engagements/?ordering=opportunity__owner__password").status == 400
