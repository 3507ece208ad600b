"""The frame in a real browser: dialog, toasts, what happens when a save fails, appearance, and every page by axe."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from accounts.models import Role, User
from tests import factories
from tests.support.axe import assert_well_made, violations

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

    NewPage = Callable[..., Page]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DIALOG = """<header class="ot-dialog-head"><h2 class="ot-dialog-title" id="dialog-title">Move</h2></header>
<form class="ot-dialog-body" hx-post="/try/save/" hx-swap="none"><label for="amount">Amount</label>
<input class="form-control" id="amount" name="amount"><button class="btn btn-primary">Save</button></form>"""


@pytest.fixture
def ada() -> User:
    """Administrator of an organisation with a few people."""
    factories.organisation()
    factories.alice()
    return factories.person("Ada", Role.ADMINISTRATOR)


@pytest.fixture
def page(new_page: NewPage, ada: User) -> Page:
    """Ada's profile, with three more buttons; the addresses below /try/ are answered by the tests."""
    page = new_page(ada)
    page.goto("/profile/")
    page.evaluate(
        """() => {
          const main = document.getElementById('main');
          main.insertAdjacentHTML('beforeend', `
            <button id="open" hx-get="/try/dialog/">Open</button>
            <button id="act" hx-post="/try/act/" hx-swap="none">Act</button>`);
          htmx.process(main);
        }"""
    )
    return page


def answers(
    page: Page, path: str, *, status: int = 200, body: str = "", trigger: Any = None, **headers: str
) -> list[str]:
    """Answer an address; gives the list of what was sent to it."""
    sent: list[str] = []

    def fulfil(route: Route) -> None:
        sent.append(route.request.post_data or "")
        extra = {"HX-Trigger": json.dumps(trigger)} if trigger else {}
        route.fulfill(status=status, body=body, headers={"Content-Type": "text/html", **headers, **extra})

    page.route(f"**{path}", fulfil)
    return sent


def open_dialog(page: Page) -> None:
    answers(page, "/try/dialog/", body=DIALOG, trigger={"dialog:open": {}}, **{"HX-Retarget": "#dialog-body"})
    page.click("#open")
    page.wait_for_selector("#dialog[open]")


def test_a_dialog_takes_the_focus_and_gives_it_back(page: Page) -> None:
    open_dialog(page)
    assert page.evaluate("document.activeElement.id") == "amount"
    page.keyboard.press("Escape")
    page.wait_for_selector("#dialog", state="hidden")
    assert page.evaluate("document.activeElement.id") == "open"


def test_an_answer_closes_the_dialog(page: Page) -> None:
    open_dialog(page)
    answers(page, "/try/save/", status=204, trigger={"dialog:close": {}, "toast": {"text": "Moved"}})
    page.click("#dialog button")
    page.wait_for_selector("#dialog", state="hidden")
    assert "Moved" in page.inner_text("#toasts")


def test_undo_posts_and_says_so_to_everybody(page: Page) -> None:
    answers(page, "/try/act/", status=204, trigger={"toast": {"text": "Moved", "undo": {"url": "/try/undo/"}}})
    undone = answers(page, "/try/undo/", status=204, trigger={"toast": {"text": "Back in Qualified"}})
    page.click("#act")
    page.click(".ot-toast >> text=Undo")
    page.wait_for_selector("text=Back in Qualified")
    assert len(undone) == 1
    expect(page.locator("#announcer")).to_have_text("Back in Qualified")


def test_a_toast_stays_while_the_pointer_is_on_it(page: Page) -> None:
    answers(page, "/try/act/", status=204, trigger={"toast": {"text": "Moved", "seconds": 1}})
    page.click("#act")
    page.hover(".ot-toast")
    page.wait_for_timeout(2000)
    assert page.is_visible(".ot-toast")
    page.mouse.move(5, 5)
    page.wait_for_selector(".ot-toast", state="detached")


@pytest.mark.parametrize(
    ("status", "says"), [(500, "something went wrong on our side"), (503, "wrong on our side"), (401, "signed out")]
)
def test_what_was_typed_stays_when_the_server_fails_and_can_be_sent_again(page: Page, status: int, says: str) -> None:
    open_dialog(page)
    answers(page, "/try/save/", status=status)
    page.fill("#amount", "120000")
    page.click("#dialog button")
    page.wait_for_selector(f"#dialog #not-saved:has-text('{says}')")
    assert page.input_value("#amount") == "120000"
    sent = answers(page, "/try/save/", status=204, trigger={"dialog:close": {}})
    page.click("[data-again]")
    page.wait_for_selector("#dialog", state="hidden")
    assert sent == ["amount=120000"]
    assert page.is_hidden("#not-saved")


