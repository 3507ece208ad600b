"""Teams: who shares deals with whom."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from accounts.models import Side, Team, User
from accounts.services import teams
from accounts.services.teams import TeamDetails
from tests import factories
from tests.cast import Browser

NOW = timezone.now()


def details(name: str = "Sales West", **changes: object) -> TeamDetails:
    """A sales team of nobody."""
    plain = {
        "side": Side.SALES, "parent": None, "region": None, "service_lines": (), "members": (), "on_call": None,
    }  # fmt: skip
    return TeamDetails(name=name, **plain | changes)  # type: ignore[arg-type]


def test_adding_one_on_the_page(as_ada: Browser, alice: User) -> None:
    data = {"name": "Sales West", "side": "sales", "members": [alice.pk], "on_call": alice.pk}
    assert as_ada.post("/settings/teams/add/", data)["Location"] == "/settings/teams/"
    team = Team.objects.get(name="Sales West")
    assert list(team.members.all()) == [alice]
    assert team.on_call == alice


def test_a_name_that_is_taken(ada: User, alice: User) -> None:
    with pytest.raises(ValidationError, match="already a team"):
        teams.create_team(actor=ada, details=details("Sales North"), now=NOW)


def test_who_is_on_call_is_a_member(ada: User, alice: User) -> None:
    with pytest.raises(ValidationError, match="must be a member"):
        teams.create_team(actor=ada, details=details(on_call=alice), now=NOW)


def test_a_team_can_not_be_below_itself(ada: User) -> None:
    top = teams.create_team(actor=ada, details=details("Top"), now=NOW)
    middle = teams.create_team(actor=ada, details=details("Middle", parent=top), now=NOW)
    bottom = teams.create_team(actor=ada, details=details("Bottom", parent=middle), now=NOW)
    with pytest.raises(ValidationError, match="team below it"):
        teams.change_team(actor=ada, team=top, details=details("Top", parent=bottom), now=NOW)
    assert Team.objects.get(pk=top.pk).parent is None


def test_a_sales_team_is_not_part_of_a_delivery_team(ada: User) -> None:
    above = teams.create_team(actor=ada, details=details("Delivery X", side=Side.DELIVERY), now=NOW)
    with pytest.raises(ValidationError, match="same side"):
        teams.create_team(actor=ada, details=details(parent=above), now=NOW)


def test_a_refused_change_keeps_what_was_typed(as_ada: Browser, alice: User) -> None:
    team = Team.objects.get(name="Sales North")
    Team.objects.create(name="Sales East", side=Side.SALES)
    response = as_ada.post(f"/settings/teams/{team.pk}/", {"name": "Sales East", "side": "sales"})
    assert response.status_code == 422
    page = response.content.decode()
    assert "There is already a team of this name." in page
    assert 'value="Sales East"' in page
    assert '<h1 class="ot-page-title">Sales North</h1>' in page


def test_a_team_with_deals_stays(as_ada: Browser) -> None:
    factories.deal()
    team = Team.objects.get(name="Sales North")
    page = as_ada.post(f"/settings/teams/{team.pk}/delete/", follow=True).content.decode()
    assert "still has deals" in page
    assert Team.objects.filter(pk=team.pk).exists()


def test_an_empty_team_goes(ada: User) -> None:
    team = teams.create_team(actor=ada, details=details(), now=NOW)
    teams.delete_team(actor=ada, team=team, now=NOW)
    assert not Team.objects.filter(name="Sales West").exists()


def test_only_an_administrator_changes_teams(sam: User) -> None:
    team = Team.objects.get(name="Sales North")
    with pytest.raises(PermissionDenied):
        teams.create_team(actor=sam, details=details(), now=NOW)
    with pytest.raises(PermissionDenied):
        teams.change_team(actor=sam, team=team, details=details(), now=NOW)
    with pytest.raises(PermissionDenied):
        teams.delete_team(actor=sam, team=team, now=NOW)
