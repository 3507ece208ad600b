"""Forms about people: the first run, profile, people and teams."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.forms.fields import CountryField, CurrencyField, NameField, TimeZoneField
from accounts.models import Region, Role, ServiceLine, Side, Team, User
from accounts.services.people import PersonDetails
from accounts.services.setup import FirstAdministrator
from accounts.services.teams import TeamDetails


class WelcomeForm(forms.Form):
    """Everything the first run asks."""

    name = NameField(label=_("Name of your organisation"), max_length=120)
    base_currency = CurrencyField(
        label=_("Base currency"), initial="EUR", help_text=_("Totals are shown in it. Deals may have any currency.")
    )
    country = CountryField(help_text=_("They don’t count as business days."))
    time_zone = TimeZoneField(initial="UTC")
    person_name = NameField(label=_("Your name"), max_length=120)
    email = forms.EmailField(label=_("E-mail"), max_length=254, help_text=_("You sign in with it."))
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}, render_value=True),
        help_text=_("At least 12 characters. A few unrelated words are easy to keep in mind."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs |= {"autocomplete": "organization", "autofocus": True}
        self.fields["person_name"].widget.attrs["autocomplete"] = "name"
        self.fields["email"].widget.attrs["autocomplete"] = "username"

    def clean(self) -> dict[str, Any]:
        """Refuse a password that is easily guessed, also from the other answers."""
        values: dict[str, Any] = super().clean() or {}
        if values.get("password"):
            person = User(email=values.get("email", ""), name=values.get("person_name", ""))
            try:
                password_validation.validate_password(values["password"], person)
            except ValidationError as error:
                self.add_error("password", error)
        return values

    @property
    def administrator(self) -> FirstAdministrator:
        """The person of a valid form."""
        values = self.cleaned_data
        return FirstAdministrator(values["person_name"], values["email"], values["password"])


class ProfileForm(forms.Form):
    """One's own name and time zone."""

    name = NameField(label=_("Name"), max_length=120)
    time_zone = TimeZoneField(
        required=False, empty=_("As the organisation"), help_text=_("Times are shown in it. Dates stay dates.")
    )


class AppearanceForm(forms.Form):
    """Light, dark, or as the device."""

    theme = forms.ChoiceField(choices=[("auto", ""), ("light", ""), ("dark", "")])


class PersonForm(forms.Form):
    """What an administrator says about a person."""

    name = NameField(label=_("Name"), max_length=120)
    email = forms.EmailField(label=_("E-mail"), max_length=254, help_text=_("They sign in with it."))
    roles = forms.TypedMultipleChoiceField(
        label=_("Roles"), choices=Role.choices, coerce=Role, widget=forms.CheckboxSelectMultiple, required=False,
        help_text=_("Several may fit one person. Without a role they see only the deals on which they are named."),
    )  # fmt: skip
    teams = forms.ModelMultipleChoiceField(
        label=_("Teams"), queryset=Team.objects.all(), widget=forms.CheckboxSelectMultiple, required=False,
        help_text=_("Teams decide which deals a person sees."),
    )  # fmt: skip

    @property
    def details(self) -> PersonDetails:
        """What a valid form says."""
        values = self.cleaned_data
        return PersonDetails(values["name"], values["email"], tuple(values["roles"]), tuple(values["teams"]))


class TeamForm(forms.Form):
    """What an administrator says about a team."""

    name = NameField(label=_("Name"))
    side = forms.TypedChoiceField(label=_("Side"), choices=Side.choices, coerce=Side, widget=forms.RadioSelect)
    parent = forms.ModelChoiceField(
        label=_("Part of"), queryset=Team.objects.all(), required=False, empty_label=_("Nothing above it"),
        help_text=_("A sales team also sees the deals of the teams below it."),
    )  # fmt: skip
    region = forms.ModelChoiceField(
        label=_("Region"), queryset=Region.objects.all(), required=False, empty_label=_("Any region")
    )
    service_lines = forms.ModelMultipleChoiceField(
        label=_("Service lines"), queryset=ServiceLine.objects.all(), required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("What a delivery team delivers, and so which deals it sees. None chosen: all of them."),
    )  # fmt: skip
    members = forms.ModelMultipleChoiceField(
        label=_("Members"), queryset=User.objects.filter(is_active=True), required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    on_call = forms.ModelChoiceField(
        label=_("On call for un-forecasted deals"), queryset=User.objects.filter(is_active=True), required=False,
        empty_label=_("Nobody"), help_text=_("One of the members. They are told at once."),
    )  # fmt: skip

    def __init__(self, *args: Any, team: Team | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if team:
            self.fields["parent"].queryset = Team.objects.exclude(pk=team.pk)  # type: ignore[attr-defined]

    @property
    def details(self) -> TeamDetails:
        """What a valid form says."""
        values = self.cleaned_data
        return TeamDetails(
            name=values["name"],
            side=values["side"],
            parent=values["parent"],
            region=values["region"],
            service_lines=tuple(values["service_lines"]),
            members=tuple(values["members"]),
            on_call=values["on_call"],
        )
