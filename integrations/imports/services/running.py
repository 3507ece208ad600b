"""Carrying imports forward, a chunk per transaction, so that a killed process loses nothing and doubles nothing.

What a chunk did and how far it got are committed together. Whoever comes next, command or background, goes on there.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from events import names
from events.errors import describe
from events.recording import record
from integrations.imports import clients, spool
from integrations.imports.errors import NeedsAnswer, NotPossible
from integrations.imports.models import Import, ImportedRow, Kind
from integrations.imports.people import crew_of
from integrations.imports.planning import Planner
from integrations.imports.products import products_of, save_products
from integrations.imports.services.chunks import Chunk, start_of
from integrations.imports.services.intake import read, remember
from integrations.imports.services.reverting import revert_some
from integrations.imports.services.stages import add_stages, require_right_to_add
from integrations.imports.setup import Setup
from integrations.imports.staffing.chunks import StaffingChunk, StaffingTools
from integrations.imports.staffing.chunks import prepare as prepare_staffing
from integrations.imports.staffing.setup import StaffingSetup
from integrations.imports.states import LEGAL, State
from opportunities.services.totals import compact_totals

CHUNK_ROWS = 1_000
MOST_ATTEMPTS = 5
_FAILURES = (
    DatabaseError, OSError, ValidationError, ValueError, KeyError, TypeError, AttributeError, NotPossible,
)  # fmt: skip
log = structlog.get_logger(__name__)


def go_to(imported: Import, state: State) -> None:
    """Set the state on the (locked, unsaved) import. Raises NotPossible."""
    if state not in LEGAL[State(imported.state)]:
        raise NotPossible(
            _("That can't be done now: the import is “%(state)s”.") % {"state": imported.get_state_display()}
        )
    imported.state = state


def answer(*, actor: User | None, imported: Import, options: Mapping[str, Any], now: dt.datetime) -> Import:
    """Keep what a person answered about the file; checks start anew. Raises NotPossible."""
    with transaction.atomic():
        current = _locked(imported.pk)
        if current.state == State.CHECKED:
            go_to(current, State.WAITING)
        elif current.state != State.WAITING:
            raise NotPossible(_("The import is under way; its answers can't be changed now."))
        current.options = {**current.options, **options}
        current.message = ""
        current.save()
        remember(imported=current, now=now)
    return current


def start(*, imported: Import, is_dry_run: bool, now: dt.datetime) -> Import:
    """Begin a pass over the rows: a check, or the write. Raises NeedsAnswer, NotPossible."""
    with transaction.atomic():
        current = _locked(imported.pk)
        go_to(current, State.CHECKING if is_dry_run else State.WRITING)
        setup = setup_of(current, now=now)
        setup.require_answers()
        if isinstance(setup, Setup):
            require_right_to_add(setup)
            if current.options.get("shift_to_today"):
                current.options["shift_days"] = setup.shift.days
        for name, value in start_of(now).items():
            setattr(current, name, value)
        current.save()
        ImportedRow.objects.filter(imported=current).delete()
    return current


def cancel(*, imported: Import, now: dt.datetime) -> Import:
    """Stop. What was written stays, and can be reverted. Raises NotPossible."""
    with transaction.atomic():
        current = _locked(imported.pk)
        has_written = current.state == State.WRITING or current.resume_state == State.WRITING
        go_to(current, State.CANCELLED)
        current.finished_at = now
        current.resume_state = ""
        if not has_written:
            ImportedRow.objects.filter(imported=current).delete()
            for name in ("row", "created", "changed", "unchanged", "refused"):
                setattr(current, name, 0)
        current.save()
    spool.discard(current)
    return current


def resume(*, imported: Import, now: dt.datetime) -> Import:
    """Go on after an interruption where it stopped. Raises NotPossible."""
    with transaction.atomic():
        current = _locked(imported.pk)
        if current.state != State.FAILED:
            raise NotPossible(_("The import was not interrupted."))
        go_to(current, State(current.resume_state))
        current.attempts, current.message, current.resume_state = 0, "", ""
        current.save()
    return current


def advance(*, imported: Import, now: dt.datetime, seconds: float, runner: Runner | None = None) -> Import:
    """Work on an import for about so many seconds, or until it waits for a person or has ended.

    Failures are written down and repeated by the next call; after a few the import stands still with a sentence.
    """
    runner = runner or Runner(imported.pk)
    end = time.monotonic() + seconds
    while True:
        try:
            current = runner.step(now=now)
        except _FAILURES as error:
            log.exception("import failed", imported=imported.pk)
            return _write_down(imported, error, now=now)
        if current is None:
            return Import.objects.get(pk=imported.pk)
        if not current.is_running or time.monotonic() >= end:
            return current


@dataclass
class _Tools:
    """What the rows of one pass are read with; made anew after every failure."""

    planner: Planner
    companion_accounts: frozenset[str]
    added: dict[str, int]
    chunk_rows: int = CHUNK_ROWS

    def chunk(self, imported: Import, *, is_dry_run: bool) -> Chunk:
        """The next chunk, to be processed."""
        return Chunk(
            imported=imported, setup=self.planner.setup, planner=self.planner, actor=imported.created_by,
            is_dry_run=is_dry_run, companion_accounts=self.companion_accounts,
        )  # fmt: skip


class Runner:
    """Carries one import forward; keeps the tables that rows are read by from chunk to chunk."""

    def __init__(self, pk: int, *, chunk_rows: int = CHUNK_ROWS) -> None:
        self._pk = pk
        self._chunk_rows = chunk_rows
        self._tools: _Tools | StaffingTools | None = None
        self._pass: dt.datetime | None = None

    def step(self, *, now: dt.datetime) -> Import | None:
        """Read the file, or work on one chunk. None when another process is at work on imports."""
        try:
            with transaction.atomic(durable=True):
                if not _take_turn():
                    return None
                current = _locked(self._pk)
                if current.state == State.READING:
                    return read(imported=current, now=now)
                if current.state in (State.CHECKING, State.WRITING):
                    self._chunk(current, now=now)
                elif current.state == State.REVERTING:
                    revert_some(current, now=now)
                current.attempts = 0
                current.save()
        except BaseException:
            self._tools = None
            raise
        if current.state == State.DONE:
            spool.discard(current)
            compact_totals()
        return current

    def _chunk(self, imported: Import, *, now: dt.datetime) -> None:
        is_dry_run = imported.state == State.CHECKING
        if self._pass != imported.started_at:
            self._tools, self._pass = None, imported.started_at
        first = imported.offset == 0
        tools = self._tools = self._tools or _prepare(imported, save=not is_dry_run, is_first=first, now=now)
        if first:
            for name, count in tools.added.items():
                setattr(imported, name, count)
        most = min(self._chunk_rows, tools.chunk_rows)
        piece = spool.take(imported, offset=imported.offset, most=most)
        chunk = tools.chunk(imported, is_dry_run=is_dry_run)
        chunk.process(piece.rows)
        _count(imported, chunk, piece)
        if imported.row >= imported.rows:
            _finish(imported, is_dry_run=is_dry_run, now=now)


def setup_of(imported: Import, *, now: dt.datetime) -> Setup | StaffingSetup:
    """What the file and the answers about it come to."""
    return Setup(imported, now=now) if imported.kind == Kind.DEALS else StaffingSetup(imported, now=now)


def _prepare(imported: Import, *, save: bool, is_first: bool, now: dt.datetime) -> _Tools | StaffingTools:
    """The tables that rows are read by. A write of deals adds stages, people, teams, products and accounts first."""
    if imported.kind != Kind.DEALS:
        return prepare_staffing(imported, is_first=is_first, now=now)
    if save and is_first:
        add_stages(imported=imported, now=now)
    setup = Setup(imported, now=now)
    crew = crew_of(setup, save=save)
    products = products_of(setup)
    companions = clients.companions_of(imported, actor=imported.created_by, now=now)
    if save and is_first:
        save_products(products)
        clients.save_companions(companions, now=now)
    added = {
        "people_created": len(crew.new_people), "teams_created": len(crew.new_teams),
        "accounts_created": len(companions.fresh),
    }  # fmt: skip
    fresh = frozenset(companions.fresh) if not save else frozenset()
    return _Tools(Planner(setup, crew=crew, products=products), fresh, added)


def _count(imported: Import, chunk: Chunk | StaffingChunk, piece: spool.Piece) -> None:
    imported.offset = piece.next_offset
    imported.row += len(piece.rows)
    for outcome, count in chunk.counts.items():
        setattr(imported, outcome, getattr(imported, outcome) + count)
    imported.accounts_created += chunk.accounts_added
    imported.notices = dict((Counter(imported.notices) + chunk.notices).most_common(50))
    imported.by_stage = dict(Counter(imported.by_stage) + chunk.by_stage)


def _finish(imported: Import, *, is_dry_run: bool, now: dt.datetime) -> None:
    go_to(imported, State.CHECKED if is_dry_run else State.DONE)
    imported.finished_at = now
    if not is_dry_run:
        remember(imported=imported, now=now)
        told = {
            "file": imported.file_name, "created": imported.created, "changed": imported.changed,
            "unchanged": imported.unchanged, "refused": imported.refused,
        }  # fmt: skip
        record(names.IMPORT_FINISHED, actor=imported.created_by, about=imported, now=now, data=told)


def _write_down(imported: Import, error: Exception, *, now: dt.datetime) -> Import:
    with transaction.atomic():
        current = _locked(imported.pk)
        if not current.is_running:
            return current
        current.attempts += 1
        current.message = (str(error) if isinstance(error, (NeedsAnswer, NotPossible)) else describe(error))[:500]
        if current.attempts >= MOST_ATTEMPTS or isinstance(error, FileNotFoundError):
            current.resume_state = current.state
            go_to(current, State.FAILED)
            current.finished_at = now
        current.save()
    return current


def _locked(pk: int) -> Import:
    return Import.objects.select_for_update(of=("self",)).select_related("created_by").get(pk=pk)


def _take_turn() -> bool:
    """One import at a time, whoever works on it; held until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(hashtext('oneteam.imports'))")
        taken: bool = cursor.fetchone()[0]
    return taken
