"""The import pages: a file, questions, a check, the import, and the way back."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import User
from integrations.imports.models import Import
from integrations.imports.services import running
from integrations.imports.tasks import work
from opportunities.models import Opportunity
from tests.cast import Browser
from tests.integrations.conftest import ROWS, Take, csv_of, run


def upload(browser: Client, content: bytes, name: str = "deals.csv", **files: Any) -> Any:
    return browser.post("/import/", {"file": SimpleUploadedFile(name, content), **files})


def answers(imported: Import, **more: str) -> dict[str, str]:
    """The page's form as it is drawn, filled with what was recognised."""
    chosen = imported.options["columns"]
    return {f"column_{index}": chosen.get(name, "") for index, name in enumerate(imported.header)} | more


def test_from_the_file_to_the_deals(as_ada: Browser) -> None:
    response = upload(as_ada, csv_of(*ROWS, "D9,Odd,,,,Prospect,,,-1"))
    imported = Import.objects.get()
    assert response.url == f"/import/{imported.pk}/"
    page = as_ada.get(response.url)
    assert b"Check what would happen" in page.content
    stages = {"stage_0": "discovery", "stage_1": "won", "stage_2": "lost", "stage_3": "prospect"}
    names = list(imported.profile["columns"][5]["distinct"])
    given = {
        f"stage_{names.index(name)}": stages[f"stage_{n}"]
        for n, name in enumerate(["Discovery", "Won", "Lost", "Prospect"])
    }
    response = as_ada.post(response.url, answers(imported, baseline="on", currency="EUR", **given))
    assert response.status_code == 302
    checked = as_ada.get(response.url)
    assert b"Import all but the 1 refused" in checked.content
    assert not Opportunity.objects.exists()
    as_ada.post(f"{response.url}start/")
    assert b"0 of 5 rows" in as_ada.get(response.url).content
    work()
    assert b"Go to the board" in as_ada.get(response.url).content
    assert Opportunity.objects.count() == 4
    refused = b"".join(as_ada.get(f"{response.url}errors.csv").streaming_content).decode("utf-8-sig")
    assert "“-1” is negative" in refused


def test_an_open_question_is_asked_on_the_page(as_ada: Browser) -> None:
    url = upload(as_ada, csv_of("1,Engaging", heading="id,stage")).url
    imported = Import.objects.get()
    response = as_ada.post(url, answers(imported))
    assert response.status_code == 422
    assert "Which stage is “Engaging”".encode() in response.content
    response = as_ada.post(url, answers(imported, stage_0="new:open:warm"))
    assert response.status_code == 302
    as_ada.post(f"{url}start/")
    work()
    assert Opportunity.objects.get().stage.name == "Engaging"


def test_one_target_cannot_be_two_columns(as_ada: Browser) -> None:
    url = upload(as_ada, csv_of("1,Prospect,x", heading="id,stage,Colour")).url
    response = as_ada.post(url, answers(Import.objects.get(), column_2="stage"))
    assert response.status_code == 422
    assert b"is the stage already" in response.content


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "empty"), (b"%PDF-1.4", "PDF"), (b"<svg onload=alert(1)>", "web page")],
    ids=["empty", "pdf", "svg"],
)
def test_a_file_that_is_no_table_is_refused_at_its_field(as_ada: Browser, content: bytes, sentence: str) -> None:
    response = upload(as_ada, content, name="../../etc/passwd.csv")
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not Import.objects.exists()


def test_a_companion_that_is_no_table_is_refused_at_its_field(as_ada: Browser) -> None:
    response = upload(as_ada, csv_of(*ROWS), teams=SimpleUploadedFile("t.csv", b"colour\nred\n"))
    assert response.status_code == 422
    assert "needs a column with the name" in response.content.decode()


def test_a_file_that_can_only_be_refused_in_whole_says_so(as_ada: Browser) -> None:
    page = as_ada.get(upload(as_ada, b"id,stage,ID\n1,Won,2\n").url)
    assert "is there twice" in page.content.decode()


