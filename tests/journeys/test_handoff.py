"""A handoff in the browsers of those who prepare, approve and take it on, and its pages in every look."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Organisation, User
from events.models import Delivery
from handoffs import defaults
from handoffs.models import Handoff, TaskState
from opportunities.models import Opportunity
from tests.factories import deal
from tests.handoffs.approving import chain, ready
from tests.handoffs.briefing import contact, rich
from tests.handoffs.handing import handoff_of
from tests.handoffs.reactions import move
from tests.support.axe import assert_well_made
from tests.support.browser import PHONE

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NewPage = Callable[..., "Page"]
LIVE_MS = 12_000


@pytest.fixture(autouse=True)
def _app(live_app: object, organisation: Organisation) -> None:
    """The running product with its playbooks and a chain of approvals."""
    defaults.create(organisation=organisation, now=timezone.now())
    chain()


@pytest.fixture
def won(alice: User, dan: User, sam: User, pia: User) -> Opportunity:
    """A deal of Alice's that was won just now, with Dan for delivery and somebody at the client."""
    now = timezone.now()
    found = deal("proposal", owner=alice, delivery_owner=dan, name="Customer portal", now=now)
    contact(found, "Ines Holm", "Head of Digital", "sponsor")
    found = move(found, "won", now=now, reacts=False).opportunity
    settle()
    return found


def settle() -> None:
    """Until the background has done all that is owed."""
    deadline = time.monotonic() + 30
    while Delivery.objects.filter(state__in=["pending", "published"]).exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def open_live(page: Page, handoff: Handoff) -> None:
    """The page of a handoff, once it listens."""
    page.goto(f"/handoffs/{handoff.pk}/")
    expect(page.locator("html")).to_have_attribute("data-live-state", "streaming")
    page.wait_for_timeout(500)
    expect(page.locator("[data-live].htmx-request")).to_have_count(0)


def test_items_people_and_manager_in_place_and_seen_by_others(
    new_page: NewPage, won: Opportunity, alice: User, dan: User, pia: User
) -> None:
    handoff = handoff_of(won)
    alices, dans = new_page(alice), new_page(dan)
    open_live(alices, handoff)
    open_live(dans, handoff)

    # What blocks is a link to where it is mended.
    alices.get_by_role("link", name="Name the project manager.").click()
    expect(alices.locator("#project-manager")).to_be_in_viewport()
    dans.get_by_role("link", name="Name… the project manager").click()
    dans.get_by_label("Project manager").select_option(label="Pia")
    dans.locator("#project-manager").get_by_role("button", name="Save").click()
    expect(dans.locator("#project-manager")).to_contain_text("Pia")
    expect(alices.locator("#project-manager")).to_contain_text("Pia", timeout=LIVE_MS)

    # Done with a file; a refused one keeps the note.
    item = handoff.items.filter(side="sales", state=TaskState.OPEN, action="").exclude(evidence_wanted="")[0]
    line = alices.locator(f"#task-{item.pk}")
    line.get_by_role("link", name="Say done, with evidence").click()
    box = alices.get_by_role("dialog")
    box.get_by_label("Note").fill("They all know")
    box.get_by_label("File").set_input_files({"name": "a.html", "mimeType": "text/html", "buffer": b"<html></html>"})
    box.get_by_role("button", name="Done").click()
    expect(box.locator(".invalid-feedback")).to_be_visible()
    expect(box.get_by_label("Note")).to_have_value("They all know")
    box.get_by_label("File").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"Who decides"})
    box.get_by_role("button", name="Done").click()
    expect(box).to_be_hidden()
    expect(line).to_contain_text("a.txt")
    expect(dans.locator(f"#task-{item.pk}")).to_contain_text("They all know", timeout=LIVE_MS)
    alices.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(line.get_by_role("link", name="Say done, with evidence")).to_be_visible()

    # Introduced by Alice in place, taken over by Pia on her phone.
    transfer = handoff.relationships.get()
    row = alices.locator(f"#relationship-{transfer.pk}")
    expect(row).to_contain_text("Cold: Pia was not introduced")
    row.get_by_role("link", name="Change how Ines Holm is handed over").click()
    row.get_by_label("Introduced on").fill(timezone.now().date().isoformat())
    row.get_by_label("How").fill("Lunch")
    row.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("Introduced")
    pias = new_page(pia, viewport=PHONE)
    open_live(pias, handoff)
    pias.get_by_role("button", name="I take over").click()
    expect(pias.locator(f"#relationship-{transfer.pk}")).to_contain_text("Pia took over")
    expect(row).to_contain_text("Pia took over", timeout=LIVE_MS)


