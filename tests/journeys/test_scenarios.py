"""What-if scenarios in the browser: from a cell of the horizon to what is applied, by pointer and keyboard."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Organisation, User
from handoffs import defaults
from opportunities.models import Opportunity
from staffing.models import ChangeKind, Scenario, WorkRole
from staffing.services.scenarios import add_change, make_scenario
from staffing.weeks import monday_of
from tests import factories
from tests.staffing.staffed import booking, need, role, worker
from tests.support.axe import assert_well_made
from tests.support.browser import PHONE

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NewPage = Callable[..., "Page"]
NOW = timezone.now()
MONDAY = monday_of(NOW.date())
WEEK = dt.timedelta(weeks=1)


@pytest.fixture(autouse=True)
def _app(live_app: object, organisation: Organisation) -> None:
    """The running product."""
    defaults.create(organisation=organisation, now=NOW)


@pytest.fixture
def architect(organisation: Organisation) -> WorkRole:
    """Two architects, one of them busy, and testers whom nothing asks for."""
    worker("Otto", role("Tester", position=2))
    nora = worker("Nora", role("Architect", position=1))
    worker("Nils", nora.role)
    booking(MONDAY, MONDAY + 30 * WEEK, 40, person=nora)
    return nora.role


@pytest.fixture
def deal(architect: WorkRole, alice: User) -> Opportunity:
    """Wants more than there is from the fourth week on, if it is won."""
    start = MONDAY + 3 * WEEK
    made = factories.deal(
        "proposal", owner=alice, name="Customer portal", close_date=start, start_on=start, probability=60
    )
    need(made, architect, 60, weeks=12)
    return made


def test_from_a_cell_to_what_is_applied(new_page: NewPage, ada: User, deal: Opportunity) -> None:
    page, dialog = new_page(ada), "#dialog"
    page.goto("/staffing/horizon/")
    page.locator(".hz-map a.hz-l4").first.click()
    page.locator(dialog).get_by_role("button", name=re.compile("Try it 4 weeks later")).click()
    expect(page).to_have_url(re.compile(r"/staffing/scenarios/\d+/"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Architect in week")
    expect(page.locator(".sc-change")).to_contain_text("starts 4 weeks later")
    expect(page.locator(".sc-told")).to_contain_text("Less overload")
    weeks = page.get_by_label("Weeks later; below 0: earlier")
    weeks.fill("6")
    weeks.press("Enter")
    expect(page.locator(".sc-change")).to_contain_text("starts 6 weeks later")
    page.get_by_role("link", name="People join").click()
    page.locator(dialog).get_by_label("Role").select_option("Architect")
    page.locator(dialog).get_by_label("From").fill(MONDAY.isoformat())
    page.locator(dialog).get_by_role("button", name="Suppose it").click()
    expect(page.locator(".sc-change")).to_have_count(2)
    page.get_by_role("button", name="Remove: People join").click()
    expect(page.locator(".sc-change")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".sc-change")).to_have_count(2)
    page.locator(".sc-change").first.get_by_role("link", name="Apply").click()
    expect(page.locator(dialog)).to_contain_text("Expected start")
    page.locator(dialog).get_by_role("button", name="Apply").click()
    expect(page.locator("#sc-applied-title")).to_be_visible()
    expect(page.locator(".sc-change")).to_have_count(1)
    deal.refresh_from_db()
    assert deal.start_on == MONDAY + 9 * WEEK


def test_pages_are_well_made(new_page: NewPage, ruth: User, deal: Opportunity, architect: WorkRole) -> None:
    scenario = make_scenario(actor=ruth, values={"name": "Without the portal", "note": "If it is lost"}, now=NOW)
    other = make_scenario(actor=ruth, values={"name": "One joins"}, now=NOW)
    for kind, more in ((ChangeKind.CHANCE, {"percent": 5}), (ChangeKind.SHIFT, {"weeks": 4})):
        add_change(actor=ruth, scenario=scenario, kind=kind, values={"opportunity": deal, **more}, now=NOW)
    joining = {"role": architect, "people": 1, "hours_per_week": 40, "from_on": MONDAY}
    add_change(actor=ruth, scenario=other, kind=ChangeKind.JOIN, values=joining, now=NOW)
    page = new_page(ruth)
    page.goto("/staffing/scenarios/")
    assert_well_made(page)
    page.goto(f"/staffing/scenarios/{scenario.pk}/?with={other.pk}&weeks=13")
    assert_well_made(page)
    page.get_by_role("link", name="A deal is lost").click()
    expect(page.locator("#dialog").get_by_role("button", name="Suppose it")).to_be_visible()
    assert_well_made(page)
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Ask Alice").first.click()
    expect(page.locator("#dialog textarea")).to_have_value(re.compile("@Alice"))
    assert_well_made(page)
    page.goto(f"/staffing/scenarios/{other.pk}/")
    page.get_by_role("link", name="Apply").click()
    expect(page.locator("#dialog #id_person-1")).to_be_visible()
    assert_well_made(page)
    page.goto("/staffing/horizon/")
    page.locator(".hz-map a.hz-l4").first.click()
    expect(page.locator("#hz-try")).to_be_visible()
    assert_well_made(page)


def test_nothing_runs_out_of_a_phone(new_page: NewPage, ruth: User, deal: Opportunity) -> None:
    scenario = make_scenario(actor=ruth, values={"name": "Without the portal"}, now=NOW)
    add_change(
        actor=ruth, scenario=scenario, kind=ChangeKind.SHIFT, values={"opportunity": deal, "weeks": 4}, now=NOW
    )  # fmt: skip
    page = new_page(ruth, viewport=PHONE)
    page.goto(f"/staffing/scenarios/{Scenario.objects.get().pk}/")
    width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]
    expect(page.locator(".sc-told")).to_contain_text("Architect")
