"""Demand against capacity by role and week, and when a deal can start safely."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.queries import organisation
from api.endpoints import Endpoint
from api.errors import invalid
from api.fields import Brief, Day, Id, Input, NamedThing
from api.openapi import documented
from opportunities.access import readable_opportunity
from staffing.access import readable_scenario
from staffing.earliest_queries import EarliestPanel, NeedLine, earliest_panel
from staffing.horizon import Horizon, Reason
from staffing.horizon_inputs import Inputs
from staffing.horizon_queries import DEFAULT_WEEKS, CellPage, DriverLine, RoleLine, cell_page, horizon_of, horizon_page
from staffing.models.needs import MOST_WEEKS
from staffing.scenario_queries import changes_of, version_with
from staffing.weeks import monday_of

_FIGURES = (
    "capacity", "confirmed", "expected", "exposure", "p50", "p80", "overload_probability", "expected_overload",
)  # fmt: skip


class HorizonQuery(Input):
    """From when and how far, and of which role."""

    vars()["from"] = Day(required=False, help_text="A day of the first week, from this week on.")
    weeks = serializers.IntegerField(required=False, min_value=1, max_value=MOST_WEEKS)
    role = Id(help_text="One role only.")
    week = Day(required=False, help_text="A day of the week whose drivers are wanted; needs a role.")
    scenario = Id(help_text="As it would be with what this scenario supposes.")


class WeekOut(serializers.Serializer[Any]):
    """A role in a week. Hours a week; probabilities from 0 to 1."""

    monday = serializers.DateField()
    capacity = serializers.FloatField()
    confirmed = serializers.FloatField()
    expected = serializers.FloatField()
    exposure = serializers.FloatField(help_text="As if every open deal were won and began as planned.")
    p50 = serializers.FloatField()
    p80 = serializers.FloatField()
    overload_probability = serializers.FloatField()
    expected_overload = serializers.FloatField()


class RoleOut(serializers.Serializer[Any]):
    """A role over the weeks."""

    role = NamedThing()
    people = serializers.IntegerField()
    short_from = serializers.DateField(allow_null=True, help_text="Monday of the first week that does not fit safely.")
    lacking_people = serializers.FloatField(help_text="Enough in the worst week with the confidence.")
    weeks = WeekOut(many=True)


class DriverOut(serializers.Serializer[DriverLine]):
    """A deal behind a cell; percentages are of overload, after."""

    opportunity = Brief(source="deal", allow_null=True, help_text="Null where you may not see the deal.")
    chance_percent = serializers.IntegerField(source="chance")
    expected_hours = serializers.FloatField(source="hours")
    overload_percent_if_lost = serializers.IntegerField(source="if_lost")
    overload_percent_if_moved = serializers.IntegerField(source="if_moved", help_text="By four weeks, later.")


class HorizonOut(serializers.Serializer[Any]):
    """Demand against capacity."""

    first_monday = serializers.DateField()
    undated_deals = serializers.IntegerField(help_text="Open deals with needs but without dates; they are left out.")
    calibrated_deals = serializers.IntegerField(help_text="Whose chance is the share of wins of their stage.")
    slips_learned_from = serializers.IntegerField(help_text="Won deals; 0: starts slip by a documented default.")
    roles = RoleOut(many=True)
    drivers = DriverOut(many=True)


class EarliestNeedOut(serializers.Serializer[NeedLine]):
    """When one need fits."""

    need = serializers.IntegerField(source="need.pk")
    role = Brief(source="need.role")
    earliest_on = serializers.DateField(source="on", allow_null=True)
    reason = serializers.ChoiceField([reason.value for reason in Reason], allow_null=True)


class EarliestOut(serializers.Serializer[EarliestPanel]):
    """When the deal can start safely."""

    earliest_on = serializers.DateField(source="on", allow_null=True, help_text="A Monday.")
    reason = serializers.ChoiceField(
        [reason.value for reason in Reason], allow_null=True, help_text="Why there is none."
    )
    binding_role = Brief(source="binding", allow_null=True)
    confidence_percent = serializers.IntegerField(source="confidence")
    promised_on = serializers.DateField(allow_null=True)
    weeks_too_early = serializers.IntegerField(source="early")
    needs = EarliestNeedOut(source="lines", many=True)


class HorizonDetail(Endpoint):
    """The horizon."""

    output = HorizonOut
    query = HorizonQuery

    @documented("Show demand against capacity", gives=HorizonOut, query=HorizonQuery, is_list=False, refuses=(403,))
    def get(self, request: Request) -> Response:
        """By role and week, from this week or a later one on; with a role and a week also the deals behind them."""
        if not self.user.has_perm("staffing.see"):
            raise PermissionDenied(_("The horizon is for delivery, executives and administrators."))
        given, home = self.parameters(), organisation()
        today = home.today(self.now)
        first, weeks = _span(given, today)
        inputs, found = horizon_of(home, today=today, weeks=first + weeks)
        if "scenario" in given:
            scenario = readable_scenario(self.user, given["scenario"])
            version = version_with(scenario, inputs, found, changes_of([scenario]))
            inputs, found = version.inputs, version.horizon
        page = horizon_page(inputs, found, role=given.get("role"), every=True, first=first)
        behind = self._behind(inputs, found, given, first) if "week" in given and page.lines else None
        return Response(
            self.shown(
                {
                    "first_monday": inputs.week(first),
                    "undated_deals": inputs.undated,
                    "calibrated_deals": inputs.calibrated,
                    "slips_learned_from": inputs.slips.moved,
                    "roles": [_role(inputs, found, line, first) for line in page.lines],
                    "drivers": behind.drivers if behind else [],
                }
            )
        )

    def _behind(self, inputs: Inputs, found: Horizon, given: dict[str, Any], first: int) -> CellPage:
        if "role" not in given:
            raise invalid({"role": [_("Say what role's drivers are wanted.")]})
        try:
            if given["week"] < inputs.week(first):
                raise LookupError(given["week"])
            return cell_page(self.user, inputs, found, role=given["role"], on=given["week"])
        except LookupError as error:
            raise invalid({"week": [_("There is no such day in these weeks.")]}) from error


class EarliestStartDetail(Endpoint):
    """The earliest safe start of a deal."""

    output = EarliestOut

    @documented("Show when a deal can start safely", gives=EarliestOut)
    def get(self, request: Request, pk: int) -> Response:
        """The first Monday from which all that the deal needs fits beside everything else, and each need by itself."""
        deal, home = readable_opportunity(self.user, pk), organisation()
        return self.answer(earliest_panel(deal, home=home, today=home.today(self.now)))


def _span(given: dict[str, Any], today: dt.date) -> tuple[int, int]:
    """Number of the first week, this one being 0, and how many weeks."""
    this_week = monday_of(today)
    wanted: dt.date = given.get("from", today)
    if wanted < this_week:
        sentence = _("The horizon begins with this week. Choose a day from %(day)s on.")
        raise invalid({"from": [sentence % {"day": this_week.isoformat()}]})
    first = (monday_of(wanted) - this_week).days // 7
    weeks: int = given.get("weeks", min(DEFAULT_WEEKS, MOST_WEEKS - first))
    if weeks < 1 or first + weeks > MOST_WEEKS:
        last = this_week + dt.timedelta(weeks=MOST_WEEKS, days=-1)
        sentence = _("The horizon goes %(most)d weeks ahead, until %(day)s. Choose an earlier day, or fewer weeks.")
        raise invalid({"from": [sentence % {"most": MOST_WEEKS, "day": last.isoformat()}]})
    return first, weeks


def _role(inputs: Inputs, horizon: Horizon, line: RoleLine, first: int) -> dict[str, Any]:
    row = inputs.row(line.role.pk)
    return {
        "role": {"id": line.role.pk, "name": line.role.name},
        "people": line.people,
        "short_from": line.short_from.on if line.short_from else None,
        "lacking_people": round(line.lacking, 2),
        "weeks": [
            {"monday": inputs.week(week)}
            | {name: round(float(getattr(horizon, name)[row, week]), 4) for name in _FIGURES}
            for week in range(first, inputs.weeks)
        ],
    }
