"""Forms about the organisation: thresholds, calendar, rates, service lines, regions."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from accounts.forms.fields import CountryField, CurrencyField, NameField, TimeZoneField
from accounts.services.organisation import OrganisationDetails

# Public holidays are worked out far beyond this; a year typed wrong should be noticed.
EARLIEST, LATEST = dt.date(2000, 1, 1), dt.date(2100, 12, 31)


class DateInput(forms.DateInput):
    """The browser's own date picker."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class DayField(forms.DateField):
    """A date within this century."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=DateInput(), **options)

    def validate(self, value: Any) -> None:
        """Refuse a year that can only be a slip of the finger."""
        super().validate(value)
        if value and not EARLIEST <= value <= LATEST:
            raise forms.ValidationError(_("Use a date between 2000 and 2100."))


class OrganisationForm(forms.Form):
    """Name, money, time, thresholds and clocks."""

    name = NameField(label=_("Name"), max_length=120)
    base_currency = CurrencyField(label=_("Base currency"), help_text=_("Totals are shown in it."))
    time_zone = TimeZoneField(help_text=_("Decides what “today” is. People may choose their own for times."))
    surprise_pull_in_days = forms.IntegerField(
        label=_("Close date pulled in: surprise after"), min_value=1, max_value=365,
        help_text=_("Days. A deal whose close date moves earlier by more than this counts as un-forecasted."),
    )  # fmt: skip
    start_after_close_days = forms.IntegerField(
        label=_("Expected start after the close date"), min_value=0, max_value=365,
        help_text=_("Days, while nobody has named a start."),
    )  # fmt: skip
    review_days = forms.IntegerField(
        label=_("A deal review is due after"), min_value=1, max_value=60,
        help_text=_("Business days from the day the deal turns hot; never after its close date."),
    )  # fmt: skip
    express_review_hours = forms.IntegerField(
        label=_("An express review is due after"), min_value=1, max_value=240,
        help_text=_("Hours from the moment a deal surfaces un-forecasted."),
    )  # fmt: skip

    @property
    def details(self) -> OrganisationDetails:
        """What a valid form says."""
        return OrganisationDetails(**self.cleaned_data)


class CalendarForm(forms.Form):
    """Which days people work."""

    country = CountryField()
    subdivision = forms.CharField(
        label=_("State or region"), max_length=8, required=False,
        help_text=_("Its code, such as BY for Bavaria, where holidays differ within the country."),
    )  # fmt: skip
    weekdays = forms.TypedMultipleChoiceField(
        label=_("Working days"), choices=list(WEEKDAYS.items()), coerce=int, widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one working day.")},
    )  # fmt: skip


class CalendarDayForm(forms.Form):
    """An exception to the calendar."""

    on = DayField(label=_("Date"))
    name = NameField(label=_("What it is"))
    is_working = forms.TypedChoiceField(
        label=_("People"), choices=[("no", _("don’t work")), ("yes", _("work"))], coerce=lambda value: value == "yes"
    )


class RateForm(forms.Form):
    """What a currency is worth."""

    currency = CurrencyField()
    on = DayField(label=_("From"))
    rate = forms.DecimalField(
        label=_("Worth in base currency"), min_value=Decimal("0.00000001"), max_digits=18, decimal_places=8
    )


class ServiceLineForm(forms.Form):
    """A new service line."""

    name = NameField(label=_("Name"))


class ServiceLineChangeForm(ServiceLineForm):
    """A service line, and whether it is still offered."""

    is_active = forms.BooleanField(label=_("Offered"), required=False)


class RegionForm(forms.Form):
    """A region."""

    name = NameField(label=_("Name"))
