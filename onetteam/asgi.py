"""The web application: `/live/` is an async stream, everything else is Django under WSGI in a pool of threads.

The threads keep their database connections; Django's own ASGI handler would reconnect with each request.
"""

import signal
import string
from typing import Any
from urllib.parse import quote

from a2wsgi import WSGIMiddleware
from django.conf import settings
from django.utils.module_loading import import_string

from onetteam.bodies import Gone, TooLarge, with_whole_body
from onetteam.wsgi import application as django

PRINTABLE = string.ascii_letters + string.digits + string.punctuation

pages: Any = WSGIMiddleware(django, workers=settings.ONETEAM_WEB_THREADS)  # type: ignore[arg-type]
live = import_string("onetteam.live_reader.application")  # by name: it may be loaded only after Django is set up


async def application(scope: Any, receive: Any, send: Any) -> None:
    """ASGI entry point."""
    if scope["type"] == "lifespan":
        live.close_on(signal.SIGTERM, signal.SIGINT)
    if scope["type"] != "http":
        await pages(scope, receive, send)  # lifespan is acknowledged, a websocket is closed
    elif scope["path"].startswith("/live/"):
        await live(scope, receive, send)
    else:
        await _page(scope, receive, send)


async def _page(scope: Any, receive: Any, send: Any) -> None:
    try:
        scope, receive = await with_whole_body(scope, receive)
    except Gone:
        return
    except TooLarge:
        await send({"type": "http.response.start", "status": 413, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"This is larger than anything OneTeam takes.\n"})
        return
    await pages(_unambiguous(scope), receive, send)


def _unambiguous(scope: Any) -> Any:
    """The request as WSGI can express it.

    WSGI turns `X-Real-IP` and `X_Real_IP` into the same name, and only the first is what a proxy sets. What isn't ASCII
    in an address is to be written with percent signs; some clients don't.
    """
    headers = [(name, value) for name, value in scope["headers"] if b"_" not in name]
    return {**scope, "headers": headers, "query_string": quote(scope["query_string"], safe=PRINTABLE).encode()}
