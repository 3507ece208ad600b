"""The live stream: who gets one, what it tells, and how a browser that comes back gets what it missed."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings

from events import live, names
from events.audience import Audience
from events.live import EVERYTHING, LiveStream
from events.models import Event
from events.tail import Position
from tests.events.conftest import Within, happen

pytestmark = pytest.mark.django_db(transaction=True)

EVE = Audience(user_id=6, sees_all=True)
ALICE = Audience(user_id=1, team_ids=frozenset({10}))
CHARLIE = Audience(user_id=9, team_ids=frozenset({99}))
PEOPLE = {"eve": EVE, "alice": ALICE, "charlie": CHARLIE}


class Browser:
    """One request to the stream, and what comes back."""

    def __init__(self, app: LiveStream, who: str = "eve", query: str = "age=0", **headers: str) -> None:
        cookie = f"{settings.SESSION_COOKIE_NAME}={who}"
        given = {"cookie": cookie, **{name.replace("_", "-"): value for name, value in headers.items()}}
        self.scope = {
            "type": "http",
            "method": "GET",
            "path": "/live/",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        }
        self._app = app
        self._gone = asyncio.Event()
        self._sent: asyncio.Queue[Any] = asyncio.Queue()
        self.position = ""

    async def __aenter__(self) -> Browser:
        self._task = asyncio.ensure_future(self._app(self.scope, self._receive, self._sent.put))
        start = await self._next()
        self.status, self.headers = start["status"], dict(start["headers"])
        return self

    async def __aexit__(self, *_: object) -> None:
        self._gone.set()
        await asyncio.wait_for(self._task, 5)

    async def _receive(self) -> dict[str, str]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _next(self, seconds: float = 5) -> Any:
        return await asyncio.wait_for(self._sent.get(), seconds)

    async def body(self) -> str:
        """The next piece as it is sent."""
        text: str = (await self._next())["body"].decode()
        return text

    async def topics(self) -> list[str]:
        """What the next message tells; fails when none comes."""
        while True:
            text = await self.body()
            found = re.fullmatch(r"id: (\S+)\ndata: (.+)\n\n", text)
            if found:
                self.position = found[1]
                told: list[str] = json.loads(found[2])["topics"]
                return told
            assert text.startswith("retry: "), text

    async def nothing(self, seconds: float = 0.3) -> None:
        """Fails when something comes."""
        with pytest.raises(TimeoutError):
            await self._next(seconds)

    async def ended(self) -> bool:
        """Whether the server ended it by itself."""
        await asyncio.wait_for(asyncio.shield(self._task), 5)
        return True


Scenario = Callable[[LiveStream], Awaitable[None]]
Play = Callable[[Scenario], None]


@pytest.fixture
def play() -> Iterator[Play]:
    """Runs a scenario against a stream of its own."""

    def run(scenario: Scenario) -> None:
        async def whole() -> None:
            app = LiveStream(PEOPLE.get)
            try:
                await scenario(app)
            finally:
                app.close()

        asyncio.run(whole())

    return run  # type: ignore[return-value]


happens = sync_to_async(happen, thread_sensitive=True)


@sync_to_async
def newest_transaction() -> int:
    """That of the last event."""
    return Event.objects.latest("id").transaction_id


async def happens_and_is_heard(app: LiveStream, *deals: int) -> None:
    """Deals change, and a page of somebody else was told of it."""
    async with Browser(app) as witness:
        await witness.topics()
        for deal in deals:
            await happens(names.OPPORTUNITY_MOVED, within=Within(deal))
            while f"opportunity:{deal}" not in await witness.topics():
                pass


def test_a_change_is_told_as_topics_and_nothing_else(play: Play) -> None:
    async def scenario(app: LiveStream) -> None:
        async with Browser(app) as page:
            assert page.headers[b"content-type"].startswith(b"text/event-stream")
            assert await page.topics() == []
            await happens(names.OPPORTUNITY_MOVED, within=Within(7), secret="Acme pays 4 million")
            assert await page.topics() == ["deals", "event:0", "opportunities", "opportunity:7"]

    play(scenario)


def test_each_reader_is_told_only_what_they_may_see(play: Play) -> None:
    async def scenario(app: LiveStream) -> None:
        async with Browser(app, "alice") as alice, Browser(app, "charlie") as charlie:
            assert (await alice.topics(), await charlie.topics()) == ([], [])
            await happens(names.OPPORTUNITY_MOVED, within=Within(7, team_id=10))
            assert "opportunity:7" in await alice.topics()
            await charlie.nothing()

    play(scenario)


def test_what_was_missed_is_filtered_too(play: Play) -> None:
    async def scenario(app: LiveStream) -> None:
        async with Browser(app, "charlie") as charlie:
            await charlie.topics()
        await happens_and_is_heard(app, 7)
        async with Browser(app, "charlie", query=f"after={charlie.position}") as charlie:
            assert await charlie.topics() == []

    play(scenario)


@pytest.mark.parametrize("how", ["header", "query"])
def test_a_browser_that_comes_back_is_told_what_it_missed(play: Play, how: str) -> None:
    async def scenario(app: LiveStream) -> None:
        async with Browser(app) as page:
            await page.topics()
        await happens_and_is_heard(app, 7)
        again = (
            Browser(app, query="", last_event_id=page.position)
            if how == "header"
            else Browser(app, query=f"after={page.position}")
        )
        async with again as page:
            assert "opportunity:7" in await page.topics()

    play(scenario)


def test_a_browser_that_comes_back_to_another_process_is_told_too(play: Play) -> None:
    async def scenario(app: LiveStream) -> None:
        async with Browser(app) as page:
            await page.topics()
        await happens(names.OPPORTUNITY_MOVED, within=Within(7))
        other = LiveStream(PEOPLE.get)
        async with Browser(other, query=f"after={page.position}") as page:
            assert "opportunity:7" in await page.topics()
        other.close()

    play(scenario)


def test_a_browser_that_missed_nothing_is_told_nothing(play: Play) -> None:
    async def scenario(app: LiveStream) -> None:
        await happens(names.OPPORTUNITY_MOVED, within=Within(7))
        async with Browser(app) as page:
            await page.topics()
            while True:
                await happens(names.OPPORTUNITY_MOVED, within=Within(8))
                await page.topics()
                position = Position.parse(page.position)
                # While others' transactions run (of other tests, say), what they might still hold is told again.
                if position is not None and await newest_transaction() < position.oldest_running:
                    break
                await asyncio.sleep(0.1)
        async with Browser(app, query=f"after={page.position}") as page:
            assert await page.topics() == []

    play(scenario)


def test_too_much_missed_means_everything(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_MISSED", 3)

    async def scenario(app: LiveStream) -> None:
        async with Browser(app) as page:
            await page.topics()
        await happens_and_is_heard(app, 1, 2, 3, 4)
        async with Browser(app, query=f"after={page.position}") as page:
            assert await page.topics() == [EVERYTHING]

    play(scenario)


def test_a_page_is_told_what_changed_while_it_was_on_its_way(play: Play) -> None:
    async def scenario(app: LiveStream) -> None:
        await happens(names.OPPORTUNITY_MOVED, within=Within(7))
        async with Browser(app, query="age=1500") as page:
            assert "opportunity:7" in await page.topics()

    play(scenario)


def test_a_new_page_is_not_told_what_is_long_past(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PAGE_MARGIN_SECONDS", 0.0)

    async def scenario(app: LiveStream) -> None:
        await happens(names.OPPORTUNITY_MOVED, within=Within(7))
        await asyncio.sleep(0.3)
        async with Browser(app, query="age=100") as page:
            assert await page.topics() == []

    play(scenario)


def test_many_topics_become_everything(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_TOPICS", 3)

    async def scenario(app: LiveStream) -> None:
        async with Browser(app) as page:
            await page.topics()
            await happens(names.OPPORTUNITY_MOVED, within=Within(7))
            assert await page.topics() == [EVERYTHING]

    play(scenario)


def test_a_quiet_stream_beats(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.05)

    async def scenario(app: LiveStream) -> None:
        async with Browser(app) as page:
            assert [await page.topics() for _beat in range(3)] == [[], [], []]

    play(scenario)


def test_a_stream_ends_so_that_rights_are_looked_at_again(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LIFE_SECONDS", 0.2)
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.05)

    async def scenario(app: LiveStream) -> None:
        async with Browser(app) as page:
            assert await page.ended()

    play(scenario)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"headers": []}, 401),
        ({"headers": [(b"cookie", b"sessionid=nobody")]}, 401),
        ({"method": "POST"}, 405),
        ({"headers": [(b"cookie", b"sessionid=eve"), (b"sec-fetch-site", b"cross-site")]}, 403),
    ],
)
def test_a_stranger_gets_no_stream(play: Play, change: dict[str, Any], status: int) -> None:
    async def scenario(app: LiveStream) -> None:
        browser = Browser(app)
        browser.scope |= change
        async with browser:
            assert browser.status == status

    play(scenario)


@pytest.mark.parametrize(
    "query", ["after=nonsense", "after=1-2-3", "age=-1", "age=9999999999999999", "age=²", "%ff=%fe"]
)
def test_a_strange_address_is_a_plain_stream(play: Play, query: str) -> None:
    async def scenario(app: LiveStream) -> None:
        async with Browser(app, query=query) as page:
            assert page.status == 200

    play(scenario)


def test_one_person_can_not_take_all_streams(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_PER_PERSON", 1)

    async def scenario(app: LiveStream) -> None:
        async with Browser(app), Browser(app) as second, Browser(app, "alice") as other:
            assert (second.status, other.status) == (503, 200)

    play(scenario)


def test_a_closed_page_makes_room(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_PER_PERSON", 1)

    async def scenario(app: LiveStream) -> None:
        async with Browser(app):
            pass
        async with Browser(app) as second:
            assert second.status == 200

    play(scenario)


def test_two_thousand_streams_hear_of_a_change(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_PER_PERSON", 2_000)

    async def scenario(app: LiveStream) -> None:
        pages = [Browser(app) for _number in range(2_000)]
        for page in pages:
            await page.__aenter__()
            await page.topics()
        await happens(names.OPPORTUNITY_MOVED, within=Within(7))
        told = await asyncio.gather(*(page.topics() for page in pages))
        assert all("opportunity:7" in topics for topics in told)
        for page in pages:
            await page.__aexit__()

    play(scenario)


def test_a_burst_is_one_message(play: Play) -> None:
    async def scenario(app: LiveStream) -> None:
        async with Browser(app) as page:
            await page.topics()
            await sync_to_async(burst, thread_sensitive=True)()
            assert await page.topics() == ["deals", "event:0", "opportunities", "opportunity:1", "opportunity:2"]
            await page.nothing()

    play(scenario)


def burst() -> None:
    """Two changes in one transaction."""
    from django.db import transaction

    from events.recording import Occurrence, record_many
    from tests.events.conftest import NOW

    moves = [Occurrence(names.OPPORTUNITY_MOVED, Event(pk=0), Within(deal)) for deal in (1, 2)]
    with transaction.atomic():
        record_many(moves, actor=None, now=NOW)
