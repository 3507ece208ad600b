"""Letting go of what nobody came back to."""

from __future__ import annotations

import datetime as dt

from integrations.imports import spool
from integrations.imports.models import Import
from integrations.imports.services.running import cancel
from integrations.imports.states import State

KEPT = dt.timedelta(days=30)


def clean_up(*, now: dt.datetime) -> int:
    """Cancel imports that have waited for a person for a month, and delete their files; how many."""
    waiting = Import.objects.filter(
        state__in=[State.WAITING, State.CHECKED, State.FAILED], created_at__lt=now - KEPT
    )  # fmt: skip
    stale = list(waiting)
    for imported in stale:
        cancel(imported=imported, now=now)
        spool.discard(imported)
    return len(stale)
