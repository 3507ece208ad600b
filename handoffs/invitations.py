"""The meeting of a deal review as a calendar file (RFC 5545), for the calendars of those invited."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.utils.translation import gettext as _
from icalendar import Alarm, Calendar, Event, vCalAddress, vText

from accounts.models import User
from handoffs.models import DealReview

_PRODUCT = "-//OneTeam//Deal reviews//EN"
_REMIND_BEFORE = dt.timedelta(minutes=15)


def invitation(
    review: DealReview, *, attendees: Sequence[User], organiser: User, url: str, host: str, now: dt.datetime
) -> bytes:
    """The file, as bytes. A meeting that was called off is sent as a cancellation of the one known before.

    The identifier stays the same for the review's life and the sequence counts its changes, so that a calendar updates
    what it has. ``url`` leads to the review, ``host`` makes the identifier unique among installations. Answers of the
    sides are never in it.
    """
    is_off = review.starts_at is None or (not review.is_running and review.starts_at > now)
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if is_off else "REQUEST")
    calendar.add_component(_event(review, attendees, organiser, url=url, host=host, now=now, is_off=is_off))
    return bytes(calendar.to_ical())


def _event(
    review: DealReview,
    attendees: Sequence[User],
    organiser: User,
    *,
    url: str,
    host: str,
    now: dt.datetime,
    is_off: bool,
) -> Event:
    event = Event()
    event.add("uid", f"deal-review-{review.pk}@{host}")
    event.add("sequence", review.invitation_number)
    event.add("dtstamp", now.astimezone(dt.UTC))
    # A cancellation has to name a time; calendars go by the identifier.
    starts_at = (review.starts_at or review.due_at).astimezone(dt.UTC)
    event.add("dtstart", starts_at)
    event.add("dtend", starts_at + dt.timedelta(minutes=review.minutes))
    event.add("summary", _("Deal review: %(deal)s") % {"deal": review.opportunity.name})
    if review.place:
        event.add("location", review.place)
    event.add("description", "\n\n".join(part for part in (review.agenda, url) if part))
    event.add("url", url)
    event.add("status", "CANCELLED" if is_off else "CONFIRMED")
    event.add("organizer", _address(organiser), encode=False)
    for user in attendees:
        address = _address(user)
        address.params["role"] = vText("REQ-PARTICIPANT")
        address.params["partstat"] = vText("NEEDS-ACTION")
        address.params["rsvp"] = vText("TRUE")
        event.add("attendee", address, encode=False)
    if not is_off:
        reminder = Alarm()
        reminder.add("action", "DISPLAY")
        reminder.add("description", event["summary"])
        reminder.add("trigger", -_REMIND_BEFORE)
        event.add_component(reminder)
    return event


def _address(user: User) -> vCalAddress:
    address = vCalAddress(f"mailto:{user.email}")
    address.params["cn"] = vText(str(user))
    return address
