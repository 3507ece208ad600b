"""Several people at once: added together, or booked for the same; all of them or none."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from staffing.models import Booking, Person
from staffing.services.bookings import book
from staffing.services.checks import planner
from staffing.services.people import add_person
from staffing.states import IllegalTransition

MOST = 200


class SomeRefused(Exception):
    """Nothing was done; ``problems`` has by the place in the list what is wrong there."""

    def __init__(self, problems: Mapping[int, ValidationError]) -> None:
        super().__init__(_("Nothing was saved."))
        self.problems = problems


def add_people(*, actor: User, rows: Sequence[Mapping[str, Any]], now: dt.datetime) -> list[Person]:
    """Add everybody, or nobody. Raises PermissionDenied, SomeRefused, ValidationError for too many."""
    planner(actor)
    _check_number(len(rows))
    made: list[Person] = []
    problems: dict[int, ValidationError] = {}
    with transaction.atomic():
        for place, values in enumerate(rows):
            try:
                made.append(add_person(actor=actor, values=values, now=now))
            except ValidationError as error:
                problems[place] = error
        if problems:
            transaction.set_rollback(True)
    if problems:
        raise SomeRefused(problems)
    return made


def book_people(
    *, actor: User, people: Sequence[Person], values: Mapping[str, Any], now: dt.datetime, request_id: uuid.UUID | None
) -> list[Booking]:
    """Book everybody for the same, or nobody; the same ``request_id`` books each of them once.

    Raises PermissionDenied, SomeRefused, ValidationError for too many.
    """
    planner(actor)
    _check_number(len(people))
    made: list[Booking] = []
    problems: dict[int, ValidationError] = {}
    with transaction.atomic():
        for place, person in enumerate(people):
            own = uuid.uuid5(request_id, str(person.pk)) if request_id is not None else None
            try:
                made.append(book(actor=actor, values={**values, "person": person}, now=now, request_id=own))
            except ValidationError as error:
                problems[place] = error
            except IllegalTransition as error:
                problems[place] = ValidationError(str(error))
        if problems:
            transaction.set_rollback(True)
    if problems:
        raise SomeRefused(problems)
    return made


def _check_number(count: int) -> None:
    if count > MOST:
        sentence = ngettext("Up to %d at once.", "Up to %d at once.", MOST) % MOST
        raise ValidationError(f"{sentence} {_('Import a file for more.')}")
    if not count:
        raise ValidationError(_("Name at least one."))
