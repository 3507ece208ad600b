"""What is owed because of events: claiming, running, repeating and giving up.

The relay claims a delivery and rings for it, a worker runs it. Redis may lose or repeat the ring; the row says what is
still owed. All times are the database's (`database_now`), so that machines whose clocks differ agree about leases.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import structlog
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.utils.module_loading import import_string

from events import names
from events.errors import describe
from events.models import Delivery, DeliveryState, Event
from events.recording import record

log = structlog.get_logger(__name__)

LEASE = dt.timedelta(seconds=20)  # a ring that nobody answered is repeated after this
RUN_SECONDS = 20  # a handler that takes longer is killed
RUN_LEASE = dt.timedelta(seconds=RUN_SECONDS + 5)  # a run that ended without a word is repeated after this
MAX_ATTEMPTS = 8
# Rung for and not yet done. Busy workers take a few each second; what waits longer than its lease is rung for again.
MAX_IN_FLIGHT = 100
LONGEST_BACKOFF = dt.timedelta(hours=1)
BUSY_PAUSE = dt.timedelta(milliseconds=500)
LATE = dt.timedelta(minutes=1)  # background work older than this is told to people

OPEN = [DeliveryState.PENDING, DeliveryState.PUBLISHED]
NO_WORD = "The process ended during the attempt: killed, out of memory or out of time."

Handler = Callable[..., None]


class Undeliverable(Exception):
    """A handler's way to say that no repeat can help; the sentence is shown to administrators."""


def outside(handler: Handler) -> Handler:
    """Mark a handler that acts outside the database, as mail does: it runs outside transactions, at least once."""
    handler.is_outside = True  # type: ignore[attr-defined]
    return handler


def is_outside(handler: Handler) -> bool:
    """Whether the handler acts outside the database."""
    return getattr(handler, "is_outside", False)


class UnknownHandler(Exception):
    """The delivery names a handler that this release does not have."""


class Ring(NamedTuple):
    """A claimed delivery, and how many attempts it had when it was claimed."""

    delivery_id: int
    attempt: int


@dataclass(frozen=True)
class Delay:
    """Background work is late; ``minutes`` is the age of the oldest, at least 1."""

    minutes: int


class _Busy(Exception):
    """Another reaction to the same deal is still at work."""


def database_now() -> dt.datetime:
    """The database's clock."""
    with connection.cursor() as cursor:
        cursor.execute("select clock_timestamp()")
        now: dt.datetime = cursor.fetchone()[0]
    return now


# --- claiming ---------------------------------------------------------------------------------------------------------

_CLAIM = """
with due as (
    select id from events_delivery
    where state in ('pending', 'published') and due_at <= %(now)s
    order by due_at, id limit %(limit)s
    for update skip locked
)
update events_delivery delivery set
    state = case when attempts >= %(most)s then 'dead' else 'published' end,
    last_error = case when attempts >= %(most)s and last_error = '' then %(no_word)s else last_error end,
    due_at = %(lease)s
from due where delivery.id = due.id
returning delivery.id, delivery.attempts, delivery.state
"""


def claim(limit: int, now: dt.datetime) -> list[Ring]:
    """Take up to ``limit`` due deliveries for ringing; each stays ours for a lease, then becomes due again.

    A delivery that used up its attempts without a word dies here instead.
    """
    with transaction.atomic():
        room = min(limit, MAX_IN_FLIGHT - _in_flight(now))
        if room <= 0:
            return []
        with connection.cursor() as cursor:
            cursor.execute(
                _CLAIM,
                {"now": now, "limit": room, "most": MAX_ATTEMPTS, "lease": now + LEASE, "no_word": NO_WORD},
            )
            rows = cursor.fetchall()
        dead = [pk for pk, _attempts, state in rows if state == DeliveryState.DEAD]
        for delivery in Delivery.objects.filter(pk__in=dead).select_related("event"):
            _tell_given_up(delivery, now)
    return sorted(Ring(pk, attempts) for pk, attempts, state in rows if state == DeliveryState.PUBLISHED)


def hand_back(rings: list[Ring], now: dt.datetime) -> None:
    """Give claimed deliveries back when nobody could be rung for; they are due again in a moment."""
    Delivery.objects.filter(pk__in=[ring.delivery_id for ring in rings], state=DeliveryState.PUBLISHED).update(
        state=DeliveryState.PENDING, due_at=now + BUSY_PAUSE
    )


def straighten(now: dt.datetime) -> int:
    """Make due what no rule can have put so far ahead: the clock was set back. The number of rows."""
    waiting = Delivery.objects.filter(state__in=OPEN)
    fresh = waiting.filter(state=DeliveryState.PENDING, attempts=0, due_at__gt=now + LEASE)
    farther = waiting.filter(due_at__gt=now + LONGEST_BACKOFF * 1.5)
    return (fresh | farther).update(due_at=now)


def is_full(now: dt.datetime) -> bool:
    """Whether as much is rung for as may be."""
    return _in_flight(now) >= MAX_IN_FLIGHT


def _in_flight(now: dt.datetime) -> int:
    rung = Delivery.objects.filter(state=DeliveryState.PUBLISHED, due_at__gt=now)
    return rung[:MAX_IN_FLIGHT].count()


# --- running ----------------------------------------------------------------------------------------------------------


def deliver(delivery_id: int, *, attempt: int, now: dt.datetime) -> None:
    """Run the handler of one delivery and mark it done in the same transaction.

    ``attempt`` is the number of attempts that the ring knew of. A ring that was answered already, by a process that
    has gone, counts as a failure; one whose delivery is at work, waiting or done has no effect.
    """
    if not _begin(delivery_id, attempt, now):
        return
    try:
        _run(delivery_id, now)
    except _Busy:
        _put_back(delivery_id, now)
    except Exception as error:
        log.exception("delivery failed", delivery=delivery_id)
        _fail(delivery_id, describe(error), now, is_final=isinstance(error, Undeliverable))


