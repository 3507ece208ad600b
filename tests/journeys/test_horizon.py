"""The horizon in the browser: by pointer, by keyboard, on a phone, and in every look."""

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
from staffing.models import WorkRole
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


def test_from_the_sentence_to_the_deal_behind_it(new_page: NewPage, ruth: User, deal: Opportunity) -> None:
    page = new_page(ruth)
    page.goto("/")
    page.get_by_role("link", name="Horizon").first.click()
    expect(page.locator(".hz-short")).to_contain_text("Architect: short from week")
    cell = page.locator(".hz-map a.hz-l4").first
    cell.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("#dialog")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("chance of overload; on average")
    expect(dialog).to_contain_text("If lost 0 %")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(cell).to_be_focused()
    cell.click()
    dialog.get_by_role("link", name="Customer portal").click()
    expect(page).to_have_url(re.compile(f"/deals/{deal.pk}/"))
    expect(page.locator("#earliest-panel")).to_contain_text("Architect decides")


def test_filters_change_what_is_shown_and_the_address(new_page: NewPage, ruth: User, deal: Opportunity) -> None:
    page = new_page(ruth)
    page.goto("/staffing/horizon/")
    expect(page.locator(".hz-figure")).to_have_count(2)
    page.get_by_label("Role", exact=True).select_option("Tester")
    expect(page.locator(".hz-figure")).to_have_count(1)
    page.get_by_label("How far ahead").select_option("13")
    expect(page.locator(".hz-map a")).to_have_count(13)
    expect(page).to_have_url(re.compile("weeks=13&role="))


def test_the_map_scrolls_within_its_box_on_a_phone(new_page: NewPage, ruth: User, deal: Opportunity) -> None:
    page = new_page(ruth, viewport=PHONE)
    page.goto("/staffing/horizon/")
    width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]
    last = page.locator(".hz-map a").nth(25)
    last.scroll_into_view_if_needed()
    expect(last).to_be_in_viewport()
    expect(page.locator(".hz-role").first).to_be_in_viewport()


def test_pages_are_well_made(new_page: NewPage, ruth: User, alice: User, deal: Opportunity) -> None:
    page = new_page(ruth)
    page.goto("/staffing/horizon/")
    assert_well_made(page)
    page.locator(".hz-map a.hz-l4").first.click()
    expect(page.locator("#dialog .hz-drivers")).to_be_visible()
    assert_well_made(page)
    page.goto(f"/staffing/deals/{deal.pk}/earliest/")
    assert_well_made(page)
    page.goto("/staffing/horizon/shortages/")
    expect(page.locator(".hz-shortage")).to_contain_text("people have the role")
    assert_well_made(page)
