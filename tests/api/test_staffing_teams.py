"""A team for a deal and the roles that are short, for programs."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from accounts.models import Organisation
from opportunities.models import Opportunity
from staffing.models import WorkRole
from staffing.weeks import monday_of
from tests import factories
from tests.api.conftest import Program
from tests.staffing.staffed import booking, need, role, worker

MONDAY = monday_of(timezone.now().date())
WEEK = dt.timedelta(weeks=1)


@pytest.fixture
def architect(organisation: Organisation) -> WorkRole:
    return worker("Nora", role("Architect")).role


@pytest.fixture
def deal(architect: WorkRole) -> Opportunity:
    start = MONDAY + 4 * WEEK
    return factories.deal("proposal", close_date=start, start_on=start, probability=90)


def test_suggests_a_team(dans: Program, alices: Program, deal: Opportunity, architect: WorkRole) -> None:
    wanted = need(deal, architect, 60, weeks=4)
    answer = dans.get(f"opportunities/{deal.pk}/team-suggestion/").json
    (place,) = answer["needs"]
    assert (place["need"], place["role"]["name"], place["open_hours_per_week"]) == (wanted.pk, "Architect", "60.0")
    (member,) = place["members"]
    assert (member["person"]["name"], member["hours_per_week"], member["lacks"]) == ("Nora", "40.0", [])
    assert (place["left_hours_per_week"], answer["is_best"]) == ("20.0", True)
    assert alices.get(f"opportunities/{deal.pk}/team-suggestion/").status == 403


def test_shows_which_roles_are_short(dans: Program, alices: Program, deal: Opportunity, architect: WorkRole) -> None:
    need(deal, architect, 60, weeks=20)
    booking(MONDAY + 6 * WEEK, MONDAY + 8 * WEEK - dt.timedelta(days=1), 80, role=architect)
    (short,) = dans.get("staffing/shortages/?weeks=20").json["shortages"]
    assert short["role"]["name"] == "Architect"
    assert (short["lacking_people"] >= 1, short["lacking_people_confirmed"] >= 0.8, short["goes_on"]) == (True,) * 3
    assert [driver["opportunity"]["id"] for driver in short["drivers"]] == [deal.pk]
    assert alices.get("staffing/shortages/").status == 403
