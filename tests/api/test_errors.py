"""Whatever comes in, every refusal is JSON with a sentence, and none is a fault of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import OperationalError

from api import opportunities
from opportunities.models import Opportunity
from tests import factories
from tests.api.conftest import Program


@pytest.mark.parametrize("path", ["", "nothing/", "opportunities", "opportunities/abc/", "opportunities/-1/", "docs"])
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD"])
def test_addresses_that_do_not_exist(alices: Program, path: str, method: str) -> None:
    answer = alices.ask(method, path)
    assert answer.status == 404
    if method != "HEAD":
        assert answer.code == "not_found"


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"[", b'{"name"}', b"\xff\xfe", b'"\xed\xa0\x80"', b'{"name": "\\ud800"}', b'{"name": "a\\u0000b"}',
        b'{"na\\u0000me": "x"}', b'{"name": "x", "name": "y"}', b'{"probability": NaN}', b'{"probability": Infinity}',
        b'{"name": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", b'{"name": ' + b"[" * 50 + b"]" * 50 + b"}",
        b"[" * 100_000, b'{"probability": ' + b"9" * 10_000 + b"}", b'{"probability": 1e99999999999999999999}',
        b'{"probability": 1e400}', b"null", b"[]", b'"name"', b"1", b"true", b"\x00", b"{'name': 1}", b"",
    ],
)  # fmt: skip
def test_bodies_that_can_not_be_read(alices: Program, body: bytes) -> None:
    answer = alices.ask("POST", "opportunities/", body)
    assert answer.status == 400, answer
    assert answer.code in ("parse_error", "invalid")
    assert not Opportunity.objects.exists()


def test_body_of_fifty_megabytes(alices: Program) -> None:
    answer = alices.ask("POST", "opportunities/", json.dumps({"name": "x" * 50_000_000}).encode())
    assert answer.status == 413
    assert answer.code == "too_large"


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "application/xml"],
)
def test_bodies_of_another_kind(alices: Program, kind: str) -> None:
    answer = alices.ask("POST", "opportunities/", b"name=x", **{"Content-Type": kind})
    assert answer.status == 415
    assert answer.code == "unsupported_media_type"


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_with_parameters_is_json(alices: Program, kind: str) -> None:
    answer = alices.ask("POST", "opportunities/", b'{"name": "x"}', **{"Content-Type": kind})
    assert answer.status == 201


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/png", "", "*/*;q=0"])
def test_gives_json_whatever_is_accepted(alices: Program, accept: str) -> None:
    answer = alices.get("opportunities/", Accept=accept)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("path", ["opportunities/1/", "auth/token/", "opportunities/1/move/"])
def test_parameters_that_mean_nothing_are_refused(alices: Program, path: str) -> None:
    method = "GET" if path == "opportunities/1/" else "POST"
    answer = alices.ask(method, path + "?expand=all", b"{}")
    assert answer.status == 400
    assert answer.code == "unknown_parameter"


def test_answers_are_not_cached(alices: Program) -> None:
    answer = alices.get("opportunities/")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "Authorization" in answer.headers["Vary"]


def test_a_fault_of_ours_says_nothing_of_its_insides(alices: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(opportunities, "create_opportunity", fail)
    alices.client.raise_request_exception = False
    answer = alices.post("opportunities/", {"name": "x"})
    assert answer.status == 500
    assert answer.code == "error"
    assert "secret" not in repr(answer)


def test_database_that_is_busy_or_away(alices: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> None:
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(opportunities, "create_opportunity", fail)
    answer = alices.post("opportunities/", {"name": "x"})
    assert answer.status == 503
    assert answer.code == "unavailable"
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "{{7*7}}", "=1+1", "' or 1=1 --", "Ünïcödé 🦊", "a" * 200]
)
def test_odd_texts_come_back_as_they_were(alices: Program, text: str) -> None:
    answer = alices.post("opportunities/", {"name": text})
    assert answer.status == 201
    assert answer.json["name"] == text
    assert factories.Opportunity.objects.get().name == text
