"""Whatever a client can read is there in German."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation.template import templatize

from onetteam.translations import LOCALE, compile_all

ROOT = Path(settings.BASE_DIR)
SOURCES = sorted((ROOT / "templates/handoffs/client/pages").glob("*")) + sorted(
    (ROOT / "templates/handoffs/client/mail").glob("*")
)
CODE = [
    ROOT / "handoffs/client_page_queries.py", ROOT / "handoffs/views/client_pages.py", ROOT / "handoffs/client_mail.py",
    ROOT / "handoffs/services/client/answering.py", ROOT / "handoffs/services/client/pulse_answers.py",
    ROOT / "handoffs/services/client/words.py", ROOT / "accounts/text.py",
]  # fmt: skip
KEYWORDS = {
    "_": None, "gettext": None, "gettext_lazy": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3),
}  # fmt: skip
# Read by us alone.
OURS = {"The deal is closed; what was agreed with the client is kept as it is."}


def sentences(path: Path) -> set[tuple[str | None, str]]:
    """Context and text of everything marked for translation in a file."""
    source = path.read_text()
    if path.suffix != ".py":
        # What isn't for translation becomes filler, whose indentation would confuse a reader of Python.
        source = "\n".join(line.strip() for line in templatize(source, origin=str(path)).splitlines())
    found = extract("python", io.BytesIO(source.encode()), keywords=KEYWORDS)
    return {
        (context, message if isinstance(message, str) else message[-1]) for _line, message, _comments, context in found
    }


@pytest.mark.parametrize("path", [*SOURCES, *CODE], ids=lambda path: path.name)
def test_every_sentence_is_translated(path: Path) -> None:
    with (LOCALE / "de/LC_MESSAGES/django.po").open("rb") as file:
        catalog = read_po(file, locale="de")
    missing = []
    for context, text in sentences(path):
        message = catalog.get(text, context)
        if text not in OURS and (message is None or not message.string or message.fuzzy):
            missing.append(text)
    assert missing == []


def test_placeholders_are_kept() -> None:
    with (LOCALE / "de/LC_MESSAGES/django.po").open("rb") as file:
        catalog = read_po(file, locale="de")
    assert [str(error) for message in catalog for error in message.check(catalog)] == []


def test_translations_are_compiled() -> None:
    assert compile_all() == []
    with translation.override("de"):
        assert gettext("Yes, that’s right") == "Ja, das stimmt"
