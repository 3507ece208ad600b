"""How pages speak about files of each kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from integrations.imports.models import Kind


@dataclass(frozen=True)
class Words:
    """What a kind of file is called and where its pages lead; addresses by their names."""

    title: Promise
    about: Promise
    list_url: str
    goes_to: str
    goes_to_label: Promise
    icon: str
    nothing: Promise
    stands_for: Promise
    export_url: str = ""
    template_url: str = ""


_SPREADSHEET = _(
    "From a spreadsheet or another system. Nothing is written before you have seen what would happen; a repeat updates "
    "and never doubles."
)
WORDS: Mapping[str, Words] = {
    Kind.DEALS: Words(
        _("Import"),
        _("Deals from a CRM export. Nothing is written before you have seen what would happen; a repeat updates "
          "and never doubles."),
        "imports:list", "opportunities:board", _("Go to the board"), "square-kanban",
        _("There is nothing to import: every deal is here as the file says."), _("Rows by stage"),
    ),
    Kind.PEOPLE: Words(
        _("Import people"),
        _SPREADSHEET,
        "imports:people", "staffing:people", _("Go to the people"), "users",
        _("There is nothing to import: everybody is here as the file says."), _("Rows by role"),
        "imports:export_people", "imports:people_template",
    ),
    Kind.BOOKINGS: Words(
        _("Import bookings"),
        _SPREADSHEET,
        "imports:bookings", "staffing:schedule", _("Go to the schedule"), "calendar-range",
        _("There is nothing to import: every booking is here as the file says."), _("Rows by role"),
        "imports:export_bookings", "imports:bookings_template",
    ),
}  # fmt: skip
