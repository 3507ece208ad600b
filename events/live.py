"""The live stream (`/live/`, server-sent events): tells open pages which topics changed, never what is in them.

A stream ends after some minutes, so that rights are looked at again; the browser comes back by itself and names the
last position it saw, from which it gets what it missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs

import structlog
from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.http import parse_cookie

from events.audience import Audience
from events.models import Event
from events.tail import News, Position, Tail

log = structlog.get_logger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ReaderOf = Callable[[str], Audience | None]

HEARTBEAT_SECONDS = 15.0
LIFE_SECONDS = 300.0  # a quarter less or more by chance, so that streams don't all come back at once
SEND_SECONDS = 20.0  # a browser that takes nothing for so long is given up
START_SECONDS = 5.0
MOST_STREAMS = 5_000
MOST_PER_PERSON = 50
MOST_TOPICS = 200
MOST_MISSED = 500
KEPT = 5_000  # events in memory for streams that come back
PAGE_MARGIN_SECONDS = 5.0  # a page may show what was read this long before its first byte
OLDEST_PAGE_SECONDS = 600.0
EVERYTHING = "*"  # the topic of readers who missed too much to say what


class Stream:
    """One open page: what changed since it was last told."""

    def __init__(self, audience: Audience) -> None:
        self.audience = audience
        self.topics: set[str] = set()
        self.is_gone = False
        self.changed = asyncio.Event()

    def add(self, topics: Iterable[str]) -> None:
        """Remember topics until the page takes them; too many become all."""
        self.topics.update(topics)
        if len(self.topics) > MOST_TOPICS:
            self.topics = {EVERYTHING}
        if self.topics:
            self.changed.set()

    def take(self) -> list[str]:
        """The topics to send now."""
        topics, self.topics = sorted(self.topics), set()
        if not self.is_gone:
            self.changed.clear()
        return topics

    def leave(self) -> None:
        """The page went away, or the server is stopping."""
        self.is_gone = True
        self.changed.set()


class Hub:
    """All streams of a process, fed by one tail. Lives in the event loop; only ``_hear`` is called from the tail."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._streams: set[Stream] = set()
        self._per_person: Counter[int] = Counter()
        self._kept: deque[tuple[float, Event]] = deque()
        # What the kept events don't reach back to: everything before this position and time.
        self._kept_from = Position(0, 0)
        self._kept_since = time.monotonic()
        self._started = asyncio.Event()
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="live")
        self._tail = Tail(self._hear)
        self._tail.start()
        self.position = Position(0, 0)

    async def started(self) -> None:
        """Until the tail follows. Raises TimeoutError."""
        await asyncio.wait_for(self._started.wait(), START_SECONDS)

    def close(self) -> None:
        """End all streams and the tail."""
        for stream in self._streams:
            stream.leave()
        self._tail.stop()
        self._threads.shutdown(wait=False)

    def has_room_for(self, audience: Audience) -> bool:
        """Whether one more stream may open."""
        return len(self._streams) < MOST_STREAMS and self._per_person[audience.user_id] < MOST_PER_PERSON

    def add(self, stream: Stream) -> None:
        """Tell this stream from now on."""
        self._streams.add(stream)
        self._per_person[stream.audience.user_id] += 1

    def remove(self, stream: Stream) -> None:
        """Tell this stream no more."""
        self._streams.discard(stream)
        self._per_person[stream.audience.user_id] -= 1
        self._per_person += Counter()

    async def in_thread(self, read: Callable[[], Any]) -> Any:
        """Run a function that asks the database."""

        def with_connection() -> Any:
            close_old_connections()
            try:
                return read()
            finally:
                close_old_connections()

        return await self._loop.run_in_executor(self._threads, with_connection)

    async def missed_since(self, position: Position) -> Sequence[Event]:
        """What happened after a position."""
        oldest = self._kept_from
        if position.last_id >= oldest.last_id and position.oldest_running >= oldest.oldest_running:
            return [event for _at, event in self._kept if position.is_before(event)]
        missed: Sequence[Event] = await self.in_thread(lambda: _stored_since(position))
        return missed

    async def missed_within(self, seconds: float) -> Sequence[Event]:
        """What was seen in the last seconds."""
        since = time.monotonic() - seconds
        if since >= self._kept_since:
            return [event for at, event in self._kept if at >= since]
        missed: Sequence[Event] = await self.in_thread(lambda: _stored_within(seconds))
        return missed

    def _hear(self, news: News) -> None:
        try:
            self._loop.call_soon_threadsafe(self._tell, news)
        except RuntimeError:  # the loop is closed: the process ends
            log.info("live tail has nobody to tell")

    def _tell(self, news: News) -> None:
        now = time.monotonic()
        if not self._started.is_set():
            self._kept_from, self._kept_since = news.position, now
            self._started.set()
        self.position = news.position
        for event in news.events:
            self._keep(now, event)
        groups = _grouped(news.events)
        topics_of = {audience: _topics(groups, audience) for audience in {s.audience for s in self._streams}}
        for stream in self._streams:
            stream.add(topics_of[stream.audience])

    def _keep(self, now: float, event: Event) -> None:
        self._kept.append((now, event))
        if len(self._kept) > KEPT:
            self._kept_since, oldest = self._kept.popleft()
            self._kept_from = Position(
                max(self._kept_from.last_id, oldest.id),
                max(self._kept_from.oldest_running, oldest.transaction_id + 1),
            )


