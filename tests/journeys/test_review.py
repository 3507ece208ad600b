"""A deal review in two browsers, by pointer and by keyboard, and every page of it in every look."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Organisation, User
from events.models import Delivery
from handoffs import defaults
from handoffs.models import DealReview, QuestionSet, ReviewAnswer, ReviewDecision
from handoffs.review_queries import overrides
from handoffs.services.reviews import ConditionDraft, Meeting, schedule_review
from opportunities.models import Opportunity
from tests.factories import deal
from tests.handoffs.reactions import move
from tests.handoffs.reviewing import SECRET, agreed, answer, compared, decide, requested, sign
from tests.support.axe import assert_well_made
from tests.support.browser import PHONE, box_of

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NewPage = Callable[..., "Page"]
# Shorter than the 15 seconds after which a page without a stream would have asked by itself.
LIVE_MS = 12_000


@pytest.fixture(autouse=True)
def _app(live_app: object, organisation: Organisation) -> None:
    """The running product, whose pipeline asks for an agreed review before a win."""
    now = timezone.now()
    defaults.create(organisation=organisation, now=now)
    defaults.demand_reviews(organisation=organisation, now=now)


@pytest.fixture
def offered(alice: User, dan: User) -> Opportunity:
    """A deal of Alice's at the offer, with Dan for delivery."""
    now = timezone.now()
    found = deal("qualified", owner=alice, name="Customer portal", delivery_owner=dan)
    for stage in ("discovery", "proposal"):
        found = move(found, stage, now=now, reacts=False).opportunity
    settle()
    return found


def settle() -> None:
    """Until the background has done all that is owed."""
    deadline = time.monotonic() + 30
    while Delivery.objects.filter(state__in=["pending", "published"]).exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def open_live(page: Page, url: str) -> None:
    """A page, once it listens and has caught up with what happened a moment ago."""
    page.goto(url)
    expect(page.locator("html")).to_have_attribute("data-live-state", "streaming")
    page.wait_for_timeout(500)
    expect(page.locator("[data-live].htmx-request")).to_have_count(0)


def panel(page: Page) -> Locator:
    return page.locator("#review-panel")


def score(page: Page, review: DealReview, scores: list[int], note: str = "") -> None:
    """Choose a score for each question, and write a note to the first."""
    for question, chosen in zip(review.questions.all(), scores, strict=True):
        page.locator(f'input[name="score_{question.pk}"][value="{chosen}"]').check()
    if note:
        page.get_by_label("Note").first.fill(note)


def in_two_weeks() -> str:
    return (timezone.now().date() + dt.timedelta(days=14)).isoformat()


