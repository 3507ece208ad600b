"""Validation of what planners write about bookings, and of which part of the schedule is wanted."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from accounts.models import User
from opportunities.forms.fields import DayField, PickField, TextField
from opportunities.models import Opportunity, StageKind
from staffing.models import MOST_NEEDED, Booking, Person, WorkRole
from staffing.people_forms import HoursField, RecordForm
from staffing.schedule_queries import SPANS

MOST_MOVED = 104  # weeks
_KEY = re.compile(r"#(\d{1,18})$")


class DealField(TextField):
    """A deal by its name, or as the page's list of suggestions writes it; among those the person may see."""

    def __init__(self, *, user: User, **kwargs: Any) -> None:
        self.user = user
        super().__init__(max_length=450, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """The deal as the list of suggestions writes it."""
        return suggestion(value) if isinstance(value, Opportunity) else value

    def clean(self, value: Any) -> Any:
        """The deal, None when empty. Raises ValidationError."""
        text = super().clean(value)
        if not text:
            return None
        deals = Opportunity.objects.current().visible_to(self.user).exclude(kind=StageKind.LOST)
        key = _KEY.search(text)
        found = list(deals.filter(pk=int(key[1])) if key else deals.filter(name__iexact=text)[:2])
        if len(found) == 1:
            return found[0]
        if found:
            raise ValidationError(_("Several deals are called that. Choose one of the list."))
        raise ValidationError(_("There is no open or won deal like that. Choose one of the list."))


def suggestion(deal: Opportunity) -> str:
    """Name, account and key of a deal; the key makes it unmistakable."""
    return f"{deal.name} ({deal.account.name}) #{deal.pk}" if deal.account else f"{deal.name} #{deal.pk}"


class BookingForm(RecordForm):
    """Who is booked for what, how much and when. A booking keeps its deal: for another one, another booking is made."""

    NAMES: ClassVar[tuple[str, ...]] = (
        "person", "role", "opportunity", "title", "hours_per_week", "first_on", "last_on", "note",
    )  # fmt: skip
    hours_per_week = HoursField(label=gettext_lazy("Hours a week"), min_value=Decimal("0.5"), max_value=MOST_NEEDED)
    first_on = DayField(label=gettext_lazy("From"))
    last_on = DayField(label=gettext_lazy("Until"))
    note = TextField(label=gettext_lazy("Note"), max_length=300, required=False)
    request_id = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        data: Any = None,
        *,
        user: User,
        booking: Booking | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, thing=booking, initial={"request_id": uuid.uuid4(), **(initial or {})})
        people = list(Person.objects.current().select_related("role"))
        roles = list(WorkRole.objects.filter(archived_at__isnull=True))
        if booking is not None:
            people += [booking.person] if booking.person and booking.person not in people else []
            roles += [booking.role] if booking.role not in roles else []
        self.fields["person"] = PickField(
            people, label=gettext_lazy("Person"), nothing=gettext_lazy("Nobody named yet"), required=False
        )
        self.fields["role"] = PickField(
            roles, label=gettext_lazy("Role"), nothing=gettext_lazy("The person’s"), required=False
        )
        if booking is None:
            self.fields["opportunity"] = DealField(
                user=user, label=gettext_lazy("Deal"), required=False,
                widget=forms.TextInput(attrs={"list": "booking-deals", "autocomplete": "off"}),
                help_text=gettext_lazy("Begin to write its name or its client’s."),
            )  # fmt: skip
        if booking is None or booking.opportunity_id is None:
            self.fields["title"] = TextField(
                label=gettext_lazy("Or own work") if booking is None else gettext_lazy("What for"),
                max_length=120, required=False, help_text=gettext_lazy("Such as “training” or “support rota”."),
            )  # fmt: skip

    @property
    def values(self) -> dict[str, Any]:
        """The values given; the role is left to the service where none was chosen."""
        given = super().values
        return {name: value for name, value in given.items() if value or name != "role"}

    def clean(self) -> dict[str, Any]:
        """Somebody or some role, for a deal or for work of our own."""
        given = super().clean() or {}
        if not self.errors:
            if not given.get("person") and not given.get("role"):
                self.add_error("person", _("Choose somebody, or the role that is wanted."))
            if "opportunity" in self.fields and bool(given.get("opportunity")) == bool(given.get("title")):
                self.add_error("opportunity", _("Name either the deal or the own work."))
        return given


class MoveForm(forms.Form):
    """By how many weeks the first and the last day of a booking move."""

    version = forms.IntegerField(min_value=1, max_value=2**31 - 1, required=False)
    first = forms.IntegerField(min_value=-MOST_MOVED, max_value=MOST_MOVED)
    last = forms.IntegerField(min_value=-MOST_MOVED, max_value=MOST_MOVED)


class ScheduleForm(forms.Form):
    """From when, how many weeks, and which role; what can't be read is left at its default."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__({"weeks": "12", **{name: data[name] for name in data}}, auto_id="filter_%s")
        self.fields["from"] = DayField(label=gettext_lazy("From"), required=False)
        spans = [(str(n), ngettext_lazy("%d week", "%d weeks", n) % n) for n in SPANS]
        self.fields["weeks"] = forms.ChoiceField(
            label=gettext_lazy("How many weeks"), choices=spans, required=False, initial="12"
        )
        roles = WorkRole.objects.filter(archived_at__isnull=True)
        self.fields["role"] = PickField(
            roles, label=gettext_lazy("Role"), nothing=gettext_lazy("Every role"), required=False
        )

    def wanted(self, today: dt.date) -> tuple[dt.date, int, WorkRole | None]:
        """First day, weeks and role."""
        self.is_valid()
        given = self.cleaned_data
        since: dt.date = given.get("from") or today
        if not 2000 <= since.year <= 2099:
            since = today
        return since, int(given.get("weeks") or 12), given.get("role")

    def query(self, **more: str) -> str:
        """The filter as the query part of an address, with further parameters."""
        given = {name: self.data.get(name, "") for name in self.fields}
        return urlencode({name: value for name, value in {**given, **more}.items() if value})
