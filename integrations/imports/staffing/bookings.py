"""Bookings in a file: recognised by number, external id or what they are for; made or changed by the services."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property

from django.utils.translation import gettext as _

from integrations.imports.errors import BadRow
from integrations.imports.models import Kind, Outcome
from integrations.imports.staffing.rows import Rows, Said, changed
from integrations.imports.values import key_of
from opportunities.models import Opportunity
from staffing.models import Booking, BookingKind, Person
from staffing.services.bookings import book, change_booking

_KINDS = {
    BookingKind.SOFT: "soft tentative provisional planned weich vorläufig geplant",
    BookingKind.HARD: "hard firm confirmed fixed agreed hart fest",
}
# Who, for what and from which day: what tells bookings apart that have no id.
_Content = tuple[int | None, int | None, int | None, str, dt.date | None]


class BookingRows(Rows):
    """A file of bookings."""

    kind = Kind.BOOKINGS

    def take(self, said: Said, target: str, text: str) -> None:
        """Understand one cell. Raises BadRow."""
        if target == "person":
            said.values["person"] = self._person(text)
        elif target == "deal":
            said.values["opportunity"] = self._deal(text)
        elif target == "kind":
            self._note_kind(said, text)
        else:
            super().take(said, target, text)

    def _person(self, text: str) -> Person:
        found = self._people.get(text.casefold(), [])
        current = [each for each in found if each.archived_at is None] or found
        if len(current) > 1:
            raise BadRow(
                _("Several people are called “%(name)s”. Name them by external id or e-mail.") % {"name": text[:40]}
            )
        if not current:
            raise BadRow(_("Nobody here is called “%(name)s”.") % {"name": text[:40]})
        return current[0]

    @cached_property
    def _people(self) -> dict[str, list[Person]]:
        """By number, external id, e-mail and name; the first kind that a word is of counts."""
        people = list(Person.objects.select_related("user", "role").order_by("pk"))
        found: dict[str, list[Person]] = {f"#{person.pk}": [person] for person in people}
        for person in people:
            if person.external_id:
                found.setdefault(person.external_id.casefold(), [person])
        for person in people:
            if person.user is not None:
                found.setdefault(person.user.email.casefold(), [person])
        named: dict[str, list[Person]] = defaultdict(list)
        for person in people:
            named[person.name.casefold()].append(person)
        return {**named, **found}

    def _deal(self, text: str) -> Opportunity:
        found = self._deals.get(text.casefold(), [])
        if len(found) > 1:
            raise BadRow(_("Several deals are called “%(name)s”. Name it by its external id.") % {"name": text[:60]})
        if not found:
            raise BadRow(_("There is no deal “%(name)s”, or you may not see it.") % {"name": text[:60]})
        return found[0]

    @cached_property
    def _deals(self) -> dict[str, list[Opportunity]]:
        deals = list(Opportunity.objects.current().visible_to(self.actor).only("pk", "name", "external_id"))
        found = {f"#{deal.pk}": [deal] for deal in deals}
        for deal in deals:
            if deal.external_id:
                found.setdefault(deal.external_id.casefold(), [deal])
        named: dict[str, list[Opportunity]] = defaultdict(list)
        for deal in deals:
            named[deal.name.casefold()].append(deal)
        return {**named, **found}

    def _note_kind(self, said: Said, text: str) -> None:
        said.values["kind"] = next((kind for kind, words in _KINDS.items() if key_of(text) in words.split()), None)

    # --- recognising ------------------------------------------------------------------------------------------------

    def recogniser(self, said: Sequence[Said]) -> Callable[[Said], tuple[list[object], int | None]]:
        """Each booking once; without an id those are the same that begin on the same day for the same."""
        numbers = [row.number for row in said if row.number is not None]
        by_pk = Booking.objects.in_bulk(numbers)
        ids = {row.external_id for row in said if row.external_id}
        by_id = {each.external_id: each for each in Booking.objects.filter(external_id__in=ids).exclude(external_id="")}
        alike = _by_content(Booking.objects.live().filter(first_on__in={row.values.get("first_on") for row in said}))

        def recognise(row: Said) -> tuple[list[object], int | None]:
            keys: list[object] = [("id", row.external_id)] if row.external_id else []
            if row.number is not None:
                found = by_pk.get(row.number)
                if found is None:
                    raise BadRow(_("There is no booking with this number here. Leave it empty for a new one."))
            elif row.external_id:
                found = by_id.get(row.external_id)
            else:
                content = _content_of(row)
                found = _one_of(alike.get(content, ()), row)
                keys.append(content)
            self._check(row, found)
            return [*keys, *([("booking", found.pk)] if found else [])], found.pk if found else None

        return recognise

    def _check(self, row: Said, found: Booking | None) -> None:
        deal = row.values.get("opportunity")
        if found is not None and deal is not None and deal.pk != found.opportunity_id:
            raise BadRow(_("The booking is for something else here. Release it there, and add a row for the new one."))

    def present(self, keys: Collection[int]) -> Mapping[int, Booking]:
        """These bookings with what a row may change."""
        return Booking.objects.select_related("role", "person", "opportunity", "need").in_bulk(list(keys))

    # --- writing ----------------------------------------------------------------------------------------------------

    def write(self, said: Said, found: Booking | None) -> Outcome:
        """Book, or change what is booked."""
        values = dict(said.values)
        kind = values.pop("kind", None)
        if found is None:
            if said.external_id:
                values["external_id"] = said.external_id
            found = book(actor=self.actor, values=values, now=self.now)
            self._compare_kind(said, kind, found)
            return Outcome.CREATED
        self._compare_kind(said, kind, found)
        if said.external_id and found.external_id != said.external_id:
            said.notices.append(_("A booking keeps the external id that it was made with."))
        if found.released_at is not None:
            said.notices.append(_("It was released here and was left alone."))
            return Outcome.UNCHANGED
        values.pop("opportunity", None)
        changes = changed(found, values)
        if not changes:
            return Outcome.UNCHANGED
        change_booking(actor=self.actor, booking=found, changes=changes, expected_version=None, now=self.now)
        return Outcome.CHANGED

    def _compare_kind(self, said: Said, kind: str | None, found: Booking) -> None:
        if kind is not None and kind != found.kind:
            said.notices.append(_("Soft or hard follows the deal: soft while it is open, hard once it is won."))


def _content_of(row: Said) -> _Content:
    person, role, deal = (row.values.get(name) for name in ("person", "role", "opportunity"))
    return (
        person.pk if person else None, None if person else role and role.pk, deal.pk if deal else None,
        "" if deal else str(row.values.get("title", "")).casefold(), row.values.get("first_on"),
    )  # fmt: skip


def _by_content(bookings: Iterable[Booking]) -> dict[_Content, list[Booking]]:
    found: dict[_Content, list[Booking]] = defaultdict(list)
    for each in bookings:
        content = (
            each.person_id, None if each.person_id else each.role_id, each.opportunity_id,
            "" if each.opportunity_id else each.title.casefold(), each.first_on,
        )  # fmt: skip
        found[content].append(each)
    return found


def _one_of(same: Sequence[Booking], row: Said) -> Booking | None:
    """The one of several bookings that a row is about: the only one, or one that is just as the row says."""
    if len(same) < 2:
        return same[0] if same else None
    exact = [each for each in same if not changed(each, {n: row.values[n] for n in _TELLING if n in row.values})]
    if not exact:
        raise BadRow(_("Several bookings begin on this day for the same. Say which by its number or external id."))
    return exact[0]


_TELLING = ("hours_per_week", "last_on", "note")
