"""Settings of the process in a real browser: with the keyboard, without script, for everybody.

Every page that is opened also fails its test when a script breaks or the content security policy is violated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Organisation, User
from handoffs import defaults
from handoffs.models import Playbook, PlaybookTask
from opportunities.models import Opportunity
from tests import factories
from tests.support.axe import assert_well_made
from tests.support.browser import settled

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NewPage = Callable[..., "Page"]


@pytest.fixture(autouse=True)
def _defaults(live_app: object, organisation: Organisation) -> None:
    defaults.create(organisation=organisation, now=timezone.now())


def pages() -> dict[str, str]:
    """Addresses of the pages."""
    return {
        "pipelines": reverse("pipelines:list"),
        "pipeline": reverse("pipelines:detail", args=[factories.pipeline().pk]),
        "stage": reverse("pipelines:stage", args=[factories.stage("proposal").pk]),
        "playbooks": reverse("playbooks:list"),
        "playbook": reverse("playbooks:detail", args=[Playbook.objects.get(key="hot").pk]),
        "task": reverse("playbooks:task", args=[PlaybookTask.objects.get(key="large-deal").pk]),
    }


def titles(page: Page) -> list[str]:
    """What the ordered rows are called, in order."""
    return [
        text.strip().lstrip("0123456789 ") for text in page.locator("[data-reorder] .ot-rows-title").all_inner_texts()
    ]


def test_nothing_that_axe_finds(ada: User, new_page: NewPage) -> None:
    page = new_page(ada)
    for name, path in pages().items():
        page.goto(path)
        if name == "playbook":
            page.locator(".ot-rows-title").nth(4).click()
            page.wait_for_selector(".ot-step-editing")
        assert_well_made(page, name)


def test_stages_are_ordered_with_the_keyboard(ada: User, new_page: NewPage) -> None:
    page = new_page(ada)
    page.goto(pages()["pipeline"])
    page.locator("[data-grip]").nth(2).focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#announcer")).to_contain_text("2 of 5")
    assert titles(page)[:3] == ["Prospect", "Discovery", "Qualified"]
    expect(page.locator("[data-grip]").nth(1)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#announcer")).to_contain_text("3 of 5")
    assert titles(page)[:3] == ["Prospect", "Qualified", "Discovery"]


def test_stages_are_dragged(ada: User, new_page: NewPage) -> None:
    page = new_page(ada)
    page.goto(pages()["pipeline"])
    start, end = page.locator("[data-grip]").nth(0).bounding_box(), page.locator("[data-grip]").nth(2).bounding_box()
    assert start is not None
    assert end is not None
    page.mouse.move(start["x"] + 8, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 8, start["y"] + 30, steps=4)
    page.mouse.move(end["x"] + 8, end["y"] + 30, steps=10)
    with page.expect_response(lambda response: response.url.endswith("/order/")):
        page.mouse.up()
    page.reload()
    assert titles(page).index("Prospect") > 0


def test_a_task_is_edited_in_place_and_its_dates_follow(ada: User, new_page: NewPage) -> None:
    page = new_page(ada)
    page.goto(pages()["playbook"])
    page.get_by_role("link", name="Have the price checked").click()
    expect(page.locator("[name=title]")).to_be_focused()
    settled(page)
    page.keyboard.press("End")
    page.keyboard.type(" twice")
    page.locator("[name=conditions-value]").first.fill("lots")
    page.keyboard.press("Enter")
    page.get_by_text("Write the amount in figures").wait_for()
    settled(page)
    page.locator("[name=conditions-value]").first.fill("1.000,00")
    page.keyboard.press("Enter")
    page.get_by_text("Only when amount is at least 1,000", exact=True).wait_for()
    expect(page.get_by_role("link", name="twice")).to_be_focused()
    settled(page)
    page.get_by_label("Amount").fill("5000")
    page.keyboard.press("Tab")
    page.locator("#preview").get_by_text("twice").wait_for()


def test_a_task_that_was_left_out_comes_back_with_undo(ada: User, new_page: NewPage) -> None:
    page = new_page(ada)
    page.goto(pages()["playbook"])
    page.get_by_role("button", name="Leave out “Hold the deal review”").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-reorder] > li")).to_have_count(6)
    expect(page.locator("[data-reorder] > li").last).to_contain_text("Hold the deal review")


def test_everything_works_without_script(ada: User, new_page: NewPage) -> None:
    factories.deals(2, "qualified")
    page = new_page(ada, java_script_enabled=False)
    page.goto(pages()["pipeline"])
    page.get_by_role("button", name="Discovery: one step up").click()
    page.get_by_role("link", name="Qualified").click()
    page.get_by_label("Temperature").select_option("warm")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("2 open deals turn warm").wait_for()
    page.get_by_role("button", name="Save, and let them follow").click()
    page.goto(pages()["playbook"])
    page.get_by_role("link", name="Add a task").click()
    page.get_by_label("What is to be done").fill("Ask legal")
    page.get_by_role("button", name="Add task").click()
    assert titles(page)[-1] == "Ask legal"
    page.get_by_role("button", name="Ask legal: one step up").click()
    page.get_by_role("button", name="Leave out “Ask legal”").click()
    page.get_by_text("1 task left out").wait_for()


def test_open_deals_follow_and_delivery_is_asked_in(ada: User, new_page: NewPage) -> None:
    deal = factories.deal("qualified")
    page = new_page(ada)
    page.goto(reverse("pipelines:stage", args=[factories.stage("qualified").pk]))
    page.get_by_label("Temperature").select_option("warm")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Save, and let them follow").click()
    page.wait_for_url("**/settings/pipelines/*/")
    for _ in range(100):
        if Opportunity.objects.get(pk=deal.pk).temperature == "warm" and deal.engagements.exists():
            break
        page.wait_for_timeout(100)
    assert deal.engagements.get().tasks.count() == 5
