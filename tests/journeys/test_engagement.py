"""The main job, in two browsers: a rep moves a deal, delivery sees it at once and accepts.

Every page that is opened also fails its test when a script breaks or the content security policy is violated.
"""

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
from handoffs.models import Engagement, Task
from handoffs.services.engagements import accept_engagement
from opportunities.models import Opportunity
from tests.factories import deal, stage
from tests.handoffs.reactions import move
from tests.support.axe import assert_well_made, violations

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NewPage = Callable[..., "Page"]
# Shorter than the 15 seconds after which a page without a stream would have asked by itself.
LIVE_MS = 12_000


@pytest.fixture(autouse=True)
def _app(live_app: object, organisation: Organisation) -> None:
    """The running product, with its default playbooks."""
    defaults.create(organisation=organisation, now=timezone.now())


def card(page: Page, found: Opportunity) -> Locator:
    return page.locator(f"#deal-{found.pk}")


def open_board(page: Page, found: Opportunity) -> None:
    page.goto("/board/")
    expect(card(page, found)).to_be_visible()


def open_live(page: Page, url: str = "/") -> None:
    """A page, once it listens and has caught up with what happened a moment ago."""
    page.goto(url)
    expect(page.locator("html")).to_have_attribute("data-live-state", "streaming")
    page.wait_for_timeout(500)
    expect(page.locator("[data-live].htmx-request")).to_have_count(0)


def settle() -> None:
    """Until the background has done all that is owed."""
    deadline = time.monotonic() + 30
    while Delivery.objects.filter(state__in=["pending", "published"]).exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def warmed(owner: User, name: str = "Customer portal") -> Opportunity:
    """A deal that has just turned warm, with delivery asked in by the background."""
    found = move(deal("qualified", owner=owner, name=name), "discovery", now=timezone.now(), reacts=False).opportunity
    settle()
    return found


def drag(page: Page, found: Opportunity, key: str) -> None:
    start = card(page, found).bounding_box()
    end = page.locator(f"#lane-{stage(key).pk}").bounding_box()
    assert start
    assert end
    page.mouse.move(start["x"] + 40, start["y"] + 50)
    page.mouse.down()
    page.mouse.move(start["x"] + 60, start["y"] + 70, steps=4)
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + 180, steps=12)
    page.mouse.up()


def request_on(page: Page) -> Locator:
    return page.locator("#home-needs .oh-row-engagement")


def expect_request(page: Page, found: Opportunity) -> None:
    """The request with its tasks and their due dates, as the database has them."""
    row = request_on(page)
    expect(row).to_contain_text(found.name, timeout=LIVE_MS)
    expect(row).to_contain_text("Answer within")
    tasks = list(Task.objects.filter(opportunity=found).exclude(side="sales"))
    assert len(tasks) == 4
    for task in tasks:
        line = row.locator("li", has_text=task.title)
        expect(line.locator("time")).to_have_attribute("datetime", task.due_on.isoformat())


def test_delivery_sees_a_dragged_deal_at_once_and_accepts(
    new_page: NewPage, alice: User, dan: User, record_property: Callable[[str, object], None]
) -> None:
    found = deal("qualified", owner=alice, name="Customer portal")
    alices, dans = new_page(alice), new_page(dan)
    open_live(dans)
    expect(dans.locator("h1")).to_have_text("Nothing waits for you")
    open_board(alices, found)
    drag(alices, found, "discovery")
    dropped = time.monotonic()
    expect(alices.locator("#toasts")).to_contain_text("moved to Discovery")
    request_on(dans).wait_for(timeout=LIVE_MS)
    record_property("seconds_from_drop_to_delivery", round(time.monotonic() - dropped, 2))
    expect_request(dans, found)
    expect(dans.locator("h1")).to_have_text("1 thing needs you")
    expect(dans).to_have_title("(1) Home · OneTeam")
    expect(dans.locator(".ot-venn-shared .ot-venn-count")).to_have_text("1")

    request_on(dans).get_by_role("button", name="Accept").click()
    expect(dans.locator("#toasts")).to_contain_text("You accepted “Customer portal”")
    expect(request_on(dans)).to_have_count(0)
    expect(dans.locator("#home-needs .oh-row-task", has_text="Write down the first risks")).to_be_visible()
    engagement = Engagement.objects.get(opportunity=found)
    assert (engagement.state, engagement.accepted_by) == ("accepted", dan)


def test_the_same_with_the_keyboard_alone(new_page: NewPage, alice: User, dan: User) -> None:
    found = deal("qualified", owner=alice, name="Customer portal")
    alices, dans = new_page(alice), new_page(dan)
    open_live(dans)
    open_board(alices, found)
    card(alices, found).locator("[data-focus]").focus()
    alices.keyboard.press("Alt+ArrowRight")
    expect(alices.locator("#announcer")).to_contain_text("moved to Discovery")
    expect_request(dans, found)

    accept = request_on(dans).get_by_role("button", name="Accept")
    for _press in range(40):
        dans.keyboard.press("Tab")
        if accept.evaluate("button => button === document.activeElement"):
            break
    dans.keyboard.press("Enter")
    expect(request_on(dans)).to_have_count(0)
    assert Engagement.objects.get(opportunity=found).accepted_by == dan


@pytest.fixture
def accepted(alice: User, dan: User) -> Opportunity:
    """A warm deal of Alice's that Dan accepted."""
    found = warmed(alice)
    engagement = Engagement.objects.get(opportunity=found)
    accept_engagement(actor=dan, engagement=engagement, expected_version=None, now=timezone.now())
    return found


