"""Putting a deal away, and taking it out again. Nothing is ever deleted."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from accounts.models import User
from events import names
from events.recording import record
from opportunities.models import Opportunity
from opportunities.services.editing import save_changed
from opportunities.services.versions import Stale, locked


def archive(*, actor: User, opportunity: Opportunity, expected_version: int, now: dt.datetime) -> Opportunity:
    """Take a deal off boards, lists and totals. Archiving twice changes nothing. Raises Stale."""
    with transaction.atomic():
        current = locked(opportunity)
        if current.archived_at is not None:
            return current
        if current.version != expected_version:
            raise Stale(current)
        current.archived_at = now
        save_changed(current, now=now)
        record(names.OPPORTUNITY_ARCHIVED, actor=actor, about=current, within=current, now=now)
    return current


def restore(*, actor: User, opportunity: Opportunity, now: dt.datetime) -> Opportunity:
    """Bring an archived deal back as it was; one that is not archived stays as it is."""
    with transaction.atomic():
        current = locked(opportunity)
        if current.archived_at is None:
            return current
        current.archived_at = None
        save_changed(current, now=now)
        record(names.OPPORTUNITY_RESTORED, actor=actor, about=current, within=current, now=now)
    return current
