"""Forms of the settings pages for playbooks."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.forms.fields import NameField
from accounts.models import Region, ServiceLine
from accounts.models.organisation import validate_currency
from accounts.text import fault_in
from handoffs.conditions import FIELDS, OPERATORS
from handoffs.models import Anchor, Assignee, PlaybookTask, RampPhase, Section, TaskAction, TaskSide, Trigger
from handoffs.playbook_places import PLACES, actions_for
from handoffs.playbook_queries import conditions_sentence
from handoffs.services.playbook_editing import CHANGEABLE, TRIGGERS, dependencies
from opportunities.forms.fields import AmountField, DayField, PickField, TextField
from opportunities.forms.seen import SeenForm
from opportunities.models import Temperature
from opportunities.money import NotAnAmount, parse_amount

NUMBERS = frozenset({"amount", "probability", "push_count"})
MOST_CONDITIONS = 6
_YES = {"yes", "true", "1"}
_NO = {"no", "false", "0"}

Condition = dict[str, str]


class NewPlaybookForm(forms.Form):
    """A playbook's name, its signal, and whether one service line has it for itself."""

    name = NameField(label=_("Name"))
    trigger = forms.TypedChoiceField(
        label=_("Brought by"), choices=[(trigger.value, trigger.label) for trigger in TRIGGERS], coerce=Trigger
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.fields["service_line"] = _line_field(ServiceLine.objects.filter(is_active=True))


class CopyForm(forms.Form):
    """Whom a copy is for."""

    name = NameField(label=_("Name"))

    def __init__(self, data: Any = None, *, lines: Iterable[ServiceLine], initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        self.fields["service_line"] = _line_field(lines)


class PlaybookNameForm(SeenForm):
    """Another name."""

    SEEN = ("name",)
    name = NameField(label=_("Name"))


class ConditionsWidget(forms.Widget):
    """Reads rows of field, comparison and value; the page draws them itself."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Condition]:
        """The rows that say anything."""
        parts = ("field", "op", "value")
        rows = zip(*(data.getlist(f"{name}-{part}") for part in parts), strict=False)
        given = [dict(zip(parts, row, strict=True)) for row in rows]
        return [row for row in given if row["field"] or row["value"].strip()]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """A form without rows means no conditions."""
        return False


class ConditionsField(forms.Field):
    """Conditions as conditions.py evaluates them."""

    widget = ConditionsWidget

    def clean(self, value: Any) -> list[Condition]:
        """Each with a value that can be compared. Raises ValidationError with a sentence per fault."""
        if len(value) > MOST_CONDITIONS:
            raise ValidationError(gettext("At most %(count)d conditions.") % {"count": MOST_CONDITIONS})
        cleaned, faults = [], []
        for row in value:
            try:
                cleaned.append(_checked(row))
            except ValidationError as fault:
                faults += fault.messages
        if faults:
            raise ValidationError(faults)
        return cleaned


class PlaybookTaskForm(SeenForm):
    """Everything about one task of a playbook."""

    SEEN = (*CHANGEABLE, "depends_on")

    title = TextField(label=_("What is to be done"), max_length=200)
    side = forms.ChoiceField(
        label=_("Whose task it is"), choices=TaskSide.choices, initial=TaskSide.SHARED,
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
        help_text=_("A task of One Team is done when both sides say so."),
    )  # fmt: skip
    assignee = forms.ChoiceField(label=_("For"), choices=Assignee.choices, initial=Assignee.DELIVERY_OWNER)
    offset_days = forms.IntegerField(
        label=_("Business days"), min_value=-250, max_value=250, initial=2,
        help_text=_("Less than 0: before."),
    )  # fmt: skip
    anchor = forms.ChoiceField(label=_("Counted from"), choices=Anchor.choices)
    evidence = TextField(
        label=_("Evidence wanted"), max_length=200, required=False, help_text=_("What must be there before it is done.")
    )
    action = forms.ChoiceField(
        label=_("Is about"), choices=TaskAction.choices, required=False,
        help_text=_("It is then done where that is done: when both have signed, or the client has confirmed."),
    )  # fmt: skip
    section = forms.ChoiceField(label=_("Section"), choices=Section.choices, initial=Section.SCOPE)
    phase = forms.ChoiceField(
        label=_("Phase"), choices=[("", _("not in the ramp plan")), *RampPhase.choices], required=False,
        initial=RampPhase.MOBILISE,
    )  # fmt: skip
    is_required = forms.BooleanField(label=_("Required"), required=False, initial=True)
    help_text = TextField(label=_("What good looks like"), max_length=500, required=False)
    conditions = ConditionsField(label=_("Only when"), required=False)

    def __init__(
        self, data: Any = None, *, trigger: str, others: Iterable[PlaybookTask], task: PlaybookTask | None = None
    ) -> None:
        present = {name: getattr(task, name) for name in CHANGEABLE} if task else {"conditions": []}
        waits_for = sorted(dependencies(task)) if task else []
        super().__init__(data, present={**present, "depends_on": [str(pk) for pk in waits_for]}, auto_id=_ids(task))
        self._fit(trigger)
        self.fields["depends_on"] = forms.MultipleChoiceField(
            label=_("After"), required=False,
            widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
            choices=[(str(other.pk), other.title) for other in others if task is None or other.pk != task.pk],
        )  # fmt: skip
        self.fields["title"].widget.attrs["autofocus"] = True

    def _fit(self, trigger: str) -> None:
        """Leave out what tasks of this signal don't have."""
        place = PLACES.get(trigger, ("", None))[0]
        for name in {"section", "phase"} - {place}:
            del self.fields[name]
        if place:
            self.fields["is_required"].help_text = (
                _("The handoff can't be submitted without it.")
                if trigger == Trigger.HANDOFF
                else _("As an exit criterion: the ramp doesn't end without it.")
            )
        else:
            del self.fields["is_required"]
        action = self.fields["action"]
        if isinstance(action, forms.ChoiceField):
            action.choices = [(each.value, each.label) for each in actions_for(trigger)]

    @property
    def condition_rows(self) -> list[Condition]:
        """What is asked for, and an empty row to ask for more."""
        rows = list(self["conditions"].value() or [])
        return [*rows, {"field": "", "op": "is", "value": ""}] if len(rows) < MOST_CONDITIONS else rows

    @property
    def condition_fields(self) -> list[tuple[str, str]]:
        """What a condition may ask about."""
        words = {**FIELDS, "service_line": _("service line")}
        return [(key, str(label)) for key, label in words.items()]

    @property
    def condition_operators(self) -> list[tuple[str, str]]:
        """How a condition may compare."""
        return [(key, str(label)) for key, (label, _compare) in OPERATORS.items()]

    @property
    def suggestions(self) -> Mapping[str, list[str]]:
        """What a field may be compared with, where that is a short list."""
        return {
            "temperature": [str(choice.label) for choice in Temperature],
            "is_unforecasted": [gettext("Yes"), gettext("No")],
            "service_line": list(ServiceLine.objects.filter(is_active=True).values_list("name", flat=True)),
            "region": list(Region.objects.values_list("name", flat=True)),
        }

    def read_seen(self, name: str, texts: list[str]) -> Any:
        """Conditions and dependencies as the service compares them."""
        if name == "conditions":
            try:
                return json.loads(texts[-1])
            except (IndexError, ValueError, RecursionError) as error:
                raise ValidationError("") from error
        if name == "depends_on":
            return frozenset(int(key) for key in texts if key.isascii() and key.isdigit() and len(key) < 19)
        return super().read_seen(name, texts)

    def as_texts(self, name: str, value: Any) -> list[str]:
        """Conditions as JSON, dependencies as ids."""
        if name == "conditions":
            return [json.dumps(value)]
        if name == "depends_on":
            return sorted(str(pk) for pk in value or ())
        return super().as_texts(name, value)

    def readable(self, name: str, value: Any) -> str:
        """A value in words."""
        if name == "conditions":
            return conditions_sentence(value)
        return super().readable(name, [str(pk) for pk in value] if name == "depends_on" else value)

    @property
    def wanted(self) -> dict[str, Any]:
        """The values given, as the service takes them."""
        return {**super().wanted, "depends_on": frozenset(int(pk) for pk in self.cleaned_data["depends_on"])}


class PreviewForm(forms.Form):
    """The deal to imagine."""

    amount = AmountField(label=_("Amount"), required=False)

    def __init__(self, data: Any = None, *, trigger: str, day: dt.date) -> None:
        given = data if data and "day" in data else None
        super().__init__(given, initial={"day": day}, auto_id="preview_%s")
        label = _("The work starts on") if trigger in (Trigger.WON, Trigger.HANDOFF) else _("It closes on")
        self.fields = {"day": DayField(label=label, required=False), **self.fields}


class OrderForm(forms.Form):
    """An order of tasks as dragged, and the order that was on the page."""

    order = forms.RegexField(r"^[0-9]{1,18}(,[0-9]{1,18})*$", max_length=2000)
    seen = forms.RegexField(r"^[0-9]{1,18}(,[0-9]{1,18})*$", max_length=2000)

    @property
    def ids(self) -> Mapping[str, list[int]]:
        """Both as ids."""
        return {name: [int(key) for key in self.cleaned_data[name].split(",")] for name in ("order", "seen")}


def _line_field(lines: Iterable[ServiceLine]) -> PickField:
    return PickField(lines, label=_("Only for"), required=False, nothing=gettext("every other service line"))


def _ids(task: PlaybookTask | None) -> str:
    """Several task forms may be open on one page."""
    return f"task_{task.pk if task else 'new'}_%s"


def _checked(row: Mapping[str, str]) -> Condition:
    name, operator, value = row["field"], row["op"], row["value"].strip()
    if name not in FIELDS or operator not in OPERATORS:
        raise ValidationError(gettext("Choose a field and a comparison for each condition."))
    told = {"field": FIELDS[name]}
    if not value:
        raise ValidationError(gettext("Say what the %(field)s is compared with.") % told)
    if operator in ("at_least", "below") and name not in NUMBERS:
        raise ValidationError(gettext("The %(field)s has no order; ask whether it is something, or is not.") % told)
    fault = fault_in(value) or (gettext("That is too long.") if len(value) > 200 else None)
    if fault:
        raise ValidationError(fault)
    return {"field": name, "op": operator, "value": _canonical(name, value)}


def _canonical(name: str, value: str) -> str:
    """The value as deals hold it. Raises ValidationError."""
    if name == "amount":
        try:
            return format(parse_amount(value), "f").removesuffix(".00")
        except NotAnAmount as error:
            raise ValidationError(str(error)) from error
    if name in NUMBERS:
        whole = value.removesuffix("%").strip()
        if not (whole.isascii() and whole.isdigit() and len(whole) < 6):
            raise ValidationError(gettext("Compare the %(field)s with a whole number.") % {"field": FIELDS[name]})
        return str(int(whole))
    if name == "is_unforecasted":
        return _yes_or_no(value)
    if name == "currency":
        validate_currency(value.upper())
        return value.upper()
    return _known(name, value)


def _yes_or_no(value: str) -> str:
    said = value.casefold()
    if said in _YES | {gettext("Yes").casefold()}:
        return "yes"
    if said in _NO | {gettext("No").casefold()}:
        return "no"
    raise ValidationError(gettext("Compare un-forecasted with yes or no."))


def _known(name: str, value: str) -> str:
    """The value that is called so; products and sources may be called anything."""
    if name == "temperature":
        known = {str(each.label).casefold(): each.value for each in Temperature}
        known |= {each.value: each.value for each in Temperature}
    elif name == "service_line":
        lines = list(ServiceLine.objects.values_list("key", "name"))
        known = {key: key for key, _name in lines} | {line.casefold(): key for key, line in lines}
    elif name == "region":
        known = {region.casefold(): region for region in Region.objects.values_list("name", flat=True)}
    else:
        return value
    if value.casefold() not in known:
        told = {"field": FIELDS[name], "value": value}
        raise ValidationError(gettext("“%(value)s” is no %(field)s here.") % told)
    return known[value.casefold()]
