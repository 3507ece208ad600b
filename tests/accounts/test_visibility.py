"""Who may see which deals: the cast against deals of every kind."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.access import audience_of
from accounts.models import Organisation, Role, ServiceLine, Side, Team, User
from opportunities.models import Opportunity
from tests import factories

DEALS = {
    # name: (owner, service line)
    "north cloud": ("Alice", "Cloud"),
    "north data": ("Alice", "Data"),
    "south cloud": ("Charlie", "Cloud"),
    "south data": ("Charlie", "Data"),
}
SEES = {
    "Alice": {"north cloud", "north data"},
    "Charlie": {"south cloud", "south data"},
    # Sales manager of the team above Sales North.
    "Sam": {"north cloud", "north data"},
    # Above both, by the tree of teams.
    "Zoe": set(DEALS),
    # Delivery teams see their service lines; one without lines sees all.
    "Pia": {"north cloud", "south cloud"},
    "Dan": set(DEALS),
    # In no team: nothing beyond what names them.
    "Ruth": set(),
    "Nobody": set(),
    # Executives and administrators see everything.
    "Eve": set(DEALS),
    "Ada": set(DEALS),
    # A sales rep in a delivery team gains nothing from its lines.
    "Rex": set(),
}


@pytest.fixture
def everybody(organisation: Organisation) -> dict[str, User]:
    """The cast in a tree of teams, and four deals."""
    cloud, _data = factories.service_line("Cloud"), factories.service_line("Data")
    top = factories.team("Sales")
    country = factories.team("Sales country", parent=top)
    north = factories.team("Sales North", parent=country)
    factories.team("Sales South", parent=top)
    cloud_delivery = factories.team("Cloud delivery", side=Side.DELIVERY)
    cloud_delivery.service_lines.add(cloud)
    anything = factories.team("Delivery", side=Side.DELIVERY)
    people = {
        "Alice": factories.alice(),
        "Charlie": factories.charlie(),
        "Sam": factories.person("Sam", Role.SALES_MANAGER, teams=(country,)),
        "Zoe": factories.person("Zoe", Role.SALES_MANAGER, teams=(top,)),
        "Pia": factories.person("Pia", Role.PROJECT_MANAGER, teams=(cloud_delivery,)),
        "Dan": factories.person("Dan", Role.DELIVERY_MANAGER, teams=(anything,)),
        "Ruth": factories.person("Ruth", Role.RESOURCE_MANAGER),
        "Nobody": factories.person("Nobody"),
        "Eve": factories.person("Eve", Role.EXECUTIVE),
        "Ada": factories.person("Ada", Role.ADMINISTRATOR),
        "Rex": factories.person("Rex", Role.SALES_REP, teams=(cloud_delivery,)),
    }
    for name, (owner, line) in DEALS.items():
        factories.deal(name=name, owner=people[owner], service_line=factories.service_line(line))
    assert north.members.count() == 1
    return people


def seen_by(user: User) -> set[str]:
    """Names of the deals that this person may see."""
    return set(Opportunity.objects.visible_to(user).values_list("name", flat=True))


@pytest.mark.parametrize("name", SEES)
def test_what_each_of_the_cast_sees(everybody: dict[str, User], name: str) -> None:
    assert seen_by(everybody[name]) == SEES[name]


def test_a_deal_without_a_service_line_concerns_all_of_delivery(everybody: dict[str, User]) -> None:
    Opportunity.objects.filter(name="south data").update(service_line=None)
    assert "south data" in seen_by(everybody["Pia"])
    assert "south data" in seen_by(everybody["Ruth"])
    assert "south data" not in seen_by(everybody["Rex"])


def test_being_named_on_a_deal_shows_it(everybody: dict[str, User]) -> None:
    Opportunity.objects.filter(name="south data").update(delivery_owner=everybody["Ruth"])
    assert seen_by(everybody["Ruth"]) == {"south data"}


def test_the_deactivated_see_nothing_but_their_own_name(everybody: dict[str, User]) -> None:
    eve = everybody["Eve"]
    eve.is_active = False
    assert seen_by(eve) == set()


def test_a_circle_of_teams_ends(everybody: dict[str, User]) -> None:
    # The services refuse it; a restore or a script might still make one.
    Team.objects.filter(name="Sales").update(parent=Team.objects.get(name="Sales North"))
    assert seen_by(everybody["Alice"]) == set(DEALS)


def test_several_lines_are_the_union(everybody: dict[str, User]) -> None:
    Team.objects.get(name="Cloud delivery").service_lines.add(ServiceLine.objects.get(name="Data"))
    assert seen_by(everybody["Pia"]) == set(DEALS)


def test_one_query_per_request_however_often_it_is_asked(everybody: dict[str, User]) -> None:
    alice = User.objects.get(name="Alice")
    with CaptureQueriesContext(connection) as queries:
        for _ in range(5):
            audience_of(alice)
    assert len(queries) == 1
