"""The web server in front of Django: what arrives broken, slowly or ambiguously."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from accounts.models import Organisation
from onetteam import bodies
from tests.support.servers import OneTeam

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def app(live_app: OneTeam, organisation: Organisation) -> OneTeam:
    """A running OneTeam that is set up; before that every page leads to the set-up."""
    return live_app


def head(method: str, path: str, **headers: object) -> bytes:
    """The first lines of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def ask(app: OneTeam, request: bytes) -> str:
    """What comes back, headers included."""
    with socket.create_connection(("127.0.0.1", int(app.port)), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer.decode(errors="replace")


@pytest.fixture
def connections(app: OneTeam) -> Iterator[Any]:
    """Opens connections that stay open until the end of the test."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(socket.create_connection(("127.0.0.1", int(app.port)), timeout=10))


def test_slow_senders_do_not_keep_the_threads_from_others(app: OneTeam, connections: Any) -> None:
    # With the cookie the form is read, because its token is looked for.
    request = head("POST", "/account/login/", Content_Type=FORM, Content_Length=100, Cookie="csrftoken=" + "a" * 32)
    for _ in range(30):  # three times as many as there are threads
        connections().sendall(request + b"login=")
    time.sleep(1)  # until the server has taken them all
    assert "200 OK" in ask(app, head("GET", "/account/login/")).splitlines()[0]


def test_slow_readers_do_not_keep_the_threads_from_others(app: OneTeam, connections: Any) -> None:
    for _ in range(30):
        connections().sendall(head("GET", "/static/vendor/tabler/css/tabler.min.css"))
    time.sleep(1)
    assert "200 OK" in ask(app, head("GET", "/account/login/")).splitlines()[0]


def test_a_body_in_chunks_arrives(app: OneTeam) -> None:
    body = b'{"name": "x"}'
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    request = head("POST", "/healthz", Transfer_Encoding="chunked", Content_Type="application/json") + chunked
    assert "405" in ask(app, request).splitlines()[0]


@pytest.mark.parametrize("target", ["/?q=\xff", "/?q=%ff", "/%ff%fe", "/%00", "/" + "x" * 5000, "/?" + "a" * 5000])
def test_an_odd_address_is_no_server_error(app: OneTeam, target: str) -> None:
    status = ask(app, head("GET", target)).split(maxsplit=2)[1]
    assert int(status) < 500


@pytest.mark.parametrize("method", ["TRACE", "PUT", "BREW"])
def test_an_odd_method_is_no_server_error(app: OneTeam, method: str) -> None:
    status = ask(app, head(method, "/account/login/")).split(maxsplit=2)[1]
    assert 300 <= int(status) < 500


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_is_answered_whatever_host_it_names(app: OneTeam, path: str) -> None:
    answer = ask(app, head("GET", path).replace(b"127.0.0.1", b"10.1.2.3"))
    assert "200 OK" in answer.splitlines()[0]


def test_an_unknown_host_is_refused(app: OneTeam) -> None:
    answer = ask(app, head("GET", "/account/login/").replace(b"127.0.0.1", b"evil.example"))
    assert "400" in answer.splitlines()[0]


def receiving(*messages: dict[str, Any]) -> bodies.Receive:
    """An ASGI `receive` that gives these messages, then nothing."""
    waiting = list(messages)

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.sleep(60)
        return waiting.pop(0)

    return receive


def part(body: bytes, *, more: bool = True) -> dict[str, Any]:
    """A message with a part of a body."""
    return {"type": "http.request", "body": body, "more_body": more}


CHUNKED = {"headers": [(b"transfer-encoding", b"chunked"), (b"accept", b"*/*")]}


def test_a_body_is_given_on_as_it_came_with_its_length() -> None:
    big = json.dumps(list(range(400_000))).encode()
    parts = [part(big[at : at + 60_000]) for at in range(0, len(big), 60_000)]

    async def through() -> tuple[bytes, dict[bytes, bytes]]:
        scope, receive = await bodies.with_whole_body(CHUNKED, receiving(*parts, part(b"", more=False)))
        received, more = b"", True
        while more:
            message = await receive()
            received, more = received + message["body"], message["more_body"]
        return received, dict(scope["headers"])

    received, headers = asyncio.run(through())
    assert received == big
    assert headers == {b"accept": b"*/*", b"content-length": str(len(big)).encode()}


def test_a_body_that_was_cut_off_is_nothing() -> None:
    with pytest.raises(bodies.Gone):
        asyncio.run(bodies.with_whole_body(CHUNKED, receiving(part(b"amount=1"), {"type": "http.disconnect"})))


def test_a_sender_who_falls_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SILENCE_SECONDS", 0.05)
    with pytest.raises(bodies.Gone):
        asyncio.run(bodies.with_whole_body(CHUNKED, receiving(part(b"amount=1"))))


@pytest.mark.parametrize("scope", [CHUNKED, {"headers": [(b"content-length", b"11")]}])
def test_too_much_is_refused(scope: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MOST_BYTES", 10)
    with pytest.raises(bodies.TooLarge):
        asyncio.run(bodies.with_whole_body(scope, receiving(part(b"01234567890"))))
