"""`manage.py import_opportunities`."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from integrations.imports.models import Import
from integrations.imports.services import running
from integrations.imports.states import State
from opportunities.models import Opportunity
from tests.integrations.conftest import ROWS, Take, csv_of

pytestmark = pytest.mark.usefixtures("ada")


def command(file: Path, *arguments: Any, **options: Any) -> str:
    said = io.StringIO()
    call_command("import_opportunities", str(file), *arguments, stdout=said, **options)
    return said.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "deals.csv"
    path.write_bytes(csv_of(*ROWS))
    return path


def test_it_imports_and_says_what_happened(file: Path) -> None:
    said = command(file, "--baseline")
    assert "4 created, 0 changed, 0 unchanged, 0 refused." in said
    assert "0 created, 0 changed, 4 unchanged, 0 refused." in command(file)
    assert Opportunity.objects.count() == 4


def test_a_dry_run_changes_nothing(file: Path) -> None:
    assert "4 would be created" in command(file, "--dry-run")
    assert not Opportunity.objects.exists()


def test_open_questions_stop_it_with_the_option_that_answers_them(file: Path) -> None:
    file.write_bytes(csv_of("1,Engaging,03/04/2026", heading="id,stage,created"))
    with pytest.raises(CommandError) as refusal:
        command(file)
    assert '--stage "Engaging=STAGE"' in str(refusal.value)
    assert "--date-format dmy" in str(refusal.value)
    assert "1 created" in command(file, "--date-format", "dmy", "--stage", "Engaging=discovery")


def test_a_column_can_be_given_another_meaning(file: Path) -> None:
    file.write_bytes(csv_of("1,Prospect,Big one", heading="id,stage,Colour"))
    command(file, "--column", "Colour=name")
    assert Opportunity.objects.get().name == "Big one"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--column", "Colour=name"], "There is no column “Colour”"),
        (["--column", "name=colour"], "not a target"),
        (["--stage", "Won"], "Write --stage as"),
        (["--stage", "Won=somewhere"], "There is no stage “somewhere”"),
        (["--stage", "Won=new:sometimes"], "open, won or lost"),
        (["--as", "nobody@example.test"], "nobody with the address"),
        (["--accounts", "/nowhere.csv"], "can't be read"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(file: Path, arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        command(file, *arguments)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="can't be read"):
        command(tmp_path / "none.csv")


def test_those_who_may_not_import_are_told(file: Path, alice: User) -> None:
    with pytest.raises(CommandError, match="may not import"):
        command(file, "--as", alice.email)


def test_refused_rows_go_into_a_file_that_no_spreadsheet_computes(file: Path, tmp_path: Path) -> None:
    file.write_bytes(csv_of(*ROWS, '=HYPERLINK("x"),@SUM(1),+1,-2,\tA,Prospect,,,1', "D9,fine,-cmd,,,Prospect,,,-1"))
    said = command(file, "--errors", tmp_path / "refused.csv")
    assert "1 refused" in said
    with (tmp_path / "refused.csv").open(encoding="utf-8-sig", newline="") as refused:
        rows = list(csv.reader(refused))
    assert rows[0][:2] == ["What is wrong", "Line"]
    assert rows[1] == [
        "“-1” is negative; an amount can't be.",
        "7",
        "D9",
        "fine",
        "'-cmd",
        "",
        "",
        "Prospect",
        "",
        "",
        "'-1",
    ]


def test_an_interrupted_import_goes_on(file: Path, take_in: Take) -> None:
    imported = running.start(imported=take_in(file.read_bytes()), is_dry_run=False, now=timezone.now())
    running.Runner(imported.pk, chunk_rows=3).step(now=timezone.now())
    said = command(file)
    assert "interrupted after row 3" in said
    assert "4 created" in said
    assert Import.objects.get().state == State.DONE