def _grouped(events: Iterable[Event]) -> list[tuple[Event, set[str]]]:
    """One event for all that the same people may see, with the topics of all of these."""
    groups: dict[Any, tuple[Event, set[str]]] = {}
    for event in events:
        seen_by = (event.opportunity_id is None, event.team_id, event.service_line_id, tuple(event.user_ids))
        groups.setdefault(seen_by, (event, set()))[1].update(event.topics)
    return list(groups.values())


def _topics(groups: list[tuple[Event, set[str]]], audience: Audience) -> set[str]:
    topics: set[str] = set()
    for event, of_group in groups:
        if audience.includes(event):
            topics |= of_group
    return topics


def _stored_since(position: Position) -> list[Event]:
    # Transactions that were running at the position took their ids not long before its highest one.
    near = Event.objects.filter(id__gt=position.last_id - 10_000)
    after = near.filter(id__gt=position.last_id) | near.filter(transaction_id__gte=position.oldest_running)
    return list(after.order_by("-id")[: MOST_MISSED + 1])


def _stored_within(seconds: float) -> list[Event]:
    sql = """select * from (select * from events_event order by id desc limit 2000) newest
             where recorded_at > now() - make_interval(secs => %s)"""
    return list(Event.objects.raw(sql, [seconds]))


class LiveStream:
    """The ASGI application. ``reader_of`` says what the owner of a session may see, or None for nobody."""

    def __init__(self, reader_of: ReaderOf) -> None:
        self._reader_of = reader_of
        self._hub: Hub | None = None
        self._is_closed = False

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request with a stream, or say why not."""
        if scope["method"] != "GET":
            await _refuse(send, 405, "Only GET.", [(b"allow", b"GET")])
            return
        headers = dict(scope["headers"])
        if headers.get(b"sec-fetch-site", b"same-origin") not in (b"same-origin", b"none"):
            await _refuse(send, 403, "Only for OneTeam's own pages.")
            return
        if self._is_closed:
            await _refuse(send, 503, "The server is stopping.", [(b"retry-after", b"1")])
            return
        try:
            hub = await self._ready_hub()
            audience = await hub.in_thread(lambda: self._reader(headers))
        except (DatabaseError, TimeoutError):
            await _refuse(send, 503, "The database can't be reached.", [(b"retry-after", b"5")])
            return
        if audience is None:
            await _refuse(send, 401, "Sign in first.")
        elif not hub.has_room_for(audience):
            await _refuse(send, 503, "Too many open pages.", [(b"retry-after", b"60")])
        else:
            await _serve(hub, audience, _asked(scope, headers), receive, send)

    def close_on(self, *signals: int) -> None:
        """Close when the process gets one of these signals: a server that stops would wait for open streams.

        Called in the main thread, by the event loop that serves.
        """
        loop = asyncio.get_running_loop()
        for number in signals:
            # The server's own handler still runs: asyncio learns of signals through a descriptor.
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(self.close))

    def close(self) -> None:
        """End all streams for good."""
        self._is_closed = True
        if self._hub is not None:
            self._hub.close()
            self._hub = None

    async def _ready_hub(self) -> Hub:
        if self._hub is None:
            self._hub = Hub()
        await self._hub.started()
        return self._hub

    def _reader(self, headers: MutableMapping[bytes, bytes]) -> Audience | None:
        cookies = parse_cookie(headers.get(b"cookie", b"").decode("latin-1"))
        session_key = cookies.get(settings.SESSION_COOKIE_NAME, "")
        return self._reader_of(session_key) if session_key else None


def _asked(scope: Message, headers: MutableMapping[bytes, bytes]) -> Position | float:
    """From where to begin: the position seen last, or the age of the page in seconds."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    said = headers.get(b"last-event-id", b"").decode("latin-1") or query.get("after", [""])[0]
    position = Position.parse(said)
    if position is not None:
        return position
    age = query.get("age", ["0"])[0]
    milliseconds = int(age) if age.isascii() and age.isdigit() and len(age) < 12 else 0
    return min(milliseconds / 1000, OLDEST_PAGE_SECONDS) + PAGE_MARGIN_SECONDS


