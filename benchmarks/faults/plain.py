"""The control: what most projects do. After the commit the web process tells Celery, and that is all.

The same handlers, the same worker, the same faults; no deliveries, no relay. The harness must find losses here, else it
proves nothing about the product.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from celery import shared_task
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

NOTHING: Mapping[str, tuple[str, ...]] = {}


@shared_task(name="benchmarks.faults.plain.react", queue="critical", acks_late=False)
def react(event_id: int, handler: str) -> None:
    """Run one handler, as Celery does by default: acknowledged first, done afterwards."""
    from events.models import Event

    with transaction.atomic():
        import_string(handler)(event=Event.objects.get(pk=event_id), now=timezone.now())


def install() -> None:
    """Let this process owe nothing in the database, and tell Celery after the commit instead."""
    from django.conf import settings

    from events import recording
    from onetteam.celery import app
    from onetteam.subscriptions import SUBSCRIPTIONS

    app.set_default()
    settings.ONETEAM_SUBSCRIPTIONS = "benchmarks.faults.plain.NOTHING"
    recording.subscriptions.cache_clear()
    insert = recording.Event.objects.bulk_create

    def and_tell(events: Any, *args: Any, **options: Any) -> Any:
        made = insert(events, *args, **options)
        for event in made:
            for handler in SUBSCRIPTIONS.get(event.name, ()):
                transaction.on_commit(lambda pk=event.pk, path=handler: react.delay(pk, path), robust=True)
        return made

    recording.Event.objects.bulk_create = and_tell  # type: ignore[method-assign]