def _begin(delivery_id: int, attempt: int, now: dt.datetime) -> bool:
    """Count the attempt and commit it, so that an attempt which kills its process counts too."""
    with transaction.atomic(durable=True):
        # Locked rows are skipped: their handler is at work this moment.
        delivery = _open(delivery_id).select_for_update(skip_locked=True, of=("self",)).first()
        if delivery is None or (delivery.state == DeliveryState.PENDING and delivery.due_at > now):
            return False
        if delivery.attempts > attempt:
            if delivery.state == DeliveryState.PUBLISHED:
                _retry_later(delivery, NO_WORD, now)
            return False
        if delivery.attempts >= MAX_ATTEMPTS:
            _give_up(delivery, delivery.last_error or NO_WORD, now)
            return False
        delivery.attempts += 1
        delivery.state = DeliveryState.PUBLISHED
        delivery.due_at = now + RUN_LEASE
        delivery.save(update_fields=["attempts", "state", "due_at"])
    return True


def _run(delivery_id: int, now: dt.datetime) -> None:
    waiting = _open(delivery_id).select_related("event").first()
    if waiting is None:
        return
    handler = _handler(waiting.handler)
    if is_outside(handler):
        handler(event=waiting.event, now=now)
    with transaction.atomic(durable=True):
        delivery = _open(delivery_id).select_for_update(of=("self",)).select_related("event").first()
        if delivery is None:
            return
        if not is_outside(handler):
            _take_turn(delivery.event)
            handler(event=delivery.event, now=now)
        delivery.state = DeliveryState.DONE
        delivery.done_at = now
        delivery.last_error = ""
        delivery.save(update_fields=["state", "done_at", "last_error"])


def _take_turn(event: Event) -> None:
    """Wait until reactions to the same deal have ended, so that they never run side by side."""
    if event.opportunity_id is None:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"events:opportunity:{event.opportunity_id}"]
            )
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", None) == "55P03":  # lock_timeout
            raise _Busy from error
        raise


def _handler(path: str) -> Handler:
    try:
        handler = import_string(path)
    except ImportError as error:
        raise UnknownHandler(f"This release has no handler {path}.") from error
    if not callable(handler):
        raise UnknownHandler(f"{path} is not a handler.")
    return handler  # type: ignore[no-any-return]


def _open(delivery_id: int) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk=delivery_id, state__in=OPEN)


# --- repeating and giving up ------------------------------------------------------------------------------------------


def backoff(attempts: int) -> dt.timedelta:
    """How long to wait after so many attempts: 2 s, doubling, at most an hour, a quarter more or less by chance."""
    seconds = min(2.0**attempts, LONGEST_BACKOFF.total_seconds())
    return dt.timedelta(seconds=seconds * random.uniform(0.75, 1.25))  # noqa: S311 - spreads load, guards nothing


def _fail(delivery_id: int, error: str, now: dt.datetime, *, is_final: bool) -> None:
    with transaction.atomic(durable=True):
        delivery = _open(delivery_id).select_for_update(of=("self",)).select_related("event").first()
        if delivery is None:
            return
        if is_final:
            _give_up(delivery, error, now)
        else:
            _retry_later(delivery, error, now)


def _retry_later(delivery: Delivery, error: str, now: dt.datetime) -> None:
    if delivery.attempts >= MAX_ATTEMPTS:
        _give_up(delivery, error, now)
        return
    delivery.state = DeliveryState.PENDING
    delivery.due_at = now + backoff(delivery.attempts)
    delivery.last_error = error
    delivery.save(update_fields=["state", "due_at", "last_error"])


def _give_up(delivery: Delivery, error: str, now: dt.datetime) -> None:
    delivery.state = DeliveryState.DEAD
    delivery.last_error = error
    delivery.save(update_fields=["state", "last_error"])
    _tell_given_up(delivery, now)


def _put_back(delivery_id: int, now: dt.datetime) -> None:
    """Undo the count of an attempt that never reached its handler."""
    with transaction.atomic(durable=True):
        delivery = _open(delivery_id).select_for_update().first()
        if delivery is not None:
            delivery.attempts -= 1
            delivery.state = DeliveryState.PENDING
            delivery.due_at = now + BUSY_PAUSE
            delivery.save(update_fields=["attempts", "state", "due_at"])


def _tell_given_up(delivery: Delivery, now: dt.datetime) -> None:
    log.error("delivery given up", delivery=delivery.pk, handler=delivery.handler, error=delivery.last_error)
    record(names.DELIVERY_GIVEN_UP, actor=None, about=delivery, now=now, data=told(delivery))


def told(delivery: Delivery) -> dict[str, Any]:
    """What events about a delivery say of it."""
    return {
        "handler": delivery.title,
        "event": delivery.event_id,
        "error": delivery.last_error,
    }


# --- how late background work is --------------------------------------------------------------------------------------


def oldest_undelivered_age(now: dt.datetime) -> dt.timedelta | None:
    """The age of the oldest delivery that is still owed; None when nothing is. One look at an index."""
    oldest = Delivery.objects.filter(state__in=OPEN).order_by("id").values_list("event__recorded_at", flat=True).first()
    return None if oldest is None else max(now - oldest, dt.timedelta())


def delay(now: dt.datetime) -> Delay | None:
    """What to tell people about late background work, or None while all is well."""
    age = oldest_undelivered_age(now)
    return None if age is None or age < LATE else Delay(minutes=int(age.total_seconds() // 60))
