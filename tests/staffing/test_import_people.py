"""People from files: messy ones, repeated, checked first, downloaded and uploaded again."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Organisation, Region, Role, User
from integrations.imports.errors import NeedsAnswer
from integrations.imports.models import Import, Kind
from integrations.imports.services import running
from staffing.models import Person, PersonSkill, Skill, WorkRole
from tests.cast import Browser
from tests.staffing import staffed
from tests.staffing.importing import counts, downloaded, outcomes, problems, run, taken

HEADING = "Id;Name;Rolle;Wochenstunden;E-Mail;Region;Eintritt;Austritt;Kenntnisse"


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Any, organisation: Organisation) -> None:
    settings.MEDIA_ROOT = tmp_path


def take(content: bytes | str, actor: User, **options: Any) -> Import:
    return taken(content, kind=Kind.PEOPLE, actor=actor, **options)


def lines(*rows: str, heading: str = HEADING) -> str:
    return "\r\n".join([heading, *rows, ""])


def test_a_german_file_with_a_mark_semicolons_and_commas(ruth: User, architect: WorkRole) -> None:
    python, sql = Skill.objects.create(name="Python"), Skill.objects.create(name="SQL")
    norway = Region.objects.create(name="Norway")
    text = lines(f"E1;Nils;architect;37,5;{ruth.email};Norway;01.02.2026;31.12.2027;Python 4, SQL (3)")
    done = run(take(b"\xef\xbb\xbf" + text.encode(), ruth))
    assert counts(done) == (1, 0, 0, 0)
    nils = Person.objects.get()
    assert (nils.role, nils.weekly_hours, nils.user, nils.external_id) == (architect, Decimal("37.5"), ruth, "E1")
    assert (nils.joins_on, nils.leaves_on) == (dt.date(2026, 2, 1), dt.date(2027, 12, 31))
    assert nils.region == norway
    assert dict(PersonSkill.objects.values_list("skill", "proficiency")) == {python.pk: 4, sql.pk: 3}


def test_a_workbook_with_real_dates_and_numbers(ruth: User, architect: WorkRole) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Name", "Role", "Hours a week", "Joins on"])
    sheet.append(["Nils", "Architect", 30.5, dt.datetime(2026, 2, 1)])  # noqa: DTZ001 - as Excel keeps it
    file = io.BytesIO()
    book.save(file)
    assert counts(run(take(file.getvalue(), ruth, name="people.xlsx"))) == (1, 0, 0, 0)
    nils = Person.objects.get()
    assert (nils.weekly_hours, nils.joins_on) == (Decimal("30.5"), dt.date(2026, 2, 1))


def test_the_same_file_twice_changes_nothing_the_second_time(ruth: User, architect: WorkRole) -> None:
    Skill.objects.create(name="Python")
    text = lines("E1;Nils;Architect;40;;;;;Python 4", ";Nora;Architect;20;;;1.3.2026;;")
    assert counts(run(take(text, ruth))) == (2, 0, 0, 0)
    versions = list(Person.objects.values_list("pk", "version"))
    assert counts(run(take(text, ruth))) == (0, 0, 2, 0)
    assert list(Person.objects.values_list("pk", "version")) == versions


def test_a_changed_row_updates_by_external_id(ruth: User, architect: WorkRole) -> None:
    run(take(lines("E1;Nils;Architect;40;;;;;"), ruth))
    assert counts(run(take(lines("E1;Nils Holm;Architect;24;;;;;"), ruth))) == (0, 1, 0, 0)
    nils = Person.objects.get()
    assert (nils.name, nils.weekly_hours) == ("Nils Holm", 24)


def test_an_empty_cell_changes_nothing(ruth: User, nils: Person) -> None:
    assert counts(run(take(lines(";Nils;;;;;;;"), ruth))) == (0, 0, 1, 0)


def test_rows_with_errors_are_named_and_the_rest_is_in(ruth: User, architect: WorkRole) -> None:
    text = lines(
        "E1;Nils;Architect;40;;;31.02.2026;;",
        "E2;Nora;Architect;viel;;;;;",
        "E3;Ole;Architect;99;;;;;",
        "E4;Pia;Architect;40;;Atlantis;;;",
        "E5;Kim;Architect;40;;;01.03.2026;01.02.2026;",
        "E6;;Architect;40;;;;;",
        "E7;Lea;;40;;;;;",
        "E8;Max;Architect;40;;;;;",
    )
    done = run(take(text, ruth))
    assert counts(done) == (1, 0, 0, 7)
    found = problems(done)
    assert "31.02.2026" in found[2]
    assert "“viel” is not a number of hours" in found[3]
    assert "Hours a week:" in found[4]
    assert "There is no region “Atlantis”" in found[5]
    assert "Nobody leaves before they join." in found[6]
    assert "Give them a name." in found[7]
    assert "Role: This is needed." in found[8]
    assert [each.name for each in Person.objects.all()] == ["Max"]


def test_a_row_twice_is_taken_once(ruth: User, architect: WorkRole) -> None:
    done = run(take(lines("E1;Nils;Architect;40;;;;;", "E1;Nils;Architect;40;;;;;"), ruth))
    assert counts(done) == (1, 0, 0, 1)
    assert problems(done)[3] == "Row 2 is about the same already."


def test_two_people_of_one_name_need_ids(ruth: User, architect: WorkRole) -> None:
    done = run(take(lines(";Nils;Architect;40;;;;;", ";Nils;Architect;20;;;;;"), ruth))
    assert counts(done) == (0, 0, 0, 2)
    done = run(take(lines("E1;Nils;Architect;40;;;;;", "E2;Nils;Architect;20;;;;;"), ruth))
    assert counts(done) == (2, 0, 0, 0)
    done = run(take(lines(";Nils;Architect;10;;;;;"), ruth))
    assert problems(done) == {2: "Several people here have this name. Say whom by an external id or a login."}


def test_somebody_known_by_name_gets_the_id_of_the_file(ruth: User, nils: Person) -> None:
    assert counts(run(take(lines("E1;nils;;;;;;;"), ruth))) == (0, 1, 0, 0)
    nils.refresh_from_db()
    assert nils.external_id == "E1"


def test_an_unknown_role_is_asked_and_mapped(ruth: User, architect: WorkRole) -> None:
    imported = take(lines("E1;Nils;Solution architect;40;;;;;"), ruth)
    with pytest.raises(NeedsAnswer, match="Which role is “Solution architect”"):
        run(imported)
    running.answer(
        actor=ruth, imported=imported, options={"roles": {"Solution architect": str(architect.pk)}}, now=timezone.now()
    )
    run(imported)
    assert Person.objects.get().role == architect
    again = take(lines("E2;Nora;Solution architect;40;;;;;"), ruth)
    assert counts(run(again)) == (1, 0, 0, 0), "what was answered is remembered for these headings"


def test_an_unknown_role_can_be_added(ruth: User) -> None:
    imported = take(
        lines("E1;Nils;Baker;40;;;;;", "E2;Nora;baker;40;;;;;"), ruth, roles={"Baker": "new", "baker": "new"}
    )
    assert counts(run(imported, dry=True)) == (2, 0, 0, 0)
    assert not WorkRole.objects.exists()
    assert counts(run(imported)) == (2, 0, 0, 0)
    assert [role.name for role in WorkRole.objects.all()] == ["Baker"]


@pytest.mark.parametrize(("answer", "known"), [("add", ["Rust"]), ("leave", [])])
def test_unknown_skills_are_asked(ruth: User, architect: WorkRole, answer: str, known: list[str]) -> None:
    imported = take(lines("E1;Nils;Architect;40;;;;;Rust 2"), ruth)
    with pytest.raises(NeedsAnswer, match="“Rust”"):
        run(imported)
    running.answer(actor=ruth, imported=imported, options={"new_skills": answer}, now=timezone.now())
    assert counts(run(imported, dry=True)) == (1, 0, 0, 0)
    assert not Skill.objects.exists()
    assert counts(run(imported)) == (1, 0, 0, 0)
    assert [skill.name for skill in Skill.objects.all()] == known
    assert PersonSkill.objects.count() == len(known)


def test_dates_that_can_be_read_both_ways_are_asked(ruth: User, architect: WorkRole) -> None:
    imported = take(lines("E1;Nils;Architect;40;;;01/02/2026;;"), ruth)
    with pytest.raises(NeedsAnswer, match="day or the month"):
        run(imported)


def test_a_login_of_somebody_else_is_refused(ruth: User, dan: User, architect: WorkRole) -> None:
    staffed.worker("Dan", architect, user=dan, external_id="D")
    done = run(take(lines(f"E1;Nils;Architect;40;{dan.email};;;;"), ruth))
    assert "Dan has another external id here." in problems(done)[2]


def test_an_unknown_login_is_worth_knowing_but_not_refused(ruth: User, architect: WorkRole) -> None:
    done = run(take(lines("E1;Nils;Architect;40;nobody@fjordfield.example;;;;"), ruth))
    assert counts(done) == (1, 0, 0, 0)
    assert any("Nobody signs in" in sentence for sentence in done.notices)


def test_archived_people_are_left_alone(ruth: User, nils: Person) -> None:
    Person.objects.update(archived_at=timezone.now())
    assert counts(run(take(lines(";Nils;;20;;;;;"), ruth))) == (0, 0, 1, 0)


def test_what_is_downloaded_and_uploaded_again_changes_nothing(ruth: User, architect: WorkRole) -> None:
    skill = Skill.objects.create(name="Web; mobile")
    for name in ("Nils", "=cmd|'/c calc'!A0", "Nils", "-2+3", "N/A Holm", "Élodie  D."):
        PersonSkill.objects.create(person=staffed.worker(name, architect, "37.5"), skill=skill, proficiency=3)
    WorkRole.objects.update(archived_at=timezone.now())
    for form in ("csv", "xlsx"):
        file = downloaded(ruth, f"/import/people/export.{form}")
        assert counts(run(take(file, ruth, name=f"people.{form}"))) == (0, 0, 6, 0)
    assert b"'=cmd" in downloaded(ruth, "/import/people/export.csv")


def test_a_download_that_was_changed_changes_just_that(ruth: User, nils: Person, nora: Person) -> None:
    file = downloaded(ruth, "/import/people/export.csv").decode()
    assert counts(run(take(file.replace("Nora", "Nora Lund"), ruth))) == (0, 1, 1, 0)
    nora.refresh_from_db()
    assert nora.name == "Nora Lund"


def test_the_template_can_be_imported(ruth: User) -> None:
    file = downloaded(ruth, "/import/people/template.xlsx")
    imported = take(file, ruth, name="t.xlsx", roles={"Architect": "new", "Engineer": "new"}, new_skills="add")
    assert counts(run(imported)) == (2, 0, 0, 0)


_cells = st.tuples(
    st.sampled_from(["", "E1", "E2", "E3", "E4"]), st.sampled_from(["", "Nils", "Nora", "nils", "Ole", "Kim"]),
    st.sampled_from(["", "Architect", "Baker"]), st.sampled_from(["", "40", "37,5", "x", "81"]),
    st.sampled_from(["", "ruth@fjordfield.example", "dan@fjordfield.example"]), st.just(""),
    st.sampled_from(["", "01.02.2026", "31.02.2026"]), st.sampled_from(["", "31.01.2026", "01.03.2027"]),
    st.sampled_from(["", "Rust 2", "SQL 9", "SQL 3; Rust 1"]),
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(_cells, min_size=1, max_size=9), chunk_rows=st.integers(1, 4))
def test_the_check_says_of_each_row_what_the_import_does(
    ruth: User, dan: User, architect: WorkRole, rows: list[tuple[str, ...]], chunk_rows: int
) -> None:
    Person.objects.all().delete()
    Skill.objects.all().delete()
    WorkRole.objects.exclude(pk=architect.pk).delete()
    User.objects.filter(pk=ruth.pk).update(email="ruth@fjordfield.example")
    User.objects.filter(pk=dan.pk).update(email="dan@fjordfield.example")
    staffed.worker("Nils", architect)
    staffed.worker("Nora", architect, user=dan)
    staffed.worker("Kim", architect, external_id="E4")
    imported = take(lines(*(";".join(row[:-1]) + f';"{row[-1]}"' for row in rows)), ruth, roles={"Baker": "new"},
                    new_skills="add", date_reading="dmy")  # fmt: skip
    if imported.state != "waiting":
        return
    checked = run(imported, dry=True, chunk_rows=chunk_rows)
    said, counted = outcomes(checked), counts(checked)
    done = run(checked, chunk_rows=chunk_rows)
    assert (outcomes(done), counts(done)) == (said, counted)


def test_an_import_that_was_interrupted_goes_on_where_it_stopped(ruth: User, architect: WorkRole) -> None:
    imported = take(lines(*(f"E{n};Nils {n};Architect;40;;;;;" for n in range(9))), ruth)
    running.start(imported=imported, is_dry_run=False, now=timezone.now())
    running.Runner(imported.pk, chunk_rows=4).step(now=timezone.now())
    assert Person.objects.count() == 4
    other = running.Runner(imported.pk, chunk_rows=4)
    other.step(now=timezone.now())
    done = other.step(now=timezone.now())
    assert done is not None
    assert (done.state, counts(done), Person.objects.count()) == ("done", (9, 0, 0, 0), 9)


def test_what_happens_between_check_and_import_is_seen(ruth: User, architect: WorkRole) -> None:
    checked = run(take(lines("E1;Nils;Architect;40;;;;;"), ruth), dry=True)
    assert counts(checked) == (1, 0, 0, 0)
    staffed.worker("Nils", architect, external_id="E1")
    assert counts(run(checked)) == (0, 0, 1, 0)


# --- pages ----------------------------------------------------------------------------------------------------------


def upload(browser: Client, content: str, name: str = "people.csv") -> Any:
    return browser.post("/import/people/", {"file": SimpleUploadedFile(name, content.encode())})


def test_from_the_page_to_the_people(ruth: User, architect: WorkRole) -> None:
    browser = Browser(ruth)
    url = upload(browser, lines("E1;Nils;Baker;40;;;;;", "E2;Nora;Architect;x;;;;;")).url
    imported = Import.objects.get()
    asked = browser.get(url).content.decode()
    assert "Which role is “Baker” (1 row)?" in asked
    columns = {f"column_{n}": imported.options["columns"].get(name, "") for n, name in enumerate(imported.header)}
    roles = list(imported.profile["columns"][2]["distinct"])
    answer = browser.post(url, {**columns, f"role_{roles.index('Baker')}": "new"})
    assert answer.status_code == 302
    checked = browser.get(url).content.decode()
    assert "Import all but the 1 refused" in checked
    assert "“x” is not a number of hours" in checked
    assert not Person.objects.exists()
    browser.post(f"{url}start/")
    running.advance(imported=imported, now=timezone.now(), seconds=5)
    shown = browser.get(url).content.decode()
    assert "Go to the people" in shown
    assert "Take the new deals back" not in shown
    assert Person.objects.get().role.name == "Baker"
    errors = downloaded(ruth, f"{url}errors.csv").decode("utf-8-sig")
    assert "“x” is not a number of hours" in errors


def test_people_that_an_import_made_are_not_taken_back_as_deals_are(ruth: User, architect: WorkRole) -> None:
    imported = run(take(lines("E1;Nils;Architect;40;;;;;"), ruth))
    Browser(ruth).post(f"/import/{imported.pk}/revert/")
    imported.refresh_from_db()
    assert imported.state == "done"


def test_planners_see_their_imports_and_nobody_elses(ruth: User, dan: User, sam: User, architect: WorkRole) -> None:
    imported = take(lines("E1;Nils;Architect;40;;;;;"), ruth)
    assert Browser(ruth).get(f"/import/{imported.pk}/").status_code == 200
    assert Browser(dan).get(f"/import/{imported.pk}/").status_code == 403
    assert Browser(sam).get(f"/import/{imported.pk}/").status_code == 404
    assert Browser(sam).get("/import/people/").status_code == 403


def test_whoever_may_plan_no_longer_imports_nothing(ruth: User, architect: WorkRole) -> None:
    imported = take(lines("E1;Nils;Architect;40;;;;;"), ruth)
    running.start(imported=imported, is_dry_run=False, now=timezone.now())
    User.objects.filter(pk=ruth.pk).update(roles=[Role.SALES_REP])
    running.advance(imported=imported, now=timezone.now(), seconds=0)
    assert not Person.objects.exists()


def test_the_pages_want_a_token_against_forgery(ruth: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ruth)
    assert upload(browser, lines("E1;Nils;Architect;40;;;;;")).status_code == 403


def test_too_many_rows_are_refused_with_a_sentence(ruth: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.imports.services.intake.MOST_ROWS", 1)
    refused = take(lines("E1;Nils;Architect;40;;;;;", "E2;Nora;Architect;40;;;;;"), ruth)
    assert (refused.state, refused.message) == ("refused", "The file has more than 1 rows. Send it in parts.")


def test_a_picture_is_refused(ruth: User) -> None:
    answer = Browser(ruth).post("/import/people/", {"file": SimpleUploadedFile("p.csv", b"\x89PNG\r\n\x1a\n123")})
    assert answer.status_code == 422
    assert "This is a picture." in answer.content.decode()


# --- the command ----------------------------------------------------------------------------------------------------


def test_the_command_answers_by_options_and_says_what_happened(ada: User, architect: WorkRole, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(lines("E1;Nils;Baker;40;;;01/02/2026;;", "E2;Nora;Architect;x;;;;;"))
    with pytest.raises(CommandError, match="Which role is “Baker”"):
        call_command("import_people", str(file))
    options = {"role": ["Baker=new"], "date_format": "dmy"}
    said = io.StringIO()
    call_command("import_people", str(file), dry_run=True, stdout=said, **options)
    assert "1 would be created, 0 would be changed, 0 unchanged, 1 would be refused." in said.getvalue()
    assert not Person.objects.exists()
    call_command("import_people", str(file), stdout=said, **options)
    assert Person.objects.get().joins_on == dt.date(2026, 2, 1)
    assert "“x” is not a number of hours" in (tmp_path / "people-errors.csv").read_text(encoding="utf-8-sig")


def test_the_command_refuses_those_who_may_not_plan(sam: User, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(lines("E1;Nils;Baker;40;;;;;"))
    with pytest.raises(CommandError, match="may not import"):
        call_command("import_people", str(file), email=sam.email)
