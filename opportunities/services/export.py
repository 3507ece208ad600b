"""Deals as CSV or XLSX, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from tempfile import TemporaryFile
from typing import IO, Any

from django.utils import timezone
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from opportunities.models import OpportunityQuerySet
from opportunities.queries.listing import ColumnKind

# A spreadsheet takes cells that begin so for formulas, and would run them.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
_CHUNK = 2000
MOST_XLSX = 100_000  # an XLSX is built before it is sent


def safe_cell(value: Any) -> Any:
    """A value that no spreadsheet runs: text that looks like a formula gets an apostrophe; figures stay figures."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) or value.lstrip(" ").startswith(_FORMULA) else value
    if isinstance(value, dt.datetime):
        return timezone.localtime(value).replace(tzinfo=None, microsecond=0)
    return value


def exported_rows(deals: OpportunityQuerySet, columns: Sequence[ColumnKind]) -> Iterator[list[Any]]:
    """The heading, then a row per deal; memory stays the same however many there are."""
    yield ["id", *(safe_cell(str(column.label)) for column in columns)]
    for deal in deals.with_people().iterator(chunk_size=_CHUNK):
        yield [deal.pk, *(safe_cell(column.value(deal)) for column in columns)]


def csv_lines(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The rows as CSV, with the mark by which spreadsheets know UTF-8."""
    yield "\ufeff"
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    for number, row in enumerate(rows, start=1):
        writer.writerow(["" if cell is None else cell for cell in row])
        if number % 100 == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def xlsx_file(rows: Iterable[Sequence[Any]], *, title: str) -> IO[bytes]:
    """The rows as a workbook, in a temporary file that is gone when it is closed."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title[:31])
    for row in rows:
        sheet.append([_xlsx_value(cell) for cell in row])
    file = TemporaryFile()  # noqa: SIM115 - the response closes it
    book.save(file)
    file.seek(0)
    return file


_xlsx_types: dict[type, Callable[[Any], Any]] = {
    str: lambda text: ILLEGAL_CHARACTERS_RE.sub("", text)[:32_767],
    Decimal: float,
}


def _xlsx_value(cell: Any) -> Any:
    return _xlsx_types.get(type(cell), lambda value: value)(cell)


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
