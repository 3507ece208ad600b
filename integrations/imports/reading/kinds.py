"""What a file is, by its content; names and declared types are not believed."""

from __future__ import annotations

import enum
import zipfile
from typing import BinaryIO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrations.imports.errors import Unreadable


class Kind(enum.Enum):
    """What can be read."""

    CSV = "csv"
    XLSX = "xlsx"


_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OTHERS = (
    (b"%PDF", gettext_lazy("This is a PDF. Export the table as CSV or XLSX instead.")),
    (b"\x89PNG", gettext_lazy("This is a picture. Choose a CSV or XLSX file.")),
    (b"\xff\xd8\xff", gettext_lazy("This is a picture. Choose a CSV or XLSX file.")),
    (b"GIF8", gettext_lazy("This is a picture. Choose a CSV or XLSX file.")),
    (b"\x1f\x8b", gettext_lazy("This file is packed (gzip). Unpack it and choose the CSV or XLSX file inside.")),
    (b"7z\xbc\xaf", gettext_lazy("This file is packed (7z). Unpack it and choose the CSV or XLSX file inside.")),
    (b"Rar!", gettext_lazy("This file is packed (RAR). Unpack it and choose the CSV or XLSX file inside.")),
    (b"\x7fELF", gettext_lazy("This is a program. Choose a CSV or XLSX file.")),
    (b"MZ", gettext_lazy("This is a program. Choose a CSV or XLSX file.")),
)
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<svg", b"<table", b"<script")


def kind_of(file: BinaryIO) -> Kind:
    """CSV or XLSX; leaves the file at its start. Raises Unreadable for all else."""
    file.seek(0)
    head = file.read(8192)
    file.seek(0)
    if not head.strip():
        raise Unreadable(_("The file is empty. Export it again, with a heading and at least one row."))
    if head.startswith(b"PK"):
        return _zip_kind(file)
    if head.startswith(_OLE):
        _refuse_ole(file)
    for start, sentence in _OTHERS:
        if head.startswith(start):
            raise Unreadable(str(sentence))
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_MARKUP):
        raise Unreadable(
            _("This is a web page or XML, even if its name says otherwise. Export the table as CSV or XLSX instead.")
        )
    return Kind.CSV


def _zip_kind(file: BinaryIO) -> Kind:
    try:
        names = set(zipfile.ZipFile(file).namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Unreadable(_("The file is cut off or damaged. Export it again.")) from error
    finally:
        file.seek(0)
    if "[Content_Types].xml" in names and any(name.startswith("xl/workbook.") for name in names):
        if "xl/workbook.bin" in names:
            raise Unreadable(_("This is a binary workbook (.xlsb). Save it as .xlsx or CSV and try again."))
        return Kind.XLSX
    if "mimetype" in names and "content.xml" in names:
        raise Unreadable(_("This is an OpenDocument file. Save it as .xlsx or CSV and try again."))
    raise Unreadable(_("This is a ZIP file. Unpack it and choose the CSV or XLSX file inside."))


def _refuse_ole(file: BinaryIO) -> None:
    """Office files of before 2007, and encrypted ones of today, share this form."""
    start = file.read(1 << 20)
    file.seek(0)
    if "EncryptedPackage".encode("utf-16-le") in start:
        raise Unreadable(_("The workbook is protected with a password. Save it without one and try again."))
    raise Unreadable(
        _("This is an Excel file of before 2007, even if its name says otherwise. Save it as .xlsx or CSV.")
    )
