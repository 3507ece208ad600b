"""The pages of what-if scenarios: what is shown, who may, and what a press does."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organisation, User
from opportunities.models import Comment, Opportunity
from staffing.models import ChangeKind, Person, Scenario, ScenarioChange, WorkRole
from staffing.services.scenarios import add_change, archive_scenario, make_scenario
from staffing.weeks import monday_of
from tests import factories
from tests.cast import Browser
from tests.handoffs.reactions import move
from tests.staffing.staffed import need, role, worker

LIST = "/staffing/scenarios/"
WEEK = dt.timedelta(weeks=1)
NOW = timezone.now()
MONDAY = monday_of(NOW.date())
K = ChangeKind


@pytest.fixture
def as_ruth(ruth: User) -> Browser:
    return Browser(ruth)


@pytest.fixture
def as_pia(pia: User) -> Browser:
    return Browser(pia)


@pytest.fixture
def architect(organisation: Organisation) -> WorkRole:
    """One architect of 40 hours, without holidays."""
    return worker("Nora", role("Architect")).role


@pytest.fixture
def deal(alice: User, architect: WorkRole) -> Opportunity:
    """Alice's, with a chance of 80 %; it asks for 60 hours a week from the fifth week on."""
    return asking(architect, owner=alice, name="Customer portal")


@pytest.fixture
def scenario(ruth: User) -> Scenario:
    """Ruth's, empty."""
    return make_scenario(actor=ruth, values={"name": "Without the portal"}, now=NOW)


def asking(architect: WorkRole, **values: Any) -> Opportunity:
    start = MONDAY + 4 * WEEK
    made = factories.deal("proposal", **{"close_date": start, "start_on": start, "probability": 80, **values})
    need(made, architect, 60, weeks=20)
    return made


def suppose(scenario: Scenario, kind: ChangeKind, **values: Any) -> ScenarioChange:
    return add_change(actor=scenario.created_by, scenario=scenario, kind=kind, values=values, now=NOW)


def page(scenario: Scenario, more: str = "") -> str:
    return f"{LIST}{scenario.pk}/{more}"


