"""What a deal takes in two browsers: Alice takes the usual needs and states one, Ruth books for it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from accounts.models import Organisation, User
from opportunities.models import Opportunity
from staffing.models import NeedTemplate, Skill
from tests.factories import deal
from tests.journeys.test_engagement import open_live
from tests.staffing import staffed
from tests.support.axe import assert_well_made

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NewPage = Callable[..., "Page"]
# Shorter than the 15 seconds after which a page without a stream would have asked by itself.
LIVE_MS = 12_000


@pytest.fixture(autouse=True)
def _app(live_app: object, organisation: Organisation) -> None:
    """The running product."""


@pytest.fixture
def found(alice: User, dan: User) -> Opportunity:
    """A deal of Alice's, with two architects and a usual need."""
    architect = staffed.role("Architect")
    staffed.worker("Nils Berg", architect)
    nora = staffed.worker("Nora Lie", architect)
    staffed.booking(dt.date(2027, 3, 29), dt.date(2027, 6, 27), 30, person=nora)
    NeedTemplate.objects.create(role=architect, hours_per_week=24, weeks=6)
    Skill.objects.create(name="Kubernetes")
    return deal("qualified", owner=alice, name="Customer portal", delivery_owner=dan, start_on=dt.date(2027, 4, 1))


def test_needs_are_stated_and_booked(new_page: NewPage, alice: User, ruth: User, found: Opportunity) -> None:
    alices, ruths = new_page(alice), new_page(ruth)
    open_live(ruths, f"/staffing/deals/{found.pk}/needs/")
    open_live(alices, f"/deals/{found.pk}/")
    panel = alices.locator("#need-panel")
    panel.get_by_role("button", name="Take the usual needs").click()
    expect(panel).to_contain_text("24 h a week × 6 weeks")
    expect(panel).to_contain_text("1 need · 144 hours · 1 still open")

    panel.get_by_role("link", name="Add a need").click()
    dialog = alices.get_by_role("dialog")
    dialog.get_by_label("Role").select_option(label="Architect")
    dialog.get_by_label("Hours a week").fill("8")
    dialog.get_by_label("For how many weeks").fill("2")
    dialog.get_by_label("Weeks after the start").fill("6")
    dialog.get_by_label("Skill 1", exact=True).select_option(label="Kubernetes")
    assert_well_made(alices)
    dialog.get_by_role("button", name="Add").click()
    expect(dialog).to_be_hidden()
    expect(panel).to_contain_text("Kubernetes, at least: on their own")
    panel.get_by_role("button", name="Architect is no longer needed").last.click()
    expect(panel.locator(".nd-item")).to_have_count(1)
    alices.get_by_role("button", name="Undo").last.click()
    expect(panel.locator(".nd-item")).to_have_count(2)

    ruth_panel = ruths.locator("#need-panel")
    expect(ruth_panel.locator(".nd-item")).to_have_count(2, timeout=LIVE_MS)
    ruth_panel.get_by_role("link", name="Book somebody for Architect").first.click()
    offered = ruths.get_by_role("dialog").locator(".nd-candidates li")
    expect(offered).to_have_count(2)
    expect(offered.first).to_contain_text("Nils Berg")
    expect(offered.first).to_contain_text("240 of 240 h free")
    assert_well_made(ruths)
    offered.first.get_by_role("button", name="Book").click()
    expect(ruth_panel).to_contain_text("Nils Berg")
    expect(ruth_panel).to_contain_text("Proposed")
    expect(panel).to_contain_text("Nils Berg", timeout=LIVE_MS)
    assert_well_made(ruths)


def test_a_team_is_suggested_and_people_stand_side_by_side(new_page: NewPage, ruth: User, found: Opportunity) -> None:
    architect = staffed.role("Architect")
    need = staffed.need(found, architect, 40, weeks=6)
    staffed.need(found, architect, 8, weeks=6)
    page = new_page(ruth)
    open_live(page, f"/staffing/deals/{found.pk}/needs/")
    panel, dialog = page.locator("#need-panel"), page.get_by_role("dialog")
    panel.get_by_role("link", name="Book somebody for Architect").first.click()
    dialog.get_by_role("link", name="Compare side by side").click()
    expect(page).to_have_url(re.compile(f"/needs/{need.pk}/candidates/"))
    expect(page.locator(".nd-side-table thead th").nth(1)).to_have_text("Nils Berg")
    assert_well_made(page)

    open_live(page, f"/staffing/deals/{found.pk}/needs/")
    panel.get_by_role("link", name="Suggest a team").click()
    ticks = dialog.get_by_role("checkbox")
    expect(ticks).to_have_count(2)
    expect(dialog.locator(".nd-place").last).to_contain_text("Nora Lie")
    assert_well_made(page)
    ticks.last.press("Space")
    dialog.get_by_role("button", name="Book softly").click()
    expect(dialog).to_be_hidden()
    expect(panel).to_contain_text("Nils Berg")
    expect(panel.locator(".nd-item").last).to_contain_text("Open")


def test_usual_needs_are_kept_in_the_settings(new_page: NewPage, ruth: User, found: Opportunity) -> None:
    page = new_page(ruth)
    page.goto("/staffing/templates/")
    page.get_by_role("link", name="Change Architect").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("For how many weeks").fill("9")
    assert_well_made(page)
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator("#templates")).to_contain_text("24 h a week × 9 weeks")
    page.get_by_role("button", name="Archive Architect").click()
    expect(page.locator("#templates")).to_contain_text("No usual needs yet")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#templates")).to_contain_text("24 h a week × 9 weeks")
    assert_well_made(page)