def test_submitted_approved_and_taken_on_by_keyboard(
    new_page: NewPage, won: Opportunity, alice: User, sam: User, dan: User, pia: User
) -> None:
    handoff = ready(won, now=timezone.now())
    page = new_page(alice)
    open_live(page, handoff)
    page.locator("#submit-note").focus()
    page.keyboard.type("Mind the date")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#handoff-page")).to_contain_text("As it was handed in.")
    expect(page.locator("#approvals")).to_contain_text("Mind the date")
    for person in (sam, dan):
        theirs = new_page(person)
        open_live(theirs, handoff)
        theirs.locator("#approvals").get_by_role("link", name="Approve").click()
        theirs.get_by_role("dialog").get_by_role("button", name="Approve").click()
        expect(theirs.locator("#approvals")).to_contain_text(str(person))
        expect(theirs.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("#handoff-page")).to_contain_text("Pia accepts next", timeout=LIVE_MS)
    pias = new_page(pia)
    open_live(pias, handoff)
    pias.locator("#accept-handoff").focus()
    pias.keyboard.press("Enter")
    expect(pias.locator("#handoff-page")).to_contain_text("What is left goes on in the ramp plan.")


def test_without_script_an_item_is_done_and_the_handoff_submitted(
    new_page: NewPage, won: Opportunity, alice: User
) -> None:
    handoff = ready(won, now=timezone.now())
    page = new_page(alice, java_script_enabled=False)
    page.goto(f"/handoffs/{handoff.pk}/items/add/")
    page.get_by_label("What is to be done").fill("Ask about parking")
    page.get_by_label("Whose it is").select_option("sales")
    page.get_by_role("button", name="Add").click()
    line = page.locator(".ho-item", has_text="Ask about parking")
    line.get_by_role("button", name="Say done: Ask about parking").click()
    expect(line.get_by_role("button", name="Done. Take back")).to_be_visible()
    page.get_by_label("What the approvers should know").fill("All there")
    page.get_by_role("button", name="Submit for approval").click()
    expect(page.locator("#handoff-page")).to_contain_text("As it was handed in.")


def test_every_page_is_well_made_in_every_look(
    new_page: NewPage, won: Opportunity, alice: User, sam: User, dan: User, pia: User
) -> None:
    handoff = rich(won, alice, dan, pia)
    page = new_page(sam)
    open_live(page, handoff)
    assert_well_made(page, "handoff")
    item = handoff.items.filter(side="sales", state=TaskState.OPEN, action="").exclude(evidence_wanted="")[0]
    page.locator(f"#check-{item.pk}").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert_well_made(page, "evidence")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.locator(f"#more-{item.pk}").click()
    assert_well_made(page, "menu")
    page.get_by_role("link", name="Leave out…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert_well_made(page, "waive")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.locator("[id^=edit-relationship]").first.click()
    expect(page.locator(".ho-rel-form")).to_be_visible()
    assert_well_made(page, "relationship")
    for path in ("/handoffs/", "/handoffs/?waits=me", f"/handoffs/{handoff.pk}/brief/", f"/deals/{won.pk}/handoff/"):
        page.goto(path)
        assert_well_made(page, path)


def test_a_brief_is_printed_dark_on_white_whatever_the_screen(
    new_page: NewPage, won: Opportunity, alice: User, dan: User, pia: User
) -> None:
    handoff = rich(won, alice, dan, pia)
    page = new_page(alice)
    page.goto(f"/handoffs/{handoff.pk}/brief/")
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    page.emulate_media(media="print", color_scheme="dark")
    for part in (".br-title", ".br-stated .br-part-title", ".br-text"):
        expect(page.locator(part).first).to_have_css("color", "rgb(26, 33, 43)")
    for hidden in (".ot-topbar", ".ot-side", ".br-bar"):
        expect(page.locator(hidden).first).to_be_hidden()
