"""Validation of what people say a deal needs, whom they book for it, and what deals usually need."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import ServiceLine
from opportunities.forms.fields import DayField, PickField, TextField
from staffing.models import (
    MOST_NEEDED,
    MOST_OFFSET,
    MOST_WEEKS,
    NeedTemplate,
    Person,
    Skill,
    StaffingNeed,
    WorkRole,
)
from staffing.people_forms import HoursField, RecordForm, VersionForm
from staffing.words import PROFICIENCY

LEAST_HOURS = Decimal("0.5")
# Rows for skills that a need can name at once, besides those that it names already.
FREE_ROWS = 2
USUAL_PROFICIENCY = 3


class _WeeksField(forms.IntegerField):
    """Whole weeks."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.NumberInput(attrs={"step": "1", "inputmode": "numeric"}), **kwargs)


class _ShapeForm(RecordForm):
    """How much of which role, from when, and for how long."""

    NAMES: ClassVar[tuple[str, ...]] = ("role", "hours_per_week", "offset_weeks", "weeks")
    hours_per_week = HoursField(label=gettext_lazy("Hours a week"), min_value=LEAST_HOURS, max_value=MOST_NEEDED)
    weeks = _WeeksField(label=gettext_lazy("For how many weeks"), min_value=1, max_value=MOST_WEEKS)
    offset_weeks = _WeeksField(
        label=gettext_lazy("Weeks after the start"), min_value=0, max_value=MOST_OFFSET,
        help_text=gettext_lazy("0: from the first week of the work."),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, thing: NeedTemplate | StaffingNeed | None) -> None:
        fresh = {"offset_weeks": 0, "weeks": 4, "hours_per_week": Decimal(20)}
        super().__init__(data, thing=thing, initial=fresh)
        roles = list(WorkRole.objects.filter(archived_at__isnull=True))
        if thing is not None and thing.role not in roles:
            roles.append(thing.role)
        self.fields["role"] = PickField(roles, label=_("Role"), nothing=_("Choose"))
        self.order_fields(["version", "role"])


class NeedForm(_ShapeForm):
    """One need of a deal, with the skills that it takes."""

    NAMES = ("role", "hours_per_week", "offset_weeks", "weeks", "note")
    note = TextField(label=gettext_lazy("Note"), max_length=300, required=False)

    def __init__(self, data: Any = None, *, need: StaffingNeed | None = None) -> None:
        super().__init__(data, thing=need)
        own = list(need.skills.select_related("skill")) if need is not None else []
        skills = list(Skill.objects.filter(archived_at__isnull=True))
        skills += [each.skill for each in own if each.skill not in skills]
        levels = [(str(level), word) for level, word in PROFICIENCY.items()]
        self.rows = len(own) + FREE_ROWS if skills else 0
        for row in range(self.rows):
            known = own[row] if row < len(own) else None
            self.fields[f"skill_{row}"] = PickField(
                skills, label=_("Skill"), required=False, initial=known.skill if known else None
            )
            level = str(known.proficiency if known else USUAL_PROFICIENCY)
            self.fields[f"least_{row}"] = forms.TypedChoiceField(
                label=_("At least"), choices=levels, coerce=int, required=False, initial=level
            )

    @property
    def skill_rows(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """Skill and proficiency, row by row."""
        return [(self[f"skill_{row}"], self[f"least_{row}"]) for row in range(self.rows)]

    @property
    def values(self) -> dict[str, Any]:
        """The values given, with the skills."""
        return {**super().values, "skills": self._skills()}

    def clean(self) -> dict[str, Any]:
        """Each skill once. Raises ValidationError."""
        chosen = [skill for row in range(self.rows) if (skill := self.cleaned_data.get(f"skill_{row}"))]
        if len(chosen) != len(set(chosen)):
            raise ValidationError(_("Name each skill once."))
        return self.cleaned_data

    def _skills(self) -> Mapping[int, int]:
        return {
            self.cleaned_data[f"skill_{row}"].pk: self.cleaned_data.get(f"least_{row}") or USUAL_PROFICIENCY
            for row in range(self.rows)
            if self.cleaned_data.get(f"skill_{row}")
        }


class TemplateForm(_ShapeForm):
    """A need that deals of a service line usually have."""

    NAMES = ("service_line", "role", "hours_per_week", "offset_weeks", "weeks")

    def __init__(self, data: Any = None, *, template: NeedTemplate | None = None, line: ServiceLine | None = None):
        super().__init__(data, thing=template)
        self.fields["service_line"] = PickField(
            ServiceLine.objects.all(), label=_("Service line"), nothing=_("Every line without needs of its own"),
            required=False, initial=line,
        )  # fmt: skip
        self.order_fields(["version", "service_line", "role"])


class BookForm(forms.Form):
    """Whom to book for a need, for how much and when; nobody means that the role is held."""

    hours_per_week = HoursField(label=gettext_lazy("Hours a week"), min_value=LEAST_HOURS, max_value=MOST_NEEDED)
    first_on = DayField(label=gettext_lazy("First day"))
    last_on = DayField(label=gettext_lazy("Last day"))

    def __init__(self, data: Any = None, *, need: StaffingNeed, people: list[Person], initial: Mapping[str, Any]):
        super().__init__(data, initial=dict(initial))
        self.need = need
        self.fields["person"] = PickField(people, label=_("Who"), required=False, nothing=_("Nobody named yet"))

    def clean(self) -> dict[str, Any]:
        """Days in their order, and no more of them than a need can have. Raises ValidationError."""
        first, last = self.cleaned_data.get("first_on"), self.cleaned_data.get("last_on")
        if first and last and last < first:
            self.add_error("last_on", _("It can't end before it begins."))
        return self.cleaned_data

    @property
    def booking(self) -> dict[str, Any]:
        """What to book."""
        return {
            "person": self.cleaned_data["person"], "role": self.need.role, "need": self.need,
            "opportunity": self.need.opportunity, "hours_per_week": self.cleaned_data["hours_per_week"],
            "first_on": self.cleaned_data["first_on"], "last_on": self.cleaned_data["last_on"],
        }  # fmt: skip


class SpanForm(forms.Form):
    """The days to look at in the dialog, before anybody is booked."""

    first_on = DayField()
    last_on = DayField()

    @classmethod
    def read(cls, data: Any, first_on: dt.date, last_on: dt.date) -> tuple[dt.date, dt.date]:
        """The days asked for where they make sense and are at most two years, else those given."""
        form = cls(data)
        if not form.is_valid():
            return first_on, last_on
        first, last = form.cleaned_data["first_on"], form.cleaned_data["last_on"]
        is_sane = 2000 <= first.year <= 2099 and dt.timedelta(0) <= last - first <= dt.timedelta(weeks=MOST_WEEKS)
        return (first, last) if is_sane else (first_on, last_on)


__all__ = ["BookForm", "NeedForm", "SpanForm", "TemplateForm", "VersionForm"]
