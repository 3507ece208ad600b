"""Files on a deal."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import User
from events import names
from events.models import Event
from opportunities.models import Attachment, Opportunity
from tests.cast import Browser
from tests.factories import deal

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + b"\0" * 17 + b"\0\0\0\0IEND\xaeB`\x82"


@pytest.fixture(autouse=True)
def _elsewhere(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def archive(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, content in members.items():
            made.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return buffer.getvalue()


def workbook() -> bytes:
    buffer = io.BytesIO()
    openpyxl.Workbook().save(buffer)
    return buffer.getvalue()


def add(browser: Browser, made: Opportunity, *files: tuple[str, bytes]) -> Any:
    uploads = [SimpleUploadedFile(name, content) for name, content in files]
    address = reverse("opportunities:file_add", args=[made.pk])
    return browser.post(address, {"file": uploads}, headers={"HX-Request": "true"})


def url(name: str, file: Attachment) -> str:
    return reverse(f"opportunities:{name}", args=[file.opportunity_id, file.pk])


@pytest.mark.parametrize(
    ("name", "content", "shown", "content_type"),
    [
        ("offer.pdf", PDF, "offer.pdf", "application/pdf"),
        ("picture.PNG", PNG, "picture.PNG", "image/png"),
        ("plan.xlsx", workbook(), "plan.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("files.zip", archive(a=b"1"), "files.zip", "application/zip"),
        ("notes.txt", "Grüße".encode(), "notes.txt", "text/plain"),
        ("list.csv", b"a;b\n1;2\n", "list.csv", "text/plain"),
        ("old.txt", "Grüße".encode("cp1252"), "old.txt", "text/plain"),
        ("invoice.pdf.exe", PDF, "invoice.pdf.exe.pdf", "application/pdf"),
        ("no ending", PDF, "no ending.pdf", "application/pdf"),
        ("../../etc/passwd", PDF, "passwd.pdf", "application/pdf"),
        ("C:\\temp\\offer.pdf", PDF, "offer.pdf", "application/pdf"),
        ("a\u202efdp.exe", PDF, "afdp.exe.pdf", "application/pdf"),
        ("n" * 300 + ".pdf", PDF, "n" * 196 + ".pdf", "application/pdf"),
        ("....pdf", PDF, "file.pdf", "application/pdf"),
    ],
)
def test_files_of_allowed_kinds_are_kept_under_honest_names(
    as_alice: Browser, name: str, content: bytes, shown: str, content_type: str
) -> None:
    response = add(as_alice, deal(), (name, content))
    assert response.status_code == 200, response.headers["HX-Trigger"]
    kept = Attachment.objects.get()
    assert (kept.name, kept.content_type, kept.size) == (shown, content_type, len(content))
    # Nothing that the sender named reaches the disk.
    assert kept.file.name.startswith("attachments/")
    assert len(kept.file.name.rsplit("/", 1)[1]) == 32


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("x.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', "of this kind"),
        ("x.txt", b"<!doctype html><script>alert(1)</script>", "of this kind"),
        ("x.txt", b"hello <ScRiPt src=x>", "of this kind"),
        ("x.pdf", b"MZ\x90\0" + b"\0" * 60, "of this kind"),
        ("x.png", b"\x7fELF" + b"\0" * 60, "of this kind"),
        ("x.txt", b"a\0b", "of this kind"),
        ("x.xml", b"<?xml version='1.0'?><a/>", "of this kind"),
        ("macro.xlsx", archive(xl__workbook_dot_xml=b"<a/>", xl__vbaProject_dot_bin=b"x"), "macros"),
        ("page.odt", archive(mimetype=b"text/html"), "of this kind"),
        ("cut.pdf", PDF[:20], "cut off"),
        ("cut.png", PNG[:30], "cut off"),
        ("cut.zip", archive(a=b"1" * 500)[:200], "cut off"),
        ("empty.pdf", b"", "empty"),
        ("big.pdf", PDF + b" " * (20 * 1024 * 1024), "up to 20 MB"),
    ],
)
def test_other_files_are_refused_with_the_reason(as_alice: Browser, name: str, content: bytes, sentence: str) -> None:
    response = add(as_alice, deal(), (name, content))
    assert response.status_code == 422
    assert sentence in response.headers["HX-Trigger"]
    assert not Attachment.objects.exists()


def test_one_bad_file_leaves_the_others_be(as_alice: Browser) -> None:
    response = add(as_alice, deal(), ("good.pdf", PDF), ("bad.svg", b"<svg/>"))
    assert "bad.svg" in response.headers["HX-Trigger"]
    assert [file.name for file in Attachment.objects.all()] == ["good.pdf"]


def test_no_file_is_said(as_alice: Browser) -> None:
    assert "Choose a file first" in add(as_alice, deal()).headers["HX-Trigger"]


def kept(browser: Browser, made: Opportunity | None = None) -> Attachment:
    add(browser, made or deal(), ("Größe.pdf", PDF))
    return Attachment.objects.latest("pk")


def test_a_file_comes_back_as_a_download_that_no_browser_runs(as_alice: Browser) -> None:
    response = as_alice.get(url("file", kept(as_alice)))
    assert b"".join(response.streaming_content) == PDF
    assert response.headers["Content-Disposition"] == "attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe.pdf"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]


def test_a_file_is_for_those_who_see_the_deal(
    as_alice: Browser, as_dan: Browser, as_charlie: Browser, alice: User
) -> None:
    file = kept(as_alice, deal(owner=alice))
    assert as_dan.get(url("file", file)).status_code == 200
    assert as_charlie.get(url("file", file)).status_code == 404
    assert add(as_charlie, file.opportunity, ("x.pdf", PDF)).status_code == 404
    assert as_charlie.post(url("file_remove", file)).status_code == 404


def test_a_file_is_found_under_its_own_deal_only(as_alice: Browser) -> None:
    file = kept(as_alice)
    other = deal()
    assert as_alice.get(reverse("opportunities:file", args=[other.pk, file.pk])).status_code == 404
    assert as_alice.get(reverse("opportunities:file", args=[other.pk, 2**63])).status_code == 404


def test_who_added_it_removes_it_and_brings_it_back(as_alice: Browser, as_sam: Browser) -> None:
    file = kept(as_alice)
    assert as_sam.post(url("file_remove", file)).status_code == 403
    assert as_alice.post(url("file_remove", file), headers={"HX-Request": "true"}).status_code == 200
    assert as_sam.get(url("file", file)).status_code == 404
    as_alice.post(url("file_restore", file))
    assert as_sam.get(url("file", file)).status_code == 200


def test_an_administrator_removes_any_file(as_alice: Browser, as_ada: Browser) -> None:
    file = kept(as_alice)
    as_ada.post(url("file_remove", file))
    file.refresh_from_db()
    assert file.removed_at is not None


def test_each_step_is_on_the_timeline(as_alice: Browser) -> None:
    file = kept(as_alice)
    as_alice.post(url("file_remove", file))
    as_alice.post(url("file_remove", file))
    told = Event.objects.filter(opportunity_id=file.opportunity_id, name__startswith="opportunities.file").order_by(
        "pk"
    )
    assert [event.name for event in told] == [names.OPPORTUNITY_FILE_ADDED, names.OPPORTUNITY_FILE_REMOVED]


def test_a_file_that_the_disk_lost_is_not_found(as_alice: Browser) -> None:
    file = kept(as_alice)
    file.file.delete(save=False)
    Attachment.objects.filter(pk=file.pk).update(file="attachments/aa/gone")
    assert as_alice.get(url("file", file)).status_code == 404


def test_nothing_stays_on_the_disk_when_the_row_fails(
    as_alice: Browser, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr("opportunities.services.files.record", fail)
    as_alice.raise_request_exception = False
    add(as_alice, deal(), ("offer.pdf", PDF))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not Attachment.objects.exists()
