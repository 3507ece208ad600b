"""Who is asked: by service line, region and load."""

from __future__ import annotations

import pytest

from accounts.models import Organisation, Region, Role, Side, User
from handoffs.assignment import assignee_for, propose_delivery_owner
from handoffs.models import Assignee
from tests import factories
from tests.handoffs.reactions import deal, move


def delivery_team(name: str, *lines: str, region: Region | None = None) -> object:
    team = factories.team(name, side=Side.DELIVERY, region=region)
    team.service_lines.set([factories.service_line(line) for line in lines])
    return team


def manager(name: str, team: object, role: Role = Role.DELIVERY_MANAGER) -> User:
    return factories.person(name, role, teams=(team,))  # type: ignore[arg-type]


def test_the_service_line_decides_first(organisation: Organisation) -> None:
    manager("Dora", delivery_team("Data team", "Data"))
    dan = manager("Dan", delivery_team("Cloud team", "Cloud"))
    assert propose_delivery_owner(deal(service_line=factories.service_line("Cloud"))) == dan


def test_a_team_without_lines_serves_all(organisation: Organisation) -> None:
    dan = manager("Dan", delivery_team("Everything"))
    assert propose_delivery_owner(deal(service_line=factories.service_line("Cloud"))) == dan


def test_nobody_serves_the_line(organisation: Organisation) -> None:
    manager("Dora", delivery_team("Data team", "Data"))
    assert propose_delivery_owner(deal(service_line=factories.service_line("Cloud"))) is None


def test_the_region_decides_before_the_load(organisation: Organisation) -> None:
    north, south = Region.objects.create(name="North"), Region.objects.create(name="South")
    near = manager("Dan", delivery_team("North team", region=north))
    manager("Dora", delivery_team("South team", region=south))
    for _deal in range(2):
        move(deal(delivery_owner=near), "discovery")
    assert propose_delivery_owner(deal(region=north)) == near


def test_the_lightest_load_decides_last(organisation: Organisation) -> None:
    team = delivery_team("Everything")
    busy, free = manager("Dan", team), manager("Dora", team)
    assert propose_delivery_owner(deal()) == busy  # equal loads: the lower key
    move(deal(delivery_owner=busy), "discovery")
    assert propose_delivery_owner(deal()) == free


def test_cold_and_closed_deals_are_no_load(organisation: Organisation) -> None:
    team = delivery_team("Everything")
    first, _second = manager("Dan", team), manager("Dora", team)
    deal(delivery_owner=first)
    move(deal(delivery_owner=first), "lost")
    assert propose_delivery_owner(deal()) == first


def test_a_project_manager_is_asked_where_there_is_no_delivery_manager(organisation: Organisation) -> None:
    pia = manager("Pia", delivery_team("Everything"), Role.PROJECT_MANAGER)
    assert propose_delivery_owner(deal()) == pia


def test_who_can_not_sign_in_is_not_asked(organisation: Organisation) -> None:
    dan = manager("Dan", delivery_team("Everything"))
    dan.is_active = False
    dan.save()
    assert propose_delivery_owner(deal()) is None


def test_the_fast_lane_asks_the_one_on_call_of_a_serving_team(organisation: Organisation) -> None:
    other = delivery_team("Data team", "Data")
    other.on_call = manager("Dora", other)  # type: ignore[attr-defined]
    other.save()  # type: ignore[attr-defined]
    team = delivery_team("Cloud team", "Cloud")
    manager("Dan", team)
    team.on_call = manager("Pia", team, Role.PROJECT_MANAGER)  # type: ignore[attr-defined]
    team.save()  # type: ignore[attr-defined]
    found = propose_delivery_owner(deal(service_line=factories.service_line("Cloud")), is_fast_lane=True)
    assert found is not None
    assert found.name == "Pia"


@pytest.mark.parametrize(
    ("assignee", "name"),
    [
        (Assignee.SALES_OWNER, "Alice"),
        (Assignee.DELIVERY_OWNER, "Dan"),
        (Assignee.SALES_MANAGER, "Sam"),
        (Assignee.DELIVERY_MANAGER, "Dan"),
        (Assignee.PROJECT_MANAGER, "Pia"),
        (Assignee.RESOURCE_MANAGER, "Ruth"),
    ],
)
@pytest.mark.usefixtures("sam", "pia", "ruth", "charlie")
def test_assignees(alice: User, dan: User, assignee: Assignee, name: str) -> None:
    found = assignee_for(deal(owner=alice, delivery_owner=dan), assignee)
    assert found is not None
    assert found.name == name


def test_the_manager_of_the_team_above_will_do(alice: User) -> None:
    team = alice.teams.get()
    team.parent = factories.team("Sales", side=Side.SALES)
    team.save()
    manager_above = factories.person("Sam", Role.SALES_MANAGER, teams=(team.parent,))
    assert assignee_for(deal(owner=alice), Assignee.SALES_MANAGER) == manager_above
