"""Promises, risks and exposure in two browsers: sales promises, delivery answers, both agree the risks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Organisation, User
from handoffs import defaults
from handoffs.models import Commitment, RaidItem, RiskProfile
from handoffs.services.commitments import add_commitment, answer_commitment
from handoffs.services.risk_profiles import agree_profile, propose_profile
from handoffs.services.risks import add_raid_item, change_raid_item
from opportunities.models import Opportunity
from tests.factories import ContactFactory, deal
from tests.journeys.test_engagement import open_live, settle
from tests.support.axe import assert_well_made

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NewPage = Callable[..., "Page"]
# Shorter than the 15 seconds after which a page without a stream would have asked by itself.
LIVE_MS = 12_000
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnung, in writing, " * 5


@pytest.fixture(autouse=True)
def _app(live_app: object, organisation: Organisation) -> None:
    """The running product, with its default playbooks."""
    defaults.create(organisation=organisation, now=timezone.now())


@pytest.fixture
def found(alice: User, dan: User) -> Opportunity:
    """A warm deal of Alice's with Dan for delivery."""
    made = deal("discovery", owner=alice, name="Customer portal", delivery_owner=dan)
    ContactFactory.make(account=made.account, name="Kari Nes")
    settle()
    return made


def test_a_promise_is_noted_objected_to_and_changed(
    new_page: NewPage, alice: User, dan: User, found: Opportunity
) -> None:
    alices, dans = new_page(alice), new_page(dan)
    open_live(dans, f"/deals/{found.pk}/commitments/")
    open_live(alices, f"/deals/{found.pk}/")
    panel = alices.locator("#commitment-panel")
    panel.get_by_role("link", name="Note a promise").click()
    dialog = alices.get_by_role("dialog")
    dialog.get_by_label("What was promised").fill("Live before the summer")
    dialog.get_by_label("For when").fill("2027-06-01")
    dialog.get_by_label("To whom").select_option(label="Kari Nes")
    dialog.get_by_role("button", name="Note it").click()
    expect(dialog).to_be_hidden()
    expect(panel).to_contain_text("Alice to Kari Nes")

    row = dans.locator(".ol-item")
    expect(row).to_contain_text("Live before the summer", timeout=LIVE_MS)
    row.locator("summary", has_text="Object").click()
    row.get_by_label("Disputed").check()
    row.get_by_role("button", name="Answer").click()
    expect(row).to_contain_text("Say what stands against it")
    row.get_by_label("What it depends on").fill("Nobody is free before May")
    row.get_by_role("button", name="Answer").click()
    expect(row.locator(".ol-badges")).to_contain_text("Disputed")

    expect(panel).to_contain_text("Nobody is free before May", timeout=LIVE_MS)
    expect(panel).to_contain_text("1 promise · 1 disputed")
    panel.get_by_role("link", name="Change “Live before the summer”").click()
    expect(dialog).to_contain_text("it is asked again")
    dialog.get_by_label("For when").fill("2027-09-01")
    dialog.get_by_role("button", name="Save").click()
    expect(alices.locator("#toasts")).to_contain_text("asked again")
    expect(row.locator(".ol-badges")).to_contain_text("Not answered", timeout=LIVE_MS)
    row.get_by_role("button", name="Accept").click()
    expect(dans.locator("#commitment-panel")).to_contain_text("all accepted")
    assert Commitment.objects.get().stance == "accepted"


def test_a_promise_is_withdrawn_and_taken_back_from_the_toast(
    new_page: NewPage, alice: User, found: Opportunity
) -> None:
    promise(found, alice)
    page = new_page(alice)
    open_live(page, f"/deals/{found.pk}/commitments/")
    page.get_by_role("button", name="Withdraw").click()
    expect(page.locator("#commitment-panel")).to_contain_text("Nothing has been promised yet")
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(page.locator(".ol-item")).to_have_count(1)


