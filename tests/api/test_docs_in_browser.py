"""The API's pages in a real browser: no violation of the content security policy, no axe finding."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests import factories
from tests.support.axe import assert_well_made

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("path", ["/api/v1/docs/", "/profile/tokens/"])
def test_nothing_that_axe_finds(new_page: Callable[..., Page], path: str) -> None:
    factories.organisation()
    page = new_page(factories.alice())
    page.goto(path)
    # All operations are drawn alike; a few of them say it.
    page.evaluate("document.querySelectorAll('.ot-api-operation').forEach((each, n) => n < 6 || each.remove())")
    page.evaluate("document.querySelectorAll('.ot-api-operation').forEach((each) => { each.open = true })")
    assert_well_made(page, path)


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