def test_names_of_files_are_shown_as_text(as_ada: Browser) -> None:
    page = as_ada.get(upload(as_ada, csv_of(*ROWS), name="<script>alert(1)</script>{{7*7}}.csv").url)
    assert b"<script>alert(1)" not in page.content
    assert b"{{7*7}}.csv" in page.content


def test_what_a_file_says_is_shown_as_text(as_ada: Browser) -> None:
    page = as_ada.get(upload(as_ada, csv_of("1,<img src=x onerror=alert(1)>", heading="id,stage")).url)
    assert b"<img src=x" not in page.content


@pytest.mark.parametrize("who", ["alice", "dan", "eve", "ruth"])
def test_only_sales_managers_and_administrators_import(who: str, request: pytest.FixtureRequest) -> None:
    browser = Browser(request.getfixturevalue(who))
    assert browser.get("/import/").status_code == 403
    assert upload(browser, csv_of(*ROWS)).status_code == 403


def test_signed_out_people_are_asked_to_sign_in(client: Client, organisation: Any) -> None:
    assert client.get("/import/").url.startswith("/account/login/")


def test_somebody_elses_import_is_not_there(as_sam: Browser, take_in: Take) -> None:
    imported = take_in(csv_of(*ROWS))
    for path in ("", "progress/", "errors.csv"):
        assert as_sam.get(f"/import/{imported.pk}/{path}").status_code == 404
    for path in ("", "start/", "cancel/", "resume/", "revert/", "change/"):
        assert as_sam.post(f"/import/{imported.pk}/{path}").status_code == 404
    assert imported.file_name not in as_sam.get("/import/").content.decode()


@pytest.mark.parametrize("path", ["start/", "cancel/", "resume/", "revert/", "change/"])
def test_actions_are_posted(as_ada: Browser, take_in: Take, path: str) -> None:
    assert as_ada.get(f"/import/{take_in(csv_of(*ROWS)).pk}/{path}").status_code == 405


@pytest.mark.parametrize("path", ["start/", "resume/", "revert/", "cancel/", "change/", ""])
def test_an_action_that_comes_too_late_says_so(as_ada: Browser, take_in: Take, path: str) -> None:
    cancelled = running.cancel(imported=take_in(csv_of(ROWS[0])), now=timezone.now())
    response = as_ada.post(f"/import/{cancelled.pk}/{path}", follow=True)
    assert response.status_code == 200
    assert [str(message) for message in response.context["messages"]] != []


def test_starting_twice_starts_once(as_ada: Browser, take_in: Take) -> None:
    imported = run(take_in(csv_of(*ROWS)), dry=True)
    for _ in range(3):
        as_ada.post(f"/import/{imported.pk}/start/")
    work()
    assert Opportunity.objects.count() == 4


def test_progress_ends_with_the_page_itself(as_ada: Browser, take_in: Take) -> None:
    imported = running.start(imported=take_in(csv_of(*ROWS)), is_dry_run=False, now=timezone.now())
    assert b"0 of 4 rows" in as_ada.hx("get", f"/import/{imported.pk}/progress/").content
    work()
    assert as_ada.hx("get", f"/import/{imported.pk}/progress/").headers["HX-Refresh"] == "true"


def test_an_administrator_sees_every_import_a_manager_their_own(
    as_ada: Browser, as_sam: Browser, sam: User, take_in: Take
) -> None:
    take_in(csv_of(*ROWS), name="of-ada.csv")
    take_in(csv_of(*ROWS), name="of-sam.csv", actor=sam)
    assert b"of-sam.csv" in as_ada.get("/import/").content
    assert b"of-ada.csv" not in as_sam.get("/import/").content


def test_the_list_needs_the_same_number_of_queries_for_many_imports(
    as_ada: Browser, take_in: Take, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    take_in(csv_of(*ROWS))
    with CaptureQueriesContext(connection) as few:
        as_ada.get("/import/")
    for _ in range(12):
        take_in(csv_of(*ROWS))
    with CaptureQueriesContext(connection) as many:
        as_ada.get("/import/")
    assert len(many) <= len(few) <= 15
