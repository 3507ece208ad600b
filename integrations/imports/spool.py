"""Where an import's files are kept: the original until it is read, then its rows as one JSON array per line."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from django.conf import settings

from integrations.imports.models import Import

Line = tuple[int, list[str]]


class Piece(NamedTuple):
    """Some rows of a spool, and where the next ones begin (bytes)."""

    rows: list[Line]
    next_offset: int


def folder(imported: Import) -> Path:
    """The import's own folder, named by a token that nobody can guess or choose."""
    return Path(settings.MEDIA_ROOT) / "imports" / imported.token.hex


def keep_original(imported: Import, pieces: Iterable[bytes]) -> tuple[int, str]:
    """Write the file down; its size in bytes and its SHA-256."""
    folder(imported).mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with (folder(imported) / "original").open("wb") as file:
        for piece in pieces:
            file.write(piece)
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


def open_original(imported: Import) -> BinaryIO:
    """The file as it came."""
    return (folder(imported) / "original").open("rb")


def drop_original(imported: Import) -> None:
    """Delete the file as it came; its rows stay."""
    (folder(imported) / "original").unlink(missing_ok=True)


class Writer:
    """Writes a spool under another name and puts it in place when all went well."""

    def __init__(self, imported: Import) -> None:
        self._path = folder(imported) / "rows"
        self._new = self._path.with_suffix(".new")

    def __enter__(self) -> Writer:
        self._file = self._new.open("w", encoding="ascii")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._file.close()
        if kind is None:
            self._new.replace(self._path)

    def add(self, line: int, cells: Sequence[str]) -> None:
        """Add one row."""
        self._file.write(json.dumps([line, cells], separators=(",", ":")) + "\n")


def take(imported: Import, *, offset: int, most: int) -> Piece:
    """Up to so many rows from an offset on; none at the end."""
    rows: list[Line] = []
    with (folder(imported) / "rows").open("rb") as file:
        file.seek(offset)
        for text in file:
            line, cells = json.loads(text)
            rows.append((line, cells))
            offset += len(text)
            if len(rows) == most:
                break
    return Piece(rows, offset)


def discard(imported: Import) -> None:
    """Delete the import's files."""
    shutil.rmtree(folder(imported), ignore_errors=True)
