"""What must hold in the data at any moment, as queries that find what breaks it.

Each app lists its own in ``<app>/invariants.py`` as ``INVARIANTS``; `manage.py verify_invariants` asks them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps
from django.db import connection, transaction

SHOWN = 5


@dataclass(frozen=True)
class Invariant:
    """``sql`` selects what breaks the rule, one row each, ordered; ``sentence`` says the rule."""

    name: str
    sentence: str
    sql: str


@dataclass(frozen=True)
class Finding:
    """What a look at one invariant brought: how many rows break it, and the first of them in words."""

    invariant: Invariant
    count: int
    examples: Sequence[str]


INVARIANTS = (
    Invariant(
        "events.delivered",
        "Everything that is owed is done, given up or discarded within ten minutes.",
        """
        select d.id as delivery, d.handler, d.state, d.attempts, e.opportunity_id as deal
        from events_delivery d join events_event e on e.id = d.event_id
        where d.state in ('pending', 'published') and e.recorded_at < now() - interval '10 minutes'
        order by d.id
        """,
    ),
    Invariant(
        "events.none_given_up",
        "Nothing that was given up waits for an administrator.",
        "select id as delivery, handler, last_error from events_delivery where state = 'dead' order by id",
    ),
    Invariant(
        "events.attempts_bounded",
        "Nothing is tried more than eight times.",
        "select id as delivery, handler, attempts from events_delivery where attempts > 8 order by id",
    ),
)


def all_invariants() -> list[Invariant]:
    """Those of every installed app."""
    found: list[Invariant] = []
    for app in apps.get_app_configs():
        module = f"{app.name}.invariants"
        if find_spec(module):
            found += import_module(module).INVARIANTS
    return found


def verify(invariants: Sequence[Invariant]) -> list[Finding]:
    """Ask all at the same moment of the database; as long as it takes."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read, read only")
        cursor.execute("set local statement_timeout = 0")
        return [_look(invariant) for invariant in invariants]


def _look(invariant: Invariant) -> Finding:
    with connection.cursor() as cursor:
        cursor.execute(f"select count(*) from ({invariant.sql}) found")  # noqa: S608 - from code
        count = cursor.fetchone()[0]
        if not count:
            return Finding(invariant, 0, [])
        cursor.execute(f"select * from ({invariant.sql}) found limit {SHOWN}")  # noqa: S608 - from code
        columns = [column.name for column in cursor.description]
        examples = [_in_words(columns, row) for row in cursor.fetchall()]
    return Finding(invariant, count, examples)


def _in_words(columns: Sequence[str], row: Sequence[object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in zip(columns, row, strict=True))
