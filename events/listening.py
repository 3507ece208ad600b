"""A connection of its own that hears of new events (`LISTEN`), with a poll as the fallback."""

from __future__ import annotations

import select
from threading import Event as Flag
from typing import Any

import psycopg2
from django.db import connections

from events.recording import CHANNEL

POLL_SECONDS = 1.0
LOST = (psycopg2.OperationalError, psycopg2.InterfaceError)


class Listener:
    """One thread's ear. Not shared between threads."""

    def __init__(self) -> None:
        parameters: dict[str, Any] = connections["default"].get_connection_params()
        for name in ("cursor_factory", "context"):
            parameters.pop(name, None)
        self.connection = psycopg2.connect(**parameters)
        self.connection.autocommit = True
        with self.connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")

    def wait(self, stop: Flag, seconds: float = POLL_SECONDS) -> None:
        """Until something was recorded, the time is over, or ``stop`` is set (noticed within a fifth of a second)."""
        step = 0.2
        while seconds > 0 and not stop.is_set():
            ready, _write, _except = select.select([self.connection], [], [], min(step, seconds))
            if ready:
                self.connection.poll()
                self.connection.notifies.clear()
                return
            seconds -= step

    def rows(self, sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
        """Run one query on this connection."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return found

    def close(self) -> None:
        """Let go of the connection, whatever state it is in."""
        try:
            self.connection.close()
        except psycopg2.Error:
            return
