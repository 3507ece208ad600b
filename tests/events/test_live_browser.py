"""Open pages change by themselves, but not under the hands of somebody who types."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from events import names
from events.models import Delivery, DeliveryState
from events.recording import record
from tests.cast import Browser
from tests.events.conftest import happen
from tests.support.databases import database_url
from tests.support.servers import OneTeam

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PAGE = "/settings/deliveries/"


def give_up(error: str) -> Delivery:
    """A delivery is given up, and everybody is told."""
    with transaction.atomic():
        delivery = Delivery.objects.create(
            event=happen(), handler="some.handler", state=DeliveryState.DEAD, attempts=8, last_error=error
        )
        record(names.DELIVERY_GIVEN_UP, actor=None, about=delivery, now=timezone.now())
    return delivery


@pytest.fixture
def open_page(new_page: Callable[..., Page], ada: User) -> Callable[[], Page]:
    """The page of given-up work in a browser of Ada's, with its stream open."""

    def open_one() -> Page:
        page = new_page(ada)
        page.goto(PAGE)
        page.wait_for_selector("html[data-live-state=streaming]")
        return page

    return open_one


@pytest.mark.browser
def test_an_open_page_shows_a_change_within_a_second(open_page: Callable[[], Page]) -> None:
    page = open_page()
    give_up("No playbook at all.")
    start = time.monotonic()
    page.get_by_text("No playbook at all.").wait_for(timeout=5_000)
    print(f"seen after {time.monotonic() - start:.3f} s")


@pytest.mark.browser
def test_two_open_pages_of_two_browsers_agree(open_page: Callable[[], Page]) -> None:
    give_up("No playbook at all.")
    one, other = open_page(), open_page()
    one.get_by_role("button", name="Try again").first.click()
    other.get_by_text("Everything was done").wait_for(timeout=5_000)


@pytest.mark.browser
def test_what_somebody_began_to_type_while_the_page_was_asking_is_not_taken_away(
    open_page: Callable[[], Page],
) -> None:
    give_up("The first one.")
    page = open_page()
    asked: list[Route] = []
    page.route("**" + PAGE, lambda route: asked.append(route))  # noqa: PLW0108 - a method can’t be marked
    give_up("The second one.")
    while not asked:
        page.wait_for_timeout(20)
    page.get_by_text("Discard").click()
    reason = page.get_by_label("Why this may stay undone")
    reason.fill("Because")
    asked[0].continue_()
    page.wait_for_timeout(1_000)
    assert reason.input_value() == "Because"
    assert page.get_by_text("The second one.").count() == 0


@pytest.mark.browser
def test_what_somebody_types_is_not_taken_away(open_page: Callable[[], Page]) -> None:
    give_up("The first one.")
    page = open_page()
    page.wait_for_timeout(1_000)  # the page looks once for what happened while it was fetched
    page.get_by_text("Discard").click()
    reason = page.get_by_label("Why this may stay undone")
    reason.fill("Because")
    give_up("The second one.")
    page.wait_for_timeout(1_000)
    assert reason.input_value() == "Because"
    assert page.get_by_text("The second one.").count() == 0
    page.get_by_role("heading", name="Background work").click()  # puts the pen down
    page.get_by_text("The second one.").wait_for(timeout=5_000)


@pytest.mark.browser
def test_a_page_that_lost_its_connection_catches_up(open_page: Callable[[], Page]) -> None:
    page = open_page()
    page.context.set_offline(True)
    give_up("Meanwhile.")
    page.wait_for_timeout(500)
    page.context.set_offline(False)
    page.get_by_text("Meanwhile.").wait_for(timeout=20_000)


@pytest.mark.browser
def test_without_a_stream_the_page_asks_now_and_then(new_page: Callable[..., Page], ada: User) -> None:
    page = new_page(ada)
    page.route("**/live/**", lambda route: route.abort())
    page.clock.install()
    page.goto(PAGE)
    give_up("Found by asking.")
    page.clock.run_for(16_000)
    page.clock.run_for(1_000)
    page.get_by_text("Found by asking.").wait_for(timeout=5_000)


@pytest.mark.browser
def test_a_page_without_live_parts_opens_no_stream(new_page: Callable[..., Page]) -> None:
    page = new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/account/login/")
    page.wait_for_timeout(300)
    assert not [url for url in asked if "/live/" in url]


def test_an_open_stream_does_not_hold_up_a_stop(ada: User, tmp_path: Path) -> None:
    app = OneTeam(
        {"DATABASE_URL": database_url(), "SECRET_KEY": settings.SECRET_KEY, "ONETEAM_DATA_DIR": str(tmp_path)}
    )
    app.start().wait_until_ready()
    stream = http.client.HTTPConnection("127.0.0.1", app.port, timeout=10)
    session = Browser(ada).cookies[settings.SESSION_COOKIE_NAME].value
    stream.request("GET", "/live/?age=0", headers={"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"})
    answer = stream.getresponse()
    assert answer.status == 200
    assert app.stop() == 0
    assert "refused to gracefully stop" not in "".join(app.output)
    answer.close()
