"""Programs that use the API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from api.models import Token
from events.deliveries import OPEN, database_now, deliver
from events.models import Delivery
from handoffs import defaults
from handoffs.models import Engagement
from tests import factories

ROOT = "/api/v1/"


class Answer:
    """What came back: status, JSON and headers."""

    def __init__(self, response: Any) -> None:
        self.status: int = response.status_code
        self.headers = response.headers
        self.json: Any = json.loads(response.content) if response.content else None

    def __repr__(self) -> str:
        return f"{self.status} {json.dumps(self.json)[:1000]}"

    @property
    def code(self) -> str:
        """The code of a refusal, whose shape is checked on the way."""
        assert {"code", "detail", "fields"} <= set(self.json), self
        assert set(self.json) <= {"code", "detail", "fields", "legal", "current", "links"}, self
        assert self.json["detail"].endswith("."), self
        return str(self.json["code"])


class Program:
    """A program with a person's token, or without one."""

    def __init__(self, user: User | None = None, *, token: str = "") -> None:
        self.client = Client()
        if user is not None:
            _kept, token = Token.objects.create(user, name="Tests")
        self.token = token

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request; ``body`` is JSON unless it is bytes."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            given.setdefault("Authorization", f"Token {self.token}")
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        kind = given.pop("Content-Type", "application/json")
        address = path if path.startswith(("/", "http")) else ROOT + path
        return Answer(self.client.generic(method, address, data, content_type=kind, headers=given))

    def get(self, path: str, **headers: str) -> Answer:
        """Read."""
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        """Add or do."""
        return self.ask("POST", path, {} if body is None else body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Answer:
        """Change."""
        return self.ask("PATCH", path, body, **headers)

    def rows(self, path: str) -> list[Any]:
        """All results of a list, page by page."""
        found: list[Any] = []
        address: str | None = path
        while address:
            answer = self.get(address)
            assert answer.status == 200, answer
            found += answer.json["results"]
            address = answer.json["next"]
        return found


@pytest.fixture
def as_program() -> Callable[[User | None], Program]:
    """`as_program(alice)`: a program with a token of Alice's."""
    return Program


@pytest.fixture
def alices(alice: User) -> Program:
    """Alice's program."""
    return Program(alice)


@pytest.fixture
def sams(sam: User) -> Program:
    """Sam's program."""
    return Program(sam)


@pytest.fixture
def dans(dan: User) -> Program:
    """Dan's program."""
    return Program(dan)


@pytest.fixture
def adas(ada: User) -> Program:
    """Ada's program."""
    return Program(ada)


@pytest.fixture
def charlies(charlie: User) -> Program:
    """Charlie's program."""
    return Program(charlie)


def queries_of(program: Program, path: str) -> int:
    """How many queries one read costs, once the program is no stranger."""
    program.get(path)
    with CaptureQueriesContext(connection) as captured:
        answer = program.get(path)
    assert answer.status == 200, answer
    return len(captured)


def react() -> None:
    """Let everything that events are owed happen, as the background does."""
    while owed := list(Delivery.objects.filter(state__in=OPEN).order_by("pk")):
        for delivery in owed:
            deliver(delivery.pk, attempt=delivery.attempts, now=database_now())
        assert not Delivery.objects.filter(attempts__gt=0, state__in=OPEN), "a handler failed"


def engaged(at: str = "discovery", **values: Any) -> Engagement:
    """The engagement of a new deal, with its tasks."""
    organisation = factories.organisation()
    defaults.create(organisation=organisation, now=timezone.now())
    deal = factories.deal(at, **values)
    react()
    return Engagement.objects.select_related("opportunity").get(opportunity=deal)


@pytest.fixture
def engagement(dan: User) -> Engagement:
    """Delivery was asked in on a warm deal of Alice's; Dan is the proposed delivery owner."""
    return engaged()
