"""Forms of the deal list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from opportunities.forms.deals import deal_field
from opportunities.forms.fields import PickField, TextField
from opportunities.models import Stage


class BulkForm(forms.Form):
    """What to give to many deals; a field that is left empty is left alone."""

    NAMES = ("owner", "delivery_owner", "close_date", "next_step", "next_step_on")

    def __init__(self, data: Any = None, *, user: User, stages: Sequence[Stage]) -> None:
        super().__init__(data, auto_id="bulk_%s")
        self.fields["stage"] = PickField(stages, label=_("Stage"), nothing=_("Leave as it is"), required=False)
        self.fields["reason"] = TextField(
            label=_("Reason for the move, where one is asked for"), max_length=500, required=False
        )
        for name in self.NAMES:
            field = deal_field(name, user=user)
            self.fields[name] = field
            if isinstance(field, PickField):
                field.choices = [("", _("Leave as it is")), *field.record_choices]

    @property
    def changes(self) -> dict[str, Any]:
        """The values given."""
        return {name: self.cleaned_data[name] for name in self.NAMES if self.cleaned_data[name] not in (None, "")}

    def clean(self) -> dict[str, Any]:
        """Refuse a form in which nothing was chosen."""
        given = super().clean() or self.cleaned_data
        if not self.errors and given.get("stage") is None and not self.changes:
            raise forms.ValidationError(_("Choose what to change."))
        return given


class ViewForm(forms.Form):
    """A name for the present filter, order and columns."""

    name = TextField(label=_("Name"), max_length=80)
    is_shared = forms.BooleanField(label=_("Everyone may use it"), required=False)
    query = forms.CharField(widget=forms.HiddenInput, max_length=2000, required=False)
