"""The same request sent again has its effect once."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from django.db import connection, connections
from django.urls import get_resolver
from drf_spectacular.generators import SchemaGenerator

from accounts.models import User
from api.models import KeptAnswer
from opportunities.models import Opportunity
from tests import factories
from tests.api.conftest import Program


def test_same_key_and_body_gets_the_first_answer(alices: Program) -> None:
    body = {"name": "Once"}
    first = alices.post("opportunities/", body, Idempotency_Key="key-1")
    again = alices.post("opportunities/", body, Idempotency_Key="key-1")
    assert (first.status, again.status) == (201, 201)
    assert again.json == first.json
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert Opportunity.objects.count() == 1


def test_order_of_names_in_the_body_does_not_matter(alices: Program) -> None:
    first = alices.ask("POST", "opportunities/", b'{"name": "Once", "product": "A"}', Idempotency_Key="k")
    again = alices.ask("POST", "opportunities/", b'{"product":"A","name":"Once"}', Idempotency_Key="k")
    assert again.json == first.json


def test_without_a_key_every_request_counts(alices: Program) -> None:
    for _ in range(2):
        assert alices.post("opportunities/", {"name": "Twice"}).status == 201
    assert Opportunity.objects.count() == 2


def test_same_key_with_another_body_is_refused(alices: Program) -> None:
    alices.post("opportunities/", {"name": "One"}, Idempotency_Key="key-1")
    answer = alices.post("opportunities/", {"name": "Two"}, Idempotency_Key="key-1")
    assert answer.status == 422
    assert answer.code == "idempotency_key_reused"
    assert Opportunity.objects.count() == 1


def test_same_key_at_another_address_is_refused(alices: Program) -> None:
    alices.post("opportunities/", {"name": "One"}, Idempotency_Key="key-1")
    assert alices.post("accounts/", {"name": "One"}, Idempotency_Key="key-1").status == 422


def test_keys_belong_to_a_person(alices: Program, sams: Program) -> None:
    alices.post("opportunities/", {"name": "One"}, Idempotency_Key="key-1")
    assert sams.post("opportunities/", {"name": "Two"}, Idempotency_Key="key-1").status == 201


def test_after_a_day_the_key_is_free_again(alices: Program) -> None:
    now = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
    with time_machine.travel(now, tick=False):
        alices = Program(token=alices.token)
        alices.post("opportunities/", {"name": "Once"}, Idempotency_Key="key-1")
    with time_machine.travel(now + dt.timedelta(hours=23, minutes=59), tick=False):
        alices.post("opportunities/", {"name": "Once"}, Idempotency_Key="key-1")
        assert Opportunity.objects.count() == 1
    with time_machine.travel(now + dt.timedelta(hours=24), tick=False):
        alices.post("opportunities/", {"name": "Once"}, Idempotency_Key="key-1")
    assert Opportunity.objects.count() == 2
    assert KeptAnswer.objects.count() == 1


def test_old_answers_are_forgotten(alices: Program, alice: User) -> None:
    long_ago = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    KeptAnswer.objects.create(user=alice, key="old", fingerprint="x", status=200, body="{}", created_at=long_ago)
    alices.post("opportunities/", {"name": "Once"}, Idempotency_Key="new")
    assert list(KeptAnswer.objects.values_list("key", flat=True)) == ["new"]


def test_a_refusal_is_an_answer_too(alices: Program) -> None:
    """A gate that refused once refuses again under this key, also when the deal has been completed meanwhile."""
    deal = factories.deal("discovery", amount=None)
    path, body = f"opportunities/{deal.pk}/move/", {"stage": "proposal"}
    first = alices.post(path, body, If_Match="*", Idempotency_Key="key-1")
    assert first.status == 422
    alices.patch(f"opportunities/{deal.pk}/", {"amount": {"amount": "1.00", "currency": "EUR"}}, If_Match="*")
    assert alices.post(path, body, If_Match="*", Idempotency_Key="key-1").json == first.json
    assert alices.post(path, body, If_Match="*", Idempotency_Key="key-2").status == 200


@pytest.mark.parametrize("wrong", [{"If_Match": '"9"'}, {}])
def test_a_missing_or_stale_version_leaves_the_key_free(alices: Program, wrong: dict[str, str]) -> None:
    deal = factories.deal("qualified")
    path, body = f"opportunities/{deal.pk}/move/", {"stage": "discovery"}
    assert alices.post(path, body, Idempotency_Key="key-1", **wrong).status in (412, 428)
    assert alices.post(path, body, Idempotency_Key="key-1", If_Match='"1"').status == 200


def test_input_that_could_not_be_used_leaves_the_key_free(alices: Program) -> None:
    assert alices.post("opportunities/", {"name": ""}, Idempotency_Key="key-1").status == 400
    assert alices.post("opportunities/", {"name": "Right"}, Idempotency_Key="key-1").status == 201


@pytest.mark.parametrize("key", ["", " ", "ä", "x" * 201, "a b"])
def test_refuses_keys_that_are_none(alices: Program, key: str) -> None:
    answer = alices.post("opportunities/", {"name": "One"}, Idempotency_Key=key)
    assert answer.status == 400
    assert answer.code == "bad_idempotency_key"


def test_every_post_takes_a_key() -> None:
    """But for tokens, whose answer must not be kept."""
    forgotten = []
    for pattern in get_resolver("api.urls").url_patterns:
        view = getattr(pattern.callback, "cls", None)
        post = getattr(view, "post", None)
        if post is not None and not getattr(post, "is_idempotent", False):
            forgotten.append(pattern.name)
    assert forgotten == ["token"]


def test_the_description_offers_a_key_where_one_works() -> None:
    """For every POST but tokens, and for nothing else."""
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    offered, wanted = set(), set()
    for path, methods in paths.items():
        for method, operation in methods.items():
            if any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", [])):
                offered.add((method, path))
            if method == "post" and not path.endswith("/auth/token/"):
                wanted.add((method, path))
    assert offered == wanted


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_have_one_effect() -> None:
    alice = factories.alice()
    factories.pipeline()
    token = Program(alice).token
    start = threading.Barrier(10)

    def send(number: int) -> Any:
        try:
            if number < 10:
                start.wait(10)
            return Program(token=token).post("opportunities/", {"name": "Once"}, Idempotency_Key="key-1")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(send, range(50)))
    assert Opportunity.objects.count() == 1
    done = [answer for answer in answers if answer.status == 201]
    others = [answer for answer in answers if answer.status != 201]
    assert len({answer.json["id"] for answer in done}) == 1
    assert {(answer.status, answer.code) for answer in others} <= {(409, "in_flight")}
    assert sum("Idempotency-Replayed" not in answer.headers for answer in done) == 1


@pytest.mark.django_db(transaction=True)
def test_while_the_first_is_at_work_the_second_is_told_to_wait() -> None:
    factories.organisation()
    alice = factories.alice()
    program = Program(alice)
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(hashtextextended(%s, 0))", [f"api:idempotency:{alice.pk}:key-1"])

    def send() -> Any:
        try:
            return program.post("opportunities/", {"name": "Once"}, Idempotency_Key="key-1")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(send).result()
    assert answer.status == 409
    assert answer.code == "in_flight"
    assert answer.headers["Retry-After"]
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_effect_and_answer_are_one_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the answer can't be kept there is no effect, so that a repeat is safe."""
    program = Program(factories.alice())
    factories.pipeline()

    def fail(*_args: Any, **_fields: Any) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr(KeptAnswer.objects, "create", fail)
    with pytest.raises(RuntimeError):
        program.post("opportunities/", {"name": "Once"}, Idempotency_Key="key-1")
    assert Opportunity.objects.count() == 0
