"""Importing bookings from the command line."""

from __future__ import annotations

from integrations.imports.models import Kind
from integrations.imports.staffing.command import StaffingCommand


class Command(StaffingCommand):
    """`manage.py import_bookings FILE`."""

    kind = Kind.BOOKINGS
    help = (
        "Import bookings of people and roles (CSV or XLSX). They are known again by external id, else by who, what for "
        "and the first day, so that a repeat updates them. Rows that can't be imported go into a file beside FILE; the "
        "others are imported."
    )
