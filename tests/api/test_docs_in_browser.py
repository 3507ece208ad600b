"""The API's pages in a real browser: no violation of the content security policy, no axe finding."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests import factories
from tests.support.browser import DESKTOP, PHONE

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/api/v1/docs/", "/profile/tokens/"])
def test_nothing_that_axe_finds(new_page: Callable[..., Page], path: str, theme: str, viewport: dict[str, int]) -> None:
    factories.organisation()
    page = new_page(factories.alice(), viewport=viewport, color_scheme=theme)
    page.goto(path)
    page.evaluate("document.querySelectorAll('details').forEach((each, n) => { each.open = n < 6 })")
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    assert found.violations_count == 0, found.generate_report()
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width == 0, "the page scrolls sideways"


def test_token_is_made_and_revoked_in_place(new_page: Callable[..., Page]) -> None:
    factories.organisation()
    page = new_page(factories.alice())
    page.goto("/profile/tokens/")
    page.get_by_label("What it is for").fill("Nightly export")
    page.get_by_role("button", name="Make a token").click()
    token = page.get_by_label("The token for “Nightly export”").input_value()
    assert token.startswith("oneteam_")
    answer = page.request.get("/api/v1/opportunities/", headers={"Authorization": f"Token {token}"})
    assert answer.status == 200
    page.get_by_role("button", name="Revoke Nightly export").click()
    page.get_by_role("button", name="Revoke Nightly export").wait_for(state="detached")
    answer = page.request.get("/api/v1/opportunities/", headers={"Authorization": f"Token {token}"})
    assert answer.status == 401
