"""What deals need of people."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Organisation
from accounts.queries import organisation
from api.commitments import deals_of
from api.endpoints import Endpoint
from api.engagements import NoInput
from api.fields import Brief, Day, Id, Input, Moment, Scoped, Text, Url, Whole
from api.idempotency import idempotent
from api.lists import ListEndpoint, ListQuery, Ordering
from api.openapi import documented
from api.staffing_bookings import BookingOut, people_of
from api.staffing_fields import Hours, LevelIn, LevelOut, RoleField, given_levels, shown_levels
from api.versions import expected_version
from opportunities.starts import expected_start
from staffing.access import readable_need, require_planner, statable_need
from staffing.models import MOST_OFFSET, MOST_WEEKS, NeedState, StaffingNeed
from staffing.services.bookings import book
from staffing.services.needs import add_need, cancel_need, change_need, restore_need
from staffing.suggestions import WEIGHTS, Candidate, candidates, planned_span

MOST_SUGGESTED = 10


class StaffingNeedOut(serializers.ModelSerializer[StaffingNeed]):
    """Effort that a deal asks for."""

    url = Url("api:staffing_need")
    created_at = Moment()
    updated_at = Moment()
    opportunity = Brief()
    role = Brief()
    hours_per_week = Hours(read_only=True)
    starts_on = serializers.SerializerMethodField(
        help_text="Monday of its first week, by the deal's expected start; null while the deal has no dates."
    )
    state = serializers.ChoiceField(NeedState.choices)
    skills = serializers.SerializerMethodField()
    added_by = Brief(allow_null=True, help_text="Null where the deal's temperature asked.")
    cancelled_at = Moment(allow_null=True)

    class Meta:
        model = StaffingNeed
        fields = (
            "id", "version", "created_at", "updated_at", "url", "opportunity", "role", "hours_per_week", "offset_weeks",
            "weeks", "starts_on", "state", "note", "skills", "added_by", "cancelled_at",
        )  # fmt: skip

    @cached_property
    def _home(self) -> Organisation:
        return organisation()

    def get_starts_on(self, need: StaffingNeed) -> dt.date | None:
        """By the deal's dates as they stand."""
        start = expected_start(need.opportunity, self._home)
        return need.starts_on(start) if start else None

    @extend_schema_field(LevelOut(many=True))
    def get_skills(self, need: StaffingNeed) -> list[dict[str, Any]]:
        """By name."""
        return shown_levels(need.skills.all())


class NeedQuery(ListQuery):
    """Filters of the needs."""

    ordering = Ordering("id", "updated_at")
    opportunity = Id()
    role = Id()
    state = serializers.ChoiceField(
        NeedState.choices, required=False, help_text="Without it all that were not cancelled."
    )


class NeedChanges(Input):
    """What may be changed; ``skills`` replaces all of them."""

    kept = ("id", "version", "created_at", "updated_at", "url", "opportunity", "state", "starts_on", "added_by")
    role = RoleField(required=False)
    hours_per_week = Hours(required=False)
    offset_weeks = Whole(required=False, min_value=0, max_value=MOST_OFFSET)
    weeks = Whole(required=False, min_value=1, max_value=MOST_WEEKS)
    note = Text(required=False, allow_blank=True, max_length=300)
    skills = LevelIn(many=True, required=False)


class NeedNew(NeedChanges):
    """What is needed, and for which deal."""

    kept = tuple(name for name in NeedChanges.kept if name != "opportunity")
    opportunity = Scoped(deals_of)
    role = RoleField()
    hours_per_week = Hours()
    weeks = Whole(min_value=1, max_value=MOST_WEEKS)


class NeedBooking(Input):
    """Who is booked for the need; role, hours and days are the need's unless told."""

    person = Scoped(people_of, required=False, allow_null=True)
    role = RoleField(required=False)
    hours_per_week = Hours(required=False)
    first_on = Day(required=False)
    last_on = Day(required=False)
    note = Text(required=False, allow_blank=True, max_length=300)


