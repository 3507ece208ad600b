"""Twenty to decide between meetings: the inbox of approvals by keyboard and thumb, and its pages in every look."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Organisation, User
from handoffs import defaults
from handoffs.models import ApprovalStep, Handoff, HandoffState, StepState, Submission
from handoffs.services.approvals import decide_step, delegate
from handoffs.services.handoff import add_item, waive_item
from tests.factories import deal
from tests.handoffs.approving import approve, fresh, ready, step_of, submitted
from tests.handoffs.reactions import move
from tests.journeys.test_review import settle
from tests.support.axe import assert_well_made
from tests.support.browser import PHONE, settled

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NewPage = Callable[..., "Page"]


@pytest.fixture(autouse=True)
def _app(live_app: object, organisation: Organisation, sam: User, dan: User, eve: User, ada: User) -> None:
    """The running product with its default chain."""
    defaults.create(organisation=organisation, now=timezone.now())


def waiting(owner: User, name: str, *, hours_ago: int) -> Submission:
    """A handoff that was submitted so many hours ago."""
    now = timezone.now() - dt.timedelta(hours=hours_ago)
    found = move(deal("proposal", owner=owner, name=name), "won", now=now, reacts=False).opportunity
    settle()
    return submitted(ready(found, now=now), by=owner, now=now, note="All is agreed")


@pytest.fixture
def three(alice: User) -> list[Submission]:
    """Three that wait, the oldest first."""
    names = ("Harbour portal", "Crew planning", "Fleet data")
    return [waiting(alice, name, hours_ago=90 - 24 * number) for number, name in enumerate(names)]


def changed(submission: Submission, dan: User, alice: User, ada: User) -> Submission:
    """The same handoff sent back and handed in again, with something waived."""
    now = timezone.now()
    step = step_of(submission, "Delivery")
    decide_step(actor=dan, step=step, decision=StepState.CHANGES_REQUESTED, comment="Who trains the crew?", now=now)
    item = add_item(
        actor=alice, handoff=fresh(submission.handoff), section="scope", title="Training", side="sales",
        is_required=True, now=now,
    )  # fmt: skip
    waive_item(actor=ada, task=item, reason="They train themselves", now=now)
    return submitted(fresh(submission.handoff), by=alice, now=now)


def state(submission: Submission) -> str:
    return Handoff.objects.get(pk=submission.handoff_id).state


def focused(page: Page, text: str) -> None:
    expect(page.locator(":focus")).to_have_text(text)


def test_by_keyboard_from_the_first_to_the_last(new_page: NewPage, sam: User, three: list[Submission]) -> None:
    page = new_page(sam)
    page.goto("/approvals/")
    page.get_by_role("link", name="Harbour portal", exact=True).focus()
    page.keyboard.press("j")
    focused(page, "Crew planning")
    page.keyboard.press("k")
    focused(page, "Harbour portal")
    page.keyboard.press("o")
    expect(page.locator("details.ap-fold[open]")).to_have_count(1)
    page.keyboard.press("a")
    focused(page, "Crew planning")
    expect(page.locator(".ot-toast-text", has_text="Approved: Harbour portal")).to_be_visible()
    page.keyboard.press("c")
    expect(page.locator("textarea:focus")).to_be_visible()
    settled(page)
    page.keyboard.type("No plan for the crew, a")
    page.keyboard.press("Escape")
    focused(page, "Request changes Crew planning")
    settled(page)
    page.keyboard.press("c")
    expect(page.locator("textarea:focus")).to_be_visible()
    settled(page)
    page.keyboard.type("No plan for the crew")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    focused(page, "Fleet data")
    page.keyboard.press("a")
    expect(page.get_by_text("Nothing waits for you")).to_be_visible()
    assert step_of(three[0], "Sales").state == StepState.APPROVED
    assert state(three[1]) == HandoffState.CHANGES_REQUESTED
    assert step_of(three[1], "Sales").comment == "No plan for the crew"
    assert step_of(three[2], "Sales").decided_by == sam


def test_letters_in_a_comment_decide_nothing(new_page: NewPage, sam: User, three: list[Submission]) -> None:
    page = new_page(sam, viewport=PHONE, has_touch=True)
    page.goto("/approvals/")
    row = page.locator("#approvals li").filter(has_text="Harbour portal")
    row.get_by_text("Add a comment").tap()
    row.get_by_label("Comment on Harbour portal").fill("")
    row.get_by_label("Comment on Harbour portal").press_sequentially("acajk")
    assert not ApprovalStep.objects.exclude(state=StepState.PENDING).exists()
    row.get_by_role("button", name="Approve").tap()
    expect(row).to_have_count(0)
    assert step_of(three[0], "Sales").comment == "acajk"


def test_who_was_quicker_is_told_in_the_row(new_page: NewPage, sam: User, dan: User, three: list[Submission]) -> None:
    page = new_page(sam)
    page.goto("/approvals/")
    page.locator("#approvals details.ap-fold summary").first.click()
    # While somebody reads, the list waits with its news.
    expect(page.locator("#approvals")).to_have_attribute("data-live-hold", "")
    decide_step(
        actor=dan, step=step_of(three[0], "Delivery"), decision=StepState.REJECTED, comment="Never",
        now=timezone.now(),
    )  # fmt: skip
    page.get_by_role("button", name="Approve Harbour portal").click()
    expect(page.get_by_text("Dan has rejected this already.").first).to_be_visible()


def test_every_page_in_every_look(
    new_page: NewPage, sam: User, dan: User, ada: User, alice: User, ruth: User, three: list[Submission]
) -> None:
    again = changed(three[0], dan, alice, ada)
    approve(three[1], "Sales", sam, comment="Good work", now=timezone.now())
    today = timezone.now().date()
    delegate(
        actor=dan, delegator=dan, delegate=ruth, starts_on=today, ends_on=today, reason="Holiday", now=timezone.now()
    )
    page = new_page(sam)
    page.goto("/approvals/")
    for summary in page.locator("#approvals details > summary").all():
        summary.click()
    page.get_by_role("link", name="Request changes Fleet data").click()
    expect(page.locator("textarea:focus")).to_be_visible()
    assert_well_made(page, "inbox")
    for address in (
        "/approvals/decided/", "/approvals/delegations/", f"/approvals/{step_of(again, 'Sales').pk}/",
        f"/approvals/{step_of(again, 'Sales').pk}/reject/",
    ):  # fmt: skip
        page.goto(address)
        assert_well_made(page, address)
    ruths = new_page(ruth)
    ruths.goto("/approvals/")
    expect(ruths.get_by_text("in the name of Dan").first).to_be_visible()
    assert_well_made(ruths, "in another's name")
    admins = new_page(ada)
    rule = step_of(again, "Sales").rule_id
    for address in ("/settings/approvals/?amount=300000&service_line=", f"/settings/approvals/{rule}/", "/approvals/"):
        admins.goto(address)
        assert_well_made(admins, address)


def test_deciding_in_the_dialog_of_a_handoff(new_page: NewPage, sam: User, three: list[Submission]) -> None:
    page = new_page(sam)
    page.goto(f"/handoffs/{three[0].handoff_id}/")
    trail = page.locator("#approvals")
    trail.get_by_role("link", name="Approve").click()
    expect(page.get_by_role("dialog")).to_contain_text("An approval can’t be taken back.")
    assert_well_made(page, "dialog")
    page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("#approvals")).to_contain_text("approved")
