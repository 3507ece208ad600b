"""The board in a real browser: drag, menu and keys do the same; others see it; it can be taken back.

Every page that is opened also fails its test when a script breaks or the content security policy is violated.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Organisation, User
from opportunities.models import Opportunity
from opportunities.services.moves import move_to_stage
from tests.factories import AccountFactory, ContactFactory, deal, stage, team
from tests.support.axe import assert_well_made
from tests.support.browser import PHONE

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NewPage = Callable[..., "Page"]


@pytest.fixture(autouse=True)
def _app(live_app: object, organisation: Organisation) -> None:
    """The running product."""


@pytest.fixture
def page(new_page: NewPage, alice: User) -> Page:
    """Alice's browser."""
    return new_page(alice)


def card(page: Page, made: Opportunity) -> Locator:
    return page.locator(f"#deal-{made.pk}")


def lane(page: Page, key: str) -> Locator:
    return page.locator(f"#lane-{stage(key).pk}")


def expect_in(page: Page, made: Opportunity, key: str) -> None:
    """The card stands in the column, and the server says the same."""
    expect(lane(page, key).locator(f"#deal-{made.pk}")).to_be_visible()
    expect(card(page, made)).to_have_attribute("data-stage", str(stage(key).pk))
    made.refresh_from_db()
    assert made.stage.key == key


def drag(page: Page, made: Opportunity, key: str) -> None:
    start = card(page, made).bounding_box()
    end = lane(page, key).bounding_box()
    assert start
    assert end
    page.mouse.move(start["x"] + 40, start["y"] + 50)
    page.mouse.down()
    page.mouse.move(start["x"] + 60, start["y"] + 70, steps=4)
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + 180, steps=12)
    page.mouse.up()


def test_a_deal_is_dragged_to_another_stage(page: Page) -> None:
    made = deal("prospect")
    page.goto("/board/")
    drag(page, made, "discovery")
    expect(page.locator("#toasts")).to_contain_text("moved to Discovery")
    expect_in(page, made, "discovery")
    expect(card(page, made)).to_contain_text("Warm")
    expect(lane(page, "discovery").locator(".lane-count")).to_contain_text("1")
    expect(lane(page, "prospect").locator(".lane-money")).to_contain_text("no deals")


def test_the_menu_does_the_same_with_a_pointer(page: Page) -> None:
    made = deal("prospect")
    page.goto("/board/")
    card(page, made).locator("[data-move]").click()
    page.get_by_role("menuitem", name="Qualified").click()
    expect(page.locator("#toasts")).to_contain_text("moved to Qualified")
    expect_in(page, made, "qualified")


def test_the_keys_do_the_same_and_keep_the_focus(page: Page) -> None:
    made = deal("prospect", name="Portal")
    page.goto("/board/")
    card(page, made).locator("[data-focus]").focus()
    page.keyboard.press("Alt+ArrowRight")
    expect(page.locator("#announcer")).to_contain_text("moved to Qualified")
    expect_in(page, made, "qualified")
    expect(card(page, made).locator("[data-focus]")).to_be_focused()
    page.keyboard.press("m")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect_in(page, made, "discovery")
    expect(card(page, made).locator("[data-focus]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/deals/{made.pk}/$"))


def test_arrows_go_from_card_to_card(page: Page) -> None:
    first, second = deal("prospect", name="First"), deal("prospect", name="Second")
    other = deal("discovery", name="Other")
    page.goto("/board/")
    card(page, first).locator("[data-focus]").focus()
    page.keyboard.press("ArrowDown")
    expect(card(page, second).locator("[data-focus]")).to_be_focused()
    expect(page.locator("#announcer")).to_contain_text("In Prospect, 2 of 2.")
    page.keyboard.press("ArrowRight")
    expect(card(page, other).locator("[data-focus]")).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Keys on the board")


def test_a_move_is_taken_back(page: Page) -> None:
    made = deal("prospect")
    page.goto("/board/")
    card(page, made).locator("[data-focus]").focus()
    page.keyboard.press("Alt+ArrowRight")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("is back in Prospect")
    expect_in(page, made, "prospect")


def test_the_drop_asks_for_what_is_missing(page: Page) -> None:
    made = deal("prospect", amount=None)
    page.goto("/board/")
    drag(page, made, "proposal")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Before it goes to Proposal")
    expect(dialog.get_by_label("Amount")).to_be_focused()
    dialog.get_by_label("Amount").fill("lots")
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("Write the amount in figures")
    expect(dialog.get_by_label("Amount")).to_have_value("lots")
    dialog.get_by_label("Amount").fill("1.234,56")
    dialog.get_by_role("button", name="Move to Proposal").click()
    expect(dialog).to_be_hidden()
    expect_in(page, made, "proposal")
    expect(card(page, made)).to_contain_text("€1,234.56")


def test_a_card_goes_back_when_the_question_is_left_open(page: Page) -> None:
    made = deal("prospect", amount=None)
    page.goto("/board/")
    drag(page, made, "proposal")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect_in(page, made, "prospect")
    expect(page.locator("#announcer")).to_contain_text("is back in Prospect")


def test_a_card_goes_back_when_the_move_is_refused(page: Page, sam: User) -> None:
    made = deal("won")
    page.goto("/board/")
    card(page, made).locator("[data-move]").focus()
    page.evaluate("window.scrollTo(0, 0)")
    card(page, made).locator("[data-focus]").focus()
    page.keyboard.press("Alt+ArrowRight")
    expect(page.locator("#toasts")).to_contain_text("Reopen the deal")
    expect_in(page, made, "won")


