"""One chunk of rows of people or bookings, written by the services.

A check does the same within a savepoint and takes it all back, so it refuses and counts exactly what the import will.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from events.copying import copy_rows
from integrations.imports import spool
from integrations.imports.errors import BadRow, NotPossible
from integrations.imports.models import Import, ImportedRow, Kind, Outcome
from integrations.imports.staffing.bookings import BookingRows
from integrations.imports.staffing.people import PeopleRows
from integrations.imports.staffing.rows import Rows, Said
from integrations.imports.staffing.setup import ADD, StaffingSetup
from staffing.models import WorkRole
from staffing.services.lists import save_role, save_skill
from staffing.states import IllegalTransition

# Each row is a few services: so many take about a second.
CHUNK_ROWS = 100
_READERS: dict[str, type[Rows]] = {Kind.PEOPLE: PeopleRows, Kind.BOOKINGS: BookingRows}
_COLUMNS = ("imported_id", "line", "external_id", "outcome", "problem", "cells", "new_account")


@dataclass
class StaffingChunk:
    """A chunk at work. ``process`` writes; the caller keeps the import's counters."""

    imported: Import
    rows: Rows
    actor: User
    is_dry_run: bool
    now: dt.datetime
    counts: Counter[str] = field(default_factory=Counter)
    notices: Counter[str] = field(default_factory=Counter)
    by_stage: Counter[str] = field(default_factory=Counter)
    accounts_added: int = 0
    _results: list[list[object]] = field(default_factory=list)

    def process(self, rows: Iterable[spool.Line]) -> None:
        """Write the rows in the caller's transaction, or find out what that would do."""
        lines = list(rows)
        with transaction.atomic():
            self._add_roles()
            self._add_skills(cells for line, cells in lines if not self._refusal(line))
            match = self.imported.plan["match"]
            present = self.rows.present({match[str(line)] for line, _cells in lines if str(line) in match})
            for line, cells in lines:
                self._take(line, cells, present.get(match.get(str(line))))
            if self.is_dry_run:
                transaction.set_rollback(True)
        copy_rows(ImportedRow, _COLUMNS, self._results)

    def _refusal(self, line: int) -> str:
        return str(self.imported.plan["refused"].get(str(line), ""))

    def _take(self, line: int, cells: Sequence[str], found: object) -> None:
        problem = self._refusal(line)
        if problem:
            self._refuse(line, cells, problem)
            return
        try:
            said = self.rows.read(line, cells)
            with transaction.atomic():
                outcome = self.rows.write(said, found)
        except (BadRow, ValidationError, IllegalTransition) as error:
            self._refuse(line, cells, self.rows.sentence(error))
            return
        self._keep(line, outcome, said)

    def _keep(self, line: int, outcome: Outcome, said: Said) -> None:
        self.counts[outcome.value] += 1
        self.notices.update(set(said.notices))
        person = said.values.get("person")
        role = said.values.get("role") or (person and person.role)
        self.by_stage[str(role or _("no role named"))] += 1
        self._results.append([self.imported.pk, line, f"{line}", outcome.value, "", None, ""])

    def _refuse(self, line: int, cells: Sequence[str], problem: str) -> None:
        self.counts[Outcome.REFUSED.value] += 1
        kept = json.dumps(list(cells)).replace("\\u0000", "\\ufffd")
        self._results.append([self.imported.pk, line, "", Outcome.REFUSED.value, problem[:500], kept, ""])

    def _add_roles(self) -> None:
        known = {role.name.casefold(): role for role in WorkRole.objects.all()}
        for value in self.rows.setup.role_values:
            if value.is_new:
                role = known.get(value.value.casefold())
                if role is None:
                    role = save_role(actor=self.actor, role=None, name=value.value, now=self.now)
                    known[role.name.casefold()] = role
                self.rows.roles[value.value] = role

    def _add_skills(self, cells: Iterable[Sequence[str]]) -> None:
        index = self.rows.setup.columns.get("skills")
        if index is None or self.rows.setup.options.get("new_skills") != ADD:
            return
        self.rows.setup.__dict__.pop("skills", None)  # a check took back what it added
        wanted = {row[index] for row in cells if len(row) > index}
        for name in sorted(self.rows.setup.unknown_among(wanted)):
            skill = save_skill(actor=self.actor, skill=None, name=name, now=self.now)
            self.rows.setup.skills[name.casefold()] = skill


@dataclass
class StaffingTools:
    """What the rows of one pass are read with."""

    rows: Rows
    now: dt.datetime
    chunk_rows: int = CHUNK_ROWS
    added: dict[str, int] = field(default_factory=dict)

    def chunk(self, imported: Import, *, is_dry_run: bool) -> StaffingChunk:
        """The next chunk, to be processed."""
        return StaffingChunk(imported, self.rows, self.rows.actor, is_dry_run, self.now)


def prepare(imported: Import, *, is_first: bool, now: dt.datetime) -> StaffingTools:
    """The tables that rows are read by; at the beginning of a pass it is found out what each row is about.

    Raises NotPossible for those who may not plan people any more.
    """
    actor = imported.created_by
    if actor is None or not actor.is_active or not actor.has_perm("staffing.plan"):
        raise NotPossible(_("Resource and delivery managers and administrators import people and bookings."))
    setup = StaffingSetup(imported, now=now)
    setup.require_answers()
    rows = _READERS[imported.kind](setup, actor=actor, now=now)
    if is_first:
        imported.plan = rows.plan(_whole(imported))
    return StaffingTools(rows, now)


def _whole(imported: Import) -> Iterable[spool.Line]:
    offset = 0
    while (piece := spool.take(imported, offset=offset, most=1_000)).rows:
        yield from piece.rows
        offset = piece.next_offset
