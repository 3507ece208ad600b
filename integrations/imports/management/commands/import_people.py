"""Importing people from the command line."""

from __future__ import annotations

from integrations.imports.models import Kind
from integrations.imports.staffing.command import StaffingCommand


class Command(StaffingCommand):
    """`manage.py import_people FILE`."""

    kind = Kind.PEOPLE
    help = (
        "Import people who can be planned (CSV or XLSX). They are known again by external id, login or name, so that "
        "a repeat updates them. Rows that can't be imported go into a file beside FILE; the others are imported."
    )
