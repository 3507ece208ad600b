"""Validation of what people say about approvals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Role, ServiceLine, User
from handoffs.models import ApprovalRule
from handoffs.review_forms import VersionForm
from handoffs.services.approvals.chain import LAST_TURN
from opportunities.forms.fields import AmountField, DayField, PickField, TextField

MOST_HOURS = 720


class CommentForm(forms.Form):
    """Words that go with a decision; the service asks for them where it is a refusal."""

    comment = TextField(
        label=_("Comment"), max_length=1000, required=False, is_multiline=True,
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip


class DelegationForm(forms.Form):
    """Who stands in, from when to when."""

    delegator = forms.Field(required=False)
    starts_on = DayField(label=_("From"))
    ends_on = DayField(label=_("Until, included"))
    reason = TextField(label=_("Why"), max_length=200, required=False)

    def __init__(self, data: Any = None, *, people: Iterable[User], by: User, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        known = list(people)
        others = [person for person in known if person.pk != by.pk or by.is_administrator]
        self.fields["delegate"] = PickField(
            others, label=_("Who decides for you"), nothing="",
            help_text=_("They decide about the deals that they may see; both names are kept."),
        )  # fmt: skip
        if by.is_administrator:
            self.fields["delegator"] = PickField(known, label=_("Who is away"), nothing="")
            self.fields["delegate"].label = _("Who decides for them")
        else:
            del self.fields["delegator"]
        self.order_fields(["delegator", "delegate", "starts_on", "ends_on", "reason"])


class RuleForm(VersionForm):
    """One step of the chain."""

    name = TextField(label=_("Name"), max_length=80, help_text=_("Such as Sales, Delivery or Finance."))
    position = forms.IntegerField(
        label=_("Turn"), min_value=1, max_value=LAST_TURN, initial=1,
        help_text=_("Steps of the same turn are asked together, the next turn when all have approved."),
    )  # fmt: skip
    role = forms.ChoiceField(
        label=_("Asks"), required=False, choices=[("", _("only the people named")), *Role.choices],
        help_text=_("Everybody of the role who may see the deal; one of them decides."),
    )  # fmt: skip
    amount_from = AmountField(label=_("From an amount of"), required=False)
    remind_after_hours = forms.IntegerField(
        label=_("Remind after"), min_value=1, max_value=MOST_HOURS, initial=8, help_text=_("business hours")
    )
    escalate_after_hours = forms.IntegerField(
        label=_("Escalate after"), min_value=1, max_value=MOST_HOURS, initial=16, help_text=_("business hours")
    )
    escalate_to = forms.ChoiceField(label=_("Escalate to"), choices=Role.choices, initial=Role.EXECUTIVE)

    def __init__(self, data: Any = None, *, rule: ApprovalRule | None = None, people: Iterable[User] = ()) -> None:
        names = ("name", "position", "role", "service_line", "amount_from", "remind_after_hours",
                 "escalate_after_hours", "escalate_to", "version")  # fmt: skip
        initial = {name: getattr(rule, name) for name in names} if rule else {}
        super().__init__(data, initial=initial)
        lines = list(ServiceLine.objects.filter(is_active=True))
        if rule is not None and rule.service_line is not None and rule.service_line not in lines:
            lines.append(rule.service_line)
        self.fields["service_line"] = PickField(
            lines, label=_("Only for"), required=False, nothing=_("every service line")
        )
        known = list(people)
        named = [person.pk for person in rule.people.all()] if rule else []
        self.by_key = {str(person.pk): person for person in known}
        self.fields["people"] = forms.MultipleChoiceField(
            label=_("Named people"), required=False, initial=named,
            choices=[(str(person.pk), f"{person} ({person.role_names})") for person in known],
            help_text=_("Where people are named, only they are asked."),
            widget=forms.SelectMultiple(attrs={"size": 6}),
        )  # fmt: skip
        self.order_fields(
            ["name", "position", "role", "people", "service_line", "amount_from", "remind_after_hours",
             "escalate_after_hours", "escalate_to", "version"]
        )  # fmt: skip

    @property
    def values(self) -> dict[str, Any]:
        """What the step shall be."""
        return {name: value for name, value in self.cleaned_data.items() if name not in ("people", "version")}

    @property
    def people(self) -> list[User]:
        """Those named."""
        return [self.by_key[key] for key in self.cleaned_data["people"]]


class PreviewForm(forms.Form):
    """A deal as it might be."""

    amount = AmountField(label=_("A deal of"), required=False)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.fields["service_line"] = PickField(
            ServiceLine.objects.filter(is_active=True), label=_("Service line"), required=False,
            nothing=_("no service line"),
        )  # fmt: skip
