"""The replay in the browser: by keyboard, on a phone, and in every look."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from accounts.models import Organisation, User
from tests.staffing.test_replay_pages import asks, won
from tests.support.axe import assert_well_made
from tests.support.browser import PHONE

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NewPage = Callable[..., "Page"]


@pytest.fixture(autouse=True)
def _app(live_app: object, organisation: Organisation) -> None:
    """The running product."""


@pytest.fixture
def wins() -> None:
    """Enough for figures, one of them a surprise, one without needs until it was won."""
    for number in range(10):
        won(10 + number / 5, starts=9, name=f"Portal {number}")
    won(9, entered=10, asked=10, starts=8, name="Out of the blue")
    asks(won(9, asked=None), 8)


def test_from_the_horizon_to_a_win_by_keyboard(new_page: NewPage, ruth: User, wins: None) -> None:
    page = new_page(ruth)
    page.goto("/staffing/horizon/")
    tab = page.get_by_role("link", name="Replay")
    tab.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".rp-figures")).to_contain_text("Weeks at or below P80")
    table = page.locator(".rp-table summary")
    table.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Foreseen and come by week")).to_be_visible()
    page.get_by_label("Foreseen how long before").select_option("8")
    expect(page).to_have_url(re.compile("lead=8"))
    expect(page.locator(".rp-figures")).to_contain_text("not there 8 weeks before")
    page.get_by_role("link", name="Out of the blue").click()
    expect(page).to_have_url(re.compile(r"/deals/\d+/"))


def test_nothing_sticks_out_on_a_phone(new_page: NewPage, ruth: User, wins: None) -> None:
    page = new_page(ruth, viewport=PHONE)
    page.goto("/staffing/horizon/replay/")
    width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]


def test_the_page_is_well_made(new_page: NewPage, ruth: User, wins: None) -> None:
    page = new_page(ruth)
    page.goto("/staffing/horizon/replay/")
    page.locator(".rp-table summary").click()
    assert_well_made(page)


def test_the_empty_page_is_well_made(new_page: NewPage, ruth: User) -> None:
    page = new_page(ruth)
    page.goto("/staffing/horizon/replay/")
    assert_well_made(page)
