"""The one door through which events are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection, models
from django.utils.module_loading import import_string

from events.audience import Scope, Scoped
from events.copying import copy_rows, take_ids
from events.models import Delivery, DeliveryState, Event, EventData, subject_kind_of
from events.names import TEXTS

if TYPE_CHECKING:
    from accounts.models import User

CHANNEL = "oneteam_events"


class OutsideTransaction(RuntimeError):
    """An event was recorded where its change could commit without it, or it without its change."""


@dataclass(frozen=True)
class Occurrence:
    """An event about to be recorded."""

    name: str
    about: models.Model
    within: Scoped | None = None
    data: EventData = field(default_factory=dict)
    # When it happened, where that is not now: imports bring true dates.
    at: datetime | None = None


@cache
def subscriptions() -> Mapping[str, tuple[str, ...]]:
    """Event name to the dotted names of its handlers, checked against the registry."""
    table: Mapping[str, tuple[str, ...]] = import_string(settings.ONETEAM_SUBSCRIPTIONS)
    unknown = set(table) - set(TEXTS)
    if unknown:
        raise LookupError(f"Subscriptions name unknown events: {', '.join(sorted(unknown))}")
    return table


def record(
    name: str,
    *,
    actor: User | None,
    about: models.Model,
    now: datetime,
    within: Scoped | None = None,
    data: EventData | None = None,
) -> Event:
    """Write one event and what is owed because of it, in the caller's transaction.

    ``within`` says which deal it belongs to and so who may see it. Raises OutsideTransaction.
    """
    return record_many([Occurrence(name, about, within, data or {})], actor=actor, now=now)[0]


def record_many(occurrences: Iterable[Occurrence], *, actor: User | None, now: datetime) -> list[Event]:
    """Write many events at once; a constant number of queries."""
    if not connection.in_atomic_block:
        raise OutsideTransaction("Events are recorded inside the transaction of their change.")
    events = Event.objects.bulk_create([_event(o, actor, now) for o in occurrences], batch_size=1000)
    table = subscriptions()
    owed = [Delivery(event=event, handler=handler) for event in events for handler in table.get(event.name, ())]
    if owed:
        Delivery.objects.bulk_create(owed, batch_size=2000)
    if events:
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")
    return events


def _event(occurrence: Occurrence, actor: User | None, now: datetime) -> Event:
    if occurrence.name not in TEXTS:
        raise LookupError(f"Unknown event {occurrence.name!r}: add it to events/names.py")
    scope = occurrence.within.scope() if occurrence.within else Scope()
    return Event(
        name=occurrence.name,
        at=occurrence.at or now,
        actor=actor,
        subject_kind=subject_kind_of(occurrence.about),
        subject_id=occurrence.about.pk,
        opportunity_id=scope.opportunity_id,
        team_id=scope.team_id,
        service_line_id=scope.service_line_id,
        user_ids=list(scope.user_ids),
        data=occurrence.data,
    )


_COLUMNS = (
    "id", "name", "at", "actor_id", "subject_kind", "subject_id", "opportunity_id", "team_id", "service_line_id",
    "user_ids", "data",
)  # fmt: skip


def record_batch(occurrences: Sequence[Occurrence], *, actor: User | None, now: datetime) -> None:
    """Write thousands of events by COPY, several times as fast as ``record_many``, for callers that need no Event."""
    if not connection.in_atomic_block:
        raise OutsideTransaction("Events are recorded inside the transaction of their change.")
    table = subscriptions()
    by = actor.pk if actor else None
    rows: list[tuple[object, ...]] = []
    owed: list[tuple[int, str, str, int, str, str]] = []
    for occurrence, key in zip(occurrences, take_ids(Event, len(occurrences)), strict=True):
        name, about = occurrence.name, occurrence.about
        if name not in TEXTS:
            raise LookupError(f"Unknown event {name!r}: add it to events/names.py")
        scope = occurrence.within.scope() if occurrence.within else Scope()
        rows.append(
            (
                key, name, occurrence.at or now, by, about._meta.model_name, about.pk, scope.opportunity_id,
                scope.team_id, scope.service_line_id, scope.user_ids, occurrence.data,
            )
        )  # fmt: skip
        owed += [(key, handler, DeliveryState.PENDING.value, 0, "", "") for handler in table.get(name, ())]
    copy_rows(Event, _COLUMNS, rows)
    copy_rows(Delivery, ("event_id", "handler", "state", "attempts", "last_error", "discard_reason"), owed)
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")
