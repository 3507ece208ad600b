"""Accessibility of a page as it stands in the browser, in every look that it has."""

from __future__ import annotations

from collections.abc import Iterator
from pprint import pformat
from typing import TYPE_CHECKING

import pytest

from tests.support.browser import DESKTOP, PHONE

if TYPE_CHECKING:
    from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


# A change of scheme is drawn in the next frame, and colours then pass over into each other.
_SETTLED = """async () => {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  await Promise.allSettled(document.getAnimations().map((animation) => animation.finished));
}"""


def violations(page: Page) -> list[tuple[str, str]]:
    """What axe finds: the rule and the element, each."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"runOnly": RULES}).response["violations"]
    return [(rule["id"], node["html"]) for rule in found for node in rule["nodes"]]


def looks(page: Page) -> Iterator[str]:
    """Shows the page light and dark, wide and narrow, one after the other; each time the look's name."""
    for scheme in ("light", "dark"):
        for name, size in (("1280", DESKTOP), ("390", PHONE)):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.set_viewport_size({"width": size["width"], "height": size["height"]})
            page.evaluate(_SETTLED)
            yield f"{scheme} {name}"


def assert_well_made(page: Page, where: str = "") -> None:
    """Fails where axe finds something, or the page is wider than the screen, in any look."""
    faults: dict[str, object] = {}
    for look in looks(page):
        found = violations(page)
        if found:  # on a busy machine colours may still be changing
            page.wait_for_timeout(500)
            found = violations(page)
        if found:
            faults[f"{where} {look}"] = found
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            faults[f"{where} {look} width"] = "scrolls sideways"
    if faults:
        pytest.fail(pformat(faults, width=160))
