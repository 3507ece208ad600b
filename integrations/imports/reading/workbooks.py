"""XLSX: looked over before it is unpacked, then streamed row by row."""

from __future__ import annotations

import datetime as dt
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

import openpyxl
from defusedxml.common import DefusedXmlException
from django.utils.translation import gettext as _
from openpyxl.utils.exceptions import InvalidFileException

from integrations.imports.errors import Unreadable
from integrations.imports.reading.tables import Row

MOST_PARTS = 2_000
MOST_UNPACKED = 500 * 1024 * 1024
MOST_SHARED_TEXT = 64 * 1024 * 1024  # openpyxl keeps the shared texts in memory
MOST_RATIO = 200
MOST_ROWS = 200_000  # so that reading ends within a task's time; CSV has no such limit
_DAMAGED = (
    zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, TypeError, AttributeError, IndexError,
    OSError, EOFError, NotImplementedError, RuntimeError,
)  # fmt: skip


@contextmanager
def open_workbook(file: BinaryIO) -> Iterator[Iterator[Row]]:
    """The rows of the first sheet that has any. Raises Unreadable, also while rows are taken."""
    _look_over(file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles that it drops
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except _DAMAGED as error:
        raise _refusal(error) from error
    try:
        yield _rows(book)
    finally:
        book.close()


def _refusal(error: BaseException | None) -> Unreadable:
    """What to say; openpyxl wraps the errors of the XML reader."""
    while error is not None:
        if isinstance(error, DefusedXmlException):
            return Unreadable(_("The workbook contains XML entities, which no spreadsheet needs. It was not opened."))
        error = error.__cause__
    return Unreadable(_("The workbook is cut off or damaged. Save it again, or as CSV."))


def _look_over(file: BinaryIO) -> None:
    """Refuse what unpacks to far more than it is."""
    try:
        parts = zipfile.ZipFile(file).infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise Unreadable(_("The workbook is cut off or damaged. Save it again, or as CSV.")) from error
    finally:
        file.seek(0)
    if any(part.flag_bits & 1 for part in parts):
        raise Unreadable(_("The workbook is protected with a password. Save it without one and try again."))
    unpacked = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts)
    shared = sum(part.file_size for part in parts if part.filename.lower().endswith("sharedstrings.xml"))
    too_dense = unpacked > 10 * 1024 * 1024 and unpacked > MOST_RATIO * max(packed, 1)
    if len(parts) > MOST_PARTS or unpacked > MOST_UNPACKED or shared > MOST_SHARED_TEXT or too_dense:
        raise Unreadable(
            _("The workbook unpacks to more than can be read safely. Save the sheet as CSV and try again.")
        )


def _rows(book: openpyxl.Workbook) -> Iterator[Row]:
    taken = width = 0
    try:
        for sheet in book.worksheets:
            sheet.reset_dimensions()
            for line, values in enumerate(sheet.iter_rows(values_only=True), 1):
                cells = [_cell(value) for value in values]
                if any(cells):
                    taken += 1
                    if taken > MOST_ROWS + 1:
                        raise Unreadable(
                            _("The sheet has more than %(most)d rows. Save it as CSV, which has no such limit.")
                            % {"most": MOST_ROWS}
                        )
                    while cells and not cells[-1]:
                        cells.pop()
                    width = width or len(cells)
                    yield Row(line, cells + [""] * (width - len(cells)))
            if taken:
                return
    except _DAMAGED as error:
        raise _refusal(error) from error


def _cell(value: Any) -> str:
    """What a person sees in the cell, dates in the one form that has one meaning."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float):
        return format(value, ".15g")
    return str(value)
