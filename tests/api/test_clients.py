"""Accounts and contacts through the API."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from opportunities.models import Account, Contact
from tests import factories
from tests.api.conftest import Program, queries_of


@pytest.fixture
def account(alice: User) -> Account:
    """A client of Sales North."""
    return factories.AccountFactory.make(name="Acme", team=factories.team(), external_id="crm-1")


@pytest.fixture
def contact(account: Account) -> Contact:
    """Somebody there."""
    return factories.ContactFactory.make(account=account, name="Grace", email="grace@acme.test")


def test_adds_shows_and_changes_an_account(alices: Program, account: Account) -> None:
    added = alices.post("accounts/", {"name": "Acme Labs", "parent": account.pk, "website": "https://acme.test"})
    assert added.status == 201, added
    assert added.json["parent"] == {"id": account.pk, "name": "Acme"}
    shown = alices.get(added.headers["Location"])
    assert shown.json == added.json
    changed = alices.patch(f"accounts/{added.json['id']}/", {"country": "Norway"}, If_Match=shown.headers["ETag"])
    assert (changed.json["country"], changed.json["website"], changed.json["version"]) == (
        "Norway",
        "https://acme.test",
        2,
    )
    again = alices.patch(f"accounts/{added.json['id']}/", {"country": "Norway"}, If_Match='"1"')
    assert (again.status, again.json["version"]) == (200, 2)


def test_adds_shows_and_changes_a_contact(alices: Program, account: Account) -> None:
    added = alices.post("contacts/", {"name": "Grace", "account": account.pk, "stakeholder_role": "sponsor"})
    assert added.status == 201, added
    assert added.json["account"] == {"id": account.pk, "name": "Acme"}
    shown = alices.get(added.headers["Location"])
    assert shown.json == added.json
    changed = alices.patch(
        f"contacts/{added.json['id']}/", {"email": "grace@acme.test", "stakeholder_role": ""}, If_Match='"1"'
    )
    assert (changed.json["email"], changed.json["stakeholder_role"], changed.json["version"]) == (
        "grace@acme.test",
        "",
        2,
    )


@pytest.mark.parametrize(
    "body",
    [{"name": ""}, {"name": None}, {"parent": 999_999}, {"team": "x"}, {"website": "javascript:alert(1)"},
     {"website": 5}, {"external_id": "crm-2"}, {"created_by": 1}, {"colour": "red"}, {"name": "x" * 201},
     {"industry": ["x"]}],
)  # fmt: skip
def test_refuses_values_of_an_account(alices: Program, account: Account, body: Any) -> None:
    answer = alices.patch(f"accounts/{account.pk}/", body, If_Match="*")
    assert answer.status == 400, answer
    assert list(answer.json["fields"]) == list(body)


@pytest.mark.parametrize(
    "body",
    [{"name": ""}, {"email": "x"}, {"email": 5}, {"account": 1}, {"stakeholder_role": "friend"}, {"phone": "1" * 41},
     {"colour": "red"}],
)  # fmt: skip
def test_refuses_values_of_a_contact(alices: Program, contact: Contact, body: Any) -> None:
    answer = alices.patch(f"contacts/{contact.pk}/", body, If_Match="*")
    assert answer.status == 400, answer
    assert list(answer.json["fields"]) == list(body)


def test_an_account_is_no_part_of_itself(alices: Program, account: Account) -> None:
    answer = alices.patch(f"accounts/{account.pk}/", {"parent": account.pk}, If_Match="*")
    assert answer.status == 400
    assert list(answer.json["fields"]) == ["parent"]


def test_names_and_addresses_are_unique(alices: Program, account: Account, contact: Contact) -> None:
    assert list(alices.post("accounts/", {"name": "ACME"}).json["fields"]) == ["name"]
    twin = {"name": "Other", "account": account.pk, "email": "Grace@acme.test"}
    assert list(alices.post("contacts/", twin).json["fields"]) == ["email"]


@pytest.mark.parametrize("kind", ["accounts", "contacts"])
def test_rules_of_the_house(
    alices: Program, dans: Program, charlies: Program, eve: User, account: Account, contact: Contact, kind: str
) -> None:
    """Wrong method, no If-Match, stale, outsider, reader, repeated with a key."""
    thing = account if kind == "accounts" else contact
    path, change = f"{kind}/{thing.pk}/", {"name": "Renamed"}
    assert alices.ask("DELETE", path).status == 405
    assert alices.ask("PUT", f"{kind}/").status == 405
    assert alices.patch(path, change).status == 428
    stale = alices.patch(path, change, If_Match='"99"')
    assert stale.code == "stale"
    assert stale.json["current"]["id"] == thing.pk
    assert charlies.get(path).json == charlies.get(f"{kind}/999999/").json
    assert charlies.get(path).status == 404
    assert charlies.patch(path, change, If_Match="*").status == 404
    assert charlies.rows(f"{kind}/") == []
    assert Program(eve).get(path).status == 200
    assert Program(eve).patch(path, change, If_Match="*").status == 403
    new = {"name": "New"} if kind == "accounts" else {"name": "New", "account": account.pk}
    assert Program(eve).post(f"{kind}/", new).status == 403
    first = alices.post(f"{kind}/", new, Idempotency_Key="key-1")
    assert alices.post(f"{kind}/", new, Idempotency_Key="key-1").json == first.json
    assert first.status == 201


def test_foreign_account_can_not_be_named(charlies: Program, account: Account) -> None:
    """In the same words as one that is not there."""
    answers = [charlies.post("contacts/", {"name": "Spy", "account": pk}) for pk in (account.pk, 999_999)]
    assert [answer.status for answer in answers] == [400, 400]
    assert answers[0].json == answers[1].json


def test_filters(alices: Program, account: Account, contact: Contact) -> None:
    other = factories.AccountFactory.make(name="Umbrella", team=factories.team(), parent=account)
    factories.ContactFactory.make(account=other, name="Heidi", email="heidi@umbrella.test", stakeholder_role="user")
    for query, wanted in (
        ("search=umb", ["Umbrella"]), ("search=nothing", []), ("external_id=crm-1", ["Acme"]),
        (f"parent={account.pk}", ["Umbrella"]), (f"team={account.team_id}", ["Acme", "Umbrella"]), ("region=1", []),
        ("ordering=-name", ["Umbrella", "Acme"]),
    ):  # fmt: skip
        assert [row["name"] for row in alices.rows(f"accounts/?{query}")] == wanted, query
    for query, wanted in (
        ("search=grace", ["Grace"]), ("search=umbrella hei", ["Heidi"]), (f"account={other.pk}", ["Heidi"]),
        ("stakeholder_role=user", ["Heidi"]), ("ordering=name", ["Grace", "Heidi"]), ("search=%25", []),
    ):  # fmt: skip
        assert [row["name"] for row in alices.rows(f"contacts/?{query}")] == wanted, query


@pytest.mark.parametrize("kind", ["accounts", "contacts"])
def test_queries_do_not_grow_with_rows(alices: Program, kind: str) -> None:
    def add(count: int) -> None:
        for _ in range(count):
            made = factories.AccountFactory.make(team=factories.team(), parent=Account.objects.first())
            factories.ContactFactory.make(account=made)

    add(10)
    few = queries_of(alices, f"{kind}/?page_size=200")
    add(90)
    assert queries_of(alices, f"{kind}/?page_size=200") == few
    assert few <= 6
