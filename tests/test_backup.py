"""A backup, restored on a machine that has seen nothing of OneTeam."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from events import deliveries
from events.models import Delivery, Event
from handoffs import defaults
from opportunities.models import Opportunity
from tests import factories
from tests.support.databases import database_url


def manage(*arguments: str, data: Path, address: str = "") -> subprocess.CompletedProcess[str]:
    """Run manage.py on a database of its own under ``data``, or on the one at ``address``."""
    own = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE")}
    environment = {**own, "SECRET_KEY": settings.SECRET_KEY, "ONETEAM_DATA_DIR": str(data)}
    if address:
        environment["DATABASE_URL"] = address
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=settings.BASE_DIR, env=environment, capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_restored_backup_is_whole(tmp_path: Path) -> None:
    defaults.create(organisation=factories.organisation(), now=deliveries.database_now())
    factories.deals(3, "proposal")
    factories.deal("won")
    for delivery in Delivery.objects.order_by("pk"):
        deliveries.deliver(delivery.pk, attempt=0, now=deliveries.database_now())
    backup = tmp_path / "oneteam.dump"
    dumped = manage(
        "postgres", "pg_dump", "--format=custom", f"--file={backup}", data=tmp_path / "here", address=database_url()
    )
    assert dumped.returncode == 0, dumped.stderr
    fresh = tmp_path / "elsewhere"
    restored = manage(
        "postgres", "pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", str(backup), data=fresh
    )
    assert restored.returncode == 0, restored.stderr
    verified = manage("verify_invariants", data=fresh)
    assert verified.returncode == 0, verified.stdout
    found = manage(
        "postgres", "psql", "--tuples-only", "--no-align", "--command",
        "select (select count(*) from opportunities_opportunity), (select count(*) from events_event)", data=fresh,
    )  # fmt: skip
    assert found.stdout.strip() == f"{Opportunity.objects.count()}|{Event.objects.count()}"
    refused = manage("postgres", "psql", "--command", "update events_event set name = 'x'", data=fresh)
    assert refused.returncode == 1, "history can be rewritten"


@pytest.mark.slow
def test_the_exit_code_is_that_of_the_program(tmp_path: Path) -> None:
    failed = manage("postgres", "psql", "--set=ON_ERROR_STOP=1", "--command", "select nonsense", data=tmp_path)
    assert failed.returncode == 1
    assert "nonsense" in failed.stderr
