"""People and bookings as a file in the columns that the import reads: download, change, upload again."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch

from accounts.models import User
from integrations.imports.models import Kind
from integrations.imports.staffing.columns import TARGETS
from opportunities.models import Opportunity
from opportunities.services.export import safe_cell
from staffing.models import Booking, Person, PersonSkill

_EXAMPLES: dict[str, tuple[tuple[str, ...], ...]] = {
    Kind.PEOPLE: (
        ("", "E-1001", "Pia", "Architect", "40", "pia@fjordfield.example", "", "", "2026-03-01", "", "Python 4; SQL 3"),
        ("", "E-1002", "Dan", "Engineer", "30", "", "", "", "", "2027-06-30", "Python 2"),
    ),
    Kind.BOOKINGS: (
        ("", "B-1", "Pia", "", "Terminal platform", "", "", "24", "2026-12-07", "2027-02-26", "Two days on site"),
        ("", "B-2", "Dan", "", "", "Training", "", "8", "2026-12-14", "2026-12-18", ""),
        ("", "B-3", "", "Engineer", "Terminal platform", "", "", "40", "2027-01-04", "2027-03-26", "Nobody named yet"),
    ),
}  # fmt: skip


def template_rows(kind: str) -> Iterator[list[Any]]:
    """The heading and examples to write over."""
    yield _heading(kind)
    yield from ([safe_cell(cell) for cell in row] for row in _EXAMPLES[kind])


def people_rows() -> Iterator[list[Any]]:
    """The heading, then everybody who was not archived."""
    yield _heading(Kind.PEOPLE)
    skills = Prefetch("skills", PersonSkill.objects.select_related("skill"))
    people = Person.objects.current().select_related("role", "user", "region", "calendar").prefetch_related(skills)
    for person in people.order_by("name", "pk"):
        listed = "; ".join(f"{each.skill.name} {each.proficiency}" for each in person.skills.all())
        yield _guarded(
            [
                person.pk, person.external_id, person.name, person.role.name, _figure(person.weekly_hours),
                person.user.email if person.user else "", person.region.name if person.region else "",
                person.calendar.name if person.calendar else "", person.joins_on, person.leaves_on, listed,
            ]
        )  # fmt: skip


def booking_rows(user: User, *, since: dt.date) -> Iterator[list[Any]]:
    """The heading, then all that counts and isn't over by that day; deals that the person may not see stay unnamed."""
    yield _heading(Kind.BOOKINGS)
    bookings = list(
        Booking.objects.live().filter(last_on__gte=since).select_related("person", "role").order_by("first_on", "pk")
    )
    visible = Opportunity.objects.current().visible_to(user)
    deals = dict(visible.values_list("pk", "name"))
    external = dict(visible.exclude(external_id="").values_list("pk", "external_id"))
    called = Counter(name.casefold() for name in deals.values())
    people = Counter(name.casefold() for name in Person.objects.current().values_list("name", flat=True))
    for each in bookings:
        yield _guarded(
            [
                each.pk, each.external_id, _person(each.person, people), each.role.name,
                _deal(each.opportunity_id, deals, external, called), each.title, each.kind,
                _figure(each.hours_per_week), each.first_on, each.last_on, each.note,
            ]
        )  # fmt: skip


def _person(person: Person | None, people: Counter[str]) -> str:
    if person is None:
        return ""
    is_plain = person.archived_at is None and people[person.name.casefold()] == 1
    return person.name if is_plain else f"#{person.pk}"


def _deal(pk: int | None, deals: dict[int, str], external: dict[int, str], called: Counter[str]) -> str:
    if pk is None or pk not in deals:
        return ""
    return deals[pk] if called[deals[pk].casefold()] == 1 else external.get(pk, f"#{pk}")


def _heading(kind: str) -> list[Any]:
    return [str(label) for label in TARGETS[kind].values()]


def _guarded(row: list[Any]) -> list[Any]:
    return [safe_cell(cell) for cell in row]


def _figure(value: Decimal) -> Decimal:
    return Decimal(f"{value.normalize():f}")
