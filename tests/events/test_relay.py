"""Ringing: each claimed delivery becomes one message; without a broker nothing is lost and nothing hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery, current_app
from celery.contrib.testing.worker import start_worker
from django.db import connection

from events import deliveries, relay, tasks
from events.models import Delivery, DeliveryState
from onetteam.celery import app as product
from tests.events.conftest import OweEvent
from tests.events.handlers import traces
from tests.support.servers import RedisServer, free_port


def told(queue: str = relay.QUEUE) -> list[dict[str, Any]]:
    """The messages that wait in the queue, taken out of it."""
    found = []
    with current_app.connection_for_read() as broker:
        channel = broker.default_channel
        while (message := channel.basic_get(queue, no_ack=True)) is not None:
            found.append({"args": message.payload[0], "id": message.headers["id"]})
    return found


def use(app: Celery) -> None:
    """Let this app be the one in every thread."""
    app.set_current()
    app.set_default()


@pytest.fixture(autouse=True)
def in_memory() -> Iterator[None]:
    """The product's Celery on an empty broker in memory."""
    told()
    yield
    use(product)


@pytest.fixture
def elsewhere() -> Celery:
    """A Celery whose broker is away: a port on which nobody listens."""
    away = Celery("elsewhere", broker=f"redis://127.0.0.1:{free_port()}/0", set_as_current=True)
    away.conf.update(broker_transport_options={"socket_connect_timeout": 1})
    use(away)
    return away


def test_what_is_owed_becomes_one_message(owe: OweEvent) -> None:
    delivery = owe()
    assert relay.ring_once() == 1
    assert told() == [{"args": [delivery.pk, 0], "id": f"delivery-{delivery.pk}-0"}]
    assert relay.ring_once() == 0


def test_the_message_makes_the_worker_deliver(owe: OweEvent) -> None:
    delivery = owe()
    relay.ring_once()
    for message in told():
        tasks.deliver(*message["args"])
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.DONE


def test_a_queue_that_nobody_empties_does_not_grow(owe: OweEvent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "MAX_IN_FLIGHT", 2)
    for _number in range(3):
        owe()
    assert (relay.ring_once(), relay.ring_once()) == (2, 0)
    Delivery.objects.update(due_at=deliveries.database_now())
    assert relay.ring_once() == 0


def test_without_a_broker_nothing_is_claimed(owe: OweEvent, elsewhere: Celery) -> None:
    delivery = owe()
    with pytest.raises(relay.BROKER_AWAY):
        relay.ring_once()
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.PENDING


def test_what_could_not_be_published_is_given_back(owe: OweEvent, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = owe(), owe(), owe()
    publish, published = relay._publish, []

    def break_off(ring: Any, producer: Any) -> None:
        if published:
            raise ConnectionResetError
        publish(ring, producer)
        published.append(ring.delivery_id)

    monkeypatch.setattr(relay, "_publish", break_off)
    with pytest.raises(ConnectionResetError):
        relay.ring_once()
    states = {d.pk: d.state for d in Delivery.objects.all()}
    assert published == [first.pk]
    assert states == {
        first.pk: DeliveryState.PUBLISHED,
        second.pk: DeliveryState.PENDING,
        third.pk: DeliveryState.PENDING,
    }


@pytest.fixture
def ringing() -> Iterator[None]:
    """A relay at work in a thread."""
    stop = threading.Event()
    thread = threading.Thread(target=relay.run, args=[stop])
    thread.start()
    yield
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def wait_until_done(delivery: Delivery, seconds: float = 10) -> float:
    """How long it takes; fails when it takes longer."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        delivery.refresh_from_db()
        if delivery.state == DeliveryState.DONE:
            return time.monotonic() - start
        time.sleep(0.01)
    pytest.fail(f"not delivered: {delivery}")


def cut_other_connections() -> None:
    """As if the database had been restarted under everybody else."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("ringing")
def test_the_relay_wakes_up_for_what_is_recorded(owe: OweEvent) -> None:
    with start_worker(product, pool="solo", perform_ping_check=False, queues=["critical"]):
        delivery = owe()
        wait_until_done(delivery)
    assert traces(delivery.event) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("ringing")
def test_the_relay_comes_back_after_losing_the_database(owe: OweEvent) -> None:
    first = owe()
    deadline = time.monotonic() + 10
    while not told() and time.monotonic() < deadline:
        time.sleep(0.02)
    cut_other_connections()
    second = owe()
    found: list[Any] = []
    while not found and time.monotonic() < deadline:
        found = told()
        time.sleep(0.02)
    assert first.pk != second.pk
    assert found == [{"args": [second.pk, 0], "id": f"delivery-{second.pk}-0"}]


@pytest.mark.redis
@pytest.mark.django_db(transaction=True)
def test_the_relay_goes_on_when_the_broker_is_back(owe: OweEvent, redis_server: RedisServer) -> None:
    away = Celery("away", broker=redis_server.url, set_as_current=True)
    away.conf.update(broker_transport_options={"socket_timeout": 2, "socket_connect_timeout": 1})
    use(away)
    redis_server.kill()
    delivery = owe()
    stop = threading.Event()
    thread = threading.Thread(target=relay.run, args=[stop])
    thread.start()
    time.sleep(1)
    redis_server.start()
    deadline = time.monotonic() + 15
    while not redis_server.client.llen(relay.QUEUE) and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    thread.join(10)
    delivery.refresh_from_db()
    assert redis_server.client.llen(relay.QUEUE) == 1
    assert delivery.state == DeliveryState.PUBLISHED


@pytest.mark.django_db(transaction=True)
def test_a_full_queue_is_filled_again_as_soon_as_workers_make_room(
    owe: OweEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "MAX_IN_FLIGHT", 1)
    monkeypatch.setattr(relay, "POLL_SECONDS", 600.0)  # nobody is told of anything, and nothing is looked at by itself
    owed = [owe() for _number in range(3)]
    stop = threading.Event()
    thread = threading.Thread(target=relay.run, args=[stop], daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + 60
        while Delivery.objects.exclude(state=DeliveryState.DONE).exists():
            assert time.monotonic() < deadline
            for message in told():  # done by a worker that records nothing, and so wakes nobody
                Delivery.objects.filter(pk=message["args"][0]).update(state=DeliveryState.DONE)
            time.sleep(0.02)
    finally:
        stop.set()
        thread.join(10)
    assert Delivery.objects.filter(state=DeliveryState.DONE).count() == len(owed)
