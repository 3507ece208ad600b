"""Validation of what planners write about scenarios and their changes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from opportunities.forms.fields import DayField, PickField, TextField
from staffing.models import (
    MOST_HOURS,
    MOST_JOINING,
    MOST_SHIFTED,
    POSSIBLE,
    ChangeKind,
    Person,
    Scenario,
    ScenarioChange,
    WorkRole,
)
from staffing.people_forms import HoursField, RecordForm, VersionForm
from staffing.schedule_forms import DealField


class ScenarioForm(RecordForm):
    """What it is called and what for."""

    NAMES: ClassVar[tuple[str, ...]] = ("name", "note")
    name = TextField(label=_("Name"), max_length=80, help_text=_("Such as “Without the customer portal”."))
    note = TextField(label=_("What it is about"), max_length=300, required=False)

    def __init__(self, data: Any = None, *, scenario: Scenario | None = None) -> None:
        super().__init__(data, thing=scenario)


class ChangeForm(VersionForm):
    """What a change supposes, with the fields of its kind; deal and person can't be exchanged later."""

    def __init__(
        self, data: Any = None, *, user: User, kind: ChangeKind, change: ScenarioChange | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        given = {"weeks": 4, "people": 1, "hours_per_week": Decimal(40), **(initial or {})}
        if change is not None:
            given = {name: getattr(change, name) for name in (*POSSIBLE[kind], "version")}
        super().__init__(data, initial=given)
        makers = {
            "opportunity": lambda: DealField(
                user=user, label=_("Deal"), help_text=_("Begin to write its name or its client’s."),
                widget=forms.TextInput(attrs={"list": "scenario-deals", "autocomplete": "off"}),
            ),
            "person": lambda: PickField(
                Person.objects.current().select_related("role"), label=_("Person"), nothing=_("Choose")
            ),
            "role": lambda: PickField(
                WorkRole.objects.filter(archived_at__isnull=True), label=_("Role"), nothing=_("Choose")
            ),
            "weeks": lambda: forms.IntegerField(
                label=_("Weeks later"), min_value=-MOST_SHIFTED, max_value=MOST_SHIFTED,
                help_text=_("Below 0: earlier."),
            ),
            "percent": lambda: forms.IntegerField(label=_("Chance in %"), min_value=0, max_value=100),
            "people": lambda: forms.IntegerField(label=_("How many"), min_value=1, max_value=MOST_JOINING),
            "hours_per_week": lambda: HoursField(
                label=_("Hours a week, each"), min_value=Decimal("0.5"), max_value=MOST_HOURS
            ),
            "from_on": lambda: DayField(
                label=_("From") if kind == ChangeKind.JOIN else _("First day on which they aren’t there")
            ),
            "until_on": lambda: DayField(
                label=_("Last day"), required=False,
                help_text=_("Empty: they stay.") if kind == ChangeKind.JOIN else _("Empty: they don’t come back."),
            ),
        }  # fmt: skip
        for name in POSSIBLE[kind]:
            if change is None or name not in ("opportunity", "person"):
                self.fields[name] = makers[name]()

    @property
    def values(self) -> dict[str, Any]:
        """The values given."""
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}


class TryForm(forms.Form):
    """What a press behind a cell of the horizon asks for, such as “lose-12”, and into which scenario."""

    what = forms.CharField(validators=[RegexValidator(r"^(lose|shift)-[0-9]{1,18}\Z")])
    scenario = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
    name = TextField(max_length=80, required=False)

    @property
    def kind(self) -> ChangeKind:
        """Of the change."""
        return ChangeKind(self.cleaned_data["what"].partition("-")[0])

    @property
    def deal(self) -> int:
        """Key of the deal."""
        return int(self.cleaned_data["what"].partition("-")[2])


class ApplyForm(VersionForm):
    """The versions of the change and of what it is about, as the preview showed them, and who joins."""

    seen = forms.IntegerField(min_value=1, max_value=2**31 - 1, required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, change: ScenarioChange, seen: int | None = None) -> None:
        super().__init__(data, initial={"version": change.version, "seen": seen})
        self._people = [f"person-{number}" for number in range(1, (change.people or 0) + 1)]
        for number, name in enumerate(self._people, start=1):
            label = _("Name") if change.people == 1 else _("Name of person %(number)d") % {"number": number}
            self.fields[name] = TextField(label=label, max_length=120)

    @property
    def people(self) -> list[str]:
        """Names of those who join."""
        return [self.cleaned_data[name] for name in self._people]

    @property
    def name_fields(self) -> list[forms.BoundField]:
        """The fields for them."""
        return [self[name] for name in self._people]


class AskForm(forms.Form):
    """A question to the deal's people."""

    body = TextField(label=_("Comment on the deal"), max_length=2000, is_multiline=True)
    request_id = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, body: str = "") -> None:
        super().__init__(data, initial={"body": body, "request_id": uuid.uuid4()})
