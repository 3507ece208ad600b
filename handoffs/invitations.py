"""The meeting of a deal review as a calendar file (RFC 5545), for the calendars of those invited."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from icalendar import Alarm, Calendar, Event, vCalAddress, vText

from accounts.models import User
from events import names
from events.models import Event as Happening
from handoffs.models import DealReview

_PRODUCT = "-//OneTeam//Deal reviews//EN"
# Nobody wants to hear of a meeting days after it was set.
_NEWS_FOR = dt.timedelta(hours=12)
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


def host() -> str:
    """What makes identifiers unique among installations."""
    return urlsplit(settings.ONETEAM_URL).hostname or "oneteam"


def organiser_of(review: DealReview) -> User | None:
    """Whoever first set the meeting, for the life of the invitation; else the sales owner."""
    first = (
        Happening.objects.filter(name=names.REVIEW_SCHEDULED, subject_kind="dealreview", subject_id=review.pk)
        .select_related("actor")
        .order_by("pk")
        .first()
    )
    return (first.actor if first else None) or review.opportunity.owner


def send(*, event: Happening, now: dt.datetime) -> None:
    """Mail those invited what the event says of the meeting, unless that is old or no longer true.

    Sent again after a failure, the mails carry the same identifiers, and calendars find nothing new in them.
    """
    review = DealReview.objects.select_related("opportunity__owner", "opportunity__account").get(pk=event.subject_id)
    organiser = organiser_of(review)
    if organiser is None or now - event.at > _NEWS_FOR or not _is_true(event, review, now):
        return
    people = [each.user for each in review.attendees.select_related("user").filter(user__is_active=True)]
    url = settings.ONETEAM_URL + reverse("handoffs:review", args=[review.pk])
    file = invitation(review, attendees=people, organiser=organiser, url=url, host=host(), now=now)
    messages = [_mail(review, person, organiser, file, url) for person in people]
    with get_connection() as server:
        server.send_messages(messages)


def _is_true(event: Happening, review: DealReview, now: dt.datetime) -> bool:
    if event.name == names.REVIEW_UNSCHEDULED:
        return review.starts_at is None
    if review.starts_at is None or not review.is_running or review.starts_at <= now:
        return False
    return event.data.get("starts_at") == review.starts_at.astimezone(dt.UTC).isoformat()


def _mail(review: DealReview, person: User, organiser: User, file: bytes, url: str) -> EmailMessage:
    zone = zoneinfo.ZoneInfo(person.time_zone) if person.time_zone else timezone.get_default_timezone()
    starts_at = review.starts_at.astimezone(zone) if review.starts_at else None
    context = {"review": review, "person": person, "organiser": organiser, "starts_at": starts_at, "url": url}
    # A line break in a deal's name would end the subject.
    name = " ".join(review.opportunity.name.split())
    subject = _("Deal review: %(deal)s") if starts_at else _("Deal review called off: %(deal)s")
    message = EmailMessage(
        subject % {"deal": name}, render_to_string("emails/review_invitation.txt", context), to=[person.email],
        headers={"Message-ID": f"<deal-review-{review.pk}-{review.invitation_number}-{person.pk}@{host()}>"},
    )  # fmt: skip
    method = "REQUEST" if starts_at else "CANCEL"
    message.attach("deal-review.ics", file.decode(), f"text/calendar; method={method}")
    return message


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
