"""Scope and success criteria in words: versions that sales and delivery write and the client confirms or amends."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from events import names
from events.recording import record
from handoffs.client_access import not_yours
from handoffs.ledger_access import rests
from handoffs.models import Statement, Subject
from handoffs.services.client.following import follow_client
from handoffs.services.client.words import LONGEST_NOTE, LONGEST_TEXT, Resting, checked, in_house
from opportunities.models import Opportunity
from opportunities.services.versions import locked

WRITTEN = (Subject.SCOPE, Subject.SUCCESS_CRITERIA)


class StaleStatement(Exception):
    """There is a newer version than the one that the person saw; ``current`` is it, None where there is none."""

    def __init__(self, current: Statement | None) -> None:
        number = current.number if current is not None else 0
        super().__init__(
            _("Version %(number)d was written in the meantime. Look at it, then send yours again.") % {"number": number}
        )
        self.current = current


def write_statement(
    *,
    actor: User,
    opportunity: Opportunity,
    subject: Subject,
    text: str,
    now: dt.datetime,
    reason: str = "",
    expected_number: int | None = None,
) -> Statement:
    """Write the next version; the same words again are the version that is there.

    ``expected_number`` is the version that the person saw, 0 for none yet. Raises StaleStatement, PermissionDenied,
    Resting, ValidationError with a sentence per field.
    """
    if not actor.has_perm("handoffs.speak_to_client", opportunity):
        raise not_yours()
    text = checked(text, field="text", most=LONGEST_TEXT, is_required=True)
    reason = checked(reason, field="reason", most=LONGEST_NOTE)
    with transaction.atomic():
        deal = locked(opportunity)
        if rests(deal):
            raise Resting
        newest = newest_statement(deal, subject)
        if newest is not None and newest.text == text:
            return newest
        number = newest.number if newest is not None else 0
        if expected_number not in (None, number):
            raise StaleStatement(newest)
        statement = Statement.objects.create(
            opportunity=deal, subject=subject, number=number + 1, text=text, reason=reason, written_by=actor,
            written_at=now,
        )  # fmt: skip
        record(
            names.STATEMENT_WRITTEN, actor=actor, about=statement, within=deal, now=now,
            data={"number": statement.number, "subject": in_house(subject)},
        )  # fmt: skip
        follow_client(deal, now, actor)
    return statement


def newest_statement(opportunity: Opportunity, subject: str) -> Statement | None:
    """The version with the highest number."""
    found = Statement.objects.filter(opportunity=opportunity, subject=subject)
    return found.select_related("written_by", "amended_by").order_by("-number").first()
