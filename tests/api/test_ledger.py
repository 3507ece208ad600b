"""Promises, the register and the risk profile through the API."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from handoffs.models import Commitment, Engagement, RaidItem
from opportunities.models import Opportunity
from tests import factories
from tests.api.conftest import Answer, Program, queries_of

PROMISE = {"text": "Live before the summer", "kind": "date", "source": "call", "due_on": "2027-06-01"}
RISK = {"kind": "risk", "text": "No interface list", "likelihood": 4, "impact": 3}


@pytest.fixture
def deal(engagement: Engagement) -> Opportunity:
    """A warm deal of Alice's with Dan as its delivery owner."""
    return engagement.opportunity


def noted(program: Program, deal: Opportunity, **more: Any) -> Answer:
    answer = program.post("commitments/", {**PROMISE, "opportunity": deal.pk, **more})
    assert answer.status == 201, answer
    return answer


def feared(program: Program, deal: Opportunity, **more: Any) -> Answer:
    answer = program.post("risks/", {**RISK, "opportunity": deal.pk, **more})
    assert answer.status == 201, answer
    return answer


def path_of(answer: Answer) -> str:
    return str(answer.json["url"])


# --- promises ---


def test_a_promise_goes_its_way(alices: Program, dans: Program, alice: User, deal: Opportunity) -> None:
    kari = factories.ContactFactory.make(account=deal.account, name="Kari")
    made = noted(alices, deal, promised_to=kari.pk)
    assert made.headers["Location"] == path_of(made)
    assert made.json["promised_by"]["name"] == "Alice"
    assert (made.json["stance"], made.json["promised_to"]["name"]) == ("pending", "Kari")
    stance = {"stance": "accepted_if", "note": "Their test data is here"}
    answered = dans.post(path_of(made) + "stance/", stance, If_Match=made.headers["ETag"])
    assert (answered.status, answered.json["stance_by"]["name"]) == (200, "Dan")
    changed = alices.patch(path_of(made), {"due_on": "2027-07-01"}, If_Match=answered.headers["ETag"])
    assert (changed.json["stance"], changed.json["stance_note"], changed.json["version"]) == ("pending", "", 3)
    early = alices.post(path_of(made) + "settle/", {"outcome": "kept"}, If_Match="*")
    assert (early.status, early.code) == (409, "illegal_transition")
    withdrawn = alices.post(path_of(made) + "withdraw/", If_Match=changed.headers["ETag"])
    assert withdrawn.json["withdrawn_at"].endswith("Z")
    assert alices.rows("commitments/") == []
    assert len(alices.rows("commitments/?withdrawn=true")) == 1


def test_a_won_deals_promise_is_settled(alices: Program, alice: User) -> None:
    made = noted(alices, factories.deal("won", owner=alice))
    assert "note" in alices.post(path_of(made) + "settle/", {"outcome": "broken"}, If_Match="*").json["fields"]
    answer = alices.post(path_of(made) + "settle/", {"outcome": "broken", "note": "Too late"}, If_Match="*")
    assert (answer.status, answer.json["outcome"], answer.json["settled_by"]["name"]) == (200, "broken", "Alice")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": ""}, "text"), ({"kind": "moon"}, "kind"), ({"promised_on": "2999-01-01"}, "promised_on"),
        ({"stance": "accepted"}, "stance"), ({"promised_to": 999999}, "promised_to"), ({"colour": "red"}, "colour"),
        ({"opportunity": 999999}, "opportunity"),
    ],
)  # fmt: skip
def test_a_promise_that_makes_no_sense(alices: Program, deal: Opportunity, body: Any, field: str) -> None:
    answer = alices.post("commitments/", {**PROMISE, "opportunity": deal.pk, **body})
    assert (answer.status, list(answer.json["fields"])) == (400, [field])


@pytest.mark.parametrize(
    ("action", "body"), [("stance", {"stance": "accepted"}), ("withdraw", {}), ("", {"text": "Other words"})]
)
def test_promises_keep_the_rules_of_the_house(
    alices: Program, dans: Program, charlies: Program, adas: Program, deal: Opportunity, action: str, body: Any
) -> None:
    """No If-Match, stale, outsider, no side, repeated with a key."""
    path = path_of(noted(alices, deal)) + (f"{action}/" if action else "")
    mine, method = (dans if action == "stance" else alices), ("POST" if action else "PATCH")
    assert mine.ask(method, path, body).status == 428
    stale = mine.ask(method, path, body, If_Match='"99"')
    assert (stale.code, stale.json["current"]["text"]) == ("stale", PROMISE["text"])
    assert charlies.ask(method, path, body, If_Match="*").status == 404
    assert adas.ask(method, path, body, If_Match="*").status == 403
    done = mine.ask(method, path, body, If_Match="*", Idempotency_Key="key-1")
    assert done.status == 200
    if action:
        assert mine.ask(method, path, body, If_Match="*", Idempotency_Key="key-1").json == done.json


def test_nobody_promises_on_a_deal_they_do_not_see_or_stand_beside(
    charlies: Program, adas: Program, deal: Opportunity
) -> None:
    assert charlies.post("commitments/", {**PROMISE, "opportunity": deal.pk}).status == 400
    assert adas.post("commitments/", {**PROMISE, "opportunity": deal.pk}).status == 403
    assert not Commitment.objects.exists()


