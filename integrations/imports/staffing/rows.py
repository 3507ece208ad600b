"""What files of people and of bookings have in common: reading rows, planning a whole file, writing one row."""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.text import fault_in, trimmed
from integrations.imports.errors import BadRow
from integrations.imports.models import Outcome
from integrations.imports.spool import Line
from integrations.imports.staffing.columns import TARGETS
from integrations.imports.staffing.setup import StaffingSetup
from integrations.imports.staffing.values import parse_hours, unguarded
from integrations.imports.values import is_missing, parse_date
from staffing.models import WorkRole


@dataclass
class Said:
    """What a row says: only what it says, an empty cell changes nothing."""

    line: int
    values: dict[str, Any] = field(default_factory=dict)
    number: int | None = None
    external_id: str = ""
    role: str = ""
    notices: list[str] = field(default_factory=list)


class Rows(ABC):
    """Reads, recognises and writes the rows of one file, by one setup and for one person."""

    kind: ClassVar[str]

    def __init__(self, setup: StaffingSetup, *, actor: User, now: dt.datetime) -> None:
        self.setup, self.actor, self.now = setup, actor, now
        self.width = len(setup.imported.header)
        self.roles: dict[str, WorkRole | None] = {each.value: each.role for each in setup.role_values}
        self._reading = setup.date_reading

    # --- reading ----------------------------------------------------------------------------------------------------

    def read(self, line: int, cells: Sequence[str]) -> Said:
        """What the row says. Raises BadRow with what is wrong with it."""
        if len(cells) != self.width:
            raise BadRow(
                _("The row has %(found)d cells, the heading has %(wanted)d.")
                % {"found": len(cells), "wanted": self.width}
            )
        said = Said(line)
        given = {
            target: text for target, index in self.setup.columns.items()
            if not is_missing(cells[index]) and (text := trimmed(unguarded(cells[index])))
        }  # fmt: skip
        for target, text in given.items():
            if fault := fault_in(text, is_multiline=True):
                raise BadRow(f"{TARGETS[self.kind][target]}: {fault}")
        if number := given.pop("number", ""):
            said.number = _number(number)
        said.external_id = given.pop("external_id", "")
        for target, text in given.items():
            self.take(said, target, text)
        return said

    def take(self, said: Said, target: str, text: str) -> None:
        """Understand one cell. Raises BadRow."""
        if target in self.setup.dates:
            said.values[target] = parse_date(text, self._reading)
        elif target in ("weekly_hours", "hours_per_week"):
            said.values[target] = parse_hours(text)
        elif target == "role":
            said.role = text
            said.values["role"] = self.roles.get(text)
        else:
            said.values[target] = text

    # --- planning ---------------------------------------------------------------------------------------------------

    def plan(self, rows: Iterable[Line]) -> dict[str, dict[str, Any]]:
        """For every line of the file what it is about here (``match``), or why it can't be taken (``refused``).

        Found out before anything is written, so that the check and the import decide alike whatever lies between.
        """
        found: dict[str, dict[str, Any]] = {"match": {}, "refused": {}}
        said: list[Said] = []
        for line, cells in rows:
            try:
                said.append(self.read(line, cells))
            except BadRow as problem:
                found["refused"][str(line)] = str(problem)
        recognise = self.recogniser(said)
        taken: dict[Any, int] = {}
        for row in said:
            try:
                key, pk = recognise(row)
                for each in key:
                    if each in taken:
                        raise BadRow(_("Row %(line)d is about the same already.") % {"line": taken[each]})
            except BadRow as problem:
                found["refused"][str(row.line)] = str(problem)
                continue
            taken.update(dict.fromkeys(key, row.line))
            if pk is not None:
                found["match"][str(row.line)] = pk
        return found

    @abstractmethod
    def recogniser(self, said: Sequence[Said]) -> Callable[[Said], tuple[list[Any], int | None]]:
        """Something that gives for a row what no other row may share, and the key of what it is about here, if known.

        It raises BadRow where that is unclear.
        """

    # --- writing ----------------------------------------------------------------------------------------------------

    @abstractmethod
    def present(self, keys: Collection[int]) -> Mapping[int, models.Model]:
        """The rows here with these keys, as they are now."""

    @abstractmethod
    def write(self, said: Said, found: Any) -> Outcome:
        """Add what the row is about, or change it. Raises what the services raise, BadRow."""

    def sentence(self, problem: Exception) -> str:
        """What is wrong, with the columns that it is about."""
        if not isinstance(problem, ValidationError):
            return str(problem)
        if not hasattr(problem, "error_dict"):
            return " ".join(problem.messages)
        labels = {**TARGETS[self.kind], "opportunity": TARGETS["bookings"]["deal"], "user": TARGETS["people"]["email"]}
        return " ".join(
            f"{labels[name]}: {' '.join(each)}" if name in labels else " ".join(each)
            for name, each in problem.message_dict.items()
        )


def changed(row: models.Model, values: Mapping[str, Any]) -> dict[str, Any]:
    """Of these values those that the row has not."""
    return {name: value for name, value in values.items() if getattr(row, name) != value}


def _number(text: str) -> int:
    digits = text.removeprefix("#")
    if not (digits.isdecimal() and digits.isascii() and len(digits) < 19):
        raise BadRow(_("“%(cell)s” is not a number of ours. Leave it empty for new rows.") % {"cell": text[:40]})
    return int(digits)
