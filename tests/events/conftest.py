"""Events that lead to handlers of the tests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import transaction

from events import recording
from events.audience import Scope
from events.models import Delivery, Event
from tests.events.handlers import NAME

NOW = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)

OweEvent = Callable[..., Delivery]


@dataclass
class Within:
    """A deal, as far as events know one."""

    opportunity_id: int = 1
    team_id: int | None = None
    service_line_id: int | None = None
    user_ids: tuple[int, ...] = field(default_factory=tuple)

    def scope(self) -> Scope:
        """Where it belongs."""
        return Scope(self.opportunity_id, self.team_id, self.service_line_id, self.user_ids)


@pytest.fixture
def subscribed(settings: Any) -> Iterator[None]:
    """Events lead to the tests' handlers instead of the product's."""
    settings.ONETEAM_SUBSCRIPTIONS = "tests.events.handlers.SUBSCRIPTIONS"
    recording.subscriptions.cache_clear()
    yield
    recording.subscriptions.cache_clear()


def happen(name: str = NAME, *, within: Within | None = None, about: Any = None, **data: Any) -> Event:
    """One event, committed (or in the test's transaction)."""
    subject = about or Event(pk=0)
    with transaction.atomic():
        return recording.record(name, actor=None, about=subject, now=NOW, within=within, data=data)


@pytest.fixture
def owe(subscribed: None, db: None) -> OweEvent:
    """`owe(do="fail")`: the delivery of a new event whose handler does that."""

    def owe(**given: Any) -> Delivery:
        return Delivery.objects.select_related("event").get(event=happen(**given))

    return owe
