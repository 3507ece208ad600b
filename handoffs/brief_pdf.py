"""The handoff brief as a PDF.

The document is made of strings only: while it is drawn, nothing is read from the network or from files, whatever
somebody typed into a name.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from weasyprint.urls import URLFetcher  # type: ignore[import-untyped]

# The one address that is answered: the letters of the page, which are ours.
LETTERS = "oneteam:letters"
_FONT_FACE = f'@font-face {{ font-family: "Inter"; font-weight: 100 900; src: url("{LETTERS}") format("woff2"); }}'
_FONT_FILE = "vendor/inter/inter-latin-wght-normal.woff2"
_STYLES = "css/brief.css"
_LONGEST_NAME = 80


class PdfUnavailable(Exception):
    """This server can't draw PDFs: a library of the operating system is missing."""

    def __init__(self) -> None:
        super().__init__(
            _("This server can’t make PDFs, for want of Pango. Print this page and save it as PDF instead.")
        )


class Refused(ValueError):
    """The document asked for something that is not its own."""


def locked_fetcher() -> URLFetcher:
    """Answers the address of the letters, and refuses every other: network, files, data. Raises PdfUnavailable."""
    weasyprint = _weasyprint()

    class Locked(weasyprint.urls.URLFetcher):  # type: ignore[name-defined]
        def fetch(self, url: str, headers: Any = None) -> Any:
            if url != LETTERS:
                raise Refused(url[:200])
            return weasyprint.urls.URLFetcherResponse(url, _own(_FONT_FILE), {"Content-Type": "font/woff2"})

    fetcher: URLFetcher = Locked(allowed_protocols=(), allow_redirects=False)
    return fetcher


def draw(document: str) -> bytes:
    """A document of HTML with our style sheet as a PDF. Raises PdfUnavailable."""
    weasyprint = _weasyprint()
    fetcher, fonts = locked_fetcher(), weasyprint.text.fonts.FontConfiguration()
    sheet = weasyprint.CSS(string=_FONT_FACE + _own(_STYLES).decode(), url_fetcher=fetcher, font_config=fonts)
    page = weasyprint.HTML(string=document, url_fetcher=fetcher)
    drawn: bytes = page.write_pdf(stylesheets=[sheet], font_config=fonts, pdf_variant="pdf/ua-1")
    return drawn


def file_name(deal_name: str) -> str:
    """A name that every file system takes; letters of all languages stay."""
    plain = unicodedata.normalize("NFC", deal_name)
    plain = " ".join(re.sub(r"[^\w .,&()+-]", " ", plain).split())[:_LONGEST_NAME].strip(" .")
    return f"{plain or _('Deal')} - {_('handoff brief')}.pdf"


def _weasyprint() -> Any:
    """The library; it takes a moment and needs Pango, so it is loaded once somebody wants a PDF."""
    try:
        import weasyprint  # type: ignore[import-untyped]
    except (ImportError, OSError) as error:
        raise PdfUnavailable from error
    # It warns of every property that only screens know.
    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    return weasyprint


@lru_cache(maxsize=2)
def _own(name: str) -> bytes:
    """A file of our own front end: its source, or as it was collected where the sources were left behind."""
    found = finders.find(name)
    if isinstance(found, str):
        return Path(found).read_bytes()
    with staticfiles_storage.open(name) as collected:
        content: bytes = collected.read()
    return content
