"""The permission matrix: every address and method against everybody, from the table in permissions.toml.

An address that the table doesn't mention fails; so does a method that it doesn't mention and that lets anybody in. The
live stream is no address of Django's; tests/events/test_live.py and test_live_reader.py ask who may listen.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponseBase
from django.test import RequestFactory
from django.test.client import ClientHandler
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests import factories
from tests.support.company import Person, cast, things

FILE = Path(__file__).with_name("permissions.toml")
TABLE: dict[str, Any] = tomllib.loads(FILE.read_text())
GROUPS: dict[str, dict[str, str]] = TABLE["who"]
ADDRESSES: dict[str, dict[str, Any]] = TABLE["address"]
PEOPLE = ("charlie", "alice", "sam", "pia", "dan", "ruth", "eve", "ada")
# Nobody; somebody disabled with the keys that they had; Alice with the key of the other door (a token on a page, a
# session at the API).
STRANGERS = ("anonymous", "disabled", "wrong_key")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# Who is asked about methods that are not in the table: nobody, the owner of everything, and an administrator.
BOLDEST = ("anonymous", "alice", "ada")
# Let in: answered, redirected to another page than sign-in, or told what is wrong with what was sent.
IN = {200, 201, 204, 205, 302, 303, 400, 409, 412, 422}
MISSING = 2**31 - 1  # an id of nothing


class Doors(RequestFactory):
    """The whole of Django with its middleware, without what the test client adds for looking at templates."""

    def __init__(self) -> None:
        super().__init__()
        self.handler = ClientHandler(enforce_csrf_checks=False)

    def request(self, **given: Any) -> Any:
        """The response; an error of ours is raised."""
        return self.handler(self._base_environ(**given))


@dataclass(frozen=True)
class Company:
    """The world that addresses are asked about."""

    people: Mapping[str, Person]
    things: Mapping[str, Any]
    doors: Doors

    def ask(self, who: str, method: str, path: str) -> HttpResponseBase:
        """A request with an empty body, whose effects are undone."""
        is_api = path.startswith("/api/v1/") and not path.startswith("/api/v1/docs/")
        headers = {"If-Match": "*"} if is_api else {}
        self.doors.cookies.clear()
        if who != "anonymous":
            person = self.people["alice" if who == "wrong_key" else who]
            if is_api == (who != "wrong_key"):
                headers["Authorization"] = f"Token {person.token}"
            else:
                self.doors.cookies["sessionid"] = person.session
        kind = "application/json" if is_api else "application/x-www-form-urlencoded"
        savepoint = transaction.savepoint()
        try:
            return self.doors.generic(method, path, "{}" if is_api else "", content_type=kind, headers=headers)
        finally:
            transaction.set_rollback(False)
            transaction.savepoint_rollback(savepoint)

    def outcome(self, who: str, method: str, path: str) -> str:
        """What happens to somebody: ``in``, ``login``, or the status that keeps them out."""
        response = self.ask(who, method, path)
        if response.status_code == 302 and response.headers["Location"].startswith("/account/login/"):
            return "login"
        return "in" if response.status_code in IN else str(response.status_code)

    def path(self, name: str, *, missing: bool = False) -> str:
        """The address of a row, about the things that it names, or about things that don't exist."""
        row = ADDRESSES[name]
        if name.startswith("/"):
            return name
        about = {key: self.things.get(value, value) for key, value in row.get("path", {}).items()}
        if missing:
            about |= {key: MISSING for key, value in about.items() if isinstance(value, int)}
        return reverse(name.partition(" ")[0], kwargs=about) + row.get("query", "")


@pytest.fixture(scope="module")
def company(django_db_setup: None, django_db_blocker: Any) -> Iterator[Company]:
    """One company for all addresses."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.DEBUG_PROPAGATE_EXCEPTIONS", True)
        atomic = transaction.atomic()
        # As Django's own TestCase does, so that durable blocks inside are no mistake.
        atomic._from_testcase = True  # type: ignore[attr-defined]
        with atomic:
            factories.organisation()
            people = cast()
            yield Company(people, things(people), Doors())
            transaction.set_rollback(True)


def walk(resolver: URLResolver, namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address with its name."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inside = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from walk(pattern, inside)
        else:
            yield f"{namespace}{pattern.name}", pattern


def expected(row: dict[str, Any], method: str) -> dict[str, str]:
    """Outcome by person, as the table says."""
    group = GROUPS[row[method]]
    wanted = dict.fromkeys(STRANGERS, group.get("strangers", "401" if row.get("api") else "login"))
    for result, names in group.items():
        if result != "strangers":
            wanted |= dict.fromkeys(names.split(), result)
    return wanted


def differences(company: Company, name: str) -> list[str]:
    """A sentence for each cell of the address's row that is not as the table says."""
    row = ADDRESSES[name]
    path = company.path(name)
    found = []
    for method in METHODS:
        if method in row:
            for who, wanted in expected(row, method).items():
                result = company.outcome(who, method, path)
                if result != wanted:
                    found.append(f"{method} by {who} is '{result}'; the table says '{wanted}' ({row[method]}).")
            continue
        readers = expected(row, "GET") if row.get("any_method") else {}
        found += [
            f"{method} lets {who} in, and the row doesn't mention {method}."
            for who in BOLDEST
            if readers.get(who) != "in" and company.outcome(who, method, path) == "in"
        ]
    return found


