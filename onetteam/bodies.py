"""Receives a request's body before a thread is given to it: slow uploads must not keep the threads from others."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from typing import IO, Any

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]

MOST_BYTES = 256 * 1024 * 1024  # an import of a million rows
IN_MEMORY_BYTES = 1024 * 1024
CHUNK_BYTES = 64 * 1024
SILENCE_SECONDS = 30.0


class TooLarge(Exception):
    """More than anybody needs to send."""


class Gone(Exception):
    """The browser went away or fell silent. What arrived is not to be taken for the whole."""


async def with_whole_body(scope: Message, receive: Receive) -> tuple[Message, Receive]:
    """The request with a `receive` that gives a body all of which has arrived. Raises TooLarge and Gone."""
    lengths = {name: value for name, value in scope["headers"] if name in (b"content-length", b"transfer-encoding")}
    if not lengths:
        return scope, receive
    if int(lengths.get(b"content-length", b"0")) > MOST_BYTES:
        raise TooLarge
    body = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115  # closed with the last reference
    more = True
    while more:
        try:
            message = await asyncio.wait_for(receive(), SILENCE_SECONDS)
        except TimeoutError as error:
            raise Gone from error
        if message["type"] == "http.disconnect":
            raise Gone
        body.write(message.get("body", b""))
        if body.tell() > MOST_BYTES:
            raise TooLarge
        more = message.get("more_body", False)
    # What came in chunks has a length now, and Django reads nothing without one.
    headers = [header for header in scope["headers"] if header[0] not in lengths]
    headers.append((b"content-length", str(body.tell()).encode()))
    body.seek(0)
    return {**scope, "headers": headers}, _reader(body)


def _reader(body: IO[bytes]) -> Receive:
    async def receive() -> Message:
        chunk = body.read(CHUNK_BYTES)
        return {"type": "http.request", "body": chunk, "more_body": len(chunk) == CHUNK_BYTES}

    return receive
