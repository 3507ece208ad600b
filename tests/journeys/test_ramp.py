"""A ramp plan in the browser: by pointer, by keyboard, live, on paper, and in every look."""

from __future__ import annotations

import datetime as dt
import re
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Organisation, User
from events.models import Delivery
from handoffs import defaults
from handoffs.models import (
    Handoff,
    HandoffState,
    LessonProposal,
    Playbook,
    Rag,
    RampPhase,
    RampPlan,
    Task,
    TaskSide,
    TouchpointKind,
)
from handoffs.services import ramp
from tests.factories import deal
from tests.handoffs.handing import handoff_of
from tests.handoffs.ramping import milestone, settle, stands
from tests.handoffs.reactions import move
from tests.journeys.test_review import open_live
from tests.support.axe import assert_well_made
from tests.support.browser import PHONE, settled

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NewPage = Callable[..., "Page"]
LIVE_MS = 12_000
NOW = timezone.now()
LATER = dt.date(NOW.year + 2, 3, 1)


@pytest.fixture(autouse=True)
def _app(live_app: object, organisation: Organisation) -> None:
    """The running product."""
    defaults.create(organisation=organisation, now=NOW)


@pytest.fixture
def plan(alice: User, dan: User) -> RampPlan:
    """Alice's won deal ramps; Dan delivers it. Something in every phase, one duty late."""
    made = deal(
        "proposal", owner=alice, delivery_owner=dan, name="Customer portal", close_date=dt.date(2026, 11, 23),
        start_on=dt.date(2026, 12, 14),
    )  # fmt: skip
    sold = move(made, "won", now=NOW, reacts=False).opportunity
    until_settled()
    plan = handoff_of(sold).ramp_plan
    Task.objects.filter(ramp_plan=plan).delete()
    Handoff.objects.update(state=HandoffState.APPROVED, approved_at=NOW, accepted_at=NOW, accepted_by=dan)
    plan = ramp.start_ramp(plan=plan, actor=None, now=NOW)
    first = milestone(plan, "Hold the internal kick-off", days=-5, phase=RampPhase.INTERNAL_KICKOFF)
    settle(first)
    held = milestone(
        plan, "Hold the kick-off with the client", phase=RampPhase.CLIENT_KICKOFF, side=TaskSide.SHARED, after=(first,)
    )
    duty = milestone(plan, "Reset expectations", days=5, side=TaskSide.SALES)
    Task.objects.filter(pk=duty.pk).update(due_on=NOW.date() - dt.timedelta(days=2), is_due_fixed=True)
    milestone(plan, "Show a first result", days=15, phase=RampPhase.FIRST_DELIVERY, after=(held,))
    milestone(plan, "Look at open points", days=25, phase=RampPhase.HYPERCARE, side=TaskSide.SHARED)
    milestone(plan, "Scope confirmed", days=30, phase=RampPhase.EXIT, evidence="who confirmed it, and when")
    ramp.report_health(actor=dan, plan=plan, rag=Rag.GREEN, reason="Team is named", now=NOW)
    ramp.report_health(actor=dan, plan=plan, rag=Rag.AMBER, reason="Nobody has access yet", now=NOW)
    ramp.log_touchpoint(
        actor=dan, plan=plan, kind=TouchpointKind.CALL, on=NOW.date(), note="Access comes on Wednesday", contacts=(),
        request_id=uuid.uuid4(), now=NOW,
    )  # fmt: skip
    return stands(plan)


def until_settled() -> None:
    """Until the background has done all that is owed."""
    deadline = time.monotonic() + 30
    while Delivery.objects.filter(state__in=["pending", "published"]).exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_moving_the_kickoff_shows_first_what_moves_and_is_undone(new_page: NewPage, dan: User, plan: RampPlan) -> None:
    page = new_page(dan)
    page.goto(f"/ramp/{plan.pk}/")
    page.get_by_role("link", name="Move kick-off").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Kick-off").fill(LATER.isoformat())
    dialog.get_by_role("button", name="Show what moves").click()
    expect(dialog.locator("#kickoff-preview")).to_contain_text("4 tasks move")
    expect(dialog.locator("#kickoff-preview")).to_contain_text("Its date was set by hand.")
    assert stands(plan).kickoff_on == plan.kickoff_on
    dialog.get_by_role("button", name=re.compile("Move to")).click()
    expect(dialog).to_be_hidden()
    expect(page.locator(".rp-facts")).to_contain_text(str(LATER.year))
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".rp-facts")).to_contain_text("14 Dec 2026")
    assert stands(plan).kickoff_on == plan.kickoff_on


def test_the_picture_is_walked_through_by_keyboard(new_page: NewPage, dan: User, plan: RampPlan) -> None:
    page = new_page(dan)
    open_live(page, f"/ramp/{plan.pk}/")
    settled(page)  # a part that is fetched anew just now would take the focus along
    marks = page.locator(".rp-svg a")
    titles = [
        "Hold the internal kick-off", "Hold the kick-off with the client", "Reset expectations", "Show a first result",
        "Look at open points", "Scope confirmed",
    ]  # fmt: skip
    marks.first.focus()
    for title in titles:
        focused = page.evaluate("document.activeElement.querySelector('title')?.textContent")
        assert focused.startswith(title), focused
        page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    task = Task.objects.get(title="Scope confirmed", ramp_plan=plan)
    expect(page).to_have_url(re.compile(f"#task-{task.pk}$"))
    expect(page.locator(f"#task-{task.pk}")).to_be_in_viewport()


