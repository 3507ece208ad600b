"""A real browser for tests marked `browser`."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.test import Client

from tests.support.missing import missing
from tests.support.servers import OneTeam

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, FloatRect, Locator, Page

    from accounts.models import User

DEBIAN_CHROMIUM = "/usr/bin/chromium"
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
# Quiet: no sandbox (root in containers), and nothing that would talk to anybody outside.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser on a busy machine may be late: what fails there is tried again, and the summary says so."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=1))


@pytest.fixture(scope="module")  # playwright's loop, which runs in this thread as long, would be in others' way
def browser() -> "Iterator[Browser]":
    """Chromium: the one given by CHROMIUM, Debian's, or playwright's own."""
    from playwright.sync_api import Error, expect, sync_playwright

    expect.set_options(timeout=15_000)
    path = os.environ.get("CHROMIUM") or shutil.which(DEBIAN_CHROMIUM)
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # else Django refuses its ORM beside the loop
        try:
            chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        except Error as error:
            missing(f"No browser: {error.message.splitlines()[0]} (script/test installs one where it can).")
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser: "Browser", live_app: OneTeam) -> "Iterator[Callable[..., Page]]":
    """Opens pages of separate browsers: `new_page(user)` is signed in as `user`; more options go to the context.

    The test fails if a script of ours breaks or the content security policy is violated on any of them.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(user: "User | None" = None, **options: Any) -> "Page":
        context = browser.new_context(base_url=live_app.url, **{"viewport": DESKTOP, **options})
        contexts.append(context)
        if user is not None:
            client = Client()
            client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[1])
            session = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_app.url}])
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on(
            "console",
            lambda message: (
                complaints.append(f"{page.url}: {message.text}") if "Content Security Policy" in message.text else None
            ),
        )
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(new_page: "Callable[..., Page]") -> "Page":
    """A page of a browser in which nobody is signed in."""
    return new_page()


def box_of(locator: "Locator") -> "FloatRect":
    """Where an element stands, once it can be seen; what is being replaced just then has no place."""
    for _ in range(50):
        box = locator.bounding_box()
        if box is not None:
            return box
        locator.page.wait_for_timeout(100)
    raise AssertionError(f"{locator} can't be seen")


def settled(page: "Page") -> None:
    """Wait until fragments that came are in use: before that, a form in them is sent as one without script would be."""
    from playwright.sync_api import expect

    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added")).to_have_count(0)