def test_from_a_hot_deal_to_a_signed_verdict_and_the_win(
    new_page: NewPage, alice: User, dan: User, offered: Opportunity
) -> None:
    alices, dans = new_page(alice), new_page(dan)
    open_live(alices, f"/deals/{offered.pk}/")
    alices.get_by_role("button", name="Negotiation").click()
    expect(panel(alices)).to_contain_text("Answering", timeout=LIVE_MS)
    review = DealReview.objects.get(opportunity=offered)
    count = review.questions.count()

    # Apart: neither sees what the other says.
    panel(alices).get_by_role("link", name="Answer for your side").click()
    score(alices, review, [5] * count, SECRET)
    alices.get_by_role("button", name="Hand in").click()
    expect(alices.locator("#review-work")).to_contain_text("Your side has handed in.")
    dans.goto("/reviews/")
    dans.get_by_role("link", name="Customer portal").click()
    expect(dans.locator("#review-work")).to_contain_text("Sales has handed in.")
    assert SECRET not in dans.content()

    # A draft stays through a new visit.
    dans.get_by_label("Note").first.fill("Nobody is free before May")
    dans.get_by_role("button", name="Keep as draft").click()
    expect(dans.locator("#toasts")).to_contain_text("Kept as a draft")
    dans.reload()
    expect(dans.get_by_label("Note").first).to_have_value("Nobody is free before May")
    dans.get_by_role("button", name="Hand in").click()
    expect(dans.locator("#review-work")).to_contain_text(f"{count} answers need a look")
    score(dans, review, [1, 4, *[5] * (count - 2)])
    dans.get_by_role("button", name="Hand in").click()

    # Together: the gaps open on both screens, largest first.
    for page in (dans, alices):
        expect(page.locator(".rv-gap-distance").first).to_have_text("4 apart", timeout=LIVE_MS)
        expect(page.locator(".rv-gap").nth(1)).to_contain_text("1 apart")
        expect(page.locator(".rv-gap").first).to_contain_text("Nobody is free before May")
        expect(page.locator(".rv-gap").first).to_contain_text(SECRET)
        expect(page.locator(".rv-alike summary")).to_contain_text(f"{count - 2} questions answered alike")

    # Dan writes the verdict down.
    form = dans.locator("#verdict-form")
    form.locator('input[value="go_if"]').check()
    form.get_by_label("1. What must be true").fill("An architect is named")
    form.get_by_label("Who sees to it").select_option(label="Dan")
    form.get_by_label("Until").fill(in_two_weeks())
    form.get_by_role("button", name="Another condition").click()
    form.get_by_label("2. What must be true").fill("The start moves to May")
    form.get_by_label("Who sees to it").nth(1).select_option(label="Alice")
    form.get_by_label("Until").nth(1).fill(in_two_weeks())
    expect(form.get_by_label("1. What must be true")).to_have_value("An architect is named")
    form.get_by_role("button", name="Propose this verdict").click()
    expect(dans.locator(".rv-decision")).to_contain_text("The start moves to May")
    expect(alices.locator(".rv-decision")).to_contain_text("An architect is named", timeout=LIVE_MS)

    # Not won before both have signed.
    alices.goto(f"/deals/{offered.pk}/")
    alices.locator(".deal-head").get_by_role("button", name="Won").click()
    expect(alices.get_by_role("dialog")).to_contain_text("signature of sales and delivery")
    offered.refresh_from_db()
    assert offered.kind == "open"
    alices.keyboard.press("Escape")
    dans.get_by_role("button", name="Sign for your side").click()
    expect(dans.locator("#toasts")).to_contain_text("Signed for your side")
    panel(alices).get_by_role("button", name="Sign for your side").click()
    expect(panel(alices)).to_contain_text("Agreed: go, if")
    expect(dans.locator("#review-work")).to_contain_text("Agreed: go, if", timeout=LIVE_MS)
    alices.locator(".deal-head").get_by_role("button", name="Won").click()
    expect(alices.locator("#deal-head")).to_contain_text("Reopen")
    offered.refresh_from_db()
    assert offered.kind == "won"
    for words in ("handed in the answers of delivery", "Both sides have answered", "proposed the verdict",
                  "The deal review is agreed: Go, if"):  # fmt: skip
        expect(alices.locator("#deal-timeline")).to_contain_text(words, timeout=LIVE_MS)


def test_a_sales_manager_goes_past_the_review_and_it_is_counted(
    new_page: NewPage, sam: User, eve: User, offered: Opportunity
) -> None:
    page = new_page(sam)
    open_live(page, f"/deals/{offered.pk}/")
    page.get_by_role("button", name="Negotiation").click()
    expect(panel(page)).to_contain_text("Answering", timeout=LIVE_MS)
    panel(page).get_by_role("link", name="Go past the review…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Go past the review").click()
    expect(dialog).to_contain_text("Say why the deal can’t wait for its review.")
    dialog.get_by_label("Why the deal can’t wait").fill("Their budget ends tonight")
    dialog.get_by_role("button", name="Go past the review").click()
    expect(dialog).to_be_hidden()
    expect(panel(page)).to_contain_text("Their budget ends tonight")
    page.locator(".deal-head").get_by_role("button", name="Won").click()
    expect(page.locator("#deal-head")).to_contain_text("Reopen")
    counted = overrides(eve, timezone.now() - dt.timedelta(hours=1))
    assert [(row.person, row.overrides) for row in counted] == [("Sam", 1)]


