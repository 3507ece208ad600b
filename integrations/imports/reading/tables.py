"""CSV: encoding and delimiter found out, rows streamed."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

import charset_normalizer
from django.utils.translation import gettext as _

from integrations.imports.errors import Unreadable

LONGEST_CELL = 131_072  # the limit of Python's csv module
_PIECE = 1 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = [bytes([code]) for code in range(32) if code not in b"\t\n\v\f\r"]
_DELIMITERS = ",;\t|"


class Row(NamedTuple):
    """Cells with the line of the file that they begin on, counted from 1."""

    line: int
    cells: list[str]


@contextmanager
def open_csv(file: BinaryIO) -> Iterator[Iterator[Row]]:
    """The rows of a CSV file. Raises Unreadable, also while rows are taken."""
    encoding = _encoding(file)
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    try:
        start = text.read(64 * 1024)
        said, start_at = _said_delimiter(start)
        delimiter = said or _delimiter(start)
        text.seek(0)
        if start_at:
            text.readline()
        yield _rows(text, delimiter, first_line=1 + bool(start_at))
    except UnicodeError as error:
        raise Unreadable(_("The file mixes encodings or is cut off. Save it as CSV in UTF-8 and try again.")) from error
    finally:
        text.detach()


def _rows(text: io.TextIOWrapper, delimiter: str, first_line: int) -> Iterator[Row]:
    reader = csv.reader(text, delimiter=delimiter)
    line, width = first_line, 0
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                width = width or len(stripped)
                while len(stripped) > width and not stripped[-1]:
                    stripped.pop()
                yield Row(line, stripped)
            line = first_line + reader.line_num
    except csv.Error as error:
        raise Unreadable(
            _(
                "The row from line %(line)d on has a cell of more than %(most)d characters. "
                "Perhaps a quotation mark is missing."
            )
            % {"line": line, "most": LONGEST_CELL}
        ) from error


def _encoding(file: BinaryIO) -> str:
    """The encoding that the whole file can be read in: a byte-order mark, UTF-8, then what Windows writes."""
    file.seek(0)
    head = file.read(64 * 1024)
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            file.seek(0)
            return encoding
    for encoding in _utf16_without_mark(head) or ("utf-8", "cp1252"):
        if _decodes(file, encoding):
            return encoding
    best = charset_normalizer.from_bytes(head).best()
    if best is not None and _decodes(file, best.encoding):
        return str(best.encoding)
    raise Unreadable(_("The encoding of the file could not be found out. Save it as CSV in UTF-8 and try again."))


def _utf16_without_mark(head: bytes) -> tuple[str, ...]:
    """UTF-16, where every second byte is zero; nothing where it isn't. Raises Unreadable for what is no text."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd > len(head) // 4 > even:
        return ("utf-16-le",)
    if even > len(head) // 4 > odd:
        return ("utf-16-be",)
    if sum(map(head.count, _CONTROLS)) * 50 > len(head):
        raise Unreadable(_("This is not a text file. Choose a CSV or XLSX file."))
    return ()


def _decodes(file: BinaryIO, encoding: str) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while piece := file.read(_PIECE):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    finally:
        file.seek(0)
    return True


def _said_delimiter(start: str) -> tuple[str, bool]:
    """Excel's own first line ``sep=;``, if there is one."""
    first = start.lstrip("\ufeff").splitlines()[0] if start else ""
    if first.lower().startswith("sep=") and len(first.rstrip()) == 5:
        return first[4], True
    return "", False


def _delimiter(start: str) -> str:
    """The delimiter that splits the first rows into the most columns, all rows alike if possible."""
    lines = start.splitlines(keepends=True)
    whole = lines[:-1] if len(lines) > 1 else lines

    def rate(delimiter: str) -> tuple[bool, int]:
        try:
            widths = [len(cells) for cells in csv.reader(whole[:200], delimiter=delimiter) if any(cells)][:50]
        except csv.Error:
            return False, 0
        width = widths[0] if widths else 0
        alike = sum(other == width for other in widths)
        return width > 1 and alike * 2 > len(widths), width

    return max(_DELIMITERS, key=rate)
