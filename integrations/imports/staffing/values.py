"""Cells of people and bookings: hours, skills, and what guarded a cell against spreadsheets."""

from __future__ import annotations

import re
from decimal import Decimal

from django.utils.translation import gettext as _

from integrations.imports.errors import BadRow
from opportunities.services.export import safe_cell
from staffing.models import LEAST_PROFICIENCY, MOST_PROFICIENCY

# Nobody works thousands of hours a week, so either mark is that of decimals.
_HOURS = re.compile(r"(\d{1,4})(?:[.,](\d{1,4}))?\s*(?:h|hrs?|hours?|std\.?|stunden)?", re.IGNORECASE)
# “Python 4; SQL 3”, “Python (4), SQL (3)”, “Python: 4”: what ends with a figure ends a skill.
_BETWEEN = re.compile(r"(?<=[0-9)])\s*[;,|\n]+\s*")
_SKILL = re.compile(r"(.+?)(?:\s*[:=]\s*|\s+)\(?(\d{1,2})\)?|(.+?)\((\d{1,2})\)", re.DOTALL)


def unguarded(cell: str) -> str:
    """The cell without the apostrophe that an export put before what a spreadsheet would run."""
    return cell[1:] if cell.startswith("'") and safe_cell(cell[1:]) == cell else cell


def parse_hours(cell: str) -> Decimal:
    """Hours from "40", "37,5" or "37.5 h". Raises BadRow."""
    match = _HOURS.fullmatch(cell.strip())
    if match is None:
        raise BadRow(_("“%(cell)s” is not a number of hours, such as 37.5.") % {"cell": cell[:40]})
    return Decimal(f"{match[1]}.{(match[2] or '').rstrip('0') or 0}")


def skills_in(cell: str) -> dict[str, int]:
    """Name to proficiency of what a cell such as “Python 4; SQL 3” lists. Raises BadRow."""
    found: dict[str, int] = {}
    for item in _BETWEEN.split(cell.strip().strip(";,|")):
        match = _SKILL.fullmatch(item.strip())
        level = int(match[2] or match[4]) if match else 0
        if match is None or not LEAST_PROFICIENCY <= level <= MOST_PROFICIENCY:
            sentence = _("“%(cell)s” doesn't say how well, from 1 to 5, as in “Python 4; SQL 3”.")
            raise BadRow(sentence % {"cell": item[:40]})
        name = " ".join((match[1] or match[3]).split())
        if found.setdefault(name, level) != level:
            raise BadRow(_("The skill “%(cell)s” is there twice.") % {"cell": name[:40]})
    return found
