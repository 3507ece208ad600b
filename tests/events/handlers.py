"""Handlers that do what their event asks for, and the subscription that leads to them."""

from __future__ import annotations

import datetime as dt
import os
import time

from django.db import connection

from events import names
from events.deliveries import Undeliverable
from events.models import Event
from events.recording import record

NAME = names.IMPORT_FINISHED
HANDLER = "tests.events.handlers.react"
SUBSCRIPTIONS = {NAME: (HANDLER,)}


def react(*, event: Event, now: dt.datetime) -> None:
    """Leave a trace, then do what ``event.data["do"]`` says."""
    trace(event, now)
    todo = event.data.get("do")
    if todo == "fail":
        raise ValueError("the handler says no")
    if todo == "fail in the database":
        with connection.cursor() as cursor:
            cursor.execute("insert into accounts_region (id, name) values (1, 'a secret'), (1, 'a secret')")
    if todo == "give up":
        raise Undeliverable("There is nobody left to tell.")
    if todo == "kill":
        os._exit(9)
    if todo == "take a while":
        time.sleep(0.3)


def trace(event: Event, now: dt.datetime) -> None:
    """An effect that is easy to count and that a repeat would double; it tells how many others were there before."""
    others = Event.objects.filter(name=names.SETTINGS_CHANGED, subject_kind="event").count()
    record(names.SETTINGS_CHANGED, actor=None, about=event, now=now, data={"others": others})


def traces(event: Event) -> int:
    """How often the handler's effect was committed for this event."""
    return Event.objects.filter(name=names.SETTINGS_CHANGED, subject_kind="event", subject_id=event.pk).count()
