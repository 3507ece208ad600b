"""What kind of file something is, by its content rather than by its name."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from typing import BinaryIO

import filetype
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LARGEST = 20 * 1024 * 1024
_HEAD = 8192
_TAIL = 4096
_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."

# Content type to the endings that a file of that type may have; the first is given to one that has another.
ALLOWED = {
    "application/pdf": ("pdf",),
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg"),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    "application/zip": ("zip",),
    _OFFICE + "wordprocessingml.document": ("docx",),
    _OFFICE + "spreadsheetml.sheet": ("xlsx",),
    _OFFICE + "presentationml.presentation": ("pptx",),
    _OPEN_DOCUMENT + "text": ("odt",),
    _OPEN_DOCUMENT + "spreadsheet": ("ods",),
    _OPEN_DOCUMENT + "presentation": ("odp",),
    "text/plain": ("txt", "csv", "md", "log", "eml"),
}
_MAIN_PARTS = {
    "word/document.xml": _OFFICE + "wordprocessingml.document",
    "xl/workbook.xml": _OFFICE + "spreadsheetml.sheet",
    "ppt/presentation.xml": _OFFICE + "presentationml.presentation",
}
# Text that a browser or mail program could take for a page.
_MARKUP = re.compile(rb"<\s*(!doctype|html|head|body|script|svg|iframe|\?xml|\?php)", re.IGNORECASE)
_ENDS = {"application/pdf": b"%%EOF", "image/png": b"IEND", "image/jpeg": b"\xff\xd9"}


@dataclass(frozen=True)
class Kind:
    """A content type, and the ending that suits it."""

    content_type: str
    endings: tuple[str, ...]


def kind_of(file: BinaryIO, size: int) -> Kind:
    """The kind of an upload. Raises ValidationError with a sentence for what is not kept here."""
    if size == 0:
        raise ValidationError(_("The file is empty."))
    if size > LARGEST:
        raise ValidationError(
            _("The file has %(size)s MB; up to 20 MB fit. Link to it in a comment instead.")
            % {"size": f"{size / 1024 / 1024:.0f}"}
        )
    file.seek(0)
    head = file.read(_HEAD)
    file.seek(max(0, size - _TAIL))
    tail = file.read(_TAIL)
    file.seek(0)
    content_type = _guessed(head, file)
    if content_type not in ALLOWED:
        raise ValidationError(
            _("Files of this kind aren’t kept here: PDF, pictures, Office and OpenDocument files, text and ZIP are.")
        )
    if content_type in _ENDS and _ENDS[content_type] not in tail:
        raise ValidationError(_("The file is cut off: its end is missing. Send it once more."))
    return Kind(content_type, ALLOWED[content_type])


def _guessed(head: bytes, file: BinaryIO) -> str:
    found = filetype.guess(head)
    if head.startswith(b"PK"):
        return _in_archive(file)
    if found is not None:
        return str(found.mime)
    return "" if _MARKUP.search(head) or not _is_text(head) else "text/plain"


def _in_archive(file: BinaryIO) -> str:
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
            if any(name.lower().endswith("vbaproject.bin") for name in names):
                raise ValidationError(_("Office files with macros aren’t kept here. Save it without them first."))
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                return archive.read("mimetype").decode("ascii", "replace").strip()
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise ValidationError(_("The file is cut off or damaged. Send it once more.")) from error
    finally:
        file.seek(0)
    return next((kind for part, kind in _MAIN_PARTS.items() if part in names), "application/zip")


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    for encoding in ("utf-8", "cp1252"):
        try:
            # The last character may be cut by the end of the head.
            head[:-4].decode(encoding) if len(head) == _HEAD else head.decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False
