"""Files of people and bookings in, by the services that page and command call."""

from __future__ import annotations

import io
from typing import Any, cast

from django.http import StreamingHttpResponse
from django.utils import timezone

from accounts.models import User
from integrations.imports.models import Import, ImportedRow, Kind
from integrations.imports.services import running
from integrations.imports.services.intake import read, receive
from tests.cast import Browser


def taken(content: bytes | str, *, kind: Kind, actor: User, name: str = "file.csv", **options: Any) -> Import:
    """Received and read, the questions still open but for those that options answer."""
    data = content.encode() if isinstance(content, str) else content
    imported = receive(
        actor=actor, file=io.BytesIO(data), file_name=name, companions={}, options=options, now=timezone.now(),
        kind=kind,
    )  # fmt: skip
    return read(imported=imported, now=timezone.now())


def run(imported: Import, *, dry: bool = False, chunk_rows: int = 1000) -> Import:
    """Checked, or written to the end."""
    imported = running.start(imported=imported, is_dry_run=dry, now=timezone.now())
    runner = running.Runner(imported.pk, chunk_rows=chunk_rows)
    while imported.is_running:
        step = runner.step(now=timezone.now())
        assert step is not None
        imported = step
    return imported


def counts(imported: Import) -> tuple[int, int, int, int]:
    """Created, changed, unchanged, refused."""
    return imported.created, imported.changed, imported.unchanged, imported.refused


def problems(imported: Import) -> dict[int, str]:
    """What is wrong, by line."""
    return dict(ImportedRow.objects.filter(imported=imported, outcome="refused").values_list("line", "problem"))


def outcomes(imported: Import) -> list[tuple[int, str, str]]:
    """Line, outcome and problem of every row."""
    return list(
        ImportedRow.objects.filter(imported=imported).order_by("line").values_list("line", "outcome", "problem")
    )


def downloaded(user: User, url: str) -> bytes:
    """The file at the address, as the person gets it."""
    answer = cast(StreamingHttpResponse, Browser(user).get(url))
    return b"".join(cast(Any, answer.streaming_content))
