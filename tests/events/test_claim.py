"""What the relay takes: what is due, once, and not more than can be in flight."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from events import deliveries, names
from events.deliveries import LEASE, MAX_ATTEMPTS, MAX_IN_FLIGHT, Ring, claim, hand_back, straighten
from events.models import Delivery, DeliveryState, Event
from tests.events.conftest import OweEvent


@pytest.fixture
def now() -> dt.datetime:
    """A little after everything became due."""
    return deliveries.database_now() + dt.timedelta(seconds=1)


def test_what_is_due_is_claimed_with_its_attempts(owe: OweEvent, now: dt.datetime) -> None:
    delivery = owe()
    Delivery.objects.filter(pk=delivery.pk).update(attempts=3)
    assert claim(10, now) == [Ring(delivery.pk, 3)]


def test_what_is_claimed_is_not_claimed_again_within_the_lease(owe: OweEvent, now: dt.datetime) -> None:
    owe()
    claim(10, now)
    assert claim(10, now + LEASE - dt.timedelta(seconds=1)) == []


def test_what_nobody_answered_is_claimed_again_after_the_lease(owe: OweEvent, now: dt.datetime) -> None:
    delivery = owe()
    claim(10, now)
    assert claim(10, now + LEASE) == [Ring(delivery.pk, 0)]


def test_what_waits_for_its_turn_is_left(owe: OweEvent, now: dt.datetime) -> None:
    delivery = owe()
    Delivery.objects.filter(pk=delivery.pk).update(due_at=now + dt.timedelta(seconds=1))
    assert claim(10, now) == []


@pytest.mark.parametrize("state", [DeliveryState.DONE, DeliveryState.DEAD])
def test_what_is_over_is_left(owe: OweEvent, now: dt.datetime, state: DeliveryState) -> None:
    delivery = owe()
    Delivery.objects.filter(pk=delivery.pk).update(state=state)
    assert claim(10, now) == []


def test_no_more_than_asked_for_the_oldest_first(owe: OweEvent, now: dt.datetime) -> None:
    first, second, _third = owe(), owe(), owe()
    assert [ring.delivery_id for ring in claim(2, now)] == [first.pk, second.pk]


def test_a_long_backlog_is_not_all_rung_for_at_once(owe: OweEvent, now: dt.datetime) -> None:
    delivery = owe()
    Delivery.objects.bulk_create(
        Delivery(event=delivery.event, handler=f"h{n}", state=DeliveryState.PENDING, due_at=now)
        for n in range(MAX_IN_FLIGHT + 10)
    )
    assert len(claim(MAX_IN_FLIGHT - 5, now)) == MAX_IN_FLIGHT - 5
    assert len(claim(100, now)) == 5
    assert claim(100, now) == []


def test_attempts_that_ended_without_a_word_are_bounded_too(owe: OweEvent, now: dt.datetime) -> None:
    delivery = owe()
    Delivery.objects.filter(pk=delivery.pk).update(state=DeliveryState.PUBLISHED, attempts=MAX_ATTEMPTS)
    assert claim(10, now) == []
    delivery.refresh_from_db()
    assert (delivery.state, delivery.last_error) == (DeliveryState.DEAD, deliveries.NO_WORD)
    assert Event.objects.filter(name=names.DELIVERY_GIVEN_UP, subject_id=delivery.pk).exists()


def test_an_earlier_error_is_kept_when_giving_up(owe: OweEvent, now: dt.datetime) -> None:
    delivery = owe()
    Delivery.objects.filter(pk=delivery.pk).update(attempts=MAX_ATTEMPTS, last_error="No such playbook.")
    claim(10, now)
    delivery.refresh_from_db()
    assert delivery.last_error == "No such playbook."


def test_what_could_not_be_published_is_due_again_in_a_moment(owe: OweEvent, now: dt.datetime) -> None:
    owe()
    rings = claim(10, now)
    hand_back(rings, now)
    assert claim(10, now) == []
    assert claim(10, now + dt.timedelta(seconds=1)) == rings


def test_a_clock_set_back_delays_nothing(owe: OweEvent, now: dt.datetime) -> None:
    fresh, waiting = owe(), owe()
    Delivery.objects.filter(pk=waiting.pk).update(attempts=1, due_at=now + dt.timedelta(minutes=30))
    an_hour_back = now - dt.timedelta(hours=2)
    assert straighten(an_hour_back) == 2
    assert {ring.delivery_id for ring in claim(10, an_hour_back)} == {fresh.pk, waiting.pk}


def test_straightening_leaves_what_waits_for_good_reasons(owe: OweEvent, now: dt.datetime) -> None:
    delivery = owe()
    Delivery.objects.filter(pk=delivery.pk).update(attempts=7, due_at=now + dt.timedelta(minutes=59))
    assert straighten(now) == 0


@pytest.mark.django_db(transaction=True)
def test_what_is_being_worked_on_is_not_claimed(owe: OweEvent, now: dt.datetime) -> None:
    delivery = owe()
    locked, done = threading.Event(), threading.Event()

    def work() -> None:
        with transaction.atomic():
            Delivery.objects.select_for_update().get(pk=delivery.pk)
            locked.set()
            done.wait(10)
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    locked.wait(10)
    claimed = claim(10, now)
    done.set()
    worker.join()
    assert claimed == []


@pytest.mark.django_db(transaction=True)
def test_relays_never_claim_the_same(owe: OweEvent) -> None:
    for _number in range(60):
        owe()
    now = deliveries.database_now()  # afterwards: on a busy machine making them takes longer than a second
    start = threading.Barrier(6)

    def relay() -> list[Ring]:
        start.wait(10)
        try:
            return [ring for _round in range(10) for ring in claim(3, now)]
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        claimed = [ring for future in [pool.submit(relay) for _n in range(6)] for ring in future.result()]
    assert len(claimed) == 60
    assert len(set(claimed)) == 60
