"""Deliveries that are run twice, or by many at once."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from events import deliveries
from events.deliveries import deliver
from events.models import Delivery, DeliveryState, Event
from tests.events.conftest import OweEvent, Within, subscribed  # noqa: F401 - a fixture
from tests.events.conftest import owe as owe  # noqa: PLC0414 - a fixture
from tests.events.handlers import traces

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(times: int, delivery: Delivery, now: dt.datetime) -> None:
    """As many workers get the same ring at the same moment."""
    start = threading.Barrier(times)

    def work() -> None:
        start.wait(10)
        try:
            deliver(delivery.pk, attempt=0, now=now)
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        for future in [pool.submit(work) for _number in range(times)]:
            future.result()


@pytest.mark.parametrize("do", [None, "take a while"])
def test_ten_at_once_are_like_one(owe: OweEvent, do: str | None) -> None:
    delivery = owe(do=do)
    at_once(10, delivery, deliveries.database_now())
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (DeliveryState.DONE, 1)
    assert traces(delivery.event) == 1


def test_ten_at_once_fail_once(owe: OweEvent) -> None:
    delivery = owe(do="fail")
    at_once(10, delivery, deliveries.database_now())
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (DeliveryState.PENDING, 1)


def test_reactions_to_one_deal_run_one_after_another(owe: OweEvent) -> None:
    owed = [owe(do="take a while", within=Within(opportunity_id=5)) for _number in range(4)]
    now = deliveries.database_now()

    def work(delivery: Delivery) -> None:
        try:
            deliver(delivery.pk, attempt=0, now=now)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, owed))
    effects = Event.objects.filter(subject_kind="event", subject_id__in=[d.event_id for d in owed]).order_by("id")
    # Each saw what all before it had committed.
    assert [effect.data["others"] for effect in effects] == [0, 1, 2, 3]