def text(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def toast(answer: Any) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(answer.headers["HX-Trigger"])["toast"]
    return said


# --- the list ---


def test_the_horizon_leads_to_scenarios(as_ruth: Browser, architect: WorkRole) -> None:
    assert LIST in as_ruth.get("/staffing/horizon/").content.decode()
    assert "No scenarios yet" in text(as_ruth.get(LIST))


def test_a_scenario_is_made_in_the_dialog(as_ruth: Browser, organisation: Organisation) -> None:
    assert 'name="name"' in as_ruth.hx("get", f"{LIST}add/").content.decode()
    refused = as_ruth.hx("post", f"{LIST}add/", {"name": ""})
    assert refused.status_code == 422
    made = as_ruth.hx("post", f"{LIST}add/", {"name": "Three weeks later"})
    assert made.headers["HX-Redirect"] == page(Scenario.objects.get())
    assert "Three weeks later 0 changes" in text(as_ruth.get(LIST))


def test_without_script_one_lands_on_it(as_ruth: Browser, organisation: Organisation) -> None:
    made = as_ruth.post(f"{LIST}add/", {"name": "Three weeks later"})
    assert (made.status_code, made["Location"]) == (302, page(Scenario.objects.get()))


def test_it_is_archived_and_comes_back(as_ruth: Browser, scenario: Scenario, deal: Opportunity) -> None:
    gone = as_ruth.hx("post", page(scenario, "archive/"))
    assert toast(gone)["undo"] == {"url": page(scenario, "restore/")}
    shown = as_ruth.get(page(scenario)).content.decode()
    assert "This scenario is in the archive" in shown
    assert page(scenario, "add/win/") not in shown
    as_ruth.hx("post", page(scenario, "restore/"))
    assert page(scenario, "add/win/") in as_ruth.get(page(scenario)).content.decode()


def test_a_stale_name_shows_theirs_and_keeps_mine(as_ruth: Browser, scenario: Scenario) -> None:
    Scenario.objects.update(version=2, note="Theirs")
    answer = as_ruth.hx("post", page(scenario, "change/"), {"name": "Mine", "note": "", "version": 1})
    assert answer.status_code == 409
    assert "is now: Theirs" in text(answer)
    assert 'value="Mine"' in answer.content.decode()


# --- one of them against today ---


def test_an_empty_scenario_is_today(as_ruth: Browser, scenario: Scenario, deal: Opportunity) -> None:
    shown = text(as_ruth.get(page(scenario)))
    assert "Nothing is supposed yet, so this is today." in shown
    assert "1 role stays as it is: Architect" in shown


def test_what_gets_better_is_said(as_ruth: Browser, scenario: Scenario, deal: Opportunity) -> None:
    suppose(scenario, K.LOSE, opportunity=deal)
    shown = text(as_ruth.get(page(scenario)))
    assert "Less overload Architect , week" in shown
    assert "80 % becomes 0 %" in shown
    assert "short of 0.5 people becomes 0.0" in shown
    assert "More overload" not in shown
    assert re.search(r"Customer portal [^·]*? is lost Deals are won and lost in the deal itself\.", shown)


def test_what_gets_worse_is_said_and_another_scenario_stands_beside(
    as_ruth: Browser, ruth: User, scenario: Scenario, deal: Opportunity
) -> None:
    suppose(scenario, K.WIN, opportunity=deal)
    other = make_scenario(actor=ruth, values={"name": "Two join"}, now=NOW)
    suppose(other, K.JOIN, role=deal_role(), people=2, hours_per_week=40, from_on=MONDAY)
    answer = as_ruth.get(page(scenario, f"?with={other.pk}&weeks=13"))
    shown = text(answer)
    assert "More overload Architect , week" in shown
    assert "100 %" in shown
    rows = re.findall(
        r'<span class="hz-role-name">([^<]+)</span><span class="hz-people">([^<]+)<', answer.content.decode()
    )
    assert rows == [
        ("Today", "1 person, short of 0.5"), ("Without the portal", "1 person, short of 0.5"), ("Two join", "3 people"),
    ]  # fmt: skip
    assert len(re.findall("hz-cell hz-l", answer.content.decode())) == 3 * 13


def deal_role() -> WorkRole:
    return WorkRole.objects.get(name="Architect")


def test_what_no_longer_matters_says_why(as_ruth: Browser, scenario: Scenario, deal: Opportunity) -> None:
    suppose(scenario, K.LOSE, opportunity=deal)
    bare = factories.deal("proposal", name="No needs")
    suppose(scenario, K.WIN, opportunity=bare)
    undated = asking(deal_role(), name="No dates", close_date=None, start_on=None)
    suppose(scenario, K.SHIFT, opportunity=undated, weeks=2)
    gone = worker("Gone", deal_role(), archived_at=None)
    suppose(scenario, K.LEAVE, person=gone, from_on=MONDAY)
    Person.objects.filter(pk=gone.pk).update(archived_at=NOW)
    move(deal, "lost", now=NOW)
    shown = text(as_ruth.get(page(scenario)))
    assert "No longer matters, because the deal was lost." in shown
    assert "Changes nothing yet, because the deal asks for nobody." in shown
    assert "Changes nothing yet, because the deal has no dates." in shown
    assert "No longer matters, because nobody plans this person any more." in shown
    assert "The chance of overload stays as it is in these weeks." in shown


def test_deals_of_others_stay_without_a_name(scenario: Scenario, deal: Opportunity) -> None:
    team = factories.team("Data people", side="delivery")
    team.service_lines.add(factories.service_line("Data"))
    Opportunity.objects.filter(pk=deal.pk).update(service_line=factories.service_line("Cloud"))
    change = suppose(scenario, K.SHIFT, opportunity=deal, weeks=4)
    tom = Browser(factories.UserFactory.make(name="Tom", roles=["delivery_manager"], teams=[team]))
    answer = tom.get(page(scenario))
    assert "A deal you can’t see starts 4 weeks later" in text(answer)
    assert "Customer portal" not in answer.content.decode()
    assert str(change.pk) not in re.findall(r"scenarios/changes/(\d+)/", answer.content.decode())
    for path in ("", "remove/", "apply/", "ask/"):
        assert tom.post(f"{LIST}changes/{change.pk}/{path}").status_code == 404


def test_those_who_only_read_have_nothing_to_press(as_pia: Browser, scenario: Scenario, deal: Opportunity) -> None:
    change = suppose(scenario, K.SHIFT, opportunity=deal, weeks=4)
    shown = as_pia.get(page(scenario)).content.decode()
    assert "starts 4 weeks later" in text(as_pia.get(page(scenario)))
    assert f"scenarios/changes/{change.pk}" not in shown
    assert page(scenario, "add/win/") not in shown


def test_sales_does_not_see_them(as_alice: Browser, scenario: Scenario) -> None:
    assert as_alice.get(LIST).status_code == as_alice.get(page(scenario)).status_code == 403


@pytest.mark.parametrize("more", ["?weeks=x&with=x", "?weeks=9&with=99999999999999999999", "?weeks=²", "?with=-1"])
def test_nonsense_is_26_weeks_against_today(as_ruth: Browser, scenario: Scenario, deal: Opportunity, more: str) -> None:
    suppose(scenario, K.LOSE, opportunity=deal)
    assert len(re.findall("hz-cell hz-l", as_ruth.get(page(scenario, more)).content.decode())) == 2 * 26


def test_the_page_asks_as_much_of_many_changes_as_of_few(
    as_ruth: Browser, ruth: User, scenario: Scenario, architect: WorkRole
) -> None:
    other = make_scenario(actor=ruth, values={"name": "Other"}, now=NOW)
    counts = []
    as_ruth.get(page(scenario))
    for size in (1, 8):
        for number in range(size):
            deal = asking(architect, owner=factories.alice())
            for kind, more in ((K.LOSE, {}), (K.SHIFT, {"weeks": 3})):
                suppose(scenario, kind, opportunity=deal, **more)
            suppose(other, K.CHANCE, opportunity=deal, percent=10)
            suppose(scenario, K.LEAVE, person=worker(f"Person {size} {number}", architect), from_on=MONDAY)
        with CaptureQueriesContext(connection) as queries:
            as_ruth.get(page(scenario, f"?with={other.pk}"))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 15


# --- suppositions ---


@pytest.mark.parametrize("kind", list(ChangeKind))
def test_each_kind_is_added_in_the_dialog(
    as_ruth: Browser, scenario: Scenario, deal: Opportunity, kind: ChangeKind
) -> None:
    path = page(scenario, f"add/{kind.value}/")
    assert str(kind.label) in text(as_ruth.hx("get", path))
    assert as_ruth.hx("post", path, {}).status_code == 422
    given = {
        "opportunity": f"Customer portal #{deal.pk}", "weeks": "4", "percent": "60", "role": deal_role().pk,
        "people": "2", "hours_per_week": "40", "from_on": "2027-01-04", "person": Person.objects.get(name="Nora").pk,
    }  # fmt: skip
    answer = as_ruth.hx("post", path, given)
    assert answer.status_code == 204, text(answer)
    assert scenario.changes.get().kind == kind


def test_figures_are_changed_in_their_row(as_ruth: Browser, scenario: Scenario, deal: Opportunity) -> None:
    change = suppose(scenario, K.SHIFT, opportunity=deal, weeks=4)
    path = f"{LIST}changes/{change.pk}/"
    assert as_ruth.hx("post", path, {"weeks": "6", "version": "1"}).status_code == 204
    stale = as_ruth.hx("post", path, {"weeks": "8", "version": "1"})
    assert (stale.status_code, 'value="8"' in stale.content.decode()) == (409, True)
    assert as_ruth.hx("post", path, {"weeks": "0", "version": "2"}).status_code == 422
    change.refresh_from_db()
    assert change.weeks == 6


def test_a_change_is_removed_and_comes_back(as_ruth: Browser, scenario: Scenario, deal: Opportunity) -> None:
    change = suppose(scenario, K.WIN, opportunity=deal)
    undo = toast(as_ruth.hx("post", f"{LIST}changes/{change.pk}/remove/"))["undo"]["url"]
    assert "Nothing is supposed yet" in text(as_ruth.get(page(scenario)))
    assert as_ruth.hx("post", undo).status_code == 204
    assert "is won Deals are won and lost" in text(as_ruth.get(page(scenario)))


def test_nothing_is_added_in_the_archive(as_ruth: Browser, ruth: User, scenario: Scenario, deal: Opportunity) -> None:
    archive_scenario(actor=ruth, scenario=scenario, now=NOW)
    answer = as_ruth.hx("post", page(scenario, "add/win/"), {"opportunity": "Customer portal"})
    assert answer.status_code == 409
    assert as_ruth.get(page(scenario, "add/guess/")).status_code == 404


# --- tried from the horizon ---


def test_a_driver_is_tried_with_one_press(as_ruth: Browser, deal: Opportunity) -> None:
    behind = as_ruth.hx("get", f"/staffing/horizon/{deal_role().pk}/?week={MONDAY + 15 * WEEK}").content.decode()
    assert f'value="lose-{deal.pk}"' in behind
    answer = as_ruth.hx("post", f"{LIST}try/", {"what": f"shift-{deal.pk}", "name": "Architect in week 10"})
    made = Scenario.objects.get()
    assert answer.headers["HX-Redirect"] == page(made)
    assert [(each.kind, each.weeks) for each in made.changes.all()] == [("shift", 4)]
    as_ruth.hx("post", f"{LIST}try/", {"what": f"lose-{deal.pk}", "scenario": made.pk})
    assert [each.kind for each in made.changes.all()] == ["shift", "lose"]


def test_trying_without_script_lands_on_the_scenario(as_ruth: Browser, ruth: User, deal: Opportunity) -> None:
    given = {"what": f"lose-{deal.pk}", "name": "Architect in week 10"}
    answer = as_ruth.post(f"{LIST}try/", given)
    assert answer["Location"] == page(Scenario.objects.get())
    assert [str(each) for each in get_messages(answer.wsgi_request)] == ["Supposed: A deal is lost"]
    archive_scenario(actor=ruth, scenario=Scenario.objects.get(), now=NOW)
    assert as_ruth.hx("post", f"{LIST}try/", {**given, "scenario": Scenario.objects.get().pk}).status_code == 409
    move(deal, "lost", now=NOW)
    assert as_ruth.hx("post", f"{LIST}try/", given).status_code == 422
    assert Scenario.objects.count() == 1


@pytest.mark.parametrize("what", ["", "win-1", "lose-", "lose-x", "lose-999999999999999999", "shift-²"])
def test_nothing_else_is_tried(as_ruth: Browser, deal: Opportunity, what: str) -> None:
    assert as_ruth.post(f"{LIST}try/", {"what": what}).status_code == 404
    assert not Scenario.objects.exists()


def test_who_does_not_plan_is_not_offered_to_try(as_pia: Browser, deal: Opportunity) -> None:
    behind = as_pia.hx("get", f"/staffing/horizon/{deal_role().pk}/?week={MONDAY + 15 * WEEK}").content.decode()
    assert "Customer portal" in behind
    assert "hz-try" not in behind


# --- applied on purpose ---


def test_the_preview_says_what_will_change(as_ada: Browser, scenario: Scenario, deal: Opportunity) -> None:
    change = suppose(scenario, K.SHIFT, opportunity=deal, weeks=4)
    path = f"{LIST}changes/{change.pk}/apply/"
    assert path in as_ada.get(page(scenario)).content.decode()
    shown = text(as_ada.hx("get", path))
    start = MONDAY + 4 * WEEK
    assert f"Expected start {start.day} {start:%b %Y} becomes" in shown
    seen = {"version": "1", "seen": str(deal.version)}
    assert toast(as_ada.hx("post", path, seen))["text"] == "Applied: A deal starts at another time"
    deal.refresh_from_db()
    assert deal.start_on == start + 4 * WEEK
    # The same press twice.
    assert as_ada.hx("post", path, seen).status_code == 204
    applied = text(as_ada.get(page(scenario)))
    assert "Part of today’s truth now" in applied
    assert "Nothing is supposed yet" in applied


def test_a_deal_that_changed_meanwhile_is_shown_again(as_ada: Browser, scenario: Scenario, deal: Opportunity) -> None:
    change = suppose(scenario, K.SHIFT, opportunity=deal, weeks=4)
    Opportunity.objects.filter(pk=deal.pk).update(version=9, start_on=MONDAY + 6 * WEEK)
    answer = as_ada.hx("post", f"{LIST}changes/{change.pk}/apply/", {"version": "1", "seen": "1"})
    assert answer.status_code == 409
    assert 'name="seen" value="9"' in answer.content.decode()
    later = MONDAY + 10 * WEEK
    assert f"{later.day} {later:%b %Y}" in text(answer)
    change.refresh_from_db()
    assert change.is_pending


def test_who_may_not_is_led_to_the_owner(as_ruth: Browser, scenario: Scenario, deal: Opportunity) -> None:
    change = suppose(scenario, K.SHIFT, opportunity=deal, weeks=-1)
    path = f"{LIST}changes/{change.pk}/"
    shown = as_ruth.get(page(scenario))
    assert "Ask Alice" in text(shown)
    assert f"{path}apply/" not in shown.content.decode()
    assert "Ask Alice" in text(as_ruth.hx("get", f"{path}apply/"))
    assert as_ruth.hx("post", f"{path}apply/", {"version": "1"}).status_code == 403
    form = as_ruth.hx("get", f"{path}ask/")
    assert "@Alice Could the work start 1 week earlier" in text(form)
    request_id = re.findall(r'name="request_id" value="([^"]+)"', form.content.decode())[0]
    for _ in range(2):
        assert as_ruth.hx("post", f"{path}ask/", {"body": "@Alice please", "request_id": request_id}).status_code == 204
    (comment,) = Comment.objects.filter(opportunity=deal)
    assert list(comment.mentions.all()) == [deal.owner]


def test_people_who_join_are_named(as_ruth: Browser, scenario: Scenario, architect: WorkRole) -> None:
    change = suppose(scenario, K.JOIN, role=architect, people=2, hours_per_week=30, from_on=MONDAY)
    path = f"{LIST}changes/{change.pk}/apply/"
    assert "Name of person 2" in text(as_ruth.hx("get", path))
    assert as_ruth.hx("post", path, {"version": "1", "person-1": "Ines"}).status_code == 422
    as_ruth.hx("post", path, {"version": "1", "person-1": "Ines", "person-2": "Gregor"})
    assert Person.objects.filter(weekly_hours=30).count() == 2


def test_wins_and_losses_are_not_applied_from_here(as_ada: Browser, scenario: Scenario, deal: Opportunity) -> None:
    change = suppose(scenario, K.WIN, opportunity=deal)
    path = f"{LIST}changes/{change.pk}/"
    assert f"{path}apply/" not in as_ada.get(page(scenario)).content.decode()
    assert as_ada.hx("post", f"{path}apply/", {"version": "1"}).status_code == 409
    assert as_ada.get(f"{path}ask/").status_code == 404
    assert reverse("opportunities:detail", args=[deal.pk]) in as_ada.get(page(scenario)).content.decode()
