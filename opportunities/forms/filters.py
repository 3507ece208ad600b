"""The filters of board and list, read from the address."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import ServiceLine, User
from accounts.queries import organisation
from opportunities.access import assignable_owners
from opportunities.forms.fields import DayField, PickField, TextField
from opportunities.models import Pipeline, Stage, StageKind, Temperature
from opportunities.queries.filters import DealFilter
from opportunities.queries.people import possible_delivery_owners
from opportunities.queries.zones import ZONES

ME = "me"
_STATES = {"open": (StageKind.OPEN,), "won": (StageKind.WON,), "lost": (StageKind.LOST,), "all": ()}


class OwnerField(forms.ChoiceField):
    """Nobody in particular, oneself, or somebody from the list; the value is the person's key."""

    def __init__(self, people: QuerySet[User], *, user: User, everyone: Any, **kwargs: Any) -> None:
        self.user = user
        # Only what is shown: this stands above every board and list, and there may be hundreds of people.
        others = [(str(pk), name) for pk, name in people.values_list("pk", "name") if pk != user.pk]
        super().__init__(choices=[("", everyone), (ME, _("Me")), *others], required=False, **kwargs)

    def clean(self, value: Any) -> Any:
        """The person's key, None for everyone. Raises ValidationError."""
        chosen = super().clean(value)
        if chosen == ME:
            return self.user.pk
        return int(chosen) if chosen else None


class BoardFilterForm(forms.Form):
    """Filters that a board has."""

    def __init__(self, data: Any, *, user: User) -> None:
        super().__init__(data, auto_id="filter_%s")
        self.user = user
        self.fields["q"] = TextField(label=_("Search"), max_length=200, required=False)
        self.fields["owner"] = OwnerField(
            assignable_owners(user), user=user, everyone=_("Everyone’s"), label=_("Owner")
        )
        self.fields["temperature"] = forms.MultipleChoiceField(
            label=_("Temperature"), choices=Temperature.choices, required=False
        )
        self.fields["service_line"] = PickField(
            ServiceLine.objects.filter(is_active=True), label=_("Service line"), nothing=_("Every service line"),
            required=False,
        )  # fmt: skip
        self.fields["unforecasted"] = forms.BooleanField(label=_("Un-forecasted only"), required=False)

    def wanted(self, pipeline: Pipeline | None = None) -> DealFilter:
        """What was asked for; what can't be read is left out (its field says so)."""
        self.is_valid()
        given = self.cleaned_data
        line = given.get("service_line")
        return DealFilter(
            pipeline_id=pipeline.pk if pipeline else None,
            owner_id=given.get("owner"),
            temperatures=tuple(given.get("temperature") or ()),
            service_line_id=line.pk if line else None,
            is_unforecasted=True if given.get("unforecasted") else None,
            search=given.get("q") or "",
        )


class ListFilterForm(BoardFilterForm):
    """Filters that the list has besides."""

    def __init__(self, data: Any, *, user: User, pipelines: Sequence[Pipeline], stages: Sequence[Stage]) -> None:
        super().__init__(data, user=user)
        several = len(pipelines) > 1
        self.fields["state"] = forms.ChoiceField(
            label=_("State"), required=False,
            choices=[("", _("Open")), ("won", _("Won")), ("lost", _("Lost")), ("all", _("All"))],
        )  # fmt: skip
        self.fields["pipeline"] = PickField(pipelines, label=_("Pipeline"), nothing=_("Every pipeline"), required=False)
        self.fields["stage"] = forms.MultipleChoiceField(
            label=_("Stage"), required=False,
            choices=[(str(each.pk), f"{each.pipeline.name}: {each.name}" if several else each.name) for each in stages],
        )  # fmt: skip
        self.fields["delivery_owner"] = OwnerField(
            possible_delivery_owners(), user=user, everyone=_("Anybody"), label=_("Delivery owner")
        )
        self.fields["rotting"] = forms.BooleanField(label=_("Standing still"), required=False)
        self.fields["close_from"] = DayField(label=_("Closes from"), required=False)
        self.fields["close_to"] = DayField(label=_("Closes until"), required=False)
        self.fields["zone"] = forms.ChoiceField(
            label=_("Zone"), required=False, choices=[("", ""), *((key, zone.label) for key, zone in ZONES.items())],
        )  # fmt: skip
        self.fields["account"] = forms.IntegerField(
            min_value=1, max_value=2**63 - 1, required=False, widget=forms.HiddenInput
        )

    def clean(self) -> dict[str, Any]:
        """Refuse a period that ends before it starts."""
        given = super().clean() or self.cleaned_data
        start, end = given.get("close_from"), given.get("close_to")
        if isinstance(start, dt.date) and isinstance(end, dt.date) and end < start:
            self.add_error("close_to", _("This is before the day it starts from."))
        return given

    def wanted(self, pipeline: Pipeline | None = None) -> DealFilter:
        """What was asked for; open deals unless a state, a stage or a zone is named."""
        basic = super().wanted(pipeline)
        given = self.cleaned_data
        chosen = given.get("pipeline") or pipeline
        state = given.get("state") or ("all" if given.get("stage") or given.get("zone") else "open")
        return DealFilter(
            **{
                **basic.__dict__,
                "pipeline_id": chosen.pk if chosen else None,
                "stage_ids": tuple(int(key) for key in given.get("stage") or ()),
                "kinds": tuple(kind.value for kind in _STATES[state]),
                "delivery_owner_id": given.get("delivery_owner"),
                "account_id": given.get("account"),
                "close_from": given.get("close_from"),
                "close_to": given.get("close_to"),
                "is_rotting": bool(given.get("rotting")),
                "zone": given.get("zone") or "",
                "zone_on": organisation().today(timezone.now()) if given.get("zone") else None,
            }
        )
