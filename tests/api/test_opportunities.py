"""Deals through the API."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from events.models import Event
from opportunities.models import Opportunity
from opportunities.services.editing import update_opportunity
from tests import factories
from tests.api.conftest import Program, queries_of


def test_shows_a_deal_with_its_etag(alices: Program, alice: User) -> None:
    deal = factories.deal("proposal")
    answer = alices.get(f"opportunities/{deal.pk}/")
    assert answer.status == 200
    assert answer.headers["ETag"] == '"1"'
    assert answer.json["amount"] == {"amount": "120000.00", "currency": "EUR"}
    assert answer.json["owner"] == {"id": alice.pk, "name": "Alice"}
    assert answer.json["stage"]["key"] == "proposal"
    assert answer.json["close_date"] == "2027-03-15"
    assert answer.json["updated_at"].endswith("Z")
    assert answer.json["url"] == f"http://testserver/api/v1/opportunities/{deal.pk}/"
    assert answer.json["unforecasted_reasons"] == ["first_seen_warm"]


def test_foreign_deal_answers_like_a_missing_one(charlies: Program) -> None:
    deal = factories.deal()
    foreign, missing = charlies.get(f"opportunities/{deal.pk}/"), charlies.get(f"opportunities/{deal.pk + 1}/")
    huge = charlies.get(f"opportunities/{2**63}/")
    assert foreign.status == missing.status == huge.status == 404
    assert foreign.json == missing.json == huge.json
    assert foreign.code == "not_found"


def test_lists_only_visible_deals(alices: Program, charlies: Program, charlie: User) -> None:
    mine, theirs = factories.deal(), factories.deal(owner=charlie)
    assert [row["id"] for row in alices.rows("opportunities/")] == [mine.pk]
    assert [row["id"] for row in charlies.rows("opportunities/")] == [theirs.pk]


def test_adds_a_deal(alices: Program, alice: User) -> None:
    account = factories.AccountFactory.make(created_by=alice)
    answer = alices.post(
        "opportunities/",
        {
            "name": "Data platform", "account": account.pk, "stage": "discovery", "external_id": "crm-1",
            "amount": {"amount": "1234.50", "currency": "USD"}, "close_date": "2027-02-01", "probability": 35,
        },
    )  # fmt: skip
    assert answer.status == 201, answer
    assert answer.headers["Location"] == answer.json["url"]
    deal = Opportunity.objects.get(pk=answer.json["id"])
    assert (deal.stage.key, deal.owner, deal.currency, deal.probability) == ("discovery", alice, "USD", 35)
    assert (deal.source, deal.external_id, deal.is_unforecasted) == ("api", "crm-1", True)
    assert deal.stage_changes.get().source == "api"


def test_a_new_deal_begins_in_the_first_stage(alices: Program) -> None:
    assert alices.post("opportunities/", {"name": "Small"}).json["stage"]["key"] == "prospect"


@pytest.mark.parametrize("stage", ["won", "nowhere", 10**30, -1])
def test_refuses_to_begin_elsewhere(alices: Program, stage: Any) -> None:
    answer = alices.post("opportunities/", {"name": "Small", "stage": stage})
    assert answer.status == 400
    assert answer.code == "invalid"
    assert list(answer.json["fields"]) == ["stage"]


def test_delivery_adds_no_deals(dans: Program) -> None:
    answer = dans.post("opportunities/", {"name": "Small"})
    assert answer.status == 403
    assert answer.code == "forbidden"


def test_same_external_id_twice_is_a_conflict(alices: Program) -> None:
    assert alices.post("opportunities/", {"name": "One", "external_id": "crm-1"}).status == 201
    answer = alices.post("opportunities/", {"name": "Two", "external_id": "crm-1"})
    assert answer.status == 409
    assert answer.code == "conflict"
    assert list(answer.json["fields"]) == ["external_id"]


def test_changes_what_is_named_and_leaves_the_rest(alices: Program) -> None:
    deal = factories.deal("proposal")
    answer = alices.patch(
        f"opportunities/{deal.pk}/", {"next_step": "Call", "amount": {"amount": "5.00", "currency": "CHF"}},
        If_Match='"1"',
    )  # fmt: skip
    assert answer.status == 200, answer
    assert answer.headers["ETag"] == '"2"'
    deal.refresh_from_db()
    assert (deal.next_step, str(deal.amount), deal.currency, deal.probability) == ("Call", "5.00", "CHF", 60)


def test_the_same_change_again_changes_nothing(alices: Program) -> None:
    deal = factories.deal()
    assert alices.patch(f"opportunities/{deal.pk}/", {"next_step": "Call"}, If_Match='"1"').json["version"] == 2
    events = Event.objects.count()
    again = alices.patch(f"opportunities/{deal.pk}/", {"next_step": "Call"}, If_Match='"1"')
    assert again.status == 200
    assert again.json["version"] == 2
    assert Event.objects.count() == events


def test_amount_can_be_taken_away(alices: Program) -> None:
    deal = factories.deal()
    answer = alices.patch(f"opportunities/{deal.pk}/", {"amount": None}, If_Match='"1"')
    assert answer.status == 200
    assert answer.json["amount"] is None


def test_needs_if_match(alices: Program) -> None:
    deal = factories.deal()
    answer = alices.patch(f"opportunities/{deal.pk}/", {"next_step": "Call"})
    assert answer.status == 428
    assert answer.code == "if_match_needed"


@pytest.mark.parametrize("given", ['"7"', 'W/"1"', '"abc"', '"2", "3"', '""', '"0"'])
def test_stale_change_gets_the_deal_as_it_is(alices: Program, given: str) -> None:
    deal = factories.deal(name="As it is")
    answer = alices.patch(f"opportunities/{deal.pk}/", {"next_step": "Call"}, If_Match=given)
    assert answer.status == 412
    assert answer.code == "stale"
    assert answer.json["current"]["name"] == "As it is"
    assert answer.headers["ETag"] == '"1"'


@pytest.mark.parametrize("given", ["*", '"1"', '"7", "1"', 'W/"7" ,"1"'])
def test_matches_the_version_or_whichever(alices: Program, given: str) -> None:
    deal = factories.deal()
    assert alices.patch(f"opportunities/{deal.pk}/", {"next_step": "Call"}, If_Match=given).status == 200


@pytest.mark.parametrize("given", ["1", '"1', "x", '"1" "2"', "*, *", '"1",', "{}"])
def test_refuses_an_if_match_that_is_none(alices: Program, given: str) -> None:
    deal = factories.deal()
    answer = alices.patch(f"opportunities/{deal.pk}/", {"next_step": "Call"}, If_Match=given)
    assert answer.status == 400
    assert answer.code == "bad_if_match"


def test_a_whole_number_may_have_a_point(alices: Program, alice: User) -> None:
    """Programs whose numbers are all fractions send 40.0."""
    deal = factories.deal()
    body = f'{{"probability": 40.0, "owner": {alice.pk}.0}}'.encode()
    answer = alices.ask("PATCH", f"opportunities/{deal.pk}/", body, If_Match="*")
    assert answer.json["probability"] == 40
    assert alices.patch(f"opportunities/{deal.pk}/", {"probability": 40.5}, If_Match="*").status == 400


def test_outsider_can_not_change(charlies: Program) -> None:
    deal = factories.deal()
    assert charlies.patch(f"opportunities/{deal.pk}/", {"next_step": "Call"}, If_Match='"1"').status == 404


def test_reader_may_not_change(dans: Program) -> None:
    deal = factories.deal()
    answer = dans.patch(f"opportunities/{deal.pk}/", {"next_step": "Call"}, If_Match='"1"')
    assert answer.status == 403
    assert answer.code == "forbidden"


@pytest.mark.parametrize("name", ["stage", "push_count", "unforecasted", "version", "id", "temperature", "url"])
def test_refuses_what_onetteam_keeps_itself(alices: Program, name: str) -> None:
    deal = factories.deal()
    answer = alices.patch(f"opportunities/{deal.pk}/", {name: 1}, If_Match='"1"')
    assert answer.status == 400
    assert answer.json["fields"] == {name: ["OneTeam keeps this itself; it can't be set here."]}


def test_refuses_unknown_fields(alices: Program) -> None:
    deal = factories.deal()
    answer = alices.patch(f"opportunities/{deal.pk}/", {"next_stepp": "Call"}, If_Match='"1"')
    assert answer.status == 400
    assert "There is no such field" in answer.json["fields"]["next_stepp"][0]


@pytest.mark.parametrize(
    "amount",
    ["NaN", "Infinity", "1e400", "-1", "-0.01", "1.234,56", "１２", "12345678901234", "1.999", "", " 1", 5, 1.5,
     None, [], {}, True],
)  # fmt: skip
def test_refuses_amounts_that_are_none(alices: Program, amount: Any) -> None:
    deal = factories.deal()
    answer = alices.patch(
        f"opportunities/{deal.pk}/", {"amount": {"amount": amount, "currency": "EUR"}}, If_Match='"1"'
    )
    assert answer.status == 400, answer
    assert list(answer.json["fields"]) == ["amount.amount"]
    deal.refresh_from_db()
    assert deal.version == 1


@pytest.mark.parametrize(
    "values",
    [
        {"amount": "5"}, {"amount": {"amount": "5"}}, {"amount": {"amount": "5", "currency": "euro"}},
        {"amount": {"amount": "5", "currency": "EUR", "rate": 1}}, {"probability": 101}, {"probability": "50"},
        {"probability": True}, {"probability": 10**400}, {"close_date": "2027-02-29"}, {"close_date": "1.3.2027"},
        {"close_date": 20270101}, {"close_date": "9999-12-31"}, {"close_date": "2027-03-01T00:00:00Z"},
        {"name": ""}, {"name": "\u200b\u200b"}, {"name": 5}, {"name": "x" * 201}, {"name": None},
        {"name": "Invoice\u202etxt"}, {"owner": "1"}, {"owner": True}, {"owner": 2**63}, {"owner": -1},
        {"owner": [1]}, {"account": 999_999_999}, {"forecast_category": "sure"}, {"forecast_category": ["commit"]},
        {"start_on": "2027-01-01"}, {"next_step": {"text": "Call"}}, {"loss_reason": ""},
    ],
)  # fmt: skip
def test_refuses_values_with_a_sentence_at_the_field(alices: Program, values: dict[str, Any]) -> None:
    deal = factories.deal()
    answer = alices.patch(f"opportunities/{deal.pk}/", values, If_Match='"1"')
    assert answer.status == 400, answer
    assert answer.code == "invalid"
    assert {name.partition(".")[0] for name in answer.json["fields"]} >= set(values)
    assert all(sentence for sentences in answer.json["fields"].values() for sentence in sentences)


def test_names_only_what_the_caller_may_see(alices: Program, charlie: User) -> None:
    """An account, owner or team of others is refused in the same words as one that is not there."""
    deal = factories.deal()
    south = factories.deal(owner=charlie, account=factories.AccountFactory.make(team=factories.team("Sales South")))
    assert south.account is not None
    assert south.team is not None
    for name, foreign in (("account", south.account.pk), ("owner", charlie.pk), ("team", south.team.pk)):
        path, missing = f"opportunities/{deal.pk}/", foreign + 1_000
        first = alices.patch(path, {name: foreign}, If_Match='"1"')
        second = alices.patch(path, {name: missing}, If_Match='"1"')
        assert first.status == second.status == 400
        assert first.json == second.json


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("temperature=hot", {"Hot"}), ("stage={hot}", {"Hot"}), ("kind=lost", {"Lost"}),
        ("unforecasted=false", {"Cold"}),
        ("close_from=2027-06-01", {"Cold"}), ("close_to=2027-05-31", {"Hot", "Lost"}), ("search=col", {"Cold"}),
        ("owner={alice}", {"Cold", "Hot", "Lost"}), ("owner={charlie}", set()), ("account={account}", {"Cold"}),
        ("external_id=nowhere", set()), ("pipeline={pipeline}", {"Cold", "Hot", "Lost"}), ("rotting=true", {"Cold"}),
        ("rotting=false", {"Hot", "Lost"}), ("delivery_owner={alice}", set()), ("search=nothing", set()),
    ],
)  # fmt: skip
def test_filters(alices: Program, alice: User, charlie: User, query: str, expected: set[str]) -> None:
    long_ago = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    cold = factories.deal(
        "qualified", name="Cold", close_date=dt.date(2027, 6, 1), start_on=dt.date(2027, 7, 1), now=long_ago
    )
    hot = factories.deal("negotiation", name="Hot")
    factories.deal("lost", name="Lost")
    query = query.format(
        hot=hot.stage_id, alice=alice.pk, charlie=charlie.pk, account=cold.account_id, pipeline=cold.pipeline_id
    )
    assert {row["name"] for row in alices.rows(f"opportunities/?{query}")} == expected


@pytest.mark.parametrize(
    "query",
    [
        "colour=red", "ordering=owner__password", "ordering=owner", "ordering=", "page_size=201", "page_size=0",
        "page_size=1e9", "page_size=", "temperature=boiling", "stage=abc", "stage=9223372036854775808", "stage=-1",
        "close_from=2027-02-30", "unforecasted=perhaps", "temperature=hot&temperature=warm", "cursor=abc", "cursor=W10",
        "cursor=%00", "search=%00", "external_id=%00", "format=xml", "owner=1%00", "search=" + "x" * 201,
    ],
)  # fmt: skip
def test_refuses_parameters_with_a_sentence(alices: Program, query: str) -> None:
    answer = alices.get(f"opportunities/?{query}")
    assert answer.status == 400, answer
    assert answer.code in ("invalid", "unknown_parameter")
    assert list(answer.json["fields"]) == [query.partition("=")[0]]


@pytest.mark.parametrize(
    "query", ["search=%FF", "search=%ED%A0%80", "search='%22%3B--", "search=:*%26!", "external_id=%F0%9F"]
)
def test_reads_odd_searches_without_fault(alices: Program, query: str) -> None:
    factories.deal()
    assert alices.get(f"opportunities/?{query}").status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
def test_wrong_method_names_the_right_ones(alices: Program, method: str) -> None:
    answer = alices.ask(method, "opportunities/")
    assert answer.status == 405
    assert answer.code == "method_not_allowed"
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("who", ["alices", "dans", "adas"])
def test_queries_do_not_grow_with_rows(request: pytest.FixtureRequest, who: str) -> None:
    program: Program = request.getfixturevalue(who)
    factories.deals(10, "proposal")
    few = queries_of(program, "opportunities/?page_size=200&ordering=-amount")
    factories.deals(40, "proposal")
    assert queries_of(program, "opportunities/?page_size=200&ordering=-amount") == few
    assert few <= 8


def test_answer_after_giving_a_deal_away_shows_it_still(adas: Program, charlie: User) -> None:
    """Alice's deal goes to Charlie; whoever did that gets an answer, also when they could not read it again."""
    deal = factories.deal()
    answer = adas.patch(f"opportunities/{deal.pk}/", {"owner": charlie.pk}, If_Match='"1"')
    assert answer.status == 200
    assert answer.json["team"]["name"] == "Sales South"


def test_change_that_lost_the_race_is_stale(alices: Program, alice: User) -> None:
    deal = factories.deal()
    now = dt.datetime.now(dt.UTC)
    update_opportunity(actor=alice, opportunity=deal, changes={"next_step": "Theirs"}, expected_version=1, now=now)
    answer = alices.patch(f"opportunities/{deal.pk}/", {"next_step": "Mine"}, If_Match='"1"')
    assert answer.status == 412
    assert answer.json["current"]["next_step"] == "Theirs"


@pytest.mark.usefixtures("organisation")
def test_people_without_a_token_get_nothing(as_program: Callable[..., Program]) -> None:
    answer = as_program(None).get("opportunities/")
    assert answer.status == 401
    assert answer.code == "not_authenticated"
    assert answer.headers["WWW-Authenticate"] == "Token"