def test_both_say_done_and_each_sees_the_other(
    new_page: NewPage, alice: User, dan: User, accepted: Opportunity
) -> None:
    alices, dans = new_page(alice), new_page(dan)
    open_live(alices)
    open_live(dans, f"/deals/{accepted.pk}/delivery/")
    alices.get_by_role("button", name="Say done: Write down the first risks").click()
    shared = dans.locator(".oh-column-shared .oh-task", has_text="Write down the first risks")
    expect(shared).to_contain_text("Sales: Alice", timeout=LIVE_MS)
    shared.get_by_role("button", name="Say done").click()
    expect(dans.locator(".oh-column-shared")).to_contain_text("1 done")
    assert Task.objects.get(opportunity=accepted, template__key="first-risks").state == "done"


def test_a_done_is_taken_back_from_the_toast(new_page: NewPage, alice: User, accepted: Opportunity) -> None:
    page = new_page(alice)
    open_live(page)
    brief = page.locator("#home-needs .oh-row-task", has_text="Brief delivery")
    brief.get_by_role("button", name="Say done").click()
    expect(brief).to_have_count(0)
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(brief).to_be_visible()
    expect(page).to_have_title("(2) Home · OneTeam")


def test_declining_asks_for_a_reason_in_place(new_page: NewPage, alice: User, dan: User) -> None:
    found = warmed(alice)
    page = new_page(dan)
    open_live(page)
    row = request_on(page)
    row.locator("summary", has_text="Decline").click()
    row.get_by_role("button", name="Decline").click()
    expect(row).to_contain_text("Say why delivery can't take part")
    expect(row.get_by_label("Why delivery can’t take part")).to_be_focused()
    row.get_by_label("Why delivery can’t take part").fill("No architect until May")
    row.get_by_role("button", name="Decline").click()
    expect(request_on(page)).to_have_count(0)
    assert Engagement.objects.get(opportunity=found).decline_reason == "No architect until May"


def test_what_somebody_types_is_not_swept_away(new_page: NewPage, alice: User, dan: User) -> None:
    first = warmed(alice, "First")
    page = new_page(dan)
    open_live(page)
    row = request_on(page).filter(has_text="First")
    row.locator("summary", has_text="Decline").click()
    row.get_by_label("Why delivery can’t take part").fill("Half a reason")
    warmed(alice, "Second")
    expect(page.locator(".ot-venn-shared .ot-venn-count")).to_have_text("2", timeout=LIVE_MS)
    expect(row.get_by_label("Why delivery can’t take part")).to_have_value("Half a reason")
    page.keyboard.press("Escape")
    expect(request_on(page)).to_have_count(2, timeout=LIVE_MS)
    assert Engagement.objects.get(opportunity=first).state == "requested"


def test_a_task_is_changed_in_the_dialog(new_page: NewPage, dan: User, accepted: Opportunity) -> None:
    page = new_page(dan)
    open_live(page, f"/deals/{accepted.pk}/delivery/")
    page.get_by_role("link", name="Change “Write down the first risks”").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Title").fill("Write down the risks")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#deal-panel")).to_contain_text("Write down the risks")


def test_a_close_date_is_moved_from_the_home_page(new_page: NewPage, alice: User) -> None:
    late = timezone.now().date().replace(day=1)
    found = deal(owner=alice, name="Customer portal", close_date=late, start_on=None)
    page = new_page(alice)
    open_live(page)
    row = page.locator(f"#deal-{found.pk}")
    row.locator("summary").click()
    row.get_by_label("Close date").fill("2027-06-01")
    row.get_by_role("button", name="Save").click()
    expect(row).to_have_count(0)
    found.refresh_from_db()
    assert found.close_date is not None
    assert found.close_date.isoformat() == "2027-06-01"


def test_the_circles_lead_to_the_deals_in_them(new_page: NewPage, alice: User, accepted: Opportunity) -> None:
    page = new_page(alice)
    cold = deal(owner=alice, name="Cold one")
    page.goto("/")
    page.locator(".ot-venn-shared").click()
    expect(page.get_by_role("main")).to_contain_text(accepted.name)
    expect(page.get_by_role("main")).not_to_contain_text(cold.name)
    expect(page.get_by_role("main")).to_contain_text("One Team")


# --- for everybody ---


def _something_of_everything(alice: User) -> Opportunity:
    now = timezone.now()
    warm = warmed(alice)
    move(deal(owner=alice), "negotiation", now=now, reacts=False)
    move(deal("qualified", owner=alice), "won", now=now, reacts=False)
    deal(owner=alice, next_step="", next_step_on=None)
    deal(owner=alice, close_date=now.date().replace(day=1), start_on=None)
    settle()
    return warm


@pytest.mark.parametrize("who", ["alice", "sam", "pia", "dan", "ruth", "eve", "charlie"])
def test_nothing_that_axe_finds_on_anybodys_home(
    new_page: NewPage, request: pytest.FixtureRequest, alice: User, who: str
) -> None:
    _something_of_everything(alice)
    page = new_page(request.getfixturevalue(who))
    page.goto("/")
    assert_well_made(page, who)


def test_nothing_that_axe_finds_on_the_other_pages(new_page: NewPage, alice: User, dan: User) -> None:
    warm = _something_of_everything(alice)
    page = new_page(dan)
    for url in ("/upcoming/", "/engagements/", f"/deals/{warm.pk}/delivery/"):
        page.goto(url)
        assert_well_made(page, url)
    page.locator("summary", has_text="Decline").click()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.locator("a.oh-quiet").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert_well_made(page, "dialog")