def test_the_register_is_kept_with_the_keyboard_alone_and_agreed_by_both(
    new_page: NewPage, alice: User, dan: User, found: Opportunity
) -> None:
    alices, dans = new_page(alice), new_page(dan)
    open_live(alices, f"/deals/{found.pk}/risks/")
    open_live(dans, f"/deals/{found.pk}/risks/")
    alices.locator("#add-risk").focus()
    alices.keyboard.press("Enter")
    dialog = alices.get_by_role("dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_label("What", exact=False).first.focus()
    for text in ("No interface list", "4", "3"):
        alices.keyboard.type(text)
        alices.keyboard.press("Tab")
    dialog.get_by_role("button", name="Add").focus()
    alices.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    cell = alices.locator("#cell-4x3")
    expect(cell).to_have_text("1")
    alices.wait_for_timeout(1_000)  # the stream tells of one's own change too
    expect(alices.locator("[data-live].htmx-request")).to_have_count(0)
    cell.focus()
    alices.keyboard.press("Enter")
    expect(alices.locator(".ol-chosen")).to_contain_text("Likelihood 4, impact 3")
    expect(cell).to_be_focused()
    alices.keyboard.press("Enter")
    expect(alices.locator(".ol-chosen")).to_have_count(0)
    alices.locator("#propose-profile").focus()
    alices.keyboard.press("Enter")
    alices.get_by_label("What the other side should know").fill("First look")
    alices.get_by_role("button", name="Put it up", exact=True).press("Enter")
    expect(alices.locator("#risk-panel")).to_contain_text("Delivery still to agree")

    agree = dans.get_by_role("button", name="Agree version 1 for Delivery")
    agree.wait_for(timeout=LIVE_MS)
    agree.focus()
    dans.keyboard.press("Enter")
    expect(dans.locator("#risk-panel")).to_contain_text("The register stands as both sides agreed it.")
    assert RiskProfile.objects.get().is_agreed
    change_raid_item(
        actor=dan, item=RaidItem.objects.get(), changes={"likelihood": 5}, expected_version=None, now=timezone.now()
    )
    expect(alices.locator("#risk-panel")).to_contain_text("Rated up", timeout=LIVE_MS)


def test_an_empty_cell_adds_a_risk_there(new_page: NewPage, alice: User, found: Opportunity) -> None:
    register(found, alice)
    page = new_page(alice)
    open_live(page, f"/deals/{found.pk}/risks/")
    page.locator("#cell-5x2").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Likelihood")).to_have_value("5")
    expect(dialog.get_by_label("Impact")).to_have_value("2")


def test_promises_and_risks_without_script(new_page: NewPage, alice: User, dan: User, found: Opportunity) -> None:
    page = new_page(alice, java_script_enabled=False)
    page.goto(f"/deals/{found.pk}/commitments/")
    page.get_by_role("link", name="Note a promise").click()
    page.get_by_label("What was promised").fill("Live before the summer")
    page.get_by_role("button", name="Note it").click()
    expect(page.locator(".ol-item")).to_contain_text("Live before the summer")
    page.goto(f"/deals/{found.pk}/risks/")
    page.get_by_role("link", name="Add").click()
    page.get_by_role("textbox", name="What", exact=False).first.fill("No interface list")
    page.get_by_label("Likelihood").select_option("4")
    page.get_by_label("Impact").select_option("3")
    page.get_by_role("button", name="Add").click()
    page.locator("#cell-4x3").click()
    expect(page.locator(".ol-chosen")).to_be_visible()
    page.locator("#propose-profile").click()
    page.get_by_role("button", name="Put it up", exact=True).click()
    expect(page.locator("#risk-panel")).to_contain_text("Delivery still to agree")


# --- for everybody ---


def promise(found: Opportunity, alice: User, text: str = "Live before the summer", kind: str = "date") -> Commitment:
    """A promise of the week before."""
    now = timezone.now()
    values = {
        "text": text, "kind": kind, "source": "call", "promised_on": now.date() - dt.timedelta(days=7),
        "due_on": now.date() + dt.timedelta(days=90),
    }  # fmt: skip
    return add_commitment(actor=alice, opportunity=found, values=values, now=now)


def register(found: Opportunity, alice: User, count: int = 1) -> list[RaidItem]:
    """Risks of every gravity, the first one with a long text."""
    made = []
    for number in range(count):
        values = {
            "kind": "risk" if number % 4 else "issue", "text": LONG[:480] if number == 1 else f"Risk {number}",
            "likelihood": number % 5 + 1, "impact": number * 3 % 5 + 1, "response": "reduce", "owner": alice,
            "response_note": "A workshop", "due_on": timezone.now().date(),
        }  # fmt: skip
        made.append(add_raid_item(actor=alice, opportunity=found, values=values, now=timezone.now()))
    return made


def _something_of_everything(found: Opportunity, alice: User, dan: User) -> RiskProfile:
    now = timezone.now()
    for number, (stance, kind) in enumerate(
        (
            ("accepted", "team"),
            ("accepted_if", "scope"),
            ("disputed", "price"),
            ("pending", "date"),
            ("pending", "other"),
        )
    ):
        made = promise(found, alice, LONG[:490] if number == 1 else f"Promise {number}", kind)
        if stance != "pending":
            note = "" if stance == "accepted" else LONG[:300]
            answer_commitment(actor=dan, commitment=made, stance=stance, note=note, expected_version=None, now=now)
    items = register(found, alice, 12)
    profile = propose_profile(actor=alice, opportunity=found, reason="As we see it", agrees=True, now=now)
    agree_profile(actor=dan, profile=profile, now=now)
    change_raid_item(actor=dan, item=items[0], changes={"likelihood": 5}, expected_version=None, now=now)
    return propose_profile(actor=dan, opportunity=found, reason="The audit", now=now)


@pytest.mark.parametrize("who", ["alice", "dan", "eve"])
def test_nothing_that_axe_finds(
    new_page: NewPage, request: pytest.FixtureRequest, alice: User, dan: User, found: Opportunity, who: str
) -> None:
    profile = _something_of_everything(found, alice, dan)
    page = new_page(request.getfixturevalue(who), reduced_motion="reduce")
    for part in ("commitments", "risks", "exposure"):
        page.goto(f"/deals/{found.pk}/{part}/")
        assert_well_made(page, part)
    page.goto(f"/risk-profiles/{profile.pk}/")
    assert_well_made(page, "version")


def test_nothing_that_axe_finds_in_dialogs_menus_and_empty_panels(
    new_page: NewPage, alice: User, dan: User, found: Opportunity
) -> None:
    page = new_page(alice, reduced_motion="reduce")
    page.goto(f"/deals/{found.pk}/risks/")
    assert_well_made(page, "empty register")
    page.goto(f"/deals/{found.pk}/commitments/")
    assert_well_made(page, "empty ledger")
    page.locator("#add-commitment").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert_well_made(page, "promise form")
    _something_of_everything(found, alice, dan)
    page.goto(f"/deals/{found.pk}/risks/")
    page.locator("#propose-profile, .ol-actions summary").first.click()
    assert_well_made(page, "closing")
    dans = new_page(dan, reduced_motion="reduce")
    dans.goto(f"/deals/{found.pk}/commitments/")
    dans.locator("summary", has_text="Object").first.click()
    assert_well_made(dans, "objecting")
