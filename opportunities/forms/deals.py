"""Forms about one deal. Every field of a deal is described once, in ``deal_field``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import Region, ServiceLine, User
from opportunities.access import assignable_owners
from opportunities.forms.fields import AccountField, AmountField, CurrencyField, DayField, PickField, TextField
from opportunities.gates import Missing
from opportunities.models import ForecastCategory, LossReason, Opportunity, Stage, Temperature
from opportunities.queries.people import possible_delivery_owners

# What is edited together on the deal page.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "name": ("name",),
    "account": ("account",),
    "money": ("amount", "currency"),
    "forecast": ("probability", "forecast_category"),
    "close": ("close_date",),
    "start": ("start_on",),
    "next": ("next_step", "next_step_on"),
    "owner": ("owner",),
    "delivery": ("delivery_owner",),
    "line": ("service_line",),
    "region": ("region",),
    "product": ("product",),
    "description": ("description",),
}
ALL_FIELDS = tuple(name for names in GROUPS.values() for name in names)


def _owners(user: User, deal: Opportunity | None) -> list[User]:
    return _with_present(list(assignable_owners(user)), deal.owner if deal else None)


def _delivery_owners(user: User, deal: Opportunity | None) -> list[User]:
    return _with_present(list(possible_delivery_owners()), deal.delivery_owner if deal else None)


def _with_present(people: list[User], present: User | None) -> list[User]:
    return people if present is None or present in people else [present, *people]


_Builder = Callable[[User, Opportunity | None], forms.Field]
_BUILDERS: Mapping[str, _Builder] = {
    "name": lambda user, deal: TextField(max_length=200),
    "account": lambda user, deal: AccountField(user=user),
    "amount": lambda user, deal: AmountField(),
    "currency": lambda user, deal: CurrencyField(),
    "probability": lambda user, deal: forms.IntegerField(min_value=0, max_value=100),
    "forecast_category": lambda user, deal: forms.ChoiceField(choices=ForecastCategory.choices),
    "close_date": lambda user, deal: DayField(),
    "start_on": lambda user, deal: DayField(),
    "next_step": lambda user, deal: TextField(max_length=300),
    "next_step_on": lambda user, deal: DayField(),
    "owner": lambda user, deal: PickField(_owners(user, deal)),
    "delivery_owner": lambda user, deal: PickField(_delivery_owners(user, deal)),
    "service_line": lambda user, deal: PickField(ServiceLine.objects.filter(is_active=True)),
    "region": lambda user, deal: PickField(Region.objects.all()),
    "product": lambda user, deal: TextField(max_length=120),
    "description": lambda user, deal: TextField(max_length=20_000, is_multiline=True),
    "loss_reason": lambda user, deal: forms.ChoiceField(choices=[("", "–"), *LossReason.choices]),
    "loss_note": lambda user, deal: TextField(
        max_length=1000, is_multiline=True, widget=forms.Textarea(attrs={"rows": 2})
    ),
}
_NEEDED = frozenset({"name", "currency", "probability", "forecast_category"})


def deal_field(name: str, *, user: User, deal: Opportunity | None = None, required: bool = False) -> forms.Field:
    """The form field for a field of a deal, labelled as the model labels it."""
    field = _BUILDERS[name](user, deal)
    label = str(Opportunity._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    field.label = label[:1].upper() + label[1:]
    field.required = required or name in _NEEDED
    return field


class DealForm(forms.Form):
    """Some fields of one deal, with what the person saw of them (``base-…``), so that edits can be merged."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)

    def __init__(
        self, *, user: User, deal: Opportunity, names: Sequence[str], data: Any = None, auto_id: str = "id_%s"
    ) -> None:
        initial = {"version": deal.version, **{name: getattr(deal, name) for name in names}}
        super().__init__(data, initial=initial, auto_id=auto_id)
        self.names = list(names)
        for name in names:
            self.fields[name] = deal_field(name, user=user, deal=deal)

    def visible(self) -> Iterable[forms.BoundField]:
        """The fields to show."""
        return [self[name] for name in self.names]

    def base_values(self) -> list[tuple[str, Any]]:
        """Hidden inputs that say what the person saw."""
        if self.is_bound:
            return [(f"base-{name}", self.data.get(f"base-{name}", "")) for name in self.names]
        values = [(name, self[name].value()) for name in self.names]
        return [(f"base-{name}", "" if value is None else _plain(value)) for name, value in values]

    @property
    def changes(self) -> dict[str, Any]:
        """The values given."""
        return {name: self.cleaned_data[name] for name in self.names}

    @property
    def base(self) -> dict[str, Any]:
        """What the person saw, as far as it can be read."""
        seen = {}
        for name in self.names:
            if f"base-{name}" not in self.data:
                continue
            try:
                seen[name] = _optional(self.fields[name]).clean(self.data[f"base-{name}"])
            except ValidationError:
                continue
        return seen


