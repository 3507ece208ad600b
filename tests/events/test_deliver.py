"""Running one delivery: done with its effect, repeated with patience, given up in the end."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import connection, transaction

from events import deliveries, names
from events.deliveries import MAX_ATTEMPTS, RUN_LEASE, backoff, deliver
from events.models import Delivery, DeliveryState, Event
from tests.events.conftest import NOW, OweEvent, Within
from tests.events.handlers import traces


@pytest.fixture
def now() -> dt.datetime:
    """A little after everything became due."""
    return deliveries.database_now() + dt.timedelta(seconds=1)


def fail_until(delivery: Delivery, attempts: int, now: dt.datetime) -> dt.datetime:
    """Run it whenever it is due, until it has that many attempts."""
    for attempt in range(delivery.attempts, attempts):
        deliver(delivery.pk, attempt=attempt, now=now)
        delivery.refresh_from_db()
        now = max(now, delivery.due_at)
    return now


def test_done_is_written_with_the_effect(owe: OweEvent, now: dt.datetime) -> None:
    delivery = owe()
    deliver(delivery.pk, attempt=0, now=now)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.done_at) == (DeliveryState.DONE, 1, now)
    assert traces(delivery.event) == 1


def test_a_failure_leaves_no_effect(owe: OweEvent, now: dt.datetime) -> None:
    delivery = owe(do="fail")
    deliver(delivery.pk, attempt=0, now=now)
    assert traces(delivery.event) == 0


def test_a_failure_is_written_down_and_waits(owe: OweEvent, now: dt.datetime) -> None:
    delivery = owe(do="fail")
    deliver(delivery.pk, attempt=0, now=now)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (DeliveryState.PENDING, 1)
    assert delivery.last_error == "the handler says no (ValueError)"
    assert dt.timedelta(seconds=1) < delivery.due_at - now < dt.timedelta(seconds=3)


def test_patience_doubles_up_to_an_hour() -> None:
    waits = [backoff(attempts).total_seconds() for attempts in range(1, 15)]
    for attempts, wait in enumerate(waits, start=1):
        assert 0.75 * min(2**attempts, 3600) <= wait <= 1.25 * min(2**attempts, 3600)


def test_a_ring_during_the_wait_has_no_effect(owe: OweEvent, now: dt.datetime) -> None:
    delivery = owe(do="fail")
    deliver(delivery.pk, attempt=0, now=now)
    deliver(delivery.pk, attempt=1, now=now)
    delivery.refresh_from_db()
    assert delivery.attempts == 1


def test_given_up_after_exactly_eight_failures(owe: OweEvent, now: dt.datetime) -> None:
    delivery = owe(do="fail")
    later = fail_until(delivery, MAX_ATTEMPTS - 1, now)
    assert delivery.state == DeliveryState.PENDING
    fail_until(delivery, MAX_ATTEMPTS, later)
    assert (delivery.state, delivery.attempts) == (DeliveryState.DEAD, 8)
    assert delivery.last_error == "the handler says no (ValueError)"


def test_giving_up_is_told(owe: OweEvent, now: dt.datetime) -> None:
    delivery = owe(do="fail")
    fail_until(delivery, MAX_ATTEMPTS, now)
    told = Event.objects.get(name=names.DELIVERY_GIVEN_UP)
    assert told.text == "Background work was given up after repeated failures: React"


def test_a_given_up_delivery_is_not_run_again(owe: OweEvent, now: dt.datetime) -> None:
    delivery = owe(do="fail")
    later = fail_until(delivery, MAX_ATTEMPTS, now)
    deliver(delivery.pk, attempt=8, now=later)
    delivery.refresh_from_db()
    assert delivery.attempts == 8


def test_a_handler_can_give_up_at_once(owe: OweEvent, now: dt.datetime) -> None:
    delivery = owe(do="give up")
    deliver(delivery.pk, attempt=0, now=now)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (DeliveryState.DEAD, 1)


def test_a_run_after_failures_clears_the_error(owe: OweEvent, now: dt.datetime) -> None:
    delivery = owe()
    Delivery.objects.filter(pk=delivery.pk).update(last_error="before", attempts=3)
    deliver(delivery.pk, attempt=3, now=now)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.last_error) == (DeliveryState.DONE, "")


def test_a_done_delivery_is_not_run_again(owe: OweEvent, now: dt.datetime) -> None:
    delivery = owe()
    deliver(delivery.pk, attempt=0, now=now)
    deliver(delivery.pk, attempt=0, now=now)
    deliver(delivery.pk, attempt=1, now=now)
    assert traces(delivery.event) == 1


def test_a_process_that_ended_without_a_word_counts_as_a_failure(owe: OweEvent, now: dt.datetime) -> None:
    delivery = owe()
    # What a killed worker leaves: the attempt counted, the lease running. Celery brings the same message again.
    running = {"state": DeliveryState.PUBLISHED, "attempts": 1, "due_at": now + RUN_LEASE}
    Delivery.objects.filter(pk=delivery.pk).update(**running)
    deliver(delivery.pk, attempt=0, now=now)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (DeliveryState.PENDING, 1)
    assert delivery.last_error == deliveries.NO_WORD
    assert delivery.due_at < now + dt.timedelta(seconds=3)


def test_a_database_error_does_not_repeat_the_row(owe: OweEvent, now: dt.datetime) -> None:
    delivery = owe(do="fail in the database")
    deliver(delivery.pk, attempt=0, now=now)
    delivery.refresh_from_db()
    assert "accounts_region_pkey" in delivery.last_error
    assert "a secret" not in delivery.last_error


def test_a_handler_that_this_release_lacks_is_named(owe: OweEvent, now: dt.datetime) -> None:
    delivery = owe()
    Delivery.objects.filter(pk=delivery.pk).update(handler="handoffs.handlers.vanished")
    deliver(delivery.pk, attempt=0, now=now)
    delivery.refresh_from_db()
    assert delivery.last_error == "This release has no handler handoffs.handlers.vanished. (UnknownHandler)"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ValueError("password=hunter2 was refused"), "password=… was refused (ValueError)"),
        (OSError("redis://:hunter2@host/0 is away"), "redis://:…@host/0 is away (OSError)"),
        (KeyError("stage"), "The event lacks 'stage'; it may stem from another release. (KeyError)"),
        (RuntimeError(), "RuntimeError"),
        (ValueError("one\ntwo"), "one (ValueError)"),
        (Event.DoesNotExist("gone"), "Something that the event needs no longer exists. (DoesNotExist: gone)"),
    ],
)
def test_errors_are_told_in_one_line_without_secrets(error: Exception, sentence: str) -> None:
    from events.errors import describe

    assert describe(error) == sentence


@pytest.mark.django_db(transaction=True)
def test_a_busy_deal_puts_the_delivery_back_without_counting(owe: OweEvent, now: dt.datetime) -> None:
    delivery = owe(within=Within(opportunity_id=7))
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(hashtextextended('events:opportunity:7', 0))")
            locked.set()
            done.wait(10)
        connection.close()

    other = threading.Thread(target=hold)
    other.start()
    locked.wait(10)
    with connection.cursor() as cursor:
        cursor.execute("set lock_timeout = '50ms'")
    deliver(delivery.pk, attempt=0, now=now)
    done.set()
    other.join()
    connection.close()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.last_error) == (DeliveryState.PENDING, 0, "")
    assert traces(delivery.event) == 0
    deliver(delivery.pk, attempt=0, now=now + deliveries.BUSY_PAUSE)
    assert traces(delivery.event) == 1


@pytest.mark.django_db
def test_nothing_owed_is_no_delay() -> None:
    assert deliveries.oldest_undelivered_age(NOW) is None
    assert deliveries.delay(NOW) is None


@pytest.mark.django_db(transaction=True)
def test_the_oldest_counts(owe: OweEvent, now: dt.datetime) -> None:
    first, second = owe(), owe()
    assert first.event.recorded_at < second.event.recorded_at
    assert deliveries.oldest_undelivered_age(now) == now - first.event.recorded_at


def test_what_is_rung_for_again_and_again_is_late_too(owe: OweEvent, now: dt.datetime) -> None:
    delivery = owe()
    Delivery.objects.filter(pk=delivery.pk).update(state=DeliveryState.PUBLISHED, due_at=now + dt.timedelta(hours=1))
    assert deliveries.delay(now + dt.timedelta(minutes=4)) == deliveries.Delay(minutes=4)


def test_a_fresh_delivery_is_no_delay(owe: OweEvent, now: dt.datetime) -> None:
    owe()
    assert deliveries.delay(now + dt.timedelta(seconds=30)) is None
