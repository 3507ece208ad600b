"""Booking a whole team: all of it or nobody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from opportunities.models import Opportunity
from opportunities.services.versions import locked
from staffing.models import Booking, Person, StaffingNeed
from staffing.services.bookings import book
from staffing.services.checks import planner


@dataclass(frozen=True)
class Pick:
    """Somebody for a need of the deal, with hours a week from a day to a day."""

    need: StaffingNeed
    person: Person
    hours: Decimal
    first_on: dt.date
    last_on: dt.date


def book_team(*, actor: User, opportunity: Opportunity, picks: Sequence[Pick], now: dt.datetime) -> list[Booking]:
    """Book everybody who was picked, softly while the deal is open; the same picks again book nobody twice.

    Raises PermissionDenied, IllegalTransition, ValidationError with a sentence for each who can't be booked; then
    nobody is.
    """
    planner(actor)
    if not picks:
        raise ValidationError(_("Choose at least one person."))
    made, refused = [], []
    with transaction.atomic():
        deal = locked(opportunity)
        for pick in sorted(picks, key=lambda each: (each.person.pk, each.need.pk)):
            values = {
                "need": pick.need, "person": pick.person, "role": pick.need.role, "opportunity": deal,
                "hours_per_week": pick.hours, "first_on": pick.first_on, "last_on": pick.last_on,
            }  # fmt: skip
            try:
                with transaction.atomic():
                    made.append(book(actor=actor, values=values, now=now))
            except ValidationError as error:
                refused += [_("%(role)s: %(why)s") % {"role": pick.need.role, "why": why} for why in error.messages]
        if refused:
            raise ValidationError(refused)
    return made
