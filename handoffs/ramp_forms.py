"""Validation of what people say about ramp plans."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from handoffs.models import (
    LessonProposal,
    Playbook,
    PlaybookTask,
    ProjectState,
    Rag,
    RampPhase,
    RampPlan,
    Task,
    TaskSide,
    TouchpointKind,
)
from handoffs.ramp_queries import PlanFilter
from handoffs.ramp_queries.lists import RUNNING
from handoffs.review_forms import VersionForm
from opportunities.forms.fields import DayField, PickField, TextField
from opportunities.models import Contact

ALL = "all"
_BOXES = forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"})


class RampForm(VersionForm):
    """A form whose refusals by a service are put where they belong."""

    def take(self, error: ValidationError) -> None:
        """The service's refusal, at the field it belongs to."""
        found = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        for name, sentences in found.items():
            self.add_error(name if name in self.fields else None, sentences)


class KickoffForm(RampForm):
    """Another day for the kick-off; ``previewed`` is the day whose consequences were shown."""

    kickoff_on = DayField(label=_("Kick-off"))
    reason = TextField(label=_("Why"), max_length=500, required=False, help_text=_("Both sides read it."))
    previewed = forms.DateField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, plan: RampPlan) -> None:
        super().__init__(data, initial={"version": plan.version, "kickoff_on": plan.kickoff_on})

    def show(self, day: dt.date) -> None:
        """The consequences of this day are shown from now on."""
        self.data = self.data.copy()
        self.data["previewed"] = day.isoformat()


class HealthForm(RampForm):
    """How the project is doing, and why."""

    rag = forms.ChoiceField(label=_("Health"), choices=Rag.choices, widget=forms.RadioSelect)
    reason = TextField(
        label=_("Why"), max_length=500, is_multiline=True, widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say why: the other side acts on it.")},
    )  # fmt: skip

    def __init__(self, data: Any = None, *, plan: RampPlan) -> None:
        super().__init__(data, initial={"version": plan.version, "rag": plan.rag})


class RequestForm(RampForm):
    """A form whose repetition does the same once."""

    request_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)


class TouchpointForm(RequestForm):
    """A contact with the client."""

    kind = forms.ChoiceField(label=_("How"), choices=TouchpointKind.choices)
    on = DayField(label=_("When"))
    note = TextField(
        label=_("What was said"), max_length=1000, is_multiline=True, widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say in a line what it was about.")},
    )  # fmt: skip

    def __init__(self, data: Any = None, *, people: Sequence[Contact], today: dt.date) -> None:
        super().__init__(data, initial={"on": today})
        self.people = {str(contact.pk): contact for contact in people}
        self.fields["contacts"] = forms.MultipleChoiceField(
            label=_("With"), required=False, widget=_BOXES,
            choices=[(key, str(who)) for key, who in self.people.items()],
            error_messages={"invalid_choice": _("Choose people of this client.")},
        )  # fmt: skip

    @property
    def contacts(self) -> list[Contact]:
        """Those chosen."""
        return [self.people[key] for key in self.cleaned_data["contacts"]]


class MilestoneForm(RampForm):
    """A task on the plan, so many business days from the kick-off or on a day of its own."""

    title = TextField(
        label=_("What is to be done"), max_length=200, error_messages={"required": _("Give it a title.")}
    )  # fmt: skip
    phase = forms.ChoiceField(label=_("Phase"), choices=RampPhase.choices, initial=RampPhase.MOBILISE)
    side = forms.ChoiceField(label=_("Side"), choices=TaskSide.choices, initial=TaskSide.DELIVERY)
    offset_days = forms.IntegerField(
        label=_("Business days from the kick-off"), required=False, min_value=-750, max_value=750,
        help_text=_("It moves with the kick-off; 0 is the day itself, -5 a week before."),
    )  # fmt: skip
    due_on = DayField(
        label=_("Or on a day of its own"), required=False, help_text=_("It stays when the kick-off moves.")
    )
    evidence_wanted = TextField(
        label=_("Evidence wanted"), max_length=200, required=False, help_text=_("What shows that it is done.")
    )  # fmt: skip

    def __init__(self, data: Any = None, *, tasks: Iterable[Task]) -> None:
        super().__init__(data)
        self.fields["after"] = PickField(tasks, label=_("Waits for"), nothing=gettext("Nothing"), required=False)

    def clean(self) -> dict[str, Any]:
        """One of both dates. Raises ValidationError."""
        cleaned = super().clean() or {}
        if cleaned.get("offset_days") is not None and cleaned.get("due_on") is not None:
            raise ValidationError({"due_on": gettext("Name either the business days or the day.")})
        return cleaned


class ReasonForm(RampForm):
    """Why."""

    reason = TextField(
        label=_("Why"), max_length=500, required=False, is_multiline=True, widget=forms.Textarea(attrs={"rows": 3})
    )


class LessonForm(RequestForm):
    """What was learned, and what it would change in a playbook."""

    text = TextField(
        label=_("What we learned"), max_length=1000, is_multiline=True, widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say what you learned.")},
    )  # fmt: skip
    proposal = forms.ChoiceField(label=_("It proposes to"), choices=LessonProposal.choices, required=False)
    title = TextField(
        label=_("Title of the task"), max_length=200, required=False,
        help_text=_("How it should read, where a task is added or reworded."),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, playbooks: Iterable[Playbook], tasks: Iterable[PlaybookTask]) -> None:
        super().__init__(data)
        self.fields["playbook"] = PickField(
            playbooks, label=_("Playbook"), nothing=gettext("Choose"), required=False,
            help_text=_("Where a task is added."),
        )  # fmt: skip
        self.fields["playbook_task"] = PickField(
            tasks, label=_("Task"), nothing=gettext("Choose"), required=False,
            help_text=_("Where one is reworded or left out."),
        )  # fmt: skip


class PlanFilterForm(forms.Form):
    """Which plans the list shows; what can't be read filters nothing."""

    whose = forms.ChoiceField(label=_("Whose"), required=False, choices=[("", _("Mine")), (ALL, _("All I may see"))])
    state = forms.ChoiceField(
        label=_("State"), required=False,
        choices=[("", _("Until the ramp ends")), *ProjectState.choices, (ALL, _("Every state"))],
    )  # fmt: skip
    rag = forms.ChoiceField(label=_("Health"), required=False, choices=[("", _("Any health")), *Rag.choices])

    def __init__(self, data: Any, *, owns_deals: bool) -> None:
        super().__init__(data, auto_id="filter_%s")
        self.owns_deals = owns_deals
        if not owns_deals:
            # People above or beside both sides own no deals, so they see all at first.
            self.fields["whose"].choices = [("", _("All I may see")), ("mine", _("Mine"))]  # type: ignore[attr-defined]

    def wanted(self) -> PlanFilter:
        """What was asked for."""
        self.is_valid()
        given = self.cleaned_data
        state, whose = given.get("state") or "", given.get("whose") or ""
        states = {"": tuple(map(str, RUNNING)), ALL: ()}.get(state, (state,))
        return PlanFilter(states, is_mine=whose == ("" if self.owns_deals else "mine"), rag=given.get("rag") or "")

    def query(self, **more: str) -> str:
        """The filter as the query part of an address, with further parameters."""
        given = {name: self.data.get(name, "") for name in self.fields}
        return urlencode({name: value for name, value in {**given, **more}.items() if value})
