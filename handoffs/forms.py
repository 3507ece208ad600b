"""Validation of what people say about engagements and tasks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import ServiceLine, User
from handoffs.engagement_queries import EngagementFilter
from handoffs.models import EngagementState, Task
from handoffs.models.engagement import OPEN_STATES
from opportunities.forms.fields import DayField, PickField, TextField
from opportunities.forms.filters import OwnerField
from opportunities.queries.people import possible_delivery_owners

ALL = "all"


def _version(*, required: bool = False) -> forms.IntegerField:
    return forms.IntegerField(min_value=1, max_value=2**31 - 1, required=required, widget=forms.HiddenInput)


class AnswerForm(forms.Form):
    """The version that the person saw."""

    version = _version()


class DeclineForm(AnswerForm):
    """Why delivery can't take part."""

    reason = TextField(
        label=_("Why delivery can’t take part"), max_length=500, required=False, is_multiline=True,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip


class ReassignForm(AnswerForm):
    """Who answers for delivery instead."""

    def __init__(self, data: Any = None, *, candidates: Iterable[User]) -> None:
        super().__init__(data)
        self.fields["delivery_owner"] = PickField(candidates, label=_("Delivery owner"), nothing=gettext("Choose"))


class CompleteForm(forms.Form):
    """The evidence, where it is wanted."""

    version = _version()
    evidence = TextField(
        label=_("Evidence"), max_length=1000, required=False, is_multiline=True,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip


class ChangeTaskForm(forms.Form):
    """Title, due date and person of a task."""

    version = _version(required=True)
    title = TextField(label=_("Title"), max_length=200, required=False)
    due_on = DayField(label=_("Due"))

    def __init__(self, data: Any = None, *, task: Task, people: Iterable[User]) -> None:
        present = {"version": task.version, "title": task.title, "due_on": task.due_on, "assignee": task.assignee}
        super().__init__(data, initial=present)
        known = list(people)
        if task.assignee is not None and task.assignee not in known:
            known.insert(0, task.assignee)
        nobody = _("Anybody: %(role)s") % {"role": task.get_assignee_role_display()}
        self.fields["assignee"] = PickField(known, label=_("For"), nothing=nobody, required=False)

    @property
    def changes(self) -> dict[str, Any]:
        """The values given."""
        return {name: self.cleaned_data[name] for name in ("title", "due_on", "assignee")}

    def differing(self, task: Task) -> list[tuple[str, Any]]:
        """Label and present value of each field that the task now has another value for."""
        self.is_valid()
        now = {name: getattr(task, name) for name in ("title", "due_on", "assignee")}
        other = {name: value for name, value in now.items() if self.cleaned_data.get(name) != value}
        return [(str(self.fields[name].label), value or "–") for name, value in other.items()]


class DatesForm(forms.Form):
    """Dates as they stand in a form that is not saved yet."""

    close_date = DayField(required=False)
    start_on = DayField(required=False)


class EngagementFilterForm(forms.Form):
    """Which engagements the list shows; what can't be read filters nothing."""

    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[("", _("Open")), *EngagementState.choices, (ALL, _("All"))]
    )

    def __init__(self, data: Any, *, user: User) -> None:
        super().__init__(data, auto_id="filter_%s")
        self.fields["owner"] = OwnerField(
            possible_delivery_owners(), user=user, everyone=_("Anybody"), label=_("Delivery owner")
        )
        self.fields["service_line"] = PickField(
            ServiceLine.objects.filter(is_active=True), label=_("Service line"), nothing=gettext("Every service line"),
            required=False,
        )  # fmt: skip

    def wanted(self) -> EngagementFilter:
        """What was asked for."""
        self.is_valid()
        given = self.cleaned_data
        state = given.get("state") or ""
        states = {"": tuple(map(str, OPEN_STATES)), ALL: ()}.get(state, (state,))
        line = given.get("service_line")
        return EngagementFilter(states, given.get("owner"), line.pk if line else None)

    def query(self, **more: str) -> str:
        """The filter as the query part of an address, with further parameters."""
        given = {name: self.data.get(name, "") for name in self.fields}
        return urlencode({name: value for name, value in {**given, **more}.items() if value})
