"""Several workers on one import."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from integrations.imports.models import Import, ImportedRow
from integrations.imports.services import running
from opportunities.models import Opportunity
from tests.integrations.conftest import Take, counts, csv_of, media, take_in

__all__ = ["media", "take_in"]  # fixtures of the import tests


@pytest.mark.django_db(transaction=True)
def test_workers_that_meet_take_turns(take_in: Take) -> None:
    rows = [f"K{n},Deal {n},Agent {n % 3},GTX,Client {n % 9},Qualified,20-10-2026,,{n}" for n in range(400)]
    imported = running.start(imported=take_in(csv_of(*rows)), is_dry_run=False, now=timezone.now())

    def work(_: int) -> None:
        try:
            runner = running.Runner(imported.pk, chunk_rows=20)
            while Import.objects.get(pk=imported.pk).is_running:
                if runner.step(now=timezone.now()) is None:
                    time.sleep(0.005)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert counts(Import.objects.get(pk=imported.pk)) == (400, 0, 0, 0)
    assert Opportunity.objects.count() == ImportedRow.objects.count() == 400
