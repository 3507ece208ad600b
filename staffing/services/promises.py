"""A start that is promised although what the deal needs doesn't fit by then is kept in its history."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from accounts.models import User
from accounts.queries import organisation
from events import names
from events.models import Event
from events.recording import record
from opportunities.models import Opportunity
from opportunities.services.versions import locked
from staffing.earliest_queries import earliest_panel


def note_promise(*, actor: User | None, opportunity: Opportunity, because: int, now: dt.datetime) -> bool:
    """Keep that somebody named a start that is too early, as the deal stands now. Gives whether it is.

    ``because`` is the event that named it, and noted once however often it is reacted to.
    """
    with transaction.atomic():
        deal = locked(opportunity)
        if not deal.is_open or deal.archived_at is not None or deal.start_on is None:
            return False
        noted = Event.objects.filter(opportunity_id=deal.pk, name=names.START_PROMISED_EARLY, data__because=because)
        if noted.exists():
            return False
        home = organisation()
        panel = earliest_panel(deal, home=home, today=home.today(now))
        if not panel.early or panel.safe_on is None:
            return False
        data = {
            "promised": deal.start_on.isoformat(), "safe": panel.safe_on.isoformat(), "weeks": panel.early,
            "because": because,
        }  # fmt: skip
        record(names.START_PROMISED_EARLY, actor=actor, about=deal, within=deal, now=now, data=data)
    return True
