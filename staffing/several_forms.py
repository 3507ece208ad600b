"""Validation of several people at once: lines of new people, and the same booking for many."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from opportunities.forms.fields import PickField, TextField
from staffing.models import MOST_HOURS, Person, WorkRole
from staffing.people_forms import HoursField
from staffing.schedule_forms import BookingForm
from staffing.services.several import MOST

USUAL_LINES, MORE_LINES = 5, 3
USUAL_HOURS = Decimal(40)
_FIELDS = ("name", "role", "weekly_hours")
_BETWEEN = re.compile(r"\s*[\t;]\s*|\s*,\s+")


class PersonLine(forms.Form):
    """One new person."""

    name = TextField(label=gettext_lazy("Name"), max_length=120)
    weekly_hours = HoursField(label=gettext_lazy("Hours a week"), min_value=0, max_value=MOST_HOURS, required=False)

    def __init__(self, data: Any, *, number: int, roles: Iterable[WorkRole]) -> None:
        self.number = number
        super().__init__(data, prefix=f"line-{number}", auto_id="several-%s")
        unknown = {"invalid_choice": gettext_lazy("There is no role “%(value)s”. Choose one from the list.")}
        self.fields["role"] = PickField(
            roles, label=gettext_lazy("Role"), nothing=gettext_lazy("Choose"), error_messages=unknown
        )
        for name, field in self.fields.items():
            kind = "form-select" if name == "role" else "form-control"
            field.widget.attrs |= {"class": kind, "aria-label": _("%(label)s, line %(number)d") % {
                "label": field.label, "number": number + 1,
            }}  # fmt: skip
        self.fields["weekly_hours"].widget.attrs["placeholder"] = f"{USUAL_HOURS}"

    @property
    def values(self) -> dict[str, Any]:
        """The values given, with a full week where no hours are."""
        given = self.cleaned_data
        hours = USUAL_HOURS if given["weekly_hours"] is None else given["weekly_hours"]
        return {"name": given["name"], "role": given["role"], "weekly_hours": hours}

    def refuse(self, error: ValidationError) -> None:
        """Put what the service said beside the line."""
        found = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        for name, sentences in found.items():
            for sentence in sentences:
                self.add_error(name if name in self.fields else None, sentence)

    @property
    def sentences(self) -> list[str]:
        """All that is wrong with the line."""
        if not self.is_bound:
            return []
        return [
            f"{self.fields[name].label}: {sentence}" if name in self.fields else str(sentence)
            for name, sentences in self.errors.items()
            for sentence in sentences
        ]

    def mark(self) -> None:
        """Tie wrong fields to their sentences, for eyes and for readers of screens."""
        for name in self.errors if self.is_bound else ():
            if name in self.fields:
                attrs = self.fields[name].widget.attrs
                attrs |= {"class": f"{attrs['class']} is-invalid", "aria-invalid": "true",
                          "aria-describedby": f"several-errors-{self.number}"}  # fmt: skip


class SeveralPeople:
    """Lines of new people: those typed, those pasted, and some empty ones."""

    def __init__(self, data: Mapping[str, Any] | None) -> None:
        self.roles = list(WorkRole.objects.filter(archived_at__isnull=True))
        self.pasted = ""
        typed = _typed(data) if data is not None else []
        typed += self._from_text(str(data.get("lines", "")) if data is not None else "")
        self.has_too_many = len(typed) > MOST
        kept = typed[:MOST]
        count = max(USUAL_LINES, len(kept) + (0 if data is None else MORE_LINES))
        self.given = [PersonLine(_named(row, n), number=n, roles=self.roles) for n, row in enumerate(kept)]
        self.lines = [
            *self.given, *(PersonLine(None, number=n, roles=self.roles) for n in range(len(kept), count)),
        ]  # fmt: skip

    def is_valid(self) -> bool:
        """Whether there is a line and nothing is wrong with any."""
        return all(line.is_valid() for line in self.given) and bool(self.given) and not self.has_too_many

    def mark(self) -> SeveralPeople:
        """The same with wrong fields tied to their sentences."""
        for line in self.given:
            line.mark()
        return self

    def _from_text(self, text: str) -> list[dict[str, str]]:
        """Lines such as “Nils; Architect; 30” or three cells of a spreadsheet; a role that isn't known stays open."""
        keys = {role.name.casefold(): str(role.pk) for role in self.roles}
        found = []
        for line in text.replace("\r", "\n").split("\n"):
            if line.strip():
                name, role, hours = (*_BETWEEN.split(line.strip()), "", "", "")[:3]
                hours = hours.removesuffix("h").strip().replace(",", ".")
                found.append({"name": name, "role": keys.get(role.casefold(), role), "weekly_hours": hours})
        return found


def _typed(data: Mapping[str, Any]) -> list[dict[str, str]]:
    """Lines in which something stands."""
    rows = []
    for number in range(MOST + MORE_LINES):
        row = {name: str(data.get(f"line-{number}-{name}", "")) for name in _FIELDS}
        if any(value.strip() for value in row.values()):
            rows.append(row)
    return rows


def _named(row: Mapping[str, str], number: int) -> dict[str, str]:
    return {f"line-{number}-{name}": value for name, value in row.items()}


class SeveralBookingsForm(BookingForm):
    """The same deal or work, hours and days for several people."""

    def __init__(self, data: Any = None, *, user: User, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, user=user, initial=initial)
        del self.fields["person"], self.fields["role"]
        self.people = list(
            Person.objects.current().select_related("role").order_by("role__position", "role__name", "name", "pk")
        )
        given = data.getlist("people") if data is not None else (initial or {}).get("people", [])
        wanted = {str(key) for key in given}
        self.chosen = [person for person in self.people if str(person.pk) in wanted]
        self.refused: dict[int, list[str]] = {}

    def groups(self) -> list[tuple[WorkRole, list[tuple[Person, bool, list[str]]]]]:
        """Everybody by role: whether they are chosen, and what is wrong with booking them."""
        chosen = {person.pk for person in self.chosen}
        found: dict[int, tuple[WorkRole, list[tuple[Person, bool, list[str]]]]] = {}
        for person in self.people:
            rows = found.setdefault(person.role_id, (person.role, []))[1]
            rows.append((person, person.pk in chosen, self.refused.get(person.pk, [])))
        return list(found.values())

    @property
    def values(self) -> dict[str, Any]:
        """The values given, but for whom."""
        return {name: value for name, value in super().values.items() if name not in ("person", "role")}

    def clean(self) -> dict[str, Any]:
        """Somebody, for a deal or for work of our own."""
        given = forms.Form.clean(self) or {}
        if not self.chosen:
            self.add_error(None, _("Choose the people to book."))
        if not self.errors and bool(given.get("opportunity")) == bool(given.get("title")):
            self.add_error("opportunity", _("Name either the deal or the own work."))
        return given

    def refuse(self, people: Sequence[Person], problems: Mapping[int, ValidationError]) -> None:
        """Name each that can't be booked with the reason; what concerns everybody alike is said once."""
        sentences = {place: error.messages for place, error in problems.items()}
        if len(sentences) == len(people) and len({tuple(each) for each in sentences.values()}) == 1:
            error = problems[0]
            for name, each in error.message_dict.items() if hasattr(error, "error_dict") else [("", error.messages)]:
                for sentence in each:
                    self.add_error(name if name in self.fields else None, sentence)
            return
        self.refused = {people[place].pk: each for place, each in sentences.items()}
        self.add_error(None, _("Nobody was booked, because of these:"))
        for place, each in sentences.items():
            self.add_error(None, f"{people[place].name}: {' '.join(each)}")
