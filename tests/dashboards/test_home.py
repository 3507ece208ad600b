"""The home page: what each role sees first, at what cost, and deals tended in place."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organisation, Role, User
from dashboards.layout import sections_of
from dashboards.queries.hygiene import breaches
from handoffs.models import Task
from opportunities.models import Opportunity
from tests import factories
from tests.cast import Browser
from tests.handoffs.reactions import deal, fresh, move, react

ROLES = ["alice", "sam", "pia", "dan", "ruth", "eve", "ada", "charlie"]
PARTS = ["zones", "needs", "stages", "hygiene", "upcoming", "outlook", "totals", "reviews", "ramps"]
TODAY = timezone.now().date()


def home(user: User) -> str:
    return str(Browser(user).get("/").content.decode())


def _many(owner: User, count: int) -> None:
    """Deals of every kind, now: the page reads the real clock."""
    now = timezone.now()
    for number in range(count):
        found = deal(owner=owner, now=now, next_step="", next_step_on=None)
        if number % 2:
            found = move(found, ("discovery", "negotiation", "won", "lost")[number // 2 % 4], now=now).opportunity


# --- cost ---


def _queries(browser: Browser, url: str) -> int:
    browser.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize("who", ROLES)
def test_home_costs_at_most_fifteen_queries_whatever_there_is(
    alice: User, dan: User, request: pytest.FixtureRequest, who: str
) -> None:
    browser = Browser(request.getfixturevalue(who))
    _many(alice, 8)
    few = _queries(browser, "/")
    _many(alice, 24)
    assert _queries(browser, "/") == few
    assert few <= 15


@pytest.mark.parametrize("url", [*(f"/home/{part}/" for part in PARTS), "/upcoming/", "/hygiene/", "/engagements/"])
def test_every_part_costs_at_most_fifteen_queries_whatever_there_is(alice: User, dan: User, url: str) -> None:
    browser = Browser(dan)
    _many(alice, 8)
    few = _queries(browser, url)
    _many(alice, 24)
    assert _queries(browser, url) == few
    assert few <= 15


def test_the_panel_costs_the_same_for_one_task_and_for_many(alice: User, dan: User) -> None:
    browser = Browser(dan)
    many, one = (move(deal(owner=alice), "negotiation").opportunity for _deal in range(2))
    kept = Task.objects.filter(opportunity=one).latest("pk")
    Task.objects.filter(opportunity=one).exclude(pk=kept.pk).delete()
    costs = {_queries(browser, reverse("handoffs:deal_panel", args=[found.pk])) for found in (many, one)}
    assert len(costs) == 1
    assert costs.pop() <= 15


# --- what comes first ---


@pytest.mark.parametrize(
    ("roles", "sections"),
    [
        ([Role.SALES_REP], ["needs", "reviews", "ramps", "stages"]),
        ([Role.SALES_MANAGER], ["hygiene", "needs", "reviews", "ramps", "stages"]),
        ([Role.PROJECT_MANAGER], ["upcoming", "needs", "ramps", "reviews"]),
        ([Role.DELIVERY_MANAGER], ["needs", "reviews", "ramps", "upcoming"]),
        ([Role.RESOURCE_MANAGER], ["outlook", "upcoming", "needs"]),
        ([Role.EXECUTIVE], ["totals", "stages", "reviews", "ramps", "upcoming"]),
        ([Role.SALES_REP, Role.DELIVERY_MANAGER], ["needs", "reviews", "ramps", "upcoming", "stages"]),
        ([], ["needs", "stages"]),
    ],
)
def test_each_role_sees_first_what_it_needs(roles: list[Role], sections: list[str]) -> None:
    assert sections_of(User(roles=[role.value for role in roles])) == sections


@pytest.mark.parametrize("who", ROLES)
def test_every_home_has_the_circles_and_its_sections_in_order(request: pytest.FixtureRequest, who: str) -> None:
    user = request.getfixturevalue(who)
    page = home(user)
    assert 'id="home-zones"' in page
    places = [page.index(f'id="home-{name}"') for name in sections_of(user)]
    assert places == sorted(places)


def test_every_part_can_be_fetched_alone(alice: User, dan: User) -> None:
    _many(alice, 8)
    for part in PARTS:
        response = Browser(dan).get(reverse("dashboards:section", args=[part]), headers={"HX-Request": "true"})
        assert f'id="home-{part}"' in response.content.decode()
        assert "<html" not in response.content.decode()
    assert Browser(dan).get("/home/nothing/").status_code == 404


def test_the_title_and_the_heading_say_how_much_waits(alice: User) -> None:
    assert "<title>Home" in home(alice)
    assert "Nothing waits for you" in home(alice)
    deal(owner=alice, now=timezone.now(), next_step="", next_step_on=None)
    page = home(alice)
    assert "<title>(1) Home" in page
    assert "1 thing needs you" in page


def test_a_fetched_part_brings_title_and_heading_along(alice: User) -> None:
    deal(owner=alice, now=timezone.now(), next_step="", next_step_on=None)
    part = Browser(alice).get("/home/needs/", headers={"HX-Request": "true"}).content.decode()
    assert "<title>(1) Home" in part
    assert 'hx-swap-oob="true"' in part


def test_a_rep_sees_own_stages_and_a_manager_the_teams(alice: User, sam: User) -> None:
    deal(owner=alice)
    for person, title in ((alice, "My deals by stage"), (sam, "Open deals by stage")):
        assert title in Browser(person).get("/home/stages/").content.decode()


def test_more_than_ten_things_are_asked_for(alice: User) -> None:
    for _deal in range(12):
        deal(owner=alice, now=timezone.now(), next_step="", next_step_on=None)
    page = home(alice)
    assert page.count("oh-row-deal") == 10
    assert "Show 2 more" in page
    assert Browser(alice).get("/?all=1").content.decode().count("oh-row-deal") == 12


# --- hygiene ---


def test_hygiene_counts_open_deals_in_sight(alice: User, sam: User, charlie: User) -> None:
    yesterday = TODAY - dt.timedelta(days=1)
    now = timezone.now()
    deal(owner=alice, now=now, close_date=yesterday, start_on=None, next_step_on=yesterday)
    deal(owner=alice, now=now, next_step="", next_step_on=None)
    deal("lost", owner=alice, now=now, next_step="", next_step_on=None)
    deal(owner=charlie, now=now, next_step="", next_step_on=None)
    found = {breach.key: breach.deals for breach in breaches(sam, home=Organisation.objects.get(), now=now)}
    assert found == {"past_close": 1, "no_next_step": 1, "late_step": 1, "pushed": 0, "unowned": 0, "rotting": 0}


@pytest.mark.parametrize("key", ["past_close", "no_next_step", "late_step", "pushed", "unowned"])
def test_each_count_has_the_list_behind_it(alice: User, sam: User, key: str) -> None:
    late = TODAY - dt.timedelta(days=1)
    bad = deal(owner=alice, now=timezone.now())
    Opportunity.objects.filter(pk=bad.pk).update(
        **{
            "past_close": {"close_date": late, "start_on": None},
            "no_next_step": {"next_step": ""},
            "late_step": {"next_step_on": late},
            "pushed": {"push_count": 3},
            "unowned": {"owner": None},
        }[key]
    )
    good = deal(owner=alice, now=timezone.now())
    page = Browser(sam).get(reverse("opportunities:list"), {"zone": key}).content.decode()
    assert bad.name in page
    assert good.name not in page


# --- tended in place ---


def tend(browser: Browser, found: Opportunity, ask: str, data: dict[str, Any] | None = None) -> Any:
    method = "get" if data is None else "post"
    return browser.hx(method, reverse("dashboards:tend", args=[found.pk, ask]), data)


def test_moving_the_close_date_in_place(alice: User, as_alice: Browser) -> None:
    found = deal(owner=alice, close_date=TODAY - dt.timedelta(days=1), start_on=None)
    day = TODAY + dt.timedelta(days=30)
    form = tend(as_alice, found, "close_date").content.decode()
    assert f'name="base-close_date" value="{found.close_date.isoformat()}"' in form
    response = tend(as_alice, found, "close_date", {"version": found.version, "close_date": day.isoformat()})
    assert response.status_code == 204
    assert "deal-changed" in response.headers["HX-Trigger"]
    assert fresh(found).close_date == day


def test_a_start_that_is_named_moves_along(alice: User, as_alice: Browser) -> None:
    found = deal(owner=alice)
    assert 'name="start_on"' in tend(as_alice, found, "close_date").content.decode()
    given = {"version": found.version, "close_date": "2027-06-01", "start_on": "2027-05-01"}
    response = tend(as_alice, found, "close_date", given)
    assert response.status_code == 422
    assert "The work can&#x27;t start before the deal closes" in response.content.decode()


def test_setting_the_next_step_in_place(alice: User, as_alice: Browser) -> None:
    found = deal(owner=alice, next_step="", next_step_on=None)
    given = {"version": found.version, "next_step": "Call", "next_step_on": "2027-01-04"}
    assert tend(as_alice, found, "next_step", given).status_code == 204
    assert fresh(found).next_step == "Call"


def test_a_manager_names_an_owner_in_place(alice: User, sam: User, as_sam: Browser) -> None:
    found = deal(owner=alice)
    Opportunity.objects.filter(pk=found.pk).update(owner=None)
    given = {"version": found.version, "owner": alice.pk, "base-owner": ""}
    assert tend(as_sam, found, "owner", given).status_code == 204
    assert fresh(found).owner == alice
    react()


def test_a_collision_shows_what_is_there_now(alice: User, as_alice: Browser) -> None:
    found = deal(owner=alice)
    Opportunity.objects.filter(pk=found.pk).update(next_step="Theirs", version=found.version + 1)
    given = {"version": found.version, "next_step": "Mine", "base-next_step": "Send the offer"}
    response = tend(as_alice, found, "next_step", given)
    assert response.status_code == 409
    assert "Theirs" in response.content.decode()
    assert fresh(found).next_step == "Theirs"


def test_who_may_not_edit_may_not_tend(alice: User, charlie: User, dan: User) -> None:
    found = deal(owner=alice)
    assert tend(Browser(charlie), found, "next_step").status_code == 404
    assert tend(Browser(dan), found, "next_step").status_code == 403
    assert tend(Browser(alice), found, "owner__password").status_code == 404


def test_without_script_the_deals_own_page_does_it(alice: User, as_alice: Browser) -> None:
    found = deal(owner=alice)
    response = as_alice.get(reverse("dashboards:tend", args=[found.pk, "next_step"]))
    assert response.headers["Location"] == reverse("opportunities:edit", args=[found.pk, "next"])


def test_anonymous_people_sign_in_first(organisation: object, client: Any) -> None:
    for url in ("/", "/home/needs/", "/upcoming/", "/engagements/", "/deals/1/delivery/"):
        assert client.get(url).headers["Location"].startswith("/account/login/")
    assert factories.PASSWORD
