"""An import whose process is killed, again and again, at any moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings

from accounts.models import User
from events.invariants import all_invariants, verify
from events.models import Event
from integrations.imports.models import Import, ImportedRow
from integrations.imports.states import State
from opportunities.models import Opportunity, StageChange
from tests.support.databases import database_url

ROWS = 8_000
HEADING = "id,name,owner,account,stage,created,close_date,amount"


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Rows of every outcome."""
    lines = [HEADING]
    for number in range(ROWS):
        amount = -1 if number % 100 == 7 else 5
        stage = ("Won", "Prospect", "Discovery")[number % 3]
        closed = "20-11-2025" if stage == "Won" else ""
        lines.append(
            f"K{number},Deal {number},Agent {number % 7},Client {number % 50},{stage},13-10-2025,{closed},{amount}"
        )
    path = tmp_path / "export.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_killed_import_goes_on_with_no_row_lost_or_doubled(export: Path, tmp_path: Path, ada: User) -> None:
    chance = random.Random(3)
    environment = {
        **os.environ, "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "onetteam.settings",
        "ONETEAM_DATA_DIR": str(tmp_path / "data"), "SECRET_KEY": "k" * 60,
    }  # fmt: skip
    command = [
        sys.executable,
        "manage.py",
        "import_opportunities",
        str(export),
        "--errors",
        str(tmp_path / "refused.csv"),
    ]
    killed = 0
    for _ in range(40):
        process = subprocess.Popen(
            command, cwd=settings.BASE_DIR, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        before = _row()
        # Once it has got somewhere, a moment more; four times. Then it may end.
        while killed < 4 and process.poll() is None and _row() <= before:
            time.sleep(0.02)
        if killed < 4 and process.poll() is None:
            time.sleep(chance.uniform(0, 0.5))
            process.send_signal(signal.SIGKILL)
            killed += 1
        said = process.communicate()[0].decode()
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, said
    assert killed >= 3
    imported = Import.objects.get()
    refused = ROWS // 100
    assert (imported.state, imported.row, imported.refused) == (State.DONE, ROWS, refused)
    assert Opportunity.objects.count() == imported.created == ROWS - refused
    assert ImportedRow.objects.count() == ROWS
    assert Event.objects.filter(name="opportunities.created").count() == ROWS - refused
    won = Opportunity.objects.filter(kind="won").count()
    assert StageChange.objects.count() == ROWS - refused + won
    assert [finding for finding in verify(all_invariants()) if finding.count] == []
    assert len((tmp_path / "refused.csv").read_text().splitlines()) == refused + 1


def _row() -> int:
    found = Import.objects.order_by("-pk").first()
    return found.row if found and found.state == State.WRITING else 0