class Needs(ListEndpoint):
    """Needs of the deals that the caller may see."""

    output = StaffingNeedOut
    query = NeedQuery

    @documented("List needs", gives=StaffingNeedOut, query=NeedQuery)
    def get(self, request: Request) -> Response:
        """A page of them."""
        given = self.parameters()
        rows = StaffingNeed.objects.visible_to(self.user).filter(opportunity__archived_at__isnull=True)
        rows = rows if "state" in given else rows.live()
        rows = rows.filter(**{name: given[name] for name in ("opportunity", "role", "state") if name in given})
        return self.page(
            rows.select_related("opportunity", "role", "added_by").prefetch_related("skills__skill"), given
        )

    @documented("Ask for effort", takes=NeedNew, gives=StaffingNeedOut, status=201)
    @idempotent
    def post(self, request: Request) -> Response:
        """Hours of a role for some weeks, from some weeks after the start."""
        given = _read(self, NeedNew)
        deal = given.pop("opportunity")
        need = add_need(actor=self.user, opportunity=deal, values=given, now=self.now)
        return self.answer(need, status.HTTP_201_CREATED)


class NeedDetail(Endpoint):
    """One need."""

    output = StaffingNeedOut

    @documented("Show a need", gives=StaffingNeedOut)
    def get(self, request: Request, pk: int) -> Response:
        """The need with its ETag."""
        return self.answer(readable_need(self.user, pk))

    @documented("Change a need", takes=NeedChanges, gives=StaffingNeedOut, versioned=True)
    def patch(self, request: Request, pk: int) -> Response:
        """Its state follows its bookings."""
        need = statable_need(self.user, pk)
        version = expected_version(request, need)
        changes = _read(self, NeedChanges)
        return self.answer(
            change_need(actor=self.user, need=need, changes=changes, expected_version=version, now=self.now)
        )

    @documented("Cancel a need", gives=StaffingNeedOut, versioned=True, refuses=(403, 409))
    def delete(self, request: Request, pk: int) -> Response:
        """409 while somebody is booked for it."""
        need = statable_need(self.user, pk)
        version = expected_version(request, need)
        return self.answer(cancel_need(actor=self.user, need=need, expected_version=version, now=self.now))


class NeedRestore(Endpoint):
    """It is needed after all."""

    output = StaffingNeedOut

    @documented("Ask for a cancelled need again", takes=NoInput, gives=StaffingNeedOut)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """A need that was not cancelled stays as it is."""
        need = statable_need(self.user, pk)
        self.read(NoInput)
        return self.answer(restore_need(actor=self.user, need=need, now=self.now))


class SuggestionOut(serializers.Serializer[Candidate]):
    """Somebody who could do it; the parts of the score go from 0 to 1."""

    person = Brief()
    score = serializers.IntegerField(help_text="0 to 100: " + ", ".join(f"{p} {w} %" for p, w in WEIGHTS.items()) + ".")
    fit = serializers.FloatField()
    availability = serializers.FloatField()
    continuity = serializers.FloatField()
    free_hours = Hours(source="free", read_only=True)
    working_hours = Hours(source="works", read_only=True)
    lacks = serializers.ListField(child=serializers.CharField(), help_text="Skills below what is asked for.")


class SuggestionsOut(serializers.Serializer[Any]):
    """Who could do it in these weeks, the best ranked first; ten at most."""

    first_on = serializers.DateField()
    last_on = serializers.DateField()
    suggestions = SuggestionOut(many=True)


class NeedSuggestions(Endpoint):
    """People for a need."""

    output = SuggestionsOut

    @documented("Suggest people for a need", gives=SuggestionsOut, refuses=(403,))
    def get(self, request: Request, pk: int) -> Response:
        """People of its role who work here in its weeks, by skills, free hours and whether they know the client."""
        need, home = readable_need(self.user, pk), organisation()
        require_planner(self.user)
        first_on, last_on = planned_span(need, home=home, today=home.today(self.now))
        found = candidates(need, first_on=first_on, last_on=last_on, standard=home.calendar)
        return Response(self.shown({"first_on": first_on, "last_on": last_on, "suggestions": found[:MOST_SUGGESTED]}))


class NeedBook(Endpoint):
    """Booking for a need."""

    output = BookingOut

    @documented("Book for a need", takes=NeedBooking, gives=BookingOut, status=201)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Softly while the deal is open; the same again is the booking that is there."""
        need = readable_need(self.user, pk)
        require_planner(self.user)
        values = {**self.read(NeedBooking), "need": need}
        return self.answer(book(actor=self.user, values=values, now=self.now), status.HTTP_201_CREATED)


def _read(endpoint: Endpoint, reader: type[Input]) -> dict[str, Any]:
    given = endpoint.read(reader)
    if "skills" in given:
        given["skills"] = given_levels(given["skills"])
    return given
