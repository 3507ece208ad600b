"""Is this process alive (`/healthz`), and can it serve (`/readyz`)? For supervisors, load balancers and people."""

from collections.abc import Callable
from threading import Event
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from events import deliveries

PROBE_SECONDS = 1
# Set once and for good: when this release's migrations are complete, they stay so.
_migrated = Event()


class HealthMiddleware:
    """Answers the two addresses before anything else.

    A probe comes with whatever host name and without HTTPS, and must get its answer while the database is down.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        view = {"/healthz": alive, "/readyz": ready}.get(request.path_info)
        if view is None:
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        response = view(request)
        response["Cache-Control"] = "no-store"
        return response


def alive(request: HttpRequest) -> HttpResponse:
    """200 as long as this process answers requests."""
    return JsonResponse({"status": "alive"})


def ready(request: HttpRequest) -> HttpResponse:
    """200 if pages can be served, 503 if not, with what was found.

    The broker and the age of the oldest waiting delivery are only reported: pages work without background work.
    """
    try:
        found: dict[str, Any] = {
            "database": _database(),
            "migrations": _migrations(),
            "broker": _broker(),
            "oldest_undelivered_seconds": _oldest_undelivered_seconds(),
        }
    except DatabaseError:
        found = {"database": "down", "broker": _broker()}
    is_ready = found["database"] == "up" and found["migrations"] == "complete"
    return JsonResponse({"status": "ready" if is_ready else "not ready", **found}, status=200 if is_ready else 503)


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    return "up"


def _migrations() -> str:
    return "complete" if _is_migrated() else "missing"


def _is_migrated() -> bool:
    if not _migrated.is_set():
        executor = MigrationExecutor(connection)
        if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
            _migrated.set()
    return _migrated.is_set()


def _broker() -> str:
    if not settings.REDIS_URL:
        return "in process"
    import redis  # a quarter of a second, which an installation without it need not spend

    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=PROBE_SECONDS, socket_connect_timeout=PROBE_SECONDS
        ) as client:
            client.ping()
    except redis.RedisError:
        return "down"
    return "up"


def _oldest_undelivered_seconds() -> float | None:
    age = deliveries.oldest_undelivered_age(deliveries.database_now())
    return None if age is None else round(age.total_seconds(), 1)