def test_the_same_key_notes_one_promise(alices: Program, deal: Opportunity) -> None:
    body = {**PROMISE, "opportunity": deal.pk}
    first = alices.post("commitments/", body, Idempotency_Key="a")
    assert alices.post("commitments/", body, Idempotency_Key="a").json == first.json
    assert alices.post("commitments/", {**body, "text": "B"}, Idempotency_Key="a").status == 422
    assert Commitment.objects.count() == 1


@pytest.mark.parametrize(
    ("query", "is_found"),
    [("opportunity={deal}", True), ("opportunity=999999", False), ("stance=pending", True), ("stance=disputed", False),
     ("kind=date", True), ("kind=team", False), ("outcome=open", True), ("outcome=kept", False)],
)  # fmt: skip
def test_filters_of_the_ledger(alices: Program, deal: Opportunity, query: str, is_found: bool) -> None:
    noted(alices, deal)
    assert bool(alices.rows("commitments/?" + query.format(deal=deal.pk))) == is_found


# --- the register and the profile ---


def test_the_register_goes_its_way(alices: Program, dans: Program, dan: User, deal: Opportunity) -> None:
    made = feared(alices, deal, owner=dan.pk, response="reduce")
    assert (made.json["severity"], made.json["owner"]["name"]) == (12, "Dan")
    changed = dans.patch(path_of(made), {"likelihood": 5}, If_Match=made.headers["ETag"])
    assert changed.json["severity"] == 15
    closed = dans.post(path_of(made) + "close/", {"note": "Documented"}, If_Match=changed.headers["ETag"])
    assert (closed.json["closed_by"]["name"], closed.json["closed_note"]) == ("Dan", "Documented")
    assert alices.rows("risks/?open=true") == []
    assert len(alices.rows(f"risks/?open=false&opportunity={deal.pk}&kind=risk&owner={dan.pk}")) == 1
    reopened = alices.post(path_of(made) + "reopen/", If_Match=closed.headers["ETag"])
    assert reopened.json["closed_at"] is None
    assert dans.post(path_of(made) + "close/", {}, If_Match='"1"').code == "stale"


def test_a_risk_is_rated(alices: Program, deal: Opportunity) -> None:
    body = {"opportunity": deal.pk, "kind": "risk", "text": "Unrated"}
    assert list(alices.post("risks/", body).json["fields"]) == ["likelihood", "impact"]
    assert alices.post("risks/", {**body, "kind": "assumption"}).json["severity"] is None
    assert list(alices.post("risks/", {**body, "likelihood": 6, "impact": 1}).json["fields"]) == ["likelihood"]


def test_a_profile_is_put_up_and_agreed_by_both(
    alices: Program, dans: Program, charlies: Program, adas: Program, deal: Opportunity
) -> None:
    assert "empty" in alices.post("risk-profiles/", {"opportunity": deal.pk}).json["detail"]
    item = feared(alices, deal)
    made = alices.post("risk-profiles/", {"opportunity": deal.pk, "reason": "First", "agrees": True})
    assert (made.status, made.json["number"], made.json["is_agreed"]) == (201, 1, False)
    assert made.json["items"][0]["text"] == RISK["text"]
    agree = path_of(made) + "agree/"
    assert charlies.post(agree).status == 404
    assert adas.post(agree).status == 403
    agreed = dans.post(agree)
    assert (agreed.json["is_agreed"], agreed.json["sales_agreed_by"]["name"]) == (True, "Alice")
    alices.patch(path_of(item), {"impact": 5}, If_Match="*")
    newer = alices.post("risk-profiles/", {"opportunity": deal.pk})
    assert [row["number"] for row in dans.rows(f"risk-profiles/?opportunity={deal.pk}")] == [2, 1]
    assert dans.get(path_of(newer)).json["items"][0]["impact"] == 5


def test_agreeing_a_replaced_version_shows_the_newer_one(alices: Program, dans: Program, deal: Opportunity) -> None:
    item = feared(alices, deal)
    first = alices.post("risk-profiles/", {"opportunity": deal.pk})
    alices.patch(path_of(item), {"impact": 5}, If_Match="*")
    alices.post("risk-profiles/", {"opportunity": deal.pk})
    stale = dans.post(path_of(first) + "agree/")
    assert (stale.status, stale.code, stale.json["current"]["number"]) == (412, "stale", 2)


@pytest.mark.parametrize("path", ["commitments/", "risks/", "risk-profiles/"])
def test_outsiders_find_nothing(alices: Program, charlies: Program, deal: Opportunity, path: str) -> None:
    noted(alices, deal)
    feared(alices, deal)
    alices.post("risk-profiles/", {"opportunity": deal.pk})
    (row,) = alices.rows(path)
    assert charlies.rows(path) == []
    assert charlies.get(row["url"]).json == charlies.get(f"{path}999999/").json


@pytest.mark.parametrize("path", ["commitments/", "risks/"])
def test_as_many_queries_for_many_rows(alices: Program, deal: Opportunity, path: str) -> None:
    noted(alices, deal)
    feared(alices, deal)
    few = queries_of(alices, path)
    for number in range(50):
        noted(alices, deal, text=f"Promise {number}")
        feared(alices, deal, text=f"Risk {number}")
    assert queries_of(alices, path) == few
    assert RaidItem.objects.count() == Commitment.objects.count() == 51
