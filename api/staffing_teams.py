"""A team suggested for a deal, and which roles are short."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.queries import organisation
from api.endpoints import Endpoint
from api.fields import Brief, Input
from api.horizon import DriverOut
from api.openapi import documented
from api.staffing_fields import Hours
from opportunities.access import readable_opportunity
from staffing.access import require_planner
from staffing.horizon_queries import DEFAULT_WEEKS, horizon_of
from staffing.models.needs import MOST_WEEKS
from staffing.shortages import Shortage, shortages
from staffing.teams import Member, Place, TeamPage, suggested_team


class MemberOut(serializers.Serializer[Member]):
    """Somebody for a need."""

    person = Brief(source="candidate.person")
    hours_per_week = Hours(source="hours", read_only=True)
    fit = serializers.FloatField(source="candidate.fit", help_text="Of the skills asked for, 0 to 1.")
    knows_client = serializers.BooleanField(source="candidate.continuity")
    lacks = serializers.ListField(
        source="candidate.lacks", child=serializers.CharField(), help_text="Skills below what is asked for."
    )
    free_hours_per_week = Hours(source="free", read_only=True)


class PlaceOut(serializers.Serializer[Place]):
    """A need and who is suggested for it."""

    need = serializers.IntegerField(source="need.pk")
    role = Brief(source="need.role")
    first_on = serializers.DateField()
    last_on = serializers.DateField()
    open_hours_per_week = Hours(source="wanted", read_only=True, help_text="That nobody is booked for yet.")
    left_hours_per_week = Hours(source="left", read_only=True, help_text="That nobody who can is free for.")
    members = MemberOut(many=True)


class TeamOut(serializers.Serializer[TeamPage]):
    """A team for all open needs of a deal at once."""

    needs = PlaceOut(source="places", many=True)
    is_best = serializers.BooleanField(help_text="False where the search was cut short.")


class ShortageQuery(Input):
    """How far ahead."""

    weeks = serializers.IntegerField(required=False, min_value=1, max_value=MOST_WEEKS)


class ShortageOut(serializers.Serializer[Shortage]):
    """A role that does not fit with 80 % confidence in these weeks."""

    role = Brief()
    first_monday = serializers.DateField(source="first.on")
    last_monday = serializers.DateField(source="last.on")
    worst_monday = serializers.DateField(source="worst.on")
    short_weeks = serializers.IntegerField()
    goes_on = serializers.BooleanField(help_text="Beyond the weeks looked at.")
    lacking_people = serializers.FloatField(source="lacking", help_text="Enough in the worst week, with 80 %.")
    lacking_people_confirmed = serializers.FloatField(source="sure", help_text="Of them for confirmed work alone.")
    is_lasting = serializers.BooleanField(help_text="Long enough to hire for.")
    drivers = DriverOut(many=True)


class ShortagesOut(serializers.Serializer[Any]):
    """Roles that are short, the worst first."""

    shortages = ShortageOut(many=True)


class TeamSuggestion(Endpoint):
    """A team for a deal."""

    output = TeamOut

    @documented("Suggest a team for a deal", gives=TeamOut, refuses=(403,))
    def get(self, request: Request, pk: int) -> Response:
        """Chosen together for all needs that nobody is booked for: most hours first, then skills, with few people."""
        deal, home = readable_opportunity(self.user, pk), organisation()
        require_planner(self.user)
        return self.answer(suggested_team(deal, home=home, today=home.today(self.now)))


class ShortageList(Endpoint):
    """Roles that are short."""

    output = ShortagesOut
    query = ShortageQuery

    @documented("Show which roles are short", gives=ShortagesOut, query=ShortageQuery, is_list=False, refuses=(403,))
    def get(self, request: Request) -> Response:
        """From when until when, of how many people, and because of which deals."""
        if not self.user.has_perm("staffing.see"):
            raise PermissionDenied(_("The horizon is for delivery, executives and administrators."))
        home = organisation()
        weeks = self.parameters().get("weeks", DEFAULT_WEEKS)
        inputs, horizon = horizon_of(home, today=home.today(self.now), weeks=weeks)
        return Response(self.shown({"shortages": shortages(self.user, inputs, horizon)}))
