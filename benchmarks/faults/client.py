"""One client: moves deals through the product's service and writes down what it was told.

    python -m benchmarks.faults.client DEALS JOURNAL SEED PER_SECOND [plain]

DEALS is a file with one id a line. Each move is two lines in the journal: before (``try``) and after (``ok``, ``fail``
or ``info``: nobody knows). A move without its second line was under way when the client was killed: ``info`` too.
Started again, the client goes on with the deals that it has not tried.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

import django
from django.core.exceptions import ValidationError

# From cold, straight into the shared zone; the share of each.
TARGETS = {"discovery": 6, "proposal": 3, "negotiation": 1}


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of a journal, none if it was not begun."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


class Journal:
    """Lines that are in the file, whole, before anything else happens."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def write(self, **said: Any) -> None:
        """Append one line."""
        os.write(self._file, (json.dumps(said) + "\n").encode())


def main() -> None:
    """Try every deal once."""
    deals, path, seed, per_second, *rest = sys.argv[1:]
    django.setup()
    if rest == ["plain"]:
        from benchmarks.faults import plain

        plain.install()
    chance = random.Random(seed)
    tried = {said["deal"] for said in read(Path(path))}
    journal = Journal(path)
    for deal in map(int, Path(deals).read_text().split()):
        if deal in tried:
            continue
        start = time.monotonic()
        key = chance.choices(list(TARGETS), list(TARGETS.values()))[0]
        _move(deal, key, journal)
        if float(per_second):
            time.sleep(max(0.0, start + chance.expovariate(float(per_second)) - time.monotonic()))


def _move(deal: int, key: str, journal: Journal) -> None:
    from django.db import DatabaseError, InterfaceError

    from opportunities.services.moves import GateNotMet
    from opportunities.services.policies import IllegalMove, ReasonNeeded
    from opportunities.services.versions import Stale

    journal.write(type="try", deal=deal, stage=key, at=time.time())
    try:
        _move_once(deal, key)
    except (Stale, GateNotMet, IllegalMove, ReasonNeeded, ValidationError) as refusal:
        journal.write(type="fail", deal=deal, error=repr(refusal))
    except (DatabaseError, InterfaceError) as error:
        # The connection may have gone before or after the commit.
        journal.write(type="info", deal=deal, error=repr(error)[:200])
        _wait_for_database()
    else:
        journal.write(type="ok", deal=deal, at=time.time())


def _wait_for_database() -> None:
    """A person would not go on pressing either."""
    from django.db import DatabaseError, InterfaceError, connection

    while True:
        connection.close()
        try:
            connection.ensure_connection()
            return
        except (DatabaseError, InterfaceError):
            time.sleep(0.2)


def _move_once(deal: int, key: str) -> None:
    from django.utils import timezone

    from accounts.models import User
    from opportunities.models import Opportunity, Stage
    from opportunities.services.moves import move_to_stage

    alice = User.objects.get(email="alice@example.test")
    opportunity = Opportunity.objects.get(pk=deal)
    stage = Stage.objects.get(pipeline=opportunity.pipeline_id, key=key)
    move_to_stage(
        actor=alice,
        opportunity=opportunity,
        stage=stage,
        expected_version=opportunity.version,
        now=timezone.now(),
        reason="It is time",
    )


if __name__ == "__main__":
    main()
