"""Validation of what planners write about people, their skills and their time off, and about roles and skills."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from accounts.models import Region, User, WorkingCalendar
from opportunities.forms.fields import DayField, PickField, TextField
from staffing.models import MOST_HOURS, Person, Skill, WorkRole
from staffing.people_queries import PeopleFilter
from staffing.words import PROFICIENCY


class VersionForm(forms.Form):
    """The version that the person saw."""

    version = forms.IntegerField(min_value=1, max_value=2**31 - 1, required=False, widget=forms.HiddenInput)


class RecordForm(VersionForm):
    """A record: present values in, changes out, and what differs from it after a collision."""

    NAMES: ClassVar[tuple[str, ...]]

    def __init__(self, data: Any = None, *, thing: Model | None, initial: Mapping[str, Any] | None = None) -> None:
        present = {name: getattr(thing, name) for name in (*self.NAMES, "version")} if thing else dict(initial or {})
        super().__init__(data, initial=present)

    @property
    def values(self) -> dict[str, Any]:
        """The values given."""
        return {name: self.cleaned_data[name] for name in self.NAMES if name in self.cleaned_data}

    def differing(self, thing: Model) -> list[tuple[str, Any]]:
        """Label and present value of each field that the record now has another value for."""
        self.is_valid()
        now = {name: getattr(thing, name) for name in self.NAMES if name in self.fields}
        other = {name: value for name, value in now.items() if self.cleaned_data.get(name) != value}
        return [(str(self.fields[name].label), self._readable(name, value)) for name, value in other.items()]

    def _readable(self, name: str, value: Any) -> Any:
        choices = dict(getattr(self.fields[name], "choices", []))
        return "–" if value in (None, "") else choices.get(value, value)


class HoursField(forms.DecimalField):
    """Hours, in tenths."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.NumberInput(attrs={"step": "0.5", "inputmode": "decimal"})
        super().__init__(**{"max_digits": 4, "decimal_places": 1, "widget": widget, **kwargs})

    def prepare_value(self, value: Any) -> Any:
        """40 rather than 40.0."""
        return f"{value.normalize():f}" if isinstance(value, Decimal) else value


class PersonForm(RecordForm):
    """Who somebody is and how much they work."""

    NAMES = ("name", "role", "weekly_hours", "calendar", "user", "region", "joins_on", "leaves_on")
    name = TextField(label=_("Name"), max_length=120)
    weekly_hours = HoursField(
        label=_("Hours a week"), min_value=0, max_value=MOST_HOURS, help_text=_("Part time: fewer than a full week.")
    )
    joins_on = DayField(label=_("Joins on"), required=False)
    leaves_on = DayField(label=_("Leaves on"), required=False)

    def __init__(self, data: Any = None, *, person: Person | None = None) -> None:
        super().__init__(data, thing=person, initial={"weekly_hours": Decimal(40)})
        roles = list(WorkRole.objects.filter(archived_at__isnull=True))
        logins = User.objects.filter(is_active=True).exclude(
            pk__in=Person.objects.filter(user__isnull=False).values("user")
        )
        users = list(logins.order_by("name", "pk"))
        if person is not None:
            roles += [person.role] if person.role not in roles else []
            users += [person.user] if person.user and person.user not in users else []
        self.fields["role"] = PickField(roles, label=_("Role"), nothing=_("Choose"))
        self.fields["user"] = PickField(
            users, label=_("Login"), nothing=_("None"), required=False,
            help_text=_("People without one can be planned too."),
        )  # fmt: skip
        self.fields["calendar"] = PickField(
            WorkingCalendar.objects.all(), label=_("Working calendar"), nothing=_("The organisation’s"), required=False
        )
        self.fields["region"] = PickField(Region.objects.all(), label=_("Region"), required=False)


class SkillsForm(VersionForm):
    """How well somebody can do what; a choice for each skill."""

    def __init__(self, data: Any = None, *, person: Person, skills: Iterable[Skill]) -> None:
        super().__init__(data, initial={"version": person.version})
        present = {each.skill_id: each.proficiency for each in person.skills.all()}
        self.skills = {f"skill-{skill.pk}": skill for skill in skills}
        for name, skill in self.skills.items():
            self.fields[name] = forms.TypedChoiceField(
                label=skill.name, choices=[("", "–"), *PROFICIENCY.items()], coerce=int, empty_value=None,
                required=False, initial=present.get(skill.pk),
            )  # fmt: skip

    @property
    def values(self) -> dict[int, int]:
        """Proficiency by skill, of those that the person has."""
        given = {skill.pk: self.cleaned_data[name] for name, skill in self.skills.items()}
        return {key: level for key, level in given.items() if level}


class TimeOffForm(forms.Form):
    """When somebody is away or works less."""

    first_on = DayField(label=_("First day"))
    last_on = DayField(label=_("Last day"))
    hours_per_day = HoursField(
        label=_("Hours still worked a day"), min_value=0, max_value=24, max_digits=3, required=False,
        help_text=_("Empty: away."),
    )  # fmt: skip
    note = TextField(label=_("Note"), max_length=200, required=False, help_text=_("Planners see it."))

    def clean_hours_per_day(self) -> Decimal:
        """None where nothing was said."""
        return self.cleaned_data["hours_per_day"] or Decimal(0)


class NameForm(VersionForm):
    """A role or a skill."""

    name = TextField(label=_("Name"), max_length=80)


class PeopleFilterForm(forms.Form):
    """Which people the list shows; what can't be read filters nothing."""

    q = forms.CharField(max_length=100, required=False)

    def __init__(self, data: Any) -> None:
        super().__init__(data, auto_id="filter_%s")
        roles = WorkRole.objects.filter(archived_at__isnull=True)
        skills = Skill.objects.filter(archived_at__isnull=True)
        self.fields["role"] = PickField(roles, label=_("Role"), nothing=_("Every role"), required=False)
        self.fields["skill"] = PickField(skills, label=_("Skill"), nothing=_("Every skill"), required=False)
        self.fields["show"] = forms.ChoiceField(
            label=_("Who"), required=False, choices=[("", _("Here now")), ("archived", _("Archived"))]
        )

    def wanted(self) -> PeopleFilter:
        """What was asked for."""
        self.is_valid()
        given = self.cleaned_data
        return PeopleFilter(
            given.get("q") or "", given.get("role"), given.get("skill"), given.get("show") == "archived"
        )

    def query(self) -> str:
        """The filter as the query part of an address."""
        given = {name: self.data.get(name, "") for name in self.fields}
        return urlencode({name: value for name, value in given.items() if value})
