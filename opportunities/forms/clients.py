"""Forms of accounts and contacts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Region, Side, Team, User
from opportunities.forms.fields import AccountField, PickField, TextField
from opportunities.models import Account, Contact, StakeholderRole


class VersionedForm(forms.Form):
    """A form that says which version the person saw; none for something new."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1, required=False)

    @property
    def values(self) -> dict[str, Any]:
        """The values given."""
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}


class AccountForm(VersionedForm):
    """A client organisation."""

    def __init__(self, data: Any = None, *, user: User, account: Account | None = None) -> None:
        initial = {"country": "", "team": user.teams.filter(side=Side.SALES).order_by("name").first()}
        if account is not None:
            names = ("version", "name", "parent", "industry", "country", "website", "team", "region")
            initial = {name: getattr(account, name) for name in names}
        super().__init__(data, initial=initial)
        teams = Team.objects.filter(side=Side.SALES)
        self.fields["name"] = TextField(label=_("Name"), max_length=200)
        self.fields["parent"] = AccountField(user=user, label=_("Part of"), required=False)
        self.fields["industry"] = TextField(label=_("Industry"), max_length=120, required=False)
        self.fields["country"] = TextField(label=_("Country"), max_length=80, required=False)
        self.fields["website"] = forms.URLField(label=_("Website"), required=False, assume_scheme="https")
        self.fields["team"] = PickField(teams, label=_("Team"), nothing=_("No team"), required=False)
        self.fields["region"] = PickField(Region.objects.all(), label=_("Region"), required=False)


class ContactForm(VersionedForm):
    """A person at a client."""

    def __init__(self, data: Any = None, *, contact: Contact | None = None) -> None:
        names = ("version", "name", "title", "email", "phone", "stakeholder_role")
        super().__init__(data, initial={name: getattr(contact, name) for name in names} if contact else None)
        self.fields["name"] = TextField(label=_("Name"), max_length=160)
        self.fields["title"] = TextField(label=_("Job title"), max_length=160, required=False)
        self.fields["email"] = forms.EmailField(label=_("E-mail"), required=False)
        self.fields["phone"] = TextField(label=_("Phone"), max_length=40, required=False)
        self.fields["stakeholder_role"] = forms.ChoiceField(
            label=_("Part in the decision"),
            choices=[("", _("Not known yet")), *StakeholderRole.choices],
            required=False,
        )
