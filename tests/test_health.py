"""What probes are told."""

import pytest
from django.db import OperationalError, connection
from django.test import Client
from pytest_django import Settings

from onetteam import health
from tests.support.servers import RedisServer, free_port


@pytest.mark.django_db
def test_ready_says_what_was_looked_at(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "database": "up",
        "migrations": "complete",
        "broker": "in process",
        "oldest_undelivered_seconds": None,
    }
    assert answer["Cache-Control"] == "no-store"


def test_alive_needs_no_database(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}  # without the mark, a query would fail


def test_not_ready_while_the_database_is_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> str:
        raise OperationalError("connection refused")

    monkeypatch.setattr(health, "_database", refuse)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "database": "down", "broker": "in process"}


@pytest.mark.django_db
def test_not_ready_while_a_migration_is_missing(client: Client) -> None:
    health._migrated.clear()
    with connection.cursor() as cursor:
        cursor.execute("delete from django_migrations where id = (select max(id) from django_migrations)")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["migrations"]) == (503, "missing")


@pytest.mark.django_db
def test_a_dead_broker_is_told_but_pages_are_served(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["broker"]) == (200, "down")


@pytest.mark.redis
@pytest.mark.django_db
def test_a_live_broker_is_up(client: Client, settings: Settings, redis_server: RedisServer) -> None:
    settings.REDIS_URL = redis_server.url
    assert client.get("/readyz").json()["broker"] == "up"


def test_a_probe_can_not_write(client: Client) -> None:
    assert client.post("/healthz").status_code == 405
