"""The client's word on what was agreed: yes, or a version of their own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from events import names
from events.recording import record
from handoffs.models import ClientAnswer, ClientLink, Confirmation, RaidKind, RiskProfile, Statement, Subject
from handoffs.models.risk import LEAST, MOST
from handoffs.services.actions import follow_profile
from handoffs.services.client.following import follow_client
from handoffs.services.client.links import is_good
from handoffs.services.client.statements import newest_statement
from handoffs.services.client.words import LONGEST_NOTE, LONGEST_TEXT, checked, in_house
from handoffs.services.risk_profiles import Entry, newest_profile
from opportunities.models import Opportunity
from opportunities.services.versions import locked

Version = Statement | RiskProfile
MOST_FURTHER = 10


class LinkGone(Exception):
    """The link expired, was taken back, or what it was about rests."""


class StaleVersion(Exception):
    """There is a newer version than the one that the client saw; ``current`` is it."""

    def __init__(self, current: Version) -> None:
        super().__init__(_("This was changed in the meantime. Please look at the newest version."))
        self.current = current


@dataclass(frozen=True)
class RiskWord:
    """What the client says to one entry of the risk profile; None leaves its rating."""

    likelihood: int | None = None
    impact: int | None = None
    remark: str = ""


@dataclass(frozen=True)
class FurtherRisk:
    """A risk that the client adds."""

    text: str
    likelihood: int
    impact: int


def confirm(*, link: ClientLink, subject: Subject, number: int, now: dt.datetime) -> Confirmation:
    """The contact says yes to the version with that number; saying it again is the same yes.

    Raises LinkGone, StaleVersion.
    """
    with transaction.atomic():
        deal = _opened(link, now)
        newest = _newest(deal, subject)
        said = _said(link, subject, newest)
        if said is not None:
            return said
        if newest.number != number:
            raise StaleVersion(newest)
        given = _keep(link, deal, subject, newest, ClientAnswer.CONFIRMED, now)
        if isinstance(newest, RiskProfile) and newest.client_agreed_at is None:
            newest.client_agreed_by, newest.client_agreed_at = link.contact, now
            newest.save(update_fields=["client_agreed_by", "client_agreed_at"])
        _tell(names.CLIENT_CONFIRMED, given, newest.number, now)
        follow_client(deal, now)
    return given


def amend(
    *,
    link: ClientLink,
    subject: Subject,
    number: int,
    now: dt.datetime,
    text: str = "",
    reason: str = "",
    risks: Mapping[int, RiskWord] | None = None,
    further: Sequence[FurtherRisk] = (),
) -> Confirmation:
    """The contact changes the version with that number: what they send is the next version, and their word on it.

    ``text`` is for scope and success criteria, ``risks`` (by the entries' ids) and ``further`` for the risk profile.
    The same once more is the same answer. Raises LinkGone, StaleVersion, ValidationError with a sentence per field.
    """
    reason = checked(reason, field="reason", most=LONGEST_NOTE)
    if subject != Subject.RISK_PROFILE:
        text = checked(text, field="text", most=LONGEST_TEXT, is_required=True)
    with transaction.atomic():
        deal = _opened(link, now)
        newest = _newest(deal, subject)
        before = _version(deal, subject, number)
        content = amended(before, text, risks or {}, further)
        said = _said(link, subject, before)
        if said is not None and _content_of(said.new_statement or said.new_risk_profile) == content:
            return said
        if newest.number != number:
            raise StaleVersion(newest)
        if content == _content_of(before):
            raise ValidationError(_("Nothing is changed yet. Change what isn’t right, or say that it is."))
        if said is not None:
            raise ValidationError(_("You have confirmed this version. Please write to us if it isn’t right any more."))
        after = _add(deal, subject, number + 1, content, link, reason, now)
        given = _keep(link, deal, subject, newest, ClientAnswer.AMENDED, now, after)
        _tell(names.CLIENT_AMENDED, given, after.number, now)
        follow_client(deal, now)
        if isinstance(after, RiskProfile):
            follow_profile(deal, now)
    return given


def _opened(link: ClientLink, now: dt.datetime) -> Opportunity:
    """The deal, locked, while the link opens it."""
    deal = locked(link.opportunity)
    current = ClientLink.objects.select_for_update().get(pk=link.pk)
    current.opportunity = deal
    if current.pulse_id is not None or not is_good(current, now):
        raise LinkGone
    return deal


def _newest(deal: Opportunity, subject: Subject) -> Version:
    found: Version | None = newest_profile(deal) if subject == Subject.RISK_PROFILE else newest_statement(deal, subject)
    if found is None:
        raise LinkGone
    return found


def _version(deal: Opportunity, subject: Subject, number: int) -> Version:
    if subject == Subject.RISK_PROFILE:
        found: Version | None = RiskProfile.objects.filter(opportunity=deal, number=number).first()
    else:
        found = Statement.objects.filter(opportunity=deal, subject=subject, number=number).first()
    if found is None:
        raise StaleVersion(_newest(deal, subject))
    return found


def _said(link: ClientLink, subject: Subject, version: Version) -> Confirmation | None:
    about = {"risk_profile" if subject == Subject.RISK_PROFILE else "statement": version.pk}
    people = ("new_statement", "new_risk_profile", "contact")
    return Confirmation.objects.filter(contact=link.contact_id, **about).select_related(*people).first()


def _content_of(version: Version | None) -> str | list[Entry] | None:
    if version is None:
        return None
    return version.text if isinstance(version, Statement) else version.items


def amended(
    before: Version, text: str, risks: Mapping[int, RiskWord], further: Sequence[FurtherRisk]
) -> str | list[Entry]:
    """What a version would hold with the client's changes. Raises ValidationError with a sentence per field."""
    if isinstance(before, Statement):
        return text
    entries = [_reworded(entry, risks.get(entry["id"])) for entry in before.items]
    return entries + _added(entries, further)


def _reworded(entry: Entry, word: RiskWord | None) -> Entry:
    if word is None:
        return dict(entry)
    changed: dict[str, Any] = dict(entry)
    for name in ("likelihood", "impact"):
        wanted = getattr(word, name)
        if wanted is not None:
            changed[name] = _rating(wanted)
    remark = checked(word.remark, field=f"remark_{entry['id']}", most=LONGEST_NOTE)
    if remark or "remark" in entry:
        changed["remark"] = remark
    return changed


def _added(entries: Sequence[Entry], further: Sequence[FurtherRisk]) -> list[Entry]:
    """Entries of the client's have ids below zero: they aren't in the register yet."""
    if len(further) > MOST_FURTHER:
        raise ValidationError(_("Please send at most %(count)d further risks at once.") % {"count": MOST_FURTHER})
    lowest = min([entry["id"] for entry in entries] + [0])
    return [
        {
            "id": lowest - place, "kind": RaidKind.RISK.value,
            "text": checked(risk.text, field="further_text", most=LONGEST_NOTE, is_required=True),
            "likelihood": _rating(risk.likelihood), "impact": _rating(risk.impact),
            "response": "", "response_note": "", "owner": None,
        }
        for place, risk in enumerate(further, start=1)
    ]  # fmt: skip


def _rating(value: int) -> int:
    if not LEAST <= value <= MOST:
        raise ValidationError(_("Choose a rating from the list."))
    return value


def _add(
    deal: Opportunity,
    subject: Subject,
    number: int,
    content: str | list[Entry],
    link: ClientLink,
    reason: str,
    now: dt.datetime,
) -> Version:
    if isinstance(content, str):
        return Statement.objects.create(
            opportunity=deal, subject=subject, number=number, text=content, reason=reason, amended_by=link.contact,
            written_at=now,
        )  # fmt: skip
    return RiskProfile.objects.create(
        opportunity=deal, number=number, items=content, reason=reason, amended_by=link.contact, proposed_at=now,
        client_agreed_by=link.contact, client_agreed_at=now,
    )  # fmt: skip


def _keep(
    link: ClientLink,
    deal: Opportunity,
    subject: Subject,
    version: Version,
    answer: ClientAnswer,
    now: dt.datetime,
    after: Version | None = None,
) -> Confirmation:
    return Confirmation.objects.create(
        link=link, opportunity=deal, contact=link.contact, subject=subject, answer=answer, at=now,
        statement=version if isinstance(version, Statement) else None,
        risk_profile=version if isinstance(version, RiskProfile) else None,
        new_statement=after if isinstance(after, Statement) else None,
        new_risk_profile=after if isinstance(after, RiskProfile) else None,
    )  # fmt: skip


def _tell(name: str, given: Confirmation, number: int, now: dt.datetime) -> None:
    record(
        name, actor=None, about=given, within=given.opportunity, now=now,
        data={"contact": given.contact.name, "subject": in_house(given.subject), "number": number},
    )  # fmt: skip
