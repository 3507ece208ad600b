"""What the horizon said before each win, and how well past weeks were foreseen."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.queries import organisation
from api.endpoints import Endpoint
from api.fields import Brief, Id, Input, NamedThing
from api.openapi import documented
from staffing.models.needs import MOST_WEEKS
from staffing.replay import Sight
from staffing.replay_backtest import ENOUGH_WINS, Figures
from staffing.replay_queries import (
    DEFAULT_LEAD,
    DEFAULT_PERIOD,
    LEADS,
    Replay,
    RoleFigures,
    SeenLine,
    SightLine,
    WinLine,
    replay_of,
)


class ReplayQuery(Input):
    """How long before, over how many weeks, and of what."""

    lead = serializers.ChoiceField(LEADS, required=False, help_text="Weeks before each week.")
    weeks = serializers.IntegerField(required=False, min_value=1, max_value=MOST_WEEKS, help_text="Full past weeks.")
    role = Id(help_text="One role only.")
    service_line = Id(help_text="Deals of one service line only.")


class FiguresOut(serializers.Serializer[Figures]):
    """How well a role was foreseen. Hours a week; shares from 0 to 1."""

    weeks = serializers.IntegerField(help_text="In which something was foreseen or came; only these count.")
    expected = serializers.FloatField()
    came = serializers.FloatField(help_text="Of deals that were known and open then.")
    bias = serializers.FloatField(help_text="Above 0: more came than was expected.")
    mean_absolute_error = serializers.FloatField(source="error")
    within_p80 = serializers.FloatField(help_text="Share of weeks at or below P80; near 0.8 where the forecast holds.")
    within_p80_with_surprises = serializers.FloatField()
    surprise_share = serializers.FloatField(help_text="Of all hours that came.")


class ReplayWeekOut(serializers.Serializer[Any]):
    """A role in a past week, hours."""

    monday = serializers.DateField()
    expected = serializers.FloatField()
    p50 = serializers.FloatField()
    p80 = serializers.FloatField()
    came = serializers.FloatField(help_text="Of deals that were known and open then.")
    surprised = serializers.FloatField(help_text="Of deals that were not.")


class ReplayRoleOut(serializers.Serializer[Any]):
    """A role over the weeks; without a role, all of them."""

    role = NamedThing(allow_null=True)
    wins = serializers.IntegerField(help_text="That brought hours in these weeks.")
    figures = FiguresOut(allow_null=True, help_text="Null while there are fewer wins than wins_needed.")
    weeks = ReplayWeekOut(many=True)


class SeenOut(serializers.Serializer[SeenLine]):
    """A deal as it was seen so long before its win."""

    weeks_before = serializers.IntegerField(source="lead")
    sight = serializers.ChoiceField([sight.value for sight in Sight], source="sight.value")
    stage = serializers.CharField()
    temperature = serializers.CharField()
    chance_percent = serializers.IntegerField(source="percent")
    hours = serializers.FloatField()
    starts_on = serializers.DateField(allow_null=True)
    weeks_late = serializers.IntegerField(source="late", help_text="The work began so much later than said then.")
    delivery_engaged = serializers.BooleanField(source="is_engaged")


class WinOut(serializers.Serializer[WinLine]):
    """A win, and what was seen of it before."""

    opportunity = Brief(source="deal")
    won_on = serializers.DateField(source="on")
    started_on = serializers.DateField(source="starts_on")
    hours = serializers.FloatField(help_text="Over all weeks.")
    seen = SeenOut(many=True)


class SightOut(serializers.Serializer[SightLine]):
    """How many wins could be seen so long before."""

    weeks_before = serializers.IntegerField(source="lead")
    seen = serializers.IntegerField()
    without_needs = serializers.IntegerField(help_text="Known, but not what they take or when.")
    surprises = serializers.IntegerField(help_text="Not there yet.")
    untold = serializers.IntegerField(help_text="History doesn't tell.")


class ReplayOut(serializers.Serializer[Any]):
    """What was foreseen against what came."""

    lead = serializers.IntegerField()
    wins_needed = serializers.IntegerField(source="enough")
    wins_compared = serializers.IntegerField()
    wins_unnamed = serializers.IntegerField(source="unnamed", help_text="Counted, but you may not see the deals.")
    wins_left_out = serializers.DictField(child=serializers.IntegerField(), help_text="By why they are.")
    sights = SightOut(many=True)
    roles = ReplayRoleOut(many=True)
    wins = WinOut(many=True)


class ReplayDetail(Endpoint):
    """The replay of the horizon."""

    output = ReplayOut
    query = ReplayQuery

    @documented(
        "Show what the horizon said before each win", gives=ReplayOut, query=ReplayQuery, is_list=False, refuses=(403,)
    )
    def get(self, request: Request) -> Response:
        """What was known at each moment only, against what came; wins of which history can't tell are left out."""
        if not self.user.has_perm("staffing.see"):
            raise PermissionDenied(_("The horizon is for delivery, executives and administrators."))
        given, home = self.parameters(), organisation()
        lead = given.get("lead", DEFAULT_LEAD)
        try:
            page = replay_of(
                self.user, home, today=home.today(self.now), lead=lead, weeks=given.get("weeks", DEFAULT_PERIOD),
                role=given.get("role"), line=given.get("service_line"),
            )  # fmt: skip
        except LookupError:
            return Response(self.shown({"lead": lead, **_NOTHING}))
        rows = [page.chosen] if page.chosen.role is not None else [page.chosen, *page.roles]
        told = {
            "lead": lead, "enough": page.enough, "wins_compared": page.wins, "unnamed": page.unnamed,
            "wins_left_out": {why.value: count for why, count in page.apart.items()}, "sights": page.sights,
            "roles": [_role(page, row) for row in rows], "wins": page.lines,
        }  # fmt: skip
        return Response(self.shown(told))


# Of a role that is nowhere.
_NOTHING: dict[str, Any] = {
    "enough": ENOUGH_WINS, "wins_compared": 0, "unnamed": 0, "wins_left_out": {}, "sights": [], "roles": [], "wins": [],
}  # fmt: skip


def _role(page: Replay, found: RoleFigures) -> dict[str, Any]:
    test = page.test
    return {
        "role": {"id": found.role.pk, "name": found.role.name} if found.role else None,
        "wins": found.wins,
        "figures": found.figures,
        "weeks": [
            {"monday": monday}
            | {
                name: round(float(getattr(test, name)[found.row, week]), 4)
                for name in ("expected", "p50", "p80", "came", "surprised")
            }
            for week, monday in enumerate(test.mondays)
        ],
    }
