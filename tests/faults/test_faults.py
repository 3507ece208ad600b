"""Whatever is killed while deals move: nothing is lost, nothing double. And the test would notice if it were.

Real PostgreSQL, Redis, Celery worker, relays and beats as processes. Longer runs, and crashes of PostgreSQL, which
would hit other tests here: ``python -m benchmarks.faults``.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faults.run import Plan, Report, Run
from tests.support.databases import database_url
from tests.support.missing import missing

pytestmark = [pytest.mark.slow, pytest.mark.redis, pytest.mark.django_db(transaction=True)]


def break_everything(directory: Path, **plan: Any) -> Report:
    """One run; prints what is needed to repeat it."""
    if shutil.which("redis-server") is None:
        missing("redis-server is not installed (script/test installs it on Debian as root).")
    whole = Plan(database_url=database_url(), directory=directory / "run", **plan)
    print(f"seed {whole.seed}: {whole.moves} moves, {whole.faults} faults")
    report = Run(whole)()
    print(report)
    return report


def test_every_acknowledged_move_gets_its_one_engagement(tmp_path: Path) -> None:
    report = break_everything(tmp_path, moves=80, faults=13, seed=20261123, per_second=5)
    verdict = report.verdict
    assert (verdict.lost, verdict.duplicated, verdict.unexpected) == ([], [], [])
    assert verdict.broken_invariants == []
    assert report.open_at_the_end == 0
    assert verdict.acknowledged > 60


def test_the_same_faults_find_losses_in_a_plain_on_commit_task(tmp_path: Path) -> None:
    report = break_everything(tmp_path, moves=150, faults=6, seed=20261123, per_second=0, is_plain=True)
    assert report.verdict.lost
