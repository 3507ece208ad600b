"""Filters of the upcoming deals."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.http import urlencode
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import ServiceLine
from dashboards.queries.upcoming import HORIZONS, UpcomingFilter
from opportunities.forms.fields import PickField


class UpcomingFilterForm(forms.Form):
    """Service line and weeks ahead; what can't be read filters nothing."""

    weeks = forms.TypedChoiceField(
        label=_("Weeks ahead"), required=False, coerce=int, empty_value=None,
        choices=[
            ("", _("Any time")),
            *((str(weeks), ngettext_lazy("Next %d week", "Next %d weeks", weeks) % weeks) for weeks in HORIZONS),
        ],
    )  # fmt: skip

    def __init__(self, data: Any) -> None:
        super().__init__(data, auto_id="filter_%s")
        self.fields["service_line"] = PickField(
            ServiceLine.objects.filter(is_active=True), label=_("Service line"), nothing=gettext("Every service line"),
            required=False,
        )  # fmt: skip

    def wanted(self) -> UpcomingFilter:
        """What was asked for."""
        self.is_valid()
        line = self.cleaned_data.get("service_line")
        return UpcomingFilter(line.pk if line else None, self.cleaned_data.get("weeks"))

    def query(self, **more: str) -> str:
        """The filter as the query part of an address, with further parameters."""
        given = {name: self.data.get(name, "") for name in self.fields}
        return urlencode({name: value for name, value in {**given, **more}.items() if value})
