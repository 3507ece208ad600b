"""Tokens: made with a password, sent in a header, kept as a hash."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.db import connection

from accounts.models import User
from api.models import Token
from tests import factories
from tests.api.conftest import Program

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _fresh_limits(db: None) -> None:
    cache.clear()


@pytest.fixture
def anna(alice: User) -> User:
    """Alice with a password."""
    alice.set_password(PASSWORD)
    alice.save()
    return alice


def sign_in(email: str = "alice@example.test", password: Any = PASSWORD, **headers: str) -> Any:
    return Program().post("auth/token/", {"email": email, "password": password}, **headers)


@pytest.mark.parametrize("email", ["alice@example.test", "Alice@Example.TEST"])
def test_a_password_makes_a_token(anna: User, email: str) -> None:
    answer = sign_in(email)
    assert answer.status == 201, answer
    assert set(answer.json) == {"token", "expires_at"}
    assert answer.json["token"].startswith("oneteam_")
    expires = dt.datetime.fromisoformat(answer.json["expires_at"])
    assert dt.timedelta(days=29) < expires - dt.datetime.now(dt.UTC) < dt.timedelta(days=31)
    assert Program(token=answer.json["token"]).get("opportunities/").status == 200


def test_the_token_itself_is_kept_nowhere(anna: User) -> None:
    secret = sign_in(Idempotency_Key="key-1").json["token"].removeprefix("oneteam_")
    with connection.cursor() as cursor:
        cursor.execute("select table_name from information_schema.tables where table_schema = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'select count(*) from "{table}" t where t::text like %s', [f"%{secret[8:]}%"])
            assert cursor.fetchone()[0] == 0, table


@pytest.mark.parametrize(
    ("email", "password"),
    [("alice@example.test", "wrong"), ("nobody@example.test", PASSWORD), ("alice@example.test", ""), ("", ""),
     ("alice@example.test", PASSWORD + " "), ("' or 1=1 --", "x")],
)  # fmt: skip
def test_wrong_credentials_say_no_more_than_that(anna: User, email: str, password: str) -> None:
    answer = sign_in(email, password)
    assert answer.status in (400, 401)
    assert not Token.objects.exists()
    if answer.status == 401:
        assert answer.json == sign_in("other@example.test", "other").json


@pytest.mark.parametrize("password", [None, 5, True, ["x"], {"x": 1}, "x" * 1001])
def test_password_of_another_type_is_refused(anna: User, password: Any) -> None:
    assert sign_in(password=password).status in (400, 401)


def test_guessing_is_slowed_down(anna: User) -> None:
    answers = [sign_in(password=f"guess {number}") for number in range(7)]
    assert [answer.status for answer in answers] == [401] * 5 + [429] * 2
    assert answers[-1].code == "throttled"
    assert answers[-1].headers["Retry-After"]
    assert sign_in().status == 429
    assert sign_in("dan@example.test").status == 401


def test_disabled_people_get_no_token(anna: User) -> None:
    User.objects.filter(pk=anna.pk).update(is_active=False)
    answer = sign_in()
    assert answer.status == 403
    assert answer.code == "disabled"
    assert not Token.objects.exists()


def test_people_with_a_second_factor_make_tokens_elsewhere(anna: User) -> None:
    Authenticator.objects.create(user=anna, type=Authenticator.Type.TOTP, data={"secret": "x"})
    answer = sign_in()
    assert answer.status == 403
    assert answer.code == "mfa_needed"
    assert sign_in(password="wrong").status == 401


def test_token_of_somebody_disabled_later_does_not_work(alice: User) -> None:
    program = Program(alice)
    assert program.get("opportunities/").status == 200
    User.objects.filter(pk=alice.pk).update(is_active=False)
    answer = program.get("opportunities/")
    assert answer.status == 401
    assert answer.code == "authentication_failed"


def test_expired_token_does_not_work(alice: User) -> None:
    program = Program(alice)
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(days=30, seconds=5)):
        assert program.get("opportunities/").status == 401


def test_revoked_token_does_not_work(alice: User) -> None:
    program = Program(alice)
    Token.objects.all().delete()
    assert program.get("opportunities/").status == 401


@pytest.mark.parametrize(
    "header",
    [
        "Token",
        "Token ",
        "Token a b",
        "Token wrong",
        "Bearer {token}",
        "{token}",
        "Token {token}x",
        "Token \xff\xfe",
        "Basic YTpi",
    ],
)
def test_headers_that_sign_nobody_in(alice: User, header: str) -> None:
    token = Program(alice).token
    answer = Program().get("opportunities/", Authorization=header.format(token=token))
    assert answer.status == 401, answer
    assert answer.code in ("not_authenticated", "authentication_failed")
    assert answer.headers["WWW-Authenticate"] == "Token"


def test_a_session_is_no_token(alice: User) -> None:
    program = Program()
    program.client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    assert program.get("opportunities/").status == 401
    assert program.post("opportunities/", {"name": "Forged"}).status == 401


def test_use_is_noted_once_a_day(alices: Program) -> None:
    alices.get("opportunities/")
    assert Token.objects.get().last_used_on == dt.datetime.now(dt.UTC).date()
    with connection.execute_wrapper(_refuse_updates):
        alices.get("opportunities/")


def _refuse_updates(execute: Any, sql: str, *rest: Any) -> Any:
    assert "UPDATE" not in sql
    return execute(sql, *rest)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_wrong_method(method: str) -> None:
    factories.organisation()
    assert Program().ask(method, "auth/token/").status == 405
