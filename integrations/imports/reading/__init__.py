"""Files to rows: CSV in any usual encoding, XLSX, with a sentence for all that is neither."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from integrations.imports.reading.kinds import Kind, kind_of
from integrations.imports.reading.tables import Row, open_csv
from integrations.imports.reading.workbooks import open_workbook

__all__ = ["Row", "open_rows"]


@contextmanager
def open_rows(file: BinaryIO) -> Iterator[Iterator[Row]]:
    """The rows of a file, empty ones left out, heading first. Raises Unreadable with what to do."""
    opener = open_workbook if kind_of(file) == Kind.XLSX else open_csv
    with opener(file) as rows:
        yield rows
