"""Private links: made for one contact, kept as a hash, taken back at any time. Looking at one never uses it up."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from events import names
from events.recording import record
from handoffs.client_access import not_yours
from handoffs.ledger_access import rests
from handoffs.models import ClientLink, ClientVoice, Language, LinkPurpose, Pulse, RiskProfile, Statement
from handoffs.services.client.words import Resting
from opportunities.models import Contact, Opportunity
from opportunities.services.versions import locked

LIFETIME = dt.timedelta(days=30)
# A second press of the button is the same wish, not another letter.
SAME_WISH = dt.timedelta(minutes=1)
_UNSENT = "unsent:"


class OptedOut(ValidationError):
    """The contact does not want mail from us."""

    def __init__(self, contact: Contact) -> None:
        super().__init__(
            _("%(name)s asked not to be written to. You can still hand over a link yourself.") % {"name": contact.name}
        )


def digest(token: str) -> str:
    """What is kept of a token: SHA-256, hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


def ask_client(
    *,
    actor: User,
    opportunity: Opportunity,
    contact: Contact,
    now: dt.datetime,
    send: bool = True,
    language: str | None = None,
) -> tuple[ClientLink, str]:
    """Ask a contact to confirm what was agreed; the link and its token.

    With ``send`` a mail brings the link, and the token, which is made only then, is empty here. Without, the token is
    given once and nobody can read it again. Raises PermissionDenied, Resting, OptedOut, ValidationError.
    """
    _check_right(actor, opportunity)
    with transaction.atomic():
        deal = locked(opportunity)
        if rests(deal):
            raise Resting
        check_contact(deal, contact, send=send)
        if not is_something_to_confirm(deal):
            raise ValidationError(_("Write the scope or the success criteria first; there is nothing to confirm yet."))
        set_language(contact, language)
        waiting = ClientLink.objects.filter(
            opportunity=deal, contact=contact, purpose=LinkPurpose.CONFIRM, revoked_at=None, created_by=actor,
            created_at__gt=now - SAME_WISH,
        )  # fmt: skip
        known = waiting.first() if send else None
        if known is not None:
            return known, ""
        link, token = make_link(deal, contact, actor=actor, now=now, is_unsent=send)
        record(
            names.CLIENT_ASKED, actor=actor, about=link, within=deal, now=now,
            data={"contact": contact.name, "send": send},
        )  # fmt: skip
    return link, token


def make_link(
    deal: Opportunity,
    contact: Contact,
    *,
    actor: User | None,
    now: dt.datetime,
    pulse: Pulse | None = None,
    is_unsent: bool = False,
) -> tuple[ClientLink, str]:
    """A link and its token; ``is_unsent`` leaves the token to the mail that will bring it."""
    token = "" if is_unsent else secrets.token_urlsafe(32)
    link = ClientLink.objects.create(
        opportunity=deal, contact=contact, pulse=pulse, created_by=actor, created_at=now, expires_at=now + LIFETIME,
        purpose=LinkPurpose.PULSE if pulse is not None else LinkPurpose.CONFIRM,
        token_hash=digest(token) if token else _UNSENT + secrets.token_hex(28),
    )  # fmt: skip
    return link, token


def take_token(link: ClientLink, now: dt.datetime) -> tuple[ClientLink, str]:
    """The token for the mail that brings a link. Where a mail may have gone out already, a second link is made."""
    with transaction.atomic():
        current = ClientLink.objects.select_for_update().get(pk=link.pk)
        current.opportunity, current.contact = link.opportunity, link.contact
        if not is_unsent(current):
            return make_link(
                current.opportunity, current.contact, actor=current.created_by, now=now, pulse=current.pulse
            )
        token = secrets.token_urlsafe(32)
        current.token_hash = digest(token)
        current.save(update_fields=["token_hash"])
    return current, token


def is_unsent(link: ClientLink) -> bool:
    """Whether its mail has still to be made."""
    return link.token_hash.startswith(_UNSENT)


def link_of(token: str) -> ClientLink | None:
    """The link of a token, also one that expired or was taken back; None for a token that was never given out."""
    people = ("contact", "pulse__plan", "created_by", "opportunity__owner", "opportunity__account")
    return ClientLink.objects.filter(token_hash=digest(token)).select_related(*people).first()


def is_good(link: ClientLink, now: dt.datetime) -> bool:
    """Whether the link still opens its page."""
    if link.revoked_at is not None or now >= link.expires_at or rests(link.opportunity):
        return False
    pulse = link.pulse
    if pulse is None:
        return True
    return pulse.answered_at is not None or (pulse.cancelled_at is None and pulse.plan.shelved_at is None)


def revoke_link(*, actor: User, link: ClientLink, now: dt.datetime) -> ClientLink:
    """Take a link back; doing it again changes nothing. Raises PermissionDenied."""
    _check_right(actor, link.opportunity)
    with transaction.atomic():
        deal = locked(link.opportunity)
        current = ClientLink.objects.select_for_update().get(pk=link.pk)
        current.opportunity, current.contact = deal, link.contact
        if current.revoked_at is not None:
            return current
        current.revoked_at, current.revoked_by = now, actor
        current.save(update_fields=["revoked_at", "revoked_by"])
        record(
            names.CLIENT_LINK_REVOKED, actor=actor, about=current, within=deal, now=now,
            data={"contact": current.contact.name},
        )  # fmt: skip
    return current


def is_something_to_confirm(deal: Opportunity) -> bool:
    """Whether there is a statement or a risk profile to show."""
    return Statement.objects.filter(opportunity=deal).exists() or RiskProfile.objects.filter(opportunity=deal).exists()


def check_contact(deal: Opportunity, contact: Contact, *, send: bool) -> None:
    """Raises ValidationError for somebody who has nothing to do with the deal, or can't be written to."""
    if contact.account_id != deal.account_id and not deal.contacts.filter(pk=contact.pk).exists():
        raise ValidationError({"contact": _("This contact doesn’t belong to the deal.")})
    if not send:
        return
    if not contact.email:
        raise ValidationError({"contact": _("No e-mail address is known. Hand over a link instead.")})
    if ClientVoice.objects.filter(contact=contact, opted_out_at__isnull=False).exists():
        raise OptedOut(contact)


def set_language(contact: Contact, language: str | None) -> None:
    """Remember in which language to write to a contact; None leaves it."""
    if language in Language.values:
        ClientVoice.objects.update_or_create(contact=contact, defaults={"language": language})


def language_of(contact: Contact) -> str:
    """In which language to write to a contact."""
    known = ClientVoice.objects.filter(contact=contact).values_list("language", flat=True).first()
    return known or Language.ENGLISH.value


def _check_right(actor: User, opportunity: Opportunity) -> None:
    if not actor.has_perm("handoffs.speak_to_client", opportunity):
        raise not_yours()
