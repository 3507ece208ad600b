"""The relay: rings for what is owed. Any number may run; each delivery is claimed by one of them."""

from __future__ import annotations

from threading import Event as Flag
from typing import Any

import structlog
from celery import current_app
from django.db import Error as DjangoDatabaseError
from django.db import connection
from kombu import Producer
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from events import deliveries, tasks
from events.deliveries import Ring
from events.listening import LOST, POLL_SECONDS, Listener

log = structlog.get_logger(__name__)

BATCH = 100
QUEUE = "critical"
LONGEST_PAUSE = 5.0  # seconds between attempts to reach a database or broker that is away
FULL_SECONDS = 0.1  # until a full queue is looked at again
BROKER_AWAY = (BrokerError, RedisError, OSError, TimeoutError)


def run(stop: Flag) -> None:
    """Ring for deliveries until ``stop`` is set; outlives lost databases and brokers."""
    pause = 0.0
    while not stop.wait(pause):
        listener: Listener | None = None
        try:
            listener = Listener()
            if pause:
                log.info("relay is back")
            pause = 0.0
            _ring_until_stopped(stop, listener)
        except (*LOST, DjangoDatabaseError) as error:
            pause = min(max(pause * 2, 0.5), LONGEST_PAUSE)
            log.warning("relay lost the database", error=str(error).strip(), pause=pause)
            connection.close()
        finally:
            if listener is not None:
                listener.close()
    connection.close()


def _ring_until_stopped(stop: Flag, listener: Listener) -> None:
    pause = 0.0
    while not stop.is_set():
        try:
            rung = ring_once()
        except BROKER_AWAY as error:
            pause = min(max(pause * 2, 0.5), LONGEST_PAUSE)
            log.warning("relay can't reach the broker", error=str(error).strip(), pause=pause)
            stop.wait(pause)
            continue
        pause = 0.0
        if rung < BATCH:
            # Workers make room without a word.
            listener.wait(stop, FULL_SECONDS if deliveries.is_full(deliveries.database_now()) else POLL_SECONDS)


def ring_once() -> int:
    """Claim what is due, as far as the queue has room, and publish it. The number of deliveries rung for.

    Raises what the broker raises; claimed rows that could not be published are given back first.
    """
    with current_app.producer_pool.acquire(block=True, timeout=5) as producer:
        # Asked first: without a broker nothing is claimed, and a queue that nobody empties does not grow.
        room = deliveries.MAX_IN_FLIGHT - _queued(producer)
        rings = deliveries.claim(min(BATCH, room), deliveries.database_now()) if room > 0 else []
        published = 0
        try:
            for ring in rings:
                _publish(ring, producer)
                published += 1
        finally:
            if published < len(rings):
                deliveries.hand_back(rings[published:], deliveries.database_now())
    return published


def _queued(producer: Producer) -> int:
    """How many messages wait in the queue."""
    channel: Any = producer.channel
    return int(channel.queue_declare(QUEUE).message_count)


def _publish(ring: Ring, producer: Producer) -> None:
    tasks.deliver.apply_async(
        args=(ring.delivery_id, ring.attempt),
        task_id=f"delivery-{ring.delivery_id}-{ring.attempt}",
        queue=QUEUE,
        producer=producer,
        retry=False,
    )
