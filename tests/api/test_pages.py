"""The pages about the API: tokens, and what programs can ask."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.text import fault_in, trimmed
from api.models import Token
from api.services import MOST_TOKENS, make_token
from tests.api.conftest import Program
from tests.cast import Browser

TOKENS = "/profile/tokens/"


def shown_token(html: str) -> str:
    found = re.search(r'value="(oneteam_[0-9a-f]+)"', html)
    assert found, html
    return found[1]


def test_makes_a_token_and_shows_it_once(as_alice: Browser, alice: User) -> None:
    page = as_alice.post(TOKENS, {"name": "Nightly export", "days": 90})
    assert page.status_code == 200
    token = shown_token(page.content.decode())
    assert Program(token=token).get("opportunities/").status == 200
    again = as_alice.get(TOKENS).content.decode()
    assert "Nightly export" in again
    assert token not in again
    kept = Token.objects.get()
    assert kept.user == alice
    assert dt.timedelta(days=89) < kept.expiry - dt.datetime.now(dt.UTC) < dt.timedelta(days=91)
    assert page.headers["Cache-Control"].startswith("max-age=0")


def test_fragment_for_the_profile_page(as_alice: Browser) -> None:
    page = as_alice.hx("get", TOKENS)
    assert page.status_code == 200  # type: ignore[attr-defined]
    assert page.content.lstrip().startswith(b'<section class="ot-card" id="tokens"')  # type: ignore[attr-defined]
    made = as_alice.hx("post", TOKENS, {"name": "Export", "days": 30})
    assert shown_token(made.content.decode())  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("given", "said"),
    [({"name": "", "days": 90}, "required"), ({"name": "x", "days": 5000}, "Select a valid choice"),
     ({"name": "\u200b", "days": 90}, "required"), ({"name": "a\u202eb", "days": 90}, "reading direction"),
     ({}, "required")],
)  # fmt: skip
def test_says_what_is_wrong(as_alice: Browser, given: dict[str, object], said: str) -> None:
    page = as_alice.post(TOKENS, given)
    assert page.status_code == 422
    assert said in page.content.decode()
    assert not Token.objects.exists()


def test_revokes(as_alice: Browser, alice: User) -> None:
    program = Program(alice)
    digest = Token.objects.get().digest
    answer = as_alice.post(reverse("api_token_revoke", args=[digest]))
    assert answer.status_code == 302
    assert program.get("opportunities/").status == 401
    assert as_alice.post(reverse("api_token_revoke", args=[digest])).status_code == 302


def test_revokes_in_place(as_alice: Browser, alice: User) -> None:
    Program(alice)
    page = as_alice.hx("post", reverse("api_token_revoke", args=[Token.objects.get().digest]))
    assert b'id="tokens"' in page.content  # type: ignore[attr-defined]
    assert not Token.objects.exists()


def test_nobody_sees_or_revokes_tokens_of_others(as_charlie: Browser, alice: User) -> None:
    program = Program(alice)
    token = Token.objects.get()
    assert token.token_key not in as_charlie.get(TOKENS).content.decode()
    as_charlie.post(reverse("api_token_revoke", args=[token.digest]))
    assert program.get("opportunities/").status == 200


def test_so_many_and_no_more(as_alice: Browser, alice: User) -> None:
    now = dt.datetime.now(dt.UTC)
    for number in range(MOST_TOKENS):
        make_token(actor=alice, name=f"No. {number}", now=now)
    page = as_alice.post(TOKENS, {"name": "One more", "days": 30})
    assert page.status_code == 422
    assert "Revoke one" in page.content.decode()
    with time_machine.travel(now + dt.timedelta(days=31)):
        make_token(actor=alice, name="After the others expired", now=dt.datetime.now(dt.UTC))
    assert Token.objects.count() == 1


@pytest.mark.parametrize("path", [TOKENS, "/profile/tokens/abc/revoke/"])
def test_signed_out_people_are_asked_to_sign_in(organisation: object, path: str) -> None:
    for answer in (Client().get(path), Client().post(path)):
        assert answer.status_code == 302
        assert "/account/login/" in answer.headers["Location"]


def test_wrong_methods(as_alice: Browser) -> None:
    assert as_alice.delete(TOKENS).status_code == 405
    assert as_alice.get("/profile/tokens/abc/revoke/").status_code == 405


def test_forged_posts_are_refused(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(TOKENS, {"name": "Forged", "days": 30}).status_code == 403


def test_page_about_the_api_names_every_address(as_alice: Browser, organisation: object) -> None:
    page = as_alice.get("/api/v1/docs/").content.decode()
    paths = Program().get("schema/").json["paths"]
    assert len(paths) > 25
    for path in paths:
        assert path in page


def test_schema_is_public_and_valid(organisation: object) -> None:
    from drf_spectacular.validation import validate_schema

    answer = Program().get("schema/")
    assert answer.status == 200
    validate_schema(answer.json)
    assert answer.json["openapi"].startswith("3.1")
    assert "Opportunity" in answer.json["components"]["schemas"]


def test_schema_describes_every_address() -> None:
    from django.urls import get_resolver

    from api.docs import groups

    described = {operation.path for group in groups("en") for operation in group.operations}
    addresses = {
        "/api/v1/" + re.sub(r"<int:(\w+)>", r"{\1}", str(pattern.pattern)).replace("{pk}", "{id}")
        for pattern in get_resolver("api.urls").url_patterns
        if pattern.name not in ("schema", "docs", "nothing")
    }
    assert described == addresses


def test_schema_says_which_characters_are_refused(organisation: object) -> None:
    """The same as the fields do, character by character."""
    schemas = Program().get("schema/").json["components"]["schemas"]
    changes = schemas["OpportunityChanges"]["properties"]
    one_line, lines = (re.compile(changes[name]["oneOf"][0]["pattern"]) for name in ("next_step", "description"))
    name = re.compile(schemas["OpportunityNew"]["properties"]["name"]["pattern"])
    for number in [*range(0xD800), *range(0xE000, 0x11000)]:
        char = chr(number)
        assert bool(one_line.search(char)) == (fault_in(char) is None), hex(number)
        assert bool(lines.search(char)) == (fault_in(char, is_multiline=True) is None), hex(number)
        assert bool(name.search(char)) == (fault_in(char) is None and trimmed(char) != ""), hex(number)
