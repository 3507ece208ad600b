"""What probes are told."""

import psycopg2
import pytest
from django.db import connection
from django.test import Client
from pytest_django.fixtures import SettingsWrapper

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


@pytest.mark.django_db
def test_not_ready_while_the_database_is_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise psycopg2.OperationalError("connection refused")

    monkeypatch.setattr(connection, "connection", None)
    monkeypatch.setattr(psycopg2, "connect", refuse)
    monkeypatch.setattr(connection.Database, "connect", refuse)
    monkeypatch.setattr(connection, "close", lambda: None)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "database": "down", "broker": "in process"}


@pytest.mark.django_db
def test_not_ready_while_a_migration_is_missing(client: Client) -> None:
    health._migrated.clear()
    with connection.cursor() as cursor:
        cursor.execute("delete from django_migrations where app = 'events' and name like '0002%'")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["migrations"]) == (503, "missing")


@pytest.mark.django_db
def test_a_dead_broker_is_told_but_pages_are_served(client: Client, settings: SettingsWrapper) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["broker"]) == (200, "down")


@pytest.mark.redis
@pytest.mark.django_db
def test_a_live_broker_is_up(client: Client, settings: SettingsWrapper, redis_server: RedisServer) -> None:
    settings.REDIS_URL = redis_server.url
    assert client.get("/readyz").json()["broker"] == "up"


def test_a_probe_can_not_write(client: Client) -> None:
    assert client.post("/healthz").status_code == 405
