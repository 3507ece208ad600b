"""Accessibility of a page as it stands in the browser, in every look that it has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from pprint import pformat
from typing import TYPE_CHECKING

import pytest
from django.conf import settings

from tests.support.browser import DESKTOP, PHONE

if TYPE_CHECKING:
    from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOUR_RULES = ["color-contrast", "link-in-text-block"]
_AXE = Path(settings.BASE_DIR, "node_modules/axe-core/axe.min.js")


# A change of scheme is drawn in the next frame, and colours then pass over into each other.
_SETTLED = """async () => {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const ends = document.getAnimations().filter((each) => Number.isFinite(each.effect.getComputedTiming().endTime));
  const late = new Promise((done) => setTimeout(done, 2000));
  await Promise.race([late, Promise.allSettled(ends.map((each) => each.finished))]);
}"""


def violations(page: Page, *, only_colours: bool = False, behind: str = "") -> list[tuple[str, str]]:
    """What axe finds: the rule and the element, each. Only colours differ between light and dark.

    ``behind`` selects what an open menu lies over: its parts can't be reached just then, however large they are.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(_AXE.read_text())
    chosen = {"type": "rule", "values": COLOUR_RULES} if only_colours else RULES
    options = {"runOnly": chosen, "resultTypes": ["violations"]}
    run = "async ([where, options]) => (await axe.run(where, options)).violations"
    found = page.evaluate(run, [{"include": [["html"]], "exclude": [[behind]] if behind else []}, options])
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
        is_dark = look.startswith("dark")
        found = violations(page, only_colours=is_dark)
        if found:  # on a busy machine colours may still be changing
            page.wait_for_timeout(500)
            found = violations(page, only_colours=is_dark)
        if found:
            faults[f"{where} {look}"] = found
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            faults[f"{where} {look} width"] = "scrolls sideways"
    if faults:
        pytest.fail(pformat(faults, width=160))
