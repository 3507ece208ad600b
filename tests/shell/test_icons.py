"""Every icon that a template names exists: a wrong name would only show as a failure of the page that draws it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from lucide import IconDoesNotExist
from lucide.templatetags.lucide import lucide

TEMPLATES = Path(settings.BASE_DIR) / "templates"
NAMED = re.compile(r"""\{% lucide "([^"{]+)"|\bicon="([^"{]+)\"""")


def named() -> dict[str, str]:
    """Icon to a template that names it."""
    found: dict[str, str] = {}
    for path in TEMPLATES.rglob("*.html"):
        for inline, parameter in NAMED.findall(path.read_text()):
            found[inline or parameter] = str(path.relative_to(TEMPLATES))
    return found


def test_every_icon_exists() -> None:
    icons = named()
    assert len(icons) > 50
    missing = {}
    for name, template in icons.items():
        try:
            lucide(name)
        except IconDoesNotExist:
            missing[name] = template
    assert missing == {}


def test_a_wrong_name_would_be_noticed() -> None:
    with pytest.raises(IconDoesNotExist):
        lucide("text")
