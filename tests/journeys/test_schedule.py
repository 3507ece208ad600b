"""Planning a quarter: bookings made, moved and stretched by mouse, thumb and keys, and the pages in every look."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Organisation, User
from staffing.models import Booking, Person, PersonSkill, Skill, TimeOff
from staffing.weeks import monday_of
from tests.factories import deal
from tests.staffing import staffed
from tests.support.axe import assert_well_made
from tests.support.browser import PHONE, box_of, settled

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NewPage = Callable[..., "Page"]
WEEK = dt.timedelta(weeks=1)


@pytest.fixture(autouse=True)
def _app(live_app: object, organisation: Organisation, ruth: User) -> None:
    """The running product."""


@pytest.fixture
def monday() -> dt.date:
    """Of this week."""
    return monday_of(timezone.now().date())


@pytest.fixture
def nils(organisation: Organisation) -> Person:
    """An architect."""
    return staffed.worker("Nils", staffed.role("Architect"))


@pytest.fixture
def booked(nils: Person, monday: dt.date) -> Booking:
    """Three weeks of Nils from the third week on."""
    return staffed.booking(monday + 2 * WEEK, monday + 4 * WEEK + dt.timedelta(days=4), 24, person=nils)


def bar(page: Page, booking: Booking) -> Locator:
    return page.locator(f"#booking-{booking.pk}")


def schedule(page: Page) -> Page:
    page.goto("/staffing/schedule/")
    settled(page)
    return page


def weeks_away(booking: Booking, monday: dt.date) -> tuple[int, int]:
    """How far the first and the last week of the booking are from this one."""
    booking.refresh_from_db()
    return (monday_of(booking.first_on) - monday).days // 7, (monday_of(booking.last_on) - monday).days // 7


def pull(page: Page, handle: Locator, by: float) -> None:
    """Drag by so many pixels, in steps as a hand does."""
    box = box_of(handle)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 6):
        page.mouse.move(x + by * step / 5, y)
    page.mouse.up()


def a_week(page: Page, booking: Booking) -> float:
    """Its width in pixels."""
    return box_of(bar(page, booking).locator("xpath=ancestor::ul"))["width"] / 12


def test_by_mouse_a_bar_moves_and_its_end_stretches(
    new_page: NewPage, ruth: User, booked: Booking, monday: dt.date
) -> None:
    page = schedule(new_page(ruth))
    pull(page, bar(page, booked), 2 * a_week(page, booked))
    expect(page.locator(".ot-toast-text", has_text="Nils:")).to_be_visible()
    settled(page)
    assert weeks_away(booked, monday) == (4, 6)
    expect(page.locator("#dialog")).not_to_be_visible()
    expect(page.locator(".sc-bar.sc-s5.sc-w3")).to_have_count(1)
    pull(page, page.locator("[data-grip=last]"), a_week(page, booked))
    expect(page.locator(".sc-bar.sc-s5.sc-w4")).to_have_count(1)
    expect(page.locator(".ot-toast-text")).to_have_count(2)
    settled(page)
    assert weeks_away(booked, monday) == (4, 7)
    page.locator(".ot-toast").last.get_by_role("button", name="Undo").click()
    expect(page.locator(".sc-bar.sc-s5.sc-w3")).to_have_count(1)
    assert weeks_away(booked, monday) == (4, 6)


def test_by_keys_a_bar_moves_and_stretches_in_one_go(
    new_page: NewPage, ruth: User, booked: Booking, monday: dt.date
) -> None:
    page = schedule(new_page(ruth))
    bar(page, booked).focus()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    expect(page.locator("#announcer")).to_contain_text("Own work, Nils:")
    expect(page.locator(".ot-toast-text", has_text="Nils:")).to_be_visible()
    assert weeks_away(booked, monday) == (3, 6)
    assert Booking.objects.get().version == 2
    settled(page)
    expect(bar(page, booked)).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    expect(page.locator(".sc-bar.sc-s4.sc-w4")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Change the booking")).to_be_visible()
    assert weeks_away(booked, monday) == (3, 6)


def test_by_thumb_a_held_bar_moves_and_a_swipe_scrolls(
    new_page: NewPage, ruth: User, booked: Booking, monday: dt.date
) -> None:
    page = schedule(new_page(ruth, viewport=PHONE, has_touch=True, is_mobile=True))
    bar(page, booked).scroll_into_view_if_needed()
    hand, width = page.context.new_cdp_session(page), a_week(page, booked)

    def swipe(hold: int) -> None:
        box = box_of(bar(page, booked))
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        hand.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        page.wait_for_timeout(hold)
        for step in range(1, 6):
            point = {"x": x + width * step / 5, "y": y}
            hand.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
        hand.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    swipe(hold=0)
    page.wait_for_timeout(400)
    assert weeks_away(booked, monday) == (2, 4)
    bar(page, booked).scroll_into_view_if_needed()
    swipe(hold=500)
    expect(page.locator(".ot-toast-text", has_text="Nils:")).to_be_visible()
    assert weeks_away(booked, monday) == (3, 5)


def test_what_somebody_else_moved_is_told_and_shown(
    new_page: NewPage, ruth: User, booked: Booking, monday: dt.date
) -> None:
    page = schedule(new_page(ruth))
    Booking.objects.update(version=7, last_on=monday + 7 * WEEK)
    bar(page, booked).focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".ot-toast-text")).to_contain_text(
        "Somebody changed this booking in the meantime. It is now: Nils"
    )
    expect(page.locator(".sc-bar.sc-s3.sc-w6")).to_have_count(1)
    assert weeks_away(booked, monday) == (2, 7)


def test_a_deal_is_found_by_its_beginning_and_booked_softly(
    new_page: NewPage, ruth: User, alice: User, nils: Person
) -> None:
    found = deal(owner=alice, name="Harbour portal")
    page = schedule(new_page(ruth))
    page.locator("td[data-week]").nth(3).click()
    dialog = page.locator("#dialog")
    expect(dialog.get_by_role("heading", name="Book")).to_be_visible()
    settled(page)
    dialog.get_by_label("Deal").press_sequentially("harb")
    expect(dialog.locator("#booking-deals option")).to_have_count(1)
    choice = dialog.locator("#booking-deals option").get_attribute("value") or ""
    dialog.get_by_label("Deal").fill(choice)
    dialog.get_by_label("Hours a week").fill("16")
    dialog.get_by_role("button", name="Book", exact=True).click()
    expect(page.locator(".sc-bar-soft.sc-s4")).to_contain_text("Harbour portal")
    booking = Booking.objects.get()
    assert (booking.person, booking.opportunity, booking.kind) == (nils, found, "soft")
    page.locator(f"#booking-{booking.pk}").click()
    settled(page)
    dialog.get_by_role("button", name="Release").click()
    expect(page.locator(".sc-bar")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".sc-bar")).to_have_count(1)


def test_pages_are_well_made(
    new_page: NewPage, ruth: User, alice: User, nils: Person, booked: Booking, monday: dt.date
) -> None:
    PersonSkill.objects.create(person=nils, skill=Skill.objects.create(name="Kubernetes"), proficiency=5)
    TimeOff.objects.create(person=nils, first_on=monday + 3 * WEEK, last_on=monday + 3 * WEEK)
    soon = deal(owner=alice, name="Harbour portal")
    days = (monday + 2 * WEEK, monday + 6 * WEEK)
    staffed.booking(*days, 30, person=nils, opportunity=soon, kind="soft")
    staffed.booking(*days, 30, role=nils.role, opportunity=soon, kind="soft")
    page = new_page(ruth)
    for path in ("schedule/", "people/", f"people/{nils.pk}/", "settings/"):
        page.goto(f"/staffing/{path}")
        assert_well_made(page, path)
    page.goto("/staffing/schedule/")
    settled(page)
    bar(page, booked).click()
    expect(page.get_by_role("heading", name="Change the booking")).to_be_visible()
    settled(page)
    assert_well_made(page, "dialog")