async def _serve(hub: Hub, audience: Audience, asked: Position | float, receive: Receive, send: Send) -> None:
    stream = Stream(audience)
    hub.add(stream)  # before looking back, so that nothing falls in between
    watch = asyncio.ensure_future(_watch(receive, stream))
    try:
        # The position of before: what comes while looking back is told twice rather than not at all.
        position = hub.position
        try:
            stream.add(await _missed(hub, audience, asked))
        except DatabaseError:
            await _refuse(send, 503, "The database can't be reached.", [(b"retry-after", b"5")])
            return
        await _begin(send)
        await _say(send, position, stream.take())
        end = time.monotonic() + LIFE_SECONDS * random.uniform(0.75, 1.25)  # noqa: S311 - spreads load
        while not stream.is_gone and time.monotonic() < end:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stream.changed.wait(), HEARTBEAT_SECONDS)
            if not stream.is_gone:
                position = hub.position
                await _say(send, position, stream.take())
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    except (OSError, RuntimeError, TimeoutError):
        return  # the browser went away or takes nothing; it will come back by itself
    finally:
        hub.remove(stream)
        watch.cancel()


async def _missed(hub: Hub, audience: Audience, asked: Position | float) -> set[str]:
    if isinstance(asked, Position):
        events = await hub.missed_since(asked)
    else:
        events = await hub.missed_within(asked)
    if len(events) > MOST_MISSED:
        return {EVERYTHING}
    return _topics(_grouped(events), audience)


async def _watch(receive: Receive, stream: Stream) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.leave()


async def _begin(send: Send) -> None:
    headers = [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    retry = random.randint(500, 2_500)  # noqa: S311 - milliseconds until the browser comes back
    await send({"type": "http.response.body", "body": f"retry: {retry}\n\n".encode(), "more_body": True})


async def _say(send: Send, position: Position, topics: Sequence[str]) -> None:
    """One message; without topics it is a heartbeat that keeps the position fresh."""
    body = f"id: {position}\ndata: {json.dumps({'topics': topics})}\n\n".encode()
    await asyncio.wait_for(send({"type": "http.response.body", "body": body, "more_body": True}), SEND_SECONDS)


async def _refuse(send: Send, status: int, sentence: str, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
    plain = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"), *headers]
    await send({"type": "http.response.start", "status": status, "headers": plain})
    await send({"type": "http.response.body", "body": sentence.encode(), "more_body": False})