def _plain(value: Any) -> Any:
    """A value as its field reads it; a template would write a date in the reader's language."""
    return value.isoformat() if isinstance(value, dt.date) else value


def _optional(field: forms.Field) -> forms.Field:
    field.required = False
    return field


class MoveForm(forms.Form):
    """Just what is missing for a move: fields that the gate names, and a reason where one is asked for."""

    def __init__(
        self,
        *,
        user: User,
        deal: Opportunity,
        missing: Sequence[Missing] = (),
        asks_reason: bool = False,
        may_bypass: bool = False,
        data: Any = None,
        files: Any = None,
    ) -> None:
        super().__init__(data, auto_id="move_%s")
        self.names = [item.field for item in missing if item.field]
        for item in missing:
            if item.field:
                self.fields[item.field] = deal_field(item.field, user=user, deal=deal)
                self.fields[item.field].help_text = item.sentence
                self.initial[item.field] = getattr(deal, item.field)
        if "loss_reason" in self.names:
            self.names.append("loss_note")
            self.fields["loss_note"] = deal_field("loss_note", user=user, deal=deal)
        self.others = [item for item in missing if not item.field]
        if may_bypass:
            self.fields["bypass"] = forms.BooleanField(label=_("Move it anyway"), required=False)
        if asks_reason or may_bypass:
            self.fields["reason"] = TextField(label=_("Reason"), max_length=500, required=False)

    @property
    def changes(self) -> dict[str, Any]:
        """The values given; what was left empty is left alone."""
        given = {name: self.cleaned_data.get(name) for name in self.names}
        return {name: value for name, value in given.items() if value not in (None, "")}


class NewDealForm(forms.Form):
    """The few fields that make a deal."""

    request_id = forms.UUIDField(widget=forms.HiddenInput)
    NAMES = (
        "name",
        "account",
        "amount",
        "currency",
        "close_date",
        "service_line",
        "owner",
        "next_step",
        "next_step_on",
    )

    def __init__(self, *, user: User, stages: Sequence[Stage], data: Any = None, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        for name in self.NAMES:
            self.fields[name] = deal_field(name, user=user)
        self.fields["stage"] = PickField(stages, label=_("Stage"))
        self.fields["name"].widget.attrs["autofocus"] = True
        account = self.fields["account"]
        if isinstance(account, AccountField) and user.has_perm("opportunities.manage_accounts"):
            account.adds_new = True
            account.widget.attrs["data-adds-new"] = str(_("“{name}” will be added as a new account."))

    @property
    def values(self) -> dict[str, Any]:
        """The values given."""
        return {name: self.cleaned_data[name] for name in self.NAMES if self.cleaned_data.get(name) not in (None, "")}


class TemperatureForm(forms.Form):
    """An override with its reason."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)
    temperature = forms.ChoiceField(
        label=_("Temperature"), required=False,
        choices=[("", _("As the stage says")), *Temperature.choices],
    )  # fmt: skip
    reason = TextField(label=_("Why it differs from the stage"), max_length=500, required=False)


class SnoozeForm(forms.Form):
    """Quiet until a day, with a reason."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)
    until = DayField(label=_("Wake it on"), required=False)
    reason = TextField(label=_("What it waits for"), max_length=300, required=False)


class LoseForm(forms.Form):
    """Why a deal is lost."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)
    loss_reason = forms.ChoiceField(label=_("Loss reason"), choices=[("", "–"), *LossReason.choices], required=False)
    loss_note = TextField(label=_("What happened"), max_length=1000, required=False, is_multiline=True)


class ReopenForm(forms.Form):
    """Why a closed deal is taken up again."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)
    reason = TextField(label=_("Why it is taken up again"), max_length=500, required=False)