def test_the_whole_review_with_the_keyboard_alone(
    new_page: NewPage, alice: User, dan: User, offered: Opportunity
) -> None:
    QuestionSet.objects.get().questions.filter(position__gte=2).delete()
    review = requested(offered, alice, now=timezone.now())
    answer(review, alice, 5, now=timezone.now())
    page = new_page(dan)
    page.goto(f"/reviews/{review.pk}/")

    def tab_to(wanted: Locator) -> None:
        for _press in range(60):
            page.keyboard.press("Tab")
            if wanted.evaluate("element => element === document.activeElement"):
                return
        raise AssertionError("Tab never gets there")

    first, second = review.questions.all()
    tab_to(page.locator(f'input[name="score_{first.pk}"][value="1"]'))
    page.keyboard.press("ArrowRight")
    tab_to(page.get_by_label("Note").first)
    page.keyboard.type("Not on their side")
    tab_to(page.locator(f'input[name="score_{second.pk}"][value="1"]'))
    page.keyboard.press("Space")
    tab_to(page.get_by_role("button", name="Hand in"))
    page.keyboard.press("Enter")
    expect(page.locator(".rv-gap").first).to_contain_text("4 apart")
    assert ReviewAnswer.objects.get(question=first, side="delivery").score == 2

    tab_to(page.locator('#verdict-form input[value="go"]'))
    page.keyboard.press("ArrowRight")
    tab_to(page.get_by_label("1. What must be true"))
    page.keyboard.type("The scope is written down")
    tab_to(page.get_by_label("Who sees to it"))
    page.keyboard.type("Alice")
    tab_to(page.get_by_label("Until"))
    page.keyboard.type(f"{timezone.now() + dt.timedelta(days=20):%m%d%Y}")
    page.keyboard.press("Enter")
    expect(page.locator(".rv-decision")).to_contain_text("The scope is written down")
    tab_to(page.get_by_role("button", name="Sign for your side"))
    page.keyboard.press("Enter")
    expect(page.locator(".rv-signature-delivery")).to_contain_text("Dan")
    assert ReviewDecision.objects.get().delivery_signed_by == dan


def test_two_people_decide_at_once_and_the_second_keeps_what_was_typed(
    new_page: NewPage, alice: User, dan: User, offered: Opportunity
) -> None:
    review = requested(offered, alice, now=timezone.now())
    compared(review, alice, dan)
    alices, dans = new_page(alice), new_page(dan)
    for page in (alices, dans):
        open_live(page, f"/reviews/{review.pk}/")
        page.locator('#verdict-form input[value="go"]').check()
        page.get_by_label("In a sentence or two").fill(f"What {page.title()} says")
    dans.get_by_role("button", name="Propose this verdict").click()
    expect(dans.locator(".rv-decision")).to_be_visible()
    alices.wait_for_timeout(1500)  # the change has reached her page, and left her words alone
    expect(alices.get_by_label("In a sentence or two")).not_to_have_value("")
    alices.get_by_role("button", name="Propose this verdict").click()
    expect(alices.locator("#verdict-form")).to_contain_text("Dan decided in the meantime: Go.")
    expect(alices.get_by_label("In a sentence or two")).to_have_value(re.compile("What Review of"))
    alices.get_by_label("What changed since the verdict before").fill("Mine says more")
    alices.get_by_role("button", name="Propose the new version").click()
    expect(alices.locator(".rv-decision")).to_contain_text("Version 2")


def test_a_phone_keeps_a_draft_while_one_answers(
    new_page: NewPage, dan: User, alice: User, offered: Opportunity
) -> None:
    review = requested(offered, alice, now=timezone.now(), is_express=True)
    page = new_page(dan, viewport=PHONE, has_touch=True, is_mobile=True)
    page.goto(f"/reviews/{review.pk}/")
    expect(page.locator(".rv-clock")).to_contain_text(re.compile(r"due in 7 h 5\d min|due in 8 h 0 min"))
    count = review.questions.count()
    assert count < QuestionSet.objects.get().questions.count()
    for question in review.questions.all():
        face = page.locator(f'label:has(input[name="score_{question.pk}"][value="4"])')
        face.tap()
        box = box_of(face)
        assert min(box["width"], box["height"]) >= 44
    expect(page.locator(".rv-answer-count")).to_have_text(f"{count} of {count} answered")
    expect(page.locator("[data-draft-state]")).to_have_text("Draft kept")
    assert ReviewAnswer.objects.filter(question__review=review, side="delivery", score=4).count() == count
    page.get_by_role("button", name="Hand in").tap()
    expect(page.locator("#review-work")).to_contain_text("Your side has handed in.")


