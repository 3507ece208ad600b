"""The client's rating, given once, and the wish not to be written to."""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from events import names
from events.recording import record
from handoffs.models import ClientLink, ClientVoice, Pulse
from handoffs.services.client.answering import LinkGone
from handoffs.services.client.following import follow_client
from handoffs.services.client.links import is_good
from handoffs.services.client.pulses import plan_pulses_of
from handoffs.services.client.words import checked
from opportunities.models import Contact
from opportunities.services.versions import locked

LONGEST_COMMENT = 2000
CSAT, RECOMMEND = range(1, 6), range(11)


class AnsweredAlready(Exception):
    """The pulse was answered before, with other words; ``pulse`` is how."""

    def __init__(self, pulse: Pulse) -> None:
        super().__init__(_("Your answer was sent already and stays as it is."))
        self.pulse = pulse


def answer_pulse(
    *, link: ClientLink, csat: int, now: dt.datetime, recommend: int | None = None, comment: str = ""
) -> Pulse:
    """Keep the contact's rating; the same once more is the same answer.

    ``csat`` is 1 to 5, ``recommend`` 0 to 10 or None. Raises AnsweredAlready, LinkGone, ValidationError.
    """
    comment = checked(comment, field="comment", most=LONGEST_COMMENT)
    if csat not in CSAT:
        raise ValidationError({"csat": _("Choose one of the five faces.")})
    if recommend is not None and recommend not in RECOMMEND:
        raise ValidationError({"recommend": _("Choose a number from 0 to 10.")})
    with transaction.atomic():
        deal = locked(link.opportunity)
        current = ClientLink.objects.select_for_update(of=("self",)).select_related("contact").get(pk=link.pk)
        current.opportunity = deal
        if current.pulse_id is None:
            raise LinkGone
        pulse = Pulse.objects.select_for_update(of=("self",)).select_related("plan").get(pk=current.pulse_id)
        current.pulse = pulse
        if not is_good(current, now):
            raise LinkGone
        if pulse.answered_at is not None:
            if (pulse.csat, pulse.recommend, pulse.comment) != (csat, recommend, comment):
                raise AnsweredAlready(pulse)
            return pulse
        pulse.csat, pulse.recommend, pulse.comment, pulse.answered_at = csat, recommend, comment, now
        pulse.save(update_fields=["csat", "recommend", "comment", "answered_at"])
        record(
            names.PULSE_ANSWERED, actor=None, about=pulse, within=deal, now=now,
            data={"contact": current.contact.name, "csat": csat},
        )  # fmt: skip
        follow_client(deal, now)
    return pulse


def opt_out(*, link: ClientLink, now: dt.datetime) -> ClientVoice:
    """The contact wants no more mail; doing it again changes nothing. Works with an expired link too."""
    return _say(link, now, is_out=True)


def opt_in(*, link: ClientLink, now: dt.datetime) -> ClientVoice:
    """The contact may be written to again."""
    return _say(link, now, is_out=False)


def is_opted_out(contact: Contact) -> bool:
    """Whether the contact wants no mail."""
    return ClientVoice.objects.filter(contact=contact, opted_out_at__isnull=False).exists()


def _say(link: ClientLink, now: dt.datetime, *, is_out: bool) -> ClientVoice:
    with transaction.atomic():
        deal = locked(link.opportunity)
        ClientVoice.objects.get_or_create(contact_id=link.contact_id)
        voice = ClientVoice.objects.select_for_update().get(contact=link.contact_id)
        if (voice.opted_out_at is not None) == is_out:
            return voice
        voice.opted_out_at = now if is_out else None
        voice.save(update_fields=["opted_out_at"])
        record(
            names.CLIENT_OPTED_OUT if is_out else names.CLIENT_OPTED_IN, actor=None, about=link, within=deal, now=now,
            data={"contact": link.contact.name},
        )  # fmt: skip
        plan_pulses_of(deal.pk, now)
    return voice
