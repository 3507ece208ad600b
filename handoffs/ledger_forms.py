"""Validation of what people write on the commitment ledger and into the register."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.db.models import Model
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from handoffs.models import (
    Commitment,
    CommitmentKind,
    CommitmentOutcome,
    CommitmentSource,
    RaidItem,
    RaidKind,
    RiskResponse,
    Stance,
    TaskSide,
)
from handoffs.models.risk import LEAST, MOST
from handoffs.queries import people_for
from handoffs.services.commitments import contacts_for
from opportunities.forms.fields import DayField, PickField, TextField
from opportunities.models import Opportunity


class VersionForm(forms.Form):
    """The version that the person saw."""

    version = forms.IntegerField(min_value=1, max_value=2**31 - 1, required=False, widget=forms.HiddenInput)


class _NotedForm(VersionForm):
    """A choice with a few words to it."""

    note = TextField(max_length=500, required=False, is_multiline=True)


class StanceForm(_NotedForm):
    """What delivery says to a promise."""

    stance = forms.ChoiceField(choices=Stance.choices, error_messages={"required": _("Choose one of the answers.")})


class SettleForm(_NotedForm):
    """What became of a promise."""

    outcome = forms.ChoiceField(
        choices=CommitmentOutcome.choices, error_messages={"required": _("Choose what became of it.")}
    )


class CloseForm(_NotedForm):
    """Why an entry needs no more minding."""


class ProposeForm(forms.Form):
    """What changed in the register, and whether one agrees right away."""

    reason = TextField(max_length=500, required=False, is_multiline=True)
    agrees = forms.BooleanField(required=False)


class _LedgerForm(VersionForm):
    """A record of the ledger: present values in, changes out, and what differs from it after a collision."""

    NAMES: ClassVar[tuple[str, ...]]

    def __init__(self, data: Any = None, *, thing: Model | None, initial: Mapping[str, Any]) -> None:
        present = {name: getattr(thing, name) for name in (*self.NAMES, "version")} if thing else dict(initial)
        super().__init__(data, initial=present)

    @property
    def changes(self) -> dict[str, Any]:
        """The values given."""
        return {name: self.cleaned_data[name] for name in self.NAMES}

    def differing(self, thing: Model) -> list[tuple[str, Any]]:
        """Label and present value of each field that the record now has another value for."""
        self.is_valid()
        now = {name: getattr(thing, name) for name in self.NAMES}
        other = {name: value for name, value in now.items() if self.cleaned_data.get(name) != value}
        return [(str(self.fields[name].label), self._readable(name, value)) for name, value in other.items()]

    def _readable(self, name: str, value: Any) -> Any:
        if isinstance(value, bool):
            return gettext("yes") if value else gettext("no")
        choices = dict(getattr(self.fields[name], "choices", []))
        return choices.get(value, value) or "–"


class CommitmentForm(_LedgerForm):
    """A promise to the client."""

    NAMES = (
        "text", "kind", "promised_by", "promised_to", "promised_on", "due_on", "source", "source_note", "is_in_sow",
    )  # fmt: skip
    text = TextField(
        label=_("What was promised"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("In the words that the client heard."),
    )  # fmt: skip
    kind = forms.ChoiceField(label=_("It fixes"), choices=CommitmentKind.choices)
    due_on = DayField(label=_("For when"), required=False)
    promised_on = DayField(label=_("Promised on"))
    source = forms.ChoiceField(label=_("Where"), choices=CommitmentSource.choices)
    source_note = TextField(
        label=_("Which one"), max_length=300, required=False, help_text=_("Such as “offer of 3 May, page 4”.")
    )
    is_in_sow = forms.BooleanField(label=_("It is in the SOW"), required=False)

    def __init__(
        self,
        data: Any = None,
        *,
        opportunity: Opportunity,
        commitment: Commitment | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, thing=commitment, initial=initial or {})
        people = list(people_for(opportunity, TaskSide.SHARED))
        contacts = contacts_for(opportunity)
        if commitment is not None:
            people += [person for person in (commitment.promised_by,) if person not in people]
            contacts += [contact for contact in (commitment.promised_to,) if contact and contact not in contacts]
        self.fields["promised_by"] = PickField(people, label=_("Promised by"), nothing=gettext("Choose"))
        self.fields["promised_to"] = PickField(
            contacts, label=_("To whom"), nothing=gettext("Somebody at the client"), required=False
        )


class RatingField(forms.TypedChoiceField):
    """1 to 5, with words at the ends."""

    def __init__(self, *, low: Any, high: Any, **kwargs: Any) -> None:
        numbers = [(number, str(number)) for number in range(LEAST + 1, MOST)]
        choices = [("", "–"), (LEAST, _join(LEAST, low)), *numbers, (MOST, _join(MOST, high))]
        super().__init__(choices=choices, coerce=int, empty_value=None, required=False, **kwargs)


def _join(number: int, word: Any) -> str:
    return f"{number} – {word}"


class RaidForm(_LedgerForm):
    """An entry of the register."""

    NAMES = ("kind", "text", "likelihood", "impact", "response", "response_note", "owner", "due_on")
    kind = forms.ChoiceField(label=_("Kind"), choices=RaidKind.choices)
    text = TextField(label=_("What"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))
    response = forms.ChoiceField(label=_("Response"), choices=RiskResponse.choices, required=False)
    response_note = TextField(label=_("What we do"), max_length=500, required=False)
    due_on = DayField(label=_("Look again on"), required=False)

    def __init__(
        self,
        data: Any = None,
        *,
        opportunity: Opportunity,
        item: RaidItem | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, thing=item, initial=initial or {})
        self.fields["likelihood"] = RatingField(label=_("Likelihood"), low=gettext("rare"), high=gettext("almost sure"))
        self.fields["impact"] = RatingField(label=_("Impact"), low=gettext("slight"), high=gettext("severe"))
        people: list[User] = list(people_for(opportunity, TaskSide.SHARED))
        if item is not None and item.owner is not None and item.owner not in people:
            people.append(item.owner)
        self.fields["owner"] = PickField(people, label=_("Owner"), nothing=gettext("Nobody yet"), required=False)