def test_every_address_is_in_the_table() -> None:
    """And every row of the table is about an address."""
    served = {name for name, _pattern in walk(get_resolver())}
    rows = {name.partition(" ")[0] for name in ADDRESSES if not name.startswith("/")}
    new = [
        f'{name} is in no row of tests/{FILE.name}. Add "{name}" = {{ GET = "a group", … }} below [address], with a '
        "group of [who] for each method that it answers, and what it is about (tests/support/company.py) as its path."
        for name in sorted(served - rows)
    ]
    gone = [f"{name} is no address any more. Take its row out of tests/{FILE.name}." for name in sorted(rows - served)]
    if new or gone:
        pytest.fail("\n".join(new + gone), pytrace=False)


def test_every_group_names_everybody() -> None:
    """Nobody is forgotten, and no group either."""
    for name, group in GROUPS.items():
        named = [person for result, people in group.items() if result != "strangers" for person in people.split()]
        assert sorted(named) == sorted(PEOPLE), name
    assert {row[method] for row in ADDRESSES.values() for method in METHODS if method in row} == set(GROUPS)


@pytest.mark.parametrize("name", ADDRESSES)
def test_lets_in_whom_the_table_says(company: Company, name: str) -> None:
    """Methods of the row against everybody; others against those with most rights, of whom nobody gets in."""
    wrong = differences(company, name)
    if wrong:
        pytest.fail("\n".join([f"{name} ({company.path(name)}):", *wrong]), pytrace=False)


HIDDEN = [
    (name, method)
    for name, row in ADDRESSES.items()
    for method in METHODS
    if row.get("path") and method in row and expected(row, method)["charlie"] == "404"
]


@pytest.mark.parametrize(("name", "method"), HIDDEN)
def test_what_is_hidden_looks_like_what_is_not_there(company: Company, name: str, method: str) -> None:
    """The same body for both, so that nobody learns which ids exist."""
    hidden, missing = (company.ask("charlie", method, company.path(name, missing=missing)) for missing in (False, True))
    assert (hidden.status_code, missing.status_code) == (404, 404)
    assert _told(hidden) == _told(missing)


def _told(response: Any) -> str:
    """Its body without the CSRF token, which is another one each time."""
    return re.sub(r"\b[A-Za-z0-9]{64}\b", "", response.content.decode())


def test_only_programs_and_private_pages_need_no_csrf_token() -> None:
    """The API and the client's own pages take no cookies, so nobody can be made to use them."""
    exempt = {name for name, pattern in walk(get_resolver()) if getattr(pattern.callback, "csrf_exempt", False)}
    assert {name for name in exempt if not name.startswith("api:")} == {
        f"handoffs:client_{page}" for page in ("page", "confirm", "change", "rate", "mail")
    }


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"GET": "public"}, "GET by anonymous is 'login'; the table says 'in' (public)."),
        ({"GET": "administrators"}, "GET by charlie is 'in'; the table says '403' (administrators)."),
        ({}, "GET lets alice in, and the row doesn't mention GET."),
    ],
    ids=["too wide", "too narrow", "undeclared"],
)
def test_a_wrong_row_is_noticed(
    company: Company, monkeypatch: pytest.MonkeyPatch, row: dict[str, str], sentence: str
) -> None:
    """The matrix can fail."""
    monkeypatch.setitem(ADDRESSES, "opportunities:account_names", row)
    assert sentence in differences(company, "opportunities:account_names")


def test_a_new_address_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a sentence that says what to do."""
    monkeypatch.delitem(ADDRESSES, "opportunities:list")
    with pytest.raises(pytest.fail.Exception, match='Add "opportunities:list" = '):
        test_every_address_is_in_the_table()
