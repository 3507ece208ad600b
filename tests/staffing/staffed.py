"""Roles, people, needs and bookings as rows, for tests that only read them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from opportunities.models import Opportunity
from staffing.models import Booking, Person, StaffingNeed, WorkRole


def role(name: str = "Architect", **fields: Any) -> WorkRole:
    """The role of that name."""
    return WorkRole.objects.get_or_create(name=name, defaults=fields)[0]


def worker(name: str, in_role: WorkRole | None = None, hours: int | str = 40, **fields: Any) -> Person:
    """Somebody who delivers."""
    return Person.objects.create(name=name, role=in_role or role(), weekly_hours=Decimal(hours), **fields)


def need(deal: Opportunity, in_role: WorkRole, hours: int, *, weeks: int = 4, offset: int = 0) -> StaffingNeed:
    """What the deal asks for."""
    return StaffingNeed.objects.create(
        opportunity=deal, role=in_role, hours_per_week=Decimal(hours), weeks=weeks, offset_weeks=offset
    )


def booking(first_on: dt.date, last_on: dt.date, hours: int, **fields: Any) -> Booking:
    """Hours a week; of a person, or of a role while nobody is named."""
    person = fields.get("person")
    given = {"kind": "hard", "title": "" if fields.get("opportunity") else "Own work", **fields}
    given.setdefault("role", person.role if person else role())
    return Booking.objects.create(first_on=first_on, last_on=last_on, hours_per_week=Decimal(hours), **given)
