"""The client's own pages on a phone, without script; and what sales sees of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import User
from handoffs import defaults
from handoffs.models import ClientVoice, Confirmation, Pulse, RiskProfile, Statement
from opportunities.models import Contact, Opportunity
from tests.factories import deal, organisation
from tests.handoffs.asking import asked, contact_of, profiled, pulsed, written
from tests.handoffs.reactions import move
from tests.journeys.test_engagement import settle
from tests.support.axe import assert_well_made
from tests.support.browser import PHONE

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NewPage = Callable[..., "Page"]


@pytest.fixture
def theirs(live_app: object, alice: User, dan: User) -> tuple[Opportunity, Contact]:
    """A won deal with scope, success criteria and risk profile."""
    now = timezone.now()
    defaults.create(organisation=organisation(), now=now)
    cache.clear()
    made = deal("proposal", owner=alice, delivery_owner=dan)
    move(made, "won", now=now, reacts=False)
    settle()
    nora = contact_of(made, "Nora Lund")
    written(made, alice, now=now)
    profiled(made, alice, now=now)
    return made, nora


@pytest.fixture
def address(theirs: tuple[Opportunity, Contact], alice: User) -> str:
    """The contact's page to confirm."""
    return f"/c/{asked(theirs[0], alice, theirs[1], now=timezone.now())[1]}/"


@pytest.fixture
def phone(new_page: NewPage) -> Page:
    """A phone without script."""
    return new_page(viewport=PHONE, java_script_enabled=False)


def test_confirms_everything_on_a_phone(phone: Page, address: str) -> None:
    phone.goto(address)
    expect(phone.get_by_role("heading", level=1)).to_have_text("Nora Lund, is this right?")
    for left in (3, 2, 1):
        expect(phone.get_by_role("button", name="Yes, that’s right")).to_have_count(left)
        phone.get_by_role("button", name="Yes, that’s right").first.click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Thank you, Nora Lund")
    assert Confirmation.objects.filter(answer="confirmed").count() == 3
    assert phone.context.cookies() == []


def test_amends_words_after_looking_at_the_difference(phone: Page, address: str) -> None:
    phone.goto(address)
    scope = phone.locator("#scope")
    scope.get_by_role("link", name="Change something").click()
    phone.get_by_label("Text").fill("We move your shops to the new system.\nTraining is extra.")
    phone.get_by_role("button", name="Show me the difference").click()
    expect(phone.locator("del").first).to_have_text("included.")
    expect(phone.locator("ins").first).to_have_text("extra.")
    phone.get_by_role("button", name="Keep editing").click()
    expect(phone.get_by_label("Text")).to_have_value("We move your shops to the new system.\nTraining is extra.")
    phone.get_by_label("Why?").fill("As we said on the phone")
    phone.get_by_role("button", name="Show me the difference").click()
    phone.get_by_role("button", name="Send it like this").click()
    expect(scope).to_contain_text("These are your words.")
    assert Statement.objects.get(subject="scope", number=2).reason == "As we said on the phone"


def test_rates_risks_and_adds_one(phone: Page, address: str) -> None:
    phone.goto(address)
    phone.locator("#risk_profile").get_by_role("link", name="Change something").click()
    first = phone.get_by_role("group", name="The new till arrives late")
    first.get_by_label("Likelihood").select_option("very likely")
    phone.get_by_label("In a sentence").fill("Stocktaking in March")
    phone.get_by_role("button", name="Add another").click()
    expect(phone.get_by_label("In a sentence")).to_have_count(2)
    phone.get_by_role("button", name="Show me the difference").click()
    expect(phone.get_by_role("main")).to_contain_text("possible very likely")
    phone.get_by_role("button", name="Send it like this").click()
    expect(phone.locator("#risk_profile")).to_contain_text("Stocktaking in March")
    assert RiskProfile.objects.get(number=2).items[0]["likelihood"] == 5


def test_rates_by_keyboard_alone(new_page: NewPage, theirs: tuple[Opportunity, Contact]) -> None:
    _, token = pulsed(*theirs, now=timezone.now())
    page = new_page(viewport=PHONE, java_script_enabled=False)
    page.goto(f"/c/{token}/")
    page.get_by_label("Very unhappy").focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Tab")
    page.keyboard.type("Well done")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, Nora Lund")
    pulse = Pulse.objects.get(answered_at__isnull=False)
    assert (pulse.csat, pulse.recommend, pulse.comment) == (4, 10, "Well done")


def test_stops_mail_from_the_page(phone: Page, address: str) -> None:
    phone.goto(address)
    phone.get_by_role("link", name="No more mails from us").click()
    phone.get_by_role("button", name="No more mails").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("You get no more mails like this")
    assert ClientVoice.objects.get().opted_out_at is not None


def test_pages_are_well_made_in_both_languages(
    new_page: NewPage, theirs: tuple[Opportunity, Contact], address: str
) -> None:
    _, token = pulsed(*theirs, now=timezone.now())
    page = new_page()
    english = [f"{address}change/scope/", f"{address}mail/", "/c/guessed/", f"/c/{token}/", address]
    german = [f"{path}?lang=de" for path in (f"{address}change/risk_profile/", f"/c/{token}/", address)]
    for path in (*english, *german):
        page.goto(path)
        assert_well_made(page, path)
    page.goto(address)
    page.get_by_role("button", name="Yes, that’s right").first.click()
    assert_well_made(page, "one confirmed")
    page.goto(f"{address}change/success_criteria/")
    page.get_by_label("Text").fill("All shops open on 1 April.")
    page.get_by_role("button", name="Show me the difference").click()
    assert_well_made(page, "difference")
    page.get_by_role("button", name="Send it like this").click()
    page.goto(f"/c/{token}/")
    page.locator(".face").nth(3).click()
    assert_well_made(page, "chosen face")
    page.get_by_role("button", name="Send").click()
    assert_well_made(page, "rated")


def test_pages_are_small(new_page: NewPage, address: str) -> None:
    page = new_page(viewport=PHONE)
    sizes: list[int] = []
    hosts: set[str] = set()
    page.on("response", lambda response: sizes.append(len(response.body())))
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    assert len(hosts) == 1
    assert sum(sizes) < 30_000


def test_sales_asks_and_sees_the_answer(new_page: NewPage, alice: User, theirs: tuple[Opportunity, Contact]) -> None:
    page = new_page(alice)
    page.goto(f"/deals/{theirs[0].pk}/")
    panel = page.locator("#client-panel")
    expect(panel).to_contain_text("Not asked yet")
    panel.get_by_role("link", name="Ask the client").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Whom").select_option(label="Nora Lund (nora.lund@client.test)")
    dialog.get_by_label("Show me the link once").check()
    dialog.get_by_role("button", name="Ask").click()
    link = dialog.get_by_label("Copy it now").input_value()
    assert_well_made(page, "the link in the dialog")
    dialog.get_by_role("link", name="Done").click()

    phone = new_page(viewport=PHONE, java_script_enabled=False)
    phone.goto("/c/" + link.split("/c/")[1])
    phone.locator("#scope").get_by_role("button", name="Yes, that’s right").click()
    expect(panel).to_contain_text("Confirmed by Nora Lund", timeout=15_000)

    panel.locator("#write-scope").click()
    dialog.get_by_label("What the client reads").fill("We move your shops. Training is extra.")
    dialog.get_by_label("What changed").fill("Price")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    panel.locator("#client-scope summary").click()
    expect(panel.locator("#client-scope ins").first).to_be_visible()
    assert_well_made(page, "the panel")