def test_what_the_other_side_reports_appears_by_itself(
    new_page: NewPage, alice: User, dan: User, plan: RampPlan
) -> None:  # fmt: skip
    alices, dans = new_page(alice), new_page(dan)
    alices.goto(f"/ramp/{plan.pk}/")
    expect(alices.locator("html")).to_have_attribute("data-live-state", "streaming")
    dans.goto(f"/ramp/{plan.pk}/")
    dans.locator("section", has=dans.get_by_role("heading", name="Health")).get_by_role("link", name="Report").click()
    dialog = dans.get_by_role("dialog")
    dialog.locator('input[value="red"]').check(force=True)
    dialog.get_by_label("Why").fill("The sponsor left")
    dialog.get_by_role("button", name="Report").click()
    expect(dans.locator(".rp-health")).to_contain_text("The sponsor left")
    expect(alices.locator(".rp-health")).to_contain_text("The sponsor left", timeout=LIVE_MS)


def test_a_duty_is_done_in_place_and_no_longer_owed(new_page: NewPage, alice: User, plan: RampPlan) -> None:
    page = new_page(alice)
    page.goto(f"/ramp/{plan.pk}/")
    expect(page.locator(".rp-duties")).to_contain_text("1 late")
    page.get_by_role("button", name="Say done: Reset expectations").click()
    expect(page.locator(".rp")).to_contain_text("Sales owes nothing.")
    page.get_by_role("button", name="Reopen “Reset expectations”").click()
    expect(page.locator(".rp-duties")).to_contain_text("Sales still owes 1")


def test_without_evidence_nothing_ends_and_with_it_the_ramp_does(new_page: NewPage, dan: User, plan: RampPlan) -> None:
    page = new_page(dan)
    page.goto(f"/ramp/{plan.pk}/")
    page.get_by_role("link", name="End the ramp").click()
    expect(page.get_by_role("dialog")).to_contain_text("Open: “Scope confirmed”.")
    page.keyboard.press("Escape")
    settle(Task.objects.get(title="Scope confirmed", ramp_plan=plan), evidence="Ms Lind, on Friday")
    page.goto(f"/ramp/{plan.pk}/")
    page.get_by_role("link", name="End the ramp").click()
    page.get_by_role("dialog").get_by_role("button", name="End the ramp").click()
    expect(page.locator(".rp-head")).to_contain_text("In delivery")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="End the ramp")).to_be_visible()


def test_on_a_phone_the_picture_is_a_list_and_on_paper_the_picture(
    new_page: NewPage, dan: User, plan: RampPlan
) -> None:  # fmt: skip
    page = new_page(dan, viewport=PHONE)
    page.goto(f"/ramp/{plan.pk}/")
    expect(page.locator(".rp-svg")).to_be_hidden()
    page.locator(".rp-vertical").get_by_role("link", name="Show a first result").click()
    task = Task.objects.get(title="Show a first result", ramp_plan=plan)
    expect(page.locator(f"#task-{task.pk}")).to_be_in_viewport()
    page.emulate_media(media="print")
    expect(page.locator(".rp-svg")).to_be_visible()
    expect(page.locator(".rp-vertical")).to_be_hidden()
    expect(page.locator("#move-kickoff")).to_be_hidden()


def test_every_page_of_a_ramp_is_well_made(new_page: NewPage, dan: User, ada: User, plan: RampPlan) -> None:
    page = new_page(dan)
    page.goto("/ramp/")
    assert_well_made(page, "list")
    page.goto(f"/deals/{plan.opportunity_id}/ramp/")
    assert_well_made(page, "panel")
    page.goto(f"/ramp/{plan.pk}/")
    expect(page.locator("#client-panel")).to_be_attached()
    page.locator(".rp-table > summary").click()
    assert_well_made(page, "plan")
    for name in ("kickoff", "health", "milestones/add", "touchpoints/add", "lessons/add", "exit"):
        page.goto(f"/ramp/{plan.pk}/{name}/")
        assert_well_made(page, name)


def test_the_preview_of_a_move_is_well_made(new_page: NewPage, dan: User, plan: RampPlan) -> None:
    page = new_page(dan)
    page.goto(f"/ramp/{plan.pk}/")
    page.get_by_role("link", name="Move kick-off").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Kick-off").fill(LATER.isoformat())
    dialog.get_by_role("button", name="Show what moves").click()
    expect(dialog.locator("#kickoff-preview")).to_contain_text("4 tasks move")
    assert_well_made(page, "preview")


def test_proposals_on_the_playbook_are_well_made(new_page: NewPage, dan: User, ada: User, plan: RampPlan) -> None:
    playbook = Playbook.objects.get(trigger="won")
    ramp.add_lesson(
        actor=dan, plan=plan, text="Access took three weeks", proposal=LessonProposal.ADD, playbook=playbook,
        title="Ask for access at once", request_id=uuid.uuid4(), now=NOW,
    )  # fmt: skip
    page = new_page(ada)
    page.goto(f"/settings/playbooks/{playbook.pk}/")
    assert_well_made(page, "playbook")
    page.get_by_role("button", name="Adopt").click()
    expect(page.locator("main")).to_contain_text("Ask for access at once")
    expect(page.locator("#proposals")).to_have_count(0)