def test_a_stale_card_shows_where_the_deal_went(page: Page, sam: User) -> None:
    made = deal("prospect")
    page.goto("/board/")
    page.evaluate("document.getElementById('board').removeAttribute('data-live')")
    move_to_stage(actor=sam, opportunity=made, stage=stage("discovery"), expected_version=None, now=timezone.now())
    drag(page, made, "qualified")
    expect(page.locator("#toasts")).to_contain_text("Sam moved this deal to Discovery")
    expect_in(page, made, "discovery")


def test_nothing_is_lost_when_the_server_can_not_be_reached(page: Page) -> None:
    made = deal("prospect")
    page.goto("/board/")
    page.route("**/move/", lambda route: route.abort())
    drag(page, made, "qualified")
    expect(page.locator("#not-saved")).to_be_visible()
    expect_in(page, made, "prospect")
    page.unroute("**/move/")
    page.locator("#not-saved [data-again]").click()
    expect_in(page, made, "qualified")


def test_others_see_the_move_at_once(page: Page, new_page: NewPage, sam: User) -> None:
    made, other = deal("prospect"), deal("qualified")
    theirs = new_page(sam)
    theirs.goto("/board/")
    expect(theirs.locator("html")).to_have_attribute("data-live-state", "streaming")
    page.goto("/board/")
    drag(page, made, "discovery")
    expect(lane(theirs, "discovery").locator(f"#deal-{made.pk}")).to_be_visible(timeout=2_000)
    expect(lane(theirs, "discovery").locator(".lane-count")).to_contain_text("1")
    expect(lane(theirs, "qualified").locator(f"#deal-{other.pk}")).to_be_visible()
    fresh = deal("prospect", name="Just added")
    expect(lane(theirs, "prospect").locator(f"#deal-{fresh.pk}")).to_be_visible(timeout=2_000)


def test_a_deal_that_one_may_only_read_stays_put(new_page: NewPage, alice: User, dan: User) -> None:
    made = deal("prospect", owner=alice)
    theirs = new_page(dan)
    theirs.goto("/board/")
    drag(theirs, made, "discovery")
    theirs.wait_for_timeout(300)
    expect_in(theirs, made, "prospect")
    card(theirs, made).locator("[data-focus]").focus()
    theirs.keyboard.press("Alt+ArrowRight")
    expect(theirs.locator("#announcer")).to_contain_text("own people can move it")


def test_columns_page_on(page: Page) -> None:
    account = AccountFactory.make()
    for _ in range(30):
        deal("prospect", account=account)
    page.goto("/board/")
    expect(lane(page, "prospect").locator(".deal-card")).to_have_count(25)
    lane(page, "prospect").locator(".lane-list").evaluate("list => list.scrollTo(0, list.scrollHeight)")
    expect(lane(page, "prospect").locator(".deal-card")).to_have_count(30)


def test_on_a_phone_a_stage_is_picked_and_a_deal_moved_by_menu(new_page: NewPage, alice: User) -> None:
    made = deal("discovery", owner=alice)
    page = new_page(alice, viewport=PHONE, has_touch=True, is_mobile=True)
    page.goto("/board/")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.get_by_label("Stage", exact=True).select_option(label="Discovery (1)")
    expect(card(page, made)).to_be_in_viewport()
    card(page, made).locator("[data-move]").tap()
    page.get_by_role("menuitem", name="Proposal").tap()
    expect_in(page, made, "proposal")


def test_filters_change_the_address_and_stay(page: Page, sam: User) -> None:
    deal("prospect", name="Mine")
    deal("prospect", name="Of Sam", owner=sam)
    page.goto("/board/")
    page.get_by_label("Owner").select_option(label="Me")
    page.wait_for_url("**/board/sales/?owner=me")
    expect(page.locator(".deal-card")).to_have_count(1)
    page.get_by_role("link", name="Clear").click()
    expect(page.locator(".deal-card")).to_have_count(2)


def test_it_works_without_script(new_page: NewPage, alice: User) -> None:
    made = deal("prospect", owner=alice)
    page = new_page(alice, java_script_enabled=False)
    page.goto("/board/")
    card(page, made).locator("[data-move]").click()
    page.get_by_role("button", name="Qualified").click()
    expect(page.locator("#toasts")).to_contain_text("moved to Qualified")
    made.refresh_from_db()
    assert made.stage.key == "qualified"


def test_nothing_that_axe_finds(new_page: NewPage, alice: User, dan: User) -> None:
    globex = AccountFactory.make(name="Globex", team=team())
    made = deal("discovery", account=globex, delivery_owner=dan, name="A long name " * 12)
    made.contacts.add(ContactFactory.make(account=globex, stakeholder_role="sponsor"))
    deal("prospect", amount=None, currency="CHF", close_date=None, start_on=None)
    deal("lost")
    page = new_page(alice)
    pages = {
        "board": "/board/", "list": "/deals/", "no match": "/deals/?q=zzz", "deal": f"/deals/{made.pk}/",
        "edit": f"/deals/{made.pk}/edit/", "new": "/deals/new/", "accounts": "/accounts/",
        "account": f"/accounts/{globex.pk}/", "account form": f"/accounts/{globex.pk}/edit/",
    }  # fmt: skip
    for name, path in pages.items():
        page.goto(path)
        assert_well_made(page, name)
    page.goto("/board/")
    card(page, made).locator("[data-move]").click()
    assert_well_made(page, "move menu")
    page.goto("/board/")
    card(page, made).locator("[data-move]").click()
    page.get_by_role("menuitem", name="Lost").click()
    page.get_by_role("dialog").wait_for()
    assert_well_made(page, "gate dialog")
    page.goto(f"/deals/{made.pk}/")
    page.locator("#fact-money .fact-edit").click()
    page.locator("#fact-money form").wait_for()
    assert_well_made(page, "editing in place")
    page.goto("/deals/")
    page.locator("details.list-more > summary").click()
    assert_well_made(page, "more filters")
