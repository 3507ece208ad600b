"""The web application: `/live/` is an async stream, everything else is Django under WSGI in a pool of threads.

The threads keep their database connections; Django's own ASGI handler would reconnect with each request.
"""

from typing import Any

from a2wsgi import WSGIMiddleware
from django.conf import settings
from django.utils.module_loading import import_string

from onetteam.wsgi import application as django

pages = WSGIMiddleware(django, workers=settings.ONETEAM_WEB_THREADS)  # type: ignore[arg-type]
live = import_string("onetteam.live_reader.application")  # by name: it may be loaded only after Django is set up


async def application(scope: Any, receive: Any, send: Any) -> None:
    """ASGI entry point."""
    if scope["type"] != "http":
        await pages(scope, receive, send)  # lifespan is acknowledged, a websocket is closed
    elif scope["path"].startswith("/live/"):
        await live(scope, receive, send)
    else:
        await pages(_without_ambiguous_headers(scope), _complete(receive), send)


def _without_ambiguous_headers(scope: Any) -> Any:
    """WSGI turns `X-Real-IP` and `X_Real_IP` into the same name; only the first is what a proxy sets."""
    return {**scope, "headers": [(name, value) for name, value in scope["headers"] if b"_" not in name]}


def _complete(receive: Any) -> Any:
    """A body that was cut off on the way must fail, not arrive as if it were whole."""

    async def checked() -> Any:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise OSError("The browser went away in the middle of its request.")
        return message

    return checked
