"""Rows that could not be imported, as a file to mend and import again."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TextIO

from django.utils.translation import gettext as _

from integrations.imports.models import Import, ImportedRow, Outcome

# A spreadsheet takes a cell that begins so for a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def safe_cell(cell: str) -> str:
    """The cell so that no spreadsheet computes it."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA_STARTS) else cell


class _Echo:
    def write(self, text: str) -> str:
        return text


def error_lines(imported: Import) -> Iterator[str]:
    """The refused rows as CSV, first what is wrong and the line of the file, then the cells as they came."""
    writer = csv.writer(_Echo())
    yield writer.writerow([_("What is wrong"), _("Line"), *map(safe_cell, imported.header)])
    refused = ImportedRow.objects.filter(imported=imported, outcome=Outcome.REFUSED).order_by("line")
    for row in refused.values_list("problem", "line", "cells").iterator(chunk_size=2000):
        problem, line, cells = row
        yield writer.writerow([safe_cell(problem), line, *map(safe_cell, cells or ())])


def write_error_file(imported: Import, file: TextIO) -> None:
    """Write the refused rows to a text file opened with newline=""."""
    for line in error_lines(imported):
        file.write(line)