def test_a_broken_connection_loses_nothing(page: Page) -> None:
    open_dialog(page)
    page.route("**/try/save/", lambda route: route.abort())
    page.fill("#amount", "120000")
    page.click("#dialog button")
    page.wait_for_selector("#not-saved:has-text('reached')")
    assert page.input_value("#amount") == "120000"


def test_a_request_carries_the_token_of_now(page: Page) -> None:
    seen: list[str] = []

    def note(route: Route) -> None:
        seen.append(route.request.headers.get("x-csrftoken", ""))
        route.fulfill(status=204)

    page.route("**/try/act/", note)
    page.context.add_cookies([{"name": "csrftoken", "value": "n" * 32, "url": page.url}])
    page.click("#act")
    page.wait_for_timeout(200)
    assert seen == ["n" * 32]


def test_appearance_switches_at_once_and_is_kept(page: Page, ada: User) -> None:
    assert page.get_attribute("html", "data-bs-theme") == "light"
    page.click(".ot-user")
    page.click(".ot-side >> text=Dark")
    page.wait_for_selector("html[data-bs-theme=dark]")
    page.goto("/settings/")
    assert page.get_attribute("html", "data-bs-theme") == "dark"


def test_the_device_decides_before_the_first_paint(new_page: NewPage, ada: User) -> None:
    page = new_page(ada, color_scheme="dark", java_script_enabled=True)
    page.goto("/profile/", wait_until="commit")
    page.wait_for_selector("link[rel=stylesheet]", state="attached")
    assert page.get_attribute("html", "data-bs-theme") == "dark"


def test_a_menu_by_keyboard_alone(page: Page) -> None:
    page.focus(".ot-user")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Profile"
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Sign out"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.className") == "ot-user"
    assert page.locator(".ot-side details[open]").count() == 0


def test_the_side_bar_stays_folded(page: Page) -> None:
    page.click("[data-rail-toggle]")
    page.goto("/settings/")
    assert page.get_attribute("[data-rail-toggle]", "aria-expanded") == "false"
    box = page.locator(".ot-side .ot-brand-text").bounding_box()  # named still, for those who listen
    assert box is not None
    assert box["width"] <= 1


def test_the_core_pages_work_without_script(new_page: NewPage, ada: User) -> None:
    page = new_page(ada, java_script_enabled=False)
    page.goto("/profile/")
    page.click(".ot-user")
    page.click(".ot-side >> text=Dark")
    assert page.get_attribute("html", "data-bs-theme") == "dark"
    page.fill("#id_name", "Ada L.")
    page.click("text=Save")
    ada.refresh_from_db()
    assert (ada.name, ada.theme) == ("Ada L.", "dark")


PUBLIC = ["/account/login/", "/account/password/reset/", "/account/signup/", "/nowhere/"]
PRIVATE = [
    "/settings/", "/settings/organisation/", "/settings/calendar/", "/settings/rates/", "/settings/lines/",
    "/settings/people/", "/settings/people/add/", "/settings/people/{pk}/", "/settings/teams/", "/settings/teams/add/",
    "/profile/", "/account/password/change/", "/account/2fa/", "/account/logout/",
]  # fmt: skip


def test_every_page_is_accessible_and_no_wider_than_the_screen(new_page: NewPage, ada: User) -> None:
    for user, paths in ((None, PUBLIC), (ada, PRIVATE)):
        page = new_page(user)
        for path in paths:
            page.goto(path.format(pk=ada.pk))
            assert_well_made(page, path)


def test_an_open_dialog_and_menu_are_accessible(new_page: NewPage, ada: User) -> None:
    page = new_page(ada)
    page.goto("/profile/")
    page.click(".ot-user")
    assert violations(page, behind=".ot-nav-link") == []
    page.evaluate(f"document.getElementById('dialog-body').innerHTML = {json.dumps(DIALOG)}; OneTeam.openDialog()")
    assert violations(page, behind=".ot-nav-link") == []
