"""Files in, imports out."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Organisation, User
from integrations.imports.models import Import
from integrations.imports.services import running
from integrations.imports.services.intake import read, receive
from integrations.imports.states import State

HEADING = "id,name,owner,product,account,stage,created,close_date,amount"
ROWS = (
    "D1,Terminal platform,Moses Frase,GTX Pro,Cancity,Discovery,20-10-2026,,0",
    "D2,Yard planning,Moses Frase,GTXPro,cancity,Won,25-10-2026,11-11-2026,4514",
    "D3,Meter data,Zane Levy,GTX Basic,N/A,Lost,26-10-2026,14-11-2026,0",
    "D4,Site diary,Zane Levy,GTX Basic,Isdom,Prospect,null,,",
)


def csv_of(*rows: str, heading: str = HEADING) -> bytes:
    """A CSV file with CRLF line ends, as CRMs write them."""
    return "\r\n".join([heading, *rows, ""]).encode()


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    """Files of the test alone."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


Take = Callable[..., Import]


@pytest.fixture
def take_in(organisation: Organisation, ada: User) -> Take:
    """Receive and read a file."""

    def take(
        content: bytes,
        *,
        companions: Mapping[str, bytes] | None = None,
        actor: User | None = ada,
        name: str = "deals.csv",
        **options: Any,
    ) -> Import:
        beside = {kind: io.BytesIO(file) for kind, file in (companions or {}).items()}
        imported = receive(
            actor=actor, file=io.BytesIO(content), file_name=name, companions=beside, options=options,
            now=timezone.now(),
        )  # fmt: skip
        return read(imported=imported, now=timezone.now())

    return take


def run(imported: Import, *, dry: bool = False, chunk_rows: int = 1000) -> Import:
    """Carry an import to its end."""
    imported = running.start(imported=imported, is_dry_run=dry, now=timezone.now())
    return carry_on(imported, chunk_rows=chunk_rows)


def carry_on(imported: Import, *, chunk_rows: int = 1000) -> Import:
    """Go on with a running import until it stands still."""
    runner = running.Runner(imported.pk, chunk_rows=chunk_rows)
    while imported.is_running:
        step = runner.step(now=timezone.now())
        assert step is not None
        imported = step
    return imported


def counts(imported: Import) -> tuple[int, int, int, int]:
    """Created, changed, unchanged, refused."""
    return imported.created, imported.changed, imported.unchanged, imported.refused


@pytest.fixture
def load(take_in: Take) -> Take:
    """Import a file from beginning to end."""

    def load_file(content: bytes, **options: Any) -> Import:
        done = run(take_in(content, **options))
        assert done.state == State.DONE, done.message
        return done

    return load_file
