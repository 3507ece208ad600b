"""The running API against its own description: generated requests, good and bad, and every answer checked.

By hand, for longer: start a server, make a token, and run the command below with ``-n 200`` and all phases.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import factories
from tests.api.conftest import Program
from tests.support.servers import OneTeam

HERE = Path(__file__).parent


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("role", ["administrator", "sales_rep"])
def test_answers_as_described(live_app: OneTeam, role: str, tmp_path: Path) -> None:
    pytest.importorskip("schemathesis")
    factories.organisation()
    for key in ("prospect", "discovery", "negotiation", "won", "lost"):
        factories.deal(key)
    person = factories.person("Ada", factories.Role.ADMINISTRATOR) if role == "administrator" else factories.alice()
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(HERE / "schemathesis.toml"),
        "--no-color",
        "run", f"{live_app.url}/api/v1/schema/", "--checks", "all", "--phases",
        "coverage,fuzzing", "--max-examples", "5", "--workers", "2", "--seed", "1",
        "--no-shrink",
    ]  # fmt: skip
    hooks = str(HERE / "schemathesis_hooks.py")
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": hooks, "ONETEAM_TOKEN": Program(person).token}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    found = done.stdout.partition("= FAILURES =")[2].partition("= WARNINGS =")[0]
    assert done.returncode == 0, (found or done.stdout)[:10_000] + done.stderr[-2000:]
