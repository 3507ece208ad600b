"""The handoff brief: what it tells, and a PDF that reaches for nothing outside itself."""

from __future__ import annotations

import datetime as dt
import io
import socket
import subprocess
import sys
from threading import Thread
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from accounts.models import User
from accounts.queries import organisation as home
from handoffs.brief import MOST_RISKS, brief_of
from handoffs.brief_pdf import LETTERS, PdfUnavailable, Refused, draw, file_name, locked_fetcher
from handoffs.handoff_access import readable_handoff
from handoffs.models import Commitment, Handoff, RiskProfile, Statement
from opportunities.models import Opportunity
from tests.cast import Browser
from tests.handoffs.briefing import rich
from tests.handoffs.handing import handoff_of, won
from tests.staffing import staffed
from tests.support.missing import missing

pytestmark = pytest.mark.django_db
SECRET = "http://169.254.169.254/latest/meta-data/"


@pytest.fixture
def deal(alice: User, dan: User) -> Opportunity:
    """A deal of Alice's that was won, with Dan for delivery."""
    return won(owner=alice, delivery_owner=dan, name="Customer portal")


@pytest.fixture
def handoff(deal: Opportunity, alice: User, dan: User, pia: User) -> Handoff:
    """Its handoff, about which there is much to say."""
    return rich(deal, alice, dan, pia)


@pytest.fixture
def drawing() -> None:
    """Only where PDFs can be drawn."""
    try:
        locked_fetcher()
    except PdfUnavailable:
        missing("No Pango, which PDFs need (script/test installs it where it can).")


def url(name: str, handoff: Handoff) -> str:
    return reverse(f"handoffs:{name}", args=[handoff.pk])


