"""Reactions to deal events; each may run twice, late or out of order, and asks how the deal stands now."""

from __future__ import annotations

from datetime import datetime

from events.models import Event
from opportunities.models import Opportunity
from staffing.services import following, promises


def harden_bookings(*, event: Event, now: datetime) -> None:
    """A deal was won: its bookings become hard."""
    following.follow(opportunity=_deal(event), now=now)


def release_bookings(*, event: Event, now: datetime) -> None:
    """A deal was lost or archived: nobody is booked for it."""
    following.follow(opportunity=_deal(event), now=now)


def resume_bookings(*, event: Event, now: datetime) -> None:
    """A deal was reopened, or came back from the archive: what was released with it is booked again."""
    following.follow(opportunity=_deal(event), now=now)


def move_bookings(*, event: Event, now: datetime) -> None:
    """The dates of a deal moved: its soft bookings move with them."""
    following.follow(opportunity=_deal(event), now=now)


def note_promise(*, event: Event, now: datetime) -> None:
    """Somebody named a start: if what the deal needs doesn't fit by then, that is kept."""
    promises.note_promise(actor=event.actor, opportunity=_deal(event), because=event.pk, now=now)


def ask_for_needs(*, event: Event, now: datetime) -> None:
    """A deal turned warm or hot: it gets what its service line usually needs. A baseline says how things stand only."""
    if not event.data.get("baseline"):
        following.ask_from_templates(opportunity=_deal(event), now=now)


def withdraw_needs(*, event: Event, now: datetime) -> None:
    """A deal cooled. Where that undoes a move by mistake, what it brought goes again, unless somebody touched it."""
    if event.data.get("undoes_change"):
        following.withdraw_untouched(opportunity=_deal(event), now=now)


def _deal(event: Event) -> Opportunity:
    return Opportunity(pk=event.subject_id)
