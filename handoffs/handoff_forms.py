"""Validation of what people say about handoffs, the items of their checklists and relationships."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import ServiceLine, User
from handoffs.models import Handoff, HandoffState, RelationshipTransfer, Section, Task, TaskSide
from opportunities.forms.fields import DayField, PickField, TextField

MOST_NOTE = 1000


class RefusableForm(forms.Form):
    """Shows what a service refuses where it was typed."""

    data: Any  # a QueryDict once it is bound

    def take(self, error: ValidationError, names: Mapping[str, str] | None = None) -> None:
        """Show each sentence of a service at its field, or above all where there is none; ``names`` renames fields."""
        self.is_valid()
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return
        for name, sentences in error.message_dict.items():
            field = (names or {}).get(name, name)
            self.add_error(field if field in self.fields else None, ValidationError(sentences))


class VersionForm(RefusableForm):
    """The version that the person saw."""

    version = forms.IntegerField(min_value=1, max_value=2**31 - 1, required=False, widget=forms.HiddenInput)

    def see(self, version: int) -> None:
        """Go by this version from now on: what somebody else did meanwhile is shown."""
        self.data = self.data.copy()
        self.data["version"] = str(version)


class EvidenceForm(VersionForm):
    """What shows that an item is done: a note, a link, a file, or several of them."""

    evidence = TextField(
        label=_("Note"), max_length=MOST_NOTE, required=False, is_multiline=True,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip
    link = TextField(
        label=_("Link"), max_length=500, required=False,
        widget=forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "off"}),
    )  # fmt: skip
    file = forms.FileField(label=_("File"), required=False, allow_empty_file=True)

    def __init__(self, data: Any = None, files: Any = None, *, task: Task) -> None:
        present = {"version": task.version, "evidence": task.evidence, "link": task.evidence_link}
        super().__init__(data, files, initial=present)


class WaiveForm(VersionForm):
    """Why an item can be left out."""

    reason = TextField(
        label=_("Why it can be left out"), max_length=500, required=False, is_multiline=True,
        help_text=_("The approvers read it."), widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip


class AddItemForm(RefusableForm):
    """An item of one's own."""

    title = TextField(label=_("What is to be done"), max_length=200, required=False)
    section = forms.ChoiceField(label=_("Section"), choices=Section.choices)
    side = forms.ChoiceField(label=_("Whose it is"), choices=TaskSide.choices, initial=TaskSide.SHARED)
    is_required = forms.BooleanField(label=_("Required before the handoff is submitted"), required=False)


class ProjectManagerForm(VersionForm):
    """Who runs the project."""

    def __init__(self, data: Any = None, *, handoff: Handoff, people: Iterable[User]) -> None:
        super().__init__(data, initial={"version": handoff.version, "person": handoff.project_manager})
        self.fields["person"] = PickField(
            _with(people, handoff.project_manager), label=_("Project manager"), nothing=gettext("Nobody yet"),
            required=False,
        )  # fmt: skip


class RelationshipForm(VersionForm):
    """One stakeholder's way from who knows them now to who will."""

    introduced_on = DayField(label=_("Introduced on"), required=False)
    introduced_how = TextField(label=_("How"), max_length=300, required=False)

    def __init__(
        self, data: Any = None, *, transfer: RelationshipTransfer, people: Iterable[User], delivery: Iterable[User]
    ) -> None:  # fmt: skip
        names = ("owner_now", "owner_next", "introduced_on", "introduced_how")
        super().__init__(
            data, initial={"version": transfer.version, **{name: getattr(transfer, name) for name in names}},
            auto_id=f"relationship-{transfer.pk}-%s",
        )  # fmt: skip
        self.fields["owner_now"] = PickField(
            _with(people, transfer.owner_now), label=_("Knows them now"), nothing=gettext("Nobody"), required=False
        )
        self.fields["owner_next"] = PickField(
            _with(delivery, transfer.owner_next), label=_("Takes over"), nothing=gettext("Nobody yet"), required=False
        )
        self.fields["introduced_how"].widget.attrs["placeholder"] = gettext("lunch, a call, the kick-off")
        self.order_fields(["version", *names])

    @property
    def values(self) -> dict[str, Any]:
        """The values given."""
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}

    def differing(self, transfer: RelationshipTransfer) -> list[tuple[str, Any]]:
        """Label and present value of each field that the relationship now has another value for."""
        self.is_valid()
        now = {name: getattr(transfer, name) for name in self.fields if name != "version"}
        other = {name: value for name, value in now.items() if self.cleaned_data.get(name) != value}
        return [(str(self.fields[name].label), value or "–") for name, value in other.items()]


class SubmitForm(VersionForm):
    """What the approvers should know."""

    note = TextField(
        label=_("What the approvers should know"), max_length=MOST_NOTE, required=False, is_multiline=True,
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip


class ReasonForm(RefusableForm):
    """Why somebody takes a handoff back, or opens it for changes."""

    reason = TextField(label=_("Why"), max_length=500, required=False, widget=forms.TextInput)


WAITS, OPEN, ALL = "me", "", "all"
STATES: Mapping[str, tuple[str, ...]] = {
    OPEN: (HandoffState.DRAFT, HandoffState.CHANGES_REQUESTED, HandoffState.SUBMITTED),
    "preparing": (HandoffState.DRAFT, HandoffState.CHANGES_REQUESTED),
    HandoffState.SUBMITTED.value: (HandoffState.SUBMITTED,),
    HandoffState.APPROVED.value: (HandoffState.APPROVED,),
    HandoffState.REJECTED.value: (HandoffState.REJECTED,),
    ALL: (),
}


class HandoffFilterForm(forms.Form):
    """Which handoffs the list shows; what can't be read filters nothing."""

    state = forms.ChoiceField(
        label=_("State"), required=False,
        choices=[
            (OPEN, _("Under way")), ("preparing", _("Being prepared")), (HandoffState.SUBMITTED, _("With approvers")),
            (HandoffState.APPROVED, _("Approved")), (HandoffState.REJECTED, _("Rejected")), (ALL, _("All")),
        ],
    )  # fmt: skip

    def __init__(self, data: Any) -> None:
        super().__init__(data, auto_id="filter_%s")
        self.fields["service_line"] = PickField(
            ServiceLine.objects.filter(is_active=True), label=_("Service line"), nothing=gettext("Every service line"),
            required=False,
        )  # fmt: skip
        self.is_valid()

    @property
    def waits_for_me(self) -> bool:
        """Whether only what waits for the reader is wanted."""
        return bool(self.data.get("waits") == WAITS)

    @property
    def states(self) -> tuple[str, ...]:
        """The states wanted; empty for all."""
        return STATES[self.cleaned_data.get("state") or OPEN]

    @property
    def line(self) -> int | None:
        """The service line wanted."""
        found = self.cleaned_data.get("service_line")
        return found.pk if found else None

    def query(self, **more: str) -> str:
        """The filter as the query part of an address, with further parameters."""
        given = {name: self.data.get(name, "") for name in (*self.fields, "waits")}
        return urlencode({name: value for name, value in {**given, **more}.items() if value})


def _with(people: Iterable[User], chosen: User | None) -> list[User]:
    """The people, and whoever stands there already."""
    known = list(people)
    return known if chosen is None or chosen in known else [chosen, *known]
