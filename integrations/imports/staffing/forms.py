"""What people send in: files of people and bookings, and answers about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrations.imports.errors import NeedsAnswer
from integrations.imports.forms import ColumnsForm
from integrations.imports.staffing.setup import ADD, LEAVE, NEW, RoleValue, StaffingSetup
from integrations.imports.values import DATE_READINGS


class StaffingUploadForm(forms.Form):
    """One file."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV or XLSX, up to 50 MB and 20,000 rows, with a heading."),
        error_messages={
            "required": gettext_lazy("Choose the file."),
            "empty": gettext_lazy("The file is empty. Export it again, with a heading and at least one row."),
        },
    )  # fmt: skip

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, auto_id="import_%s")
        self.fields["file"].widget.attrs["accept"] = ".csv,.tsv,.txt,.xlsx"
        self.fields["file"].max_length = None  # type: ignore[attr-defined]


class StaffingAnswersForm(ColumnsForm):
    """What the columns mean, which roles the values of one are, and what happens with unknown skills."""

    new_skills = forms.ChoiceField(
        label=gettext_lazy("Unknown skills"), required=False,
        choices=[
            ("", gettext_lazy("Choose one")), (ADD, gettext_lazy("add them")), (LEAVE, gettext_lazy("leave them out")),
        ],
    )  # fmt: skip

    def __init__(self, data: Any, *, setup: StaffingSetup) -> None:
        self.setup = setup
        known = {
            f"role_{index}": each.role.pk if each.role else NEW if each.is_new else ""
            for index, each in enumerate(self.role_values)
        }
        super().__init__(data, setup=setup, initial={**setup.options, **known})
        self.offer_readings("date_reading", DATE_READINGS, setup)
        if setup.unknown_skills == []:
            self.fields["new_skills"].widget = forms.HiddenInput()
        roles = [(str(role.pk), role.name) for role in setup.roles.values() if role.archived_at is None]
        for index, value in enumerate(self.role_values):
            added = [(NEW, _("Add it as a new role"))] if value.may_be_added else []
            own = [(str(value.role.pk), value.role.name)] if value.role and value.role.archived_at else []
            self.fields[f"role_{index}"] = forms.ChoiceField(
                label=value.value, choices=[("", _("Choose a role")), *added, *own, *roles], required=False
            )

    @cached_property
    def role_values(self) -> list[RoleValue]:
        """What stands in the role column, as far as it is chosen."""
        try:
            return self.setup.role_values
        except NeedsAnswer:
            return []

    def roles(self) -> Iterator[tuple[forms.BoundField, RoleValue]]:
        """Each role's field with the value; those that are asked come first."""
        numbered = sorted(enumerate(self.role_values), key=lambda each: each[1].is_known)
        for index, value in numbered:
            yield self[f"role_{index}"], value

    def options(self) -> dict[str, Any]:
        """The answers as an import keeps them."""
        roles = dict(self.setup.options.get("roles", {}))
        for index, value in enumerate(self.role_values):
            chosen = self.cleaned_data.get(f"role_{index}", "")
            if chosen:
                roles[value.value] = chosen
        return {
            "columns": self.chosen_columns(), "roles": roles, "date_reading": self.cleaned_data["date_reading"],
            "new_skills": self.cleaned_data["new_skills"],
        }  # fmt: skip
