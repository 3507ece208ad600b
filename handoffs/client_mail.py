"""Mails to clients: in their language, with a private link that only the mail knows."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass
from email.errors import HeaderParseError

from django.conf import settings
from django.core.mail import BadHeaderError, EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.queries import organisation
from events import names
from events.deliveries import Undeliverable
from events.models import Event
from handoffs.invitations import host
from handoffs.models import ClientLink, Pulse
from handoffs.services.client.links import is_good, language_of, make_link, take_token
from handoffs.services.client.pulse_answers import is_opted_out

# Nobody wants to be asked today what was to be asked a week ago.
_NEWS_FOR = dt.timedelta(days=7)


@dataclass(frozen=True)
class Letter:
    """What a mail says, apart from its link."""

    kind: str
    subject: str
    message_id: str
    refers_to: str = ""


def send(*, event: Event, now: dt.datetime) -> None:
    """Mail what the event says to the contact, unless it is old, answered or unwelcome by now.

    Only hashes of tokens are kept, so the token is made with the mail. A mail that is made again brings a second link,
    and the first keeps working; both carry the same identifier.
    """
    if now - event.at > _NEWS_FOR or not event.data.get("send", True):
        return
    if event.name == names.CLIENT_ASKED:
        _send_request(event, now)
    else:
        _send_pulse(event, now)


def _send_request(event: Event, now: dt.datetime) -> None:
    people = ("opportunity__owner", "opportunity__account", "contact", "created_by", "pulse__plan")
    link = ClientLink.objects.select_related(*people).get(pk=event.subject_id)
    if not is_good(link, now) or not _is_welcome(link):
        return
    link, token = take_token(link, now)
    with translation.override(language_of(link.contact)):
        letter = Letter("confirm", _("Please confirm what we agreed: %(deal)s"), f"client-link-{event.subject_id}")
        _mail(letter, link, token)


def _send_pulse(event: Event, now: dt.datetime) -> None:
    people = ("plan__opportunity__owner", "plan__opportunity__account", "contact", "asked_by")
    pulse = Pulse.objects.select_related(*people).get(pk=event.subject_id)
    deal = pulse.plan.opportunity
    draft = ClientLink(opportunity=deal, contact=pulse.contact, pulse=pulse, created_by=pulse.asked_by)
    draft.expires_at = now + dt.timedelta(days=1)
    if pulse.answered_at is not None or not is_good(draft, now) or not _is_welcome(draft):
        return
    link, token = make_link(deal, pulse.contact, actor=pulse.asked_by, now=now, pulse=pulse)
    number = event.data.get("number", 0) if event.name == names.PULSE_REMINDED else 0
    first = f"client-pulse-{pulse.pk}"
    with translation.override(language_of(pulse.contact)):
        if number:
            letter = Letter("reminder", _("A short reminder: how is it going? %(deal)s"), f"{first}-{number}", first)
        else:
            letter = Letter("pulse", _("How is it going? %(deal)s"), first)
        _mail(letter, link, token)


def _is_welcome(link: ClientLink) -> bool:
    return bool(link.contact.email) and not is_opted_out(link.contact)


def _mail(letter: Letter, link: ClientLink, token: str) -> None:
    deal = link.opportunity
    asker = link.created_by or deal.owner
    answers = deal.owner or asker
    home = organisation()
    stop = settings.ONETEAM_URL + reverse("handoffs:client_mail", args=[token])
    context = {
        "kind": letter.kind, "deal": deal, "contact": link.contact, "asker": asker, "home": home, "link": link,
        "url": settings.ONETEAM_URL + reverse("handoffs:client_page", args=[token]), "stop": stop,
        "language": translation.get_language(),
    }  # fmt: skip
    headers = {
        "Message-ID": _message_id(letter.message_id), "Auto-Submitted": "auto-generated",
        "List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }  # fmt: skip
    if letter.refers_to:
        headers["References"] = headers["In-Reply-To"] = _message_id(letter.refers_to)
    # A line break in a deal's name would end the subject.
    subject = " ".join((letter.subject % {"deal": deal.name}).split())
    with timezone.override(zoneinfo.ZoneInfo(home.time_zone)):
        text = render_to_string("handoffs/client/mail/mail.txt", context)
        html = render_to_string("handoffs/client/mail/mail.html", context)
    message = EmailMultiAlternatives(
        subject, text, to=[link.contact.email], headers=headers, reply_to=[answers.email] if answers else None
    )
    message.attach_alternative(html, "text/html")
    try:
        message.send()
    except (BadHeaderError, HeaderParseError) as error:
        raise Undeliverable("The address or a name in this mail can't be written into its head.") from error


def _message_id(name: str) -> str:
    return f"<{name}@{host()}>"