def read(pdf: bytes) -> str:
    """The words of a PDF, on one line."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


# --- what it tells ---


def test_the_page_tells_everything_that_matters(as_alice: Browser, handoff: Handoff) -> None:
    page = as_alice.get(url("brief", handoff)).content.decode()
    for said in (
        "Customer portal", "Still open from the deal review", "The client names an owner for the interface list",
        "replaces the three present ones", "Ines Holm confirmed it on 23 Nov 2026",
        "The client has not confirmed this version.", "Two of the team on site in Bergen", "Disputed",
        "3 that delivery has not accepted", "delivery would meet 1 person cold", "Marie Weiß",
        "Nobody at the client owns", "agreed by sales (Alice), delivery (Dan)", "Not submitted yet.", "Pia",
    ):  # fmt: skip
        assert said in page, said


def test_promises_that_need_talking_about_come_first(handoff: Handoff) -> None:
    stances = [promise.stance for promise in brief_of(handoff).promises]
    assert stances == ["disputed", "pending", "accepted_if", "accepted"]


def test_the_newest_version_of_each_text_counts(handoff: Handoff, alice: User) -> None:
    for number in (3, 4):
        Statement.objects.create(
            opportunity=handoff.opportunity, subject="scope", number=number, text=f"Text {number}", written_by=alice,
            written_at=timezone.now(),
        )  # fmt: skip
    scope, criteria = brief_of(handoff).stated
    assert scope.statement is not None
    assert (scope.statement.text, list(scope.confirmed)) == ("Text 4", [])
    assert criteria.statement is not None


def test_a_bare_deal_says_what_is_missing(as_alice: Browser, alice: User) -> None:
    page = as_alice.get(url("brief", handoff_of(won(owner=alice)))).content.decode()
    for said in ("Not written down yet.", "Nothing was noted as promised.", "No risks are noted.", "to be named"):
        assert said in page, said


def test_it_says_who_is_booked_for_what(as_alice: Browser, handoff: Handoff, deal: Opportunity) -> None:
    wanted = staffed.need(deal, staffed.role("Architect"), 24, weeks=6)
    day = timezone.localdate()
    nora = staffed.worker("Nora Vik", staffed.role("Architect"))
    staffed.booking(day, day + dt.timedelta(days=4), 24, person=nora, opportunity=deal, need=wanted)
    page = as_alice.get(url("brief", handoff)).content.decode()
    for said in ("Architect", "24 h a week × 6", "Nora Vik"):
        assert said in page, said


def test_many_risks_are_told_by_the_gravest_and_a_line(handoff: Handoff, deal: Opportunity) -> None:
    profile = RiskProfile.objects.get(opportunity=deal)
    profile.items = [{**profile.items[index % 5], "id": index} for index in range(60)]
    profile.save()
    risks = brief_of(handoff).risks
    assert len(risks.shown) == MOST_RISKS
    assert risks.rest.startswith("48 more: ")
    assert sum(square.count for square in risks.squares) == 60


def test_the_brief_costs_the_same_for_little_and_much(
    handoff: Handoff, alice: User, dan: User, pia: User, django_assert_max_num_queries: Any, as_alice: Browser
) -> None:
    large = rich(won(owner=alice, delivery_owner=dan), alice, dan, pia, times=12)
    as_alice.get(url("brief", handoff))
    for each in (handoff, large):
        with django_assert_max_num_queries(15):
            assert as_alice.get(url("brief", each)).status_code == 200


# --- who may read it ---


@pytest.mark.parametrize("name", ["brief", "brief_pdf"])
def test_an_outsider_finds_nothing(as_charlie: Browser, handoff: Handoff, name: str) -> None:
    missing_one = as_charlie.get(reverse(f"handoffs:{name}", args=[2**31]))
    found = as_charlie.get(url(name, handoff))
    assert found.status_code == missing_one.status_code == 404


@pytest.mark.parametrize("name", ["brief", "brief_pdf"])
def test_it_can_only_be_read(as_alice: Browser, handoff: Handoff, name: str) -> None:
    assert as_alice.post(url(name, handoff)).status_code == 405


# --- the PDF ---


@pytest.mark.usefixtures("drawing")
def test_the_pdf_says_what_the_page_says(as_alice: Browser, handoff: Handoff) -> None:
    answer = as_alice.get(url("brief_pdf", handoff))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="Customer portal - handoff brief.pdf"'
    words = read(answer.content)
    for said in ("Customer portal", "Marie Weiß", "Jørgen Aas", "Disputed", "Two of the team on site", "€120,000"):
        assert said in words, said
    assert len(PdfReader(io.BytesIO(answer.content)).pages) == 1


@pytest.mark.usefixtures("drawing")
def test_names_of_every_language_and_injected_ones_are_text(
    as_alice: Browser, alice: User, dan: User, pia: User
) -> None:
    name = f'Größe & <img src="{SECRET}"> 東京 🚀'
    deal = won(owner=alice, delivery_owner=dan, name=name)
    handoff = rich(deal, alice, dan, pia)
    Commitment.objects.filter(opportunity=deal).update(text='<link rel="attachment" href="file:///etc/passwd"> }}')
    answer = as_alice.get(url("brief_pdf", handoff))
    reader = PdfReader(io.BytesIO(answer.content))
    assert reader.metadata is not None
    assert reader.metadata.title == f"{name} · Handoff brief"
    words = read(answer.content)
    assert '<link rel="attachment" href="file:///etc/passwd">' in words
    assert "root:" not in words
    assert "/EmbeddedFile" not in answer.content.decode("latin-1")


@pytest.mark.usefixtures("drawing")
def test_much_to_say_stays_a_few_pages(alice: User, dan: User, pia: User) -> None:
    handoff = rich(won(owner=alice, delivery_owner=dan), alice, dan, pia, times=12)
    handoff = readable_handoff(alice, handoff.pk)
    pages = PdfReader(io.BytesIO(draw(document(handoff)))).pages
    assert 2 <= len(pages) <= 4
    last = pages[-1].extract_text()
    assert "Approvals" in last


def document(handoff: Handoff) -> str:
    """The document that a PDF is drawn from."""
    context = {
        "brief": brief_of(handoff), "handoff": handoff, "deal": handoff.opportunity, "plan": handoff.ramp_plan,
        "organisation": home(), "now": timezone.now(), "today": timezone.now().date(),
    }  # fmt: skip
    return render_to_string("handoffs/handoff/brief_document.html", context)


OUTSIDE = [
    SECRET, "http://127.0.0.1:1/", "https://example.com/a.png", "file:///etc/passwd", "FILE:///etc/passwd",
    "ftp://127.0.0.1/a", "data:image/svg+xml,<svg/>", "//127.0.0.1/a", "oneteam:letters2", "/etc/passwd",
]  # fmt: skip


@pytest.mark.usefixtures("drawing")
@pytest.mark.parametrize("address", OUTSIDE)
def test_the_fetcher_refuses_every_address_but_its_own(address: str) -> None:
    fetcher = locked_fetcher()
    for ask in (fetcher, fetcher.fetch, fetcher.open):
        with pytest.raises(Refused):
            ask(address)
    assert fetcher(LETTERS).read(4) == b"wOF2"


@pytest.mark.usefixtures("drawing")
def test_a_document_that_reaches_out_reaches_nobody() -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        listening = Thread(target=_listen, args=(server, heard))
        listening.start()
        here = f"http://127.0.0.1:{port}"
        drawn = draw(
            f"""<link rel=stylesheet href="{here}/a.css"><link rel=attachment href="file:///etc/passwd">
            <style>@import url("{here}/b.css"); body {{ background: url("{here}/c.png") }}</style>
            <img src="{here}/d.png"><img src="file:///etc/passwd"><object data="{here}/e"></object>
            <svg><image href="{here}/f.png"/><use href="file:///etc/passwd#a"/></svg><p>Still here</p>"""
        )
        listening.join()
    assert heard == []
    assert read(drawn).startswith("Still here")


def _listen(server: socket.socket, heard: list[bytes]) -> None:
    server.settimeout(3)
    try:
        connection, _address = server.accept()
    except TimeoutError:
        return
    with connection:
        heard.append(connection.recv(200))


def test_the_library_is_loaded_only_for_a_pdf() -> None:
    code = (
        "import sys, django; django.setup(); from handoffs.views import handoff_brief;"
        " sys.exit('weasyprint' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("error", [OSError("cannot load library 'libpango-1.0-0'"), ImportError("No module")])
def test_without_pango_the_page_comes_and_says_so(
    as_alice: Browser, handoff: Handoff, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Missing:
        """A library that can't be loaded."""

        def find_spec(self, name: str, *_: Any) -> None:
            if name == "weasyprint":
                raise error

    for loaded in [name for name in sys.modules if name.partition(".")[0] == "weasyprint"]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    answer = as_alice.get(url("brief_pdf", handoff), follow=True)
    assert answer.redirect_chain == [(url("brief", handoff), 302)]
    assert "can’t make PDFs" in answer.content.decode()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Customer portal", "Customer portal - handoff brief.pdf"),
        ("../../etc/passwd\n", "etc passwd - handoff brief.pdf"),
        ('a"b;c\r\nX: y', "a b c X y - handoff brief.pdf"),
        ("Größe 東京 🚀", "Größe 東京 - handoff brief.pdf"),
        ("…///…", "Deal - handoff brief.pdf"),
        ("x" * 300, "x" * 80 + " - handoff brief.pdf"),
    ],
)
def test_file_names_are_safe(name: str, expected: str) -> None:
    assert file_name(name) == expected