def test_a_meeting_is_set_in_the_dialog(new_page: NewPage, alice: User, dan: User, offered: Opportunity) -> None:
    review = requested(offered, alice, now=timezone.now())
    page = new_page(alice)
    open_live(page, f"/reviews/{review.pk}/")
    page.get_by_role("link", name="Schedule").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Where").fill("Room Utsikten")
    dialog.get_by_role("button", name="Set the meeting").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#review-work")).to_contain_text("Room Utsikten")
    with page.expect_download() as download:
        page.get_by_role("link", name="Into my calendar").click()
    assert download.value.suggested_filename == f"deal-review-{review.pk}.ics"
    page.goto("/reviews/")
    expect(page.locator("#reviews")).to_contain_text("Room Utsikten")


# --- for everybody ---


def test_every_page_is_well_made(new_page: NewPage, alice: User, sam: User, dan: User, ada: User) -> None:
    now = timezone.now()
    soon = now.date() + dt.timedelta(days=14)
    pages: dict[str, str] = {}

    def review_of(name: str, is_express: bool = False) -> DealReview:
        found = deal("proposal", owner=alice, delivery_owner=dan, name=name, now=now)
        review = requested(found, alice, now=now, is_express=is_express)
        pages[name] = f"/reviews/{review.pk}/"
        return review

    answering = review_of("Answering")
    meeting = Meeting(now + dt.timedelta(days=2), 30, "Room", "Gaps", (alice, dan))
    schedule_review(actor=dan, review=answering, meeting=meeting, expected_version=None, now=now)
    answer(review_of("Waiting for the other side", is_express=True), dan, 4, note="As we said", now=now)
    compared(review_of("Comparing"), alice, dan)
    conditions = [ConditionDraft("The scope is written down", alice, soon), ConditionDraft("Dates hold", dan, soon)]
    amended = agreed(review_of("A long name " * 12), alice, dan, "go_if", conditions=conditions, now=now)
    decide(amended, alice, "go_if", conditions=conditions[:1], reason="One of them holds", now=now)
    sign(amended, alice, 2, now=now)
    settle()
    page = new_page(dan)
    pages |= {
        "amending": f"/reviews/{amended.pk}/decide/", "scheduling": f"/reviews/{answering.pk}/schedule/",
        "calendar": "/reviews/?who=all", "empty calendar": "/reviews/?who=nobody",
        "panel": f"/deals/{amended.opportunity_id}/review/",
    }  # fmt: skip
    for name, url in pages.items():
        page.goto(url)
        assert_well_made(page, name)
    page = new_page(ada)
    questions = QuestionSet.objects.get()
    for url in ("/settings/reviews/", f"/settings/reviews/{questions.pk}/",
                f"/settings/reviews/{questions.pk}/questions/add/"):  # fmt: skip
        page.goto(url)
        assert_well_made(page, url)


def test_dialogs_and_refusals_are_well_made(new_page: NewPage, alice: User, sam: User, dan: User) -> None:
    now = timezone.now()
    review = requested(deal("proposal", owner=alice, delivery_owner=dan, now=now), alice, now=now)
    settle()
    page = new_page(sam)
    page.goto(f"/reviews/{review.pk}/")
    page.get_by_role("button", name="Hand in").click()
    expect(page.locator(".rv-problem")).to_be_visible()
    assert_well_made(page, "refused")
    page.get_by_role("link", name="Schedule").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert_well_made(page, "schedule")
    page.keyboard.press("Escape")
    page.goto(f"/reviews/{review.pk}/")
    page.get_by_role("link", name="Let the deal be won without its review").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert_well_made(page, "override")
