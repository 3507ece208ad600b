"""Taking a file in: kept, recognised, read once, and its columns guessed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import PurePath
from typing import Any, BinaryIO

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from integrations.imports import spool
from integrations.imports.companions import KINDS, Companion, read_companion
from integrations.imports.errors import Unreadable
from integrations.imports.mapping import checked_header, guess, signature_of
from integrations.imports.models import Import, Kind, RememberedMapping
from integrations.imports.profiling import Profile
from integrations.imports.reading import open_rows
from integrations.imports.reading.kinds import kind_of
from integrations.imports.staffing.columns import MEANINGS, MOST_ROWS
from integrations.imports.states import State

LARGEST_FILE = 50 * 1024 * 1024
_AWAKE_EVERY = 5_000  # rows
# What is asked anew for each file, though its headings are known.
_NOT_REMEMBERED = frozenset({"baseline", "shift_to_today", "shift_days"})


def receive(
    *,
    actor: User | None,
    file: BinaryIO,
    file_name: str,
    companions: Mapping[str, BinaryIO],
    options: Mapping[str, Any],
    now: dt.datetime,
    largest: int | None = LARGEST_FILE,
    kind: Kind = Kind.DEALS,
) -> Import:
    """Keep a file for reading; ``kind`` says what its rows are.

    ``companions`` are files of accounts, teams and products, read at once.
    Raises Unreadable for what is too large (bytes) or can't be a table.
    """
    kind_of(file)
    beside = {name: _companion(name, companions[name]) for name in KINDS if name in companions}
    imported = Import(
        kind=kind, created_by=actor, created_at=now, file_name=_safe_name(file_name), options=dict(options),
        companions=beside,
    )  # fmt: skip
    try:
        imported.size, imported.checksum = spool.keep_original(imported, _pieces(file, largest))
        imported.save()
    except BaseException:
        spool.discard(imported)
        raise
    return imported


def read(*, imported: Import, now: dt.datetime) -> Import:
    """Read a received file into its spool, and guess what its columns mean. A file that can't be read is refused.

    May run again after a crash; it starts from the beginning.
    """
    try:
        with spool.open_original(imported) as file, spool.Writer(imported) as rows:
            header, profile = _spool(file, rows, most=None if imported.kind == Kind.DEALS else MOST_ROWS)
    except Unreadable as refusal:
        return _finish_reading(imported, {"state": State.REFUSED, "message": str(refusal)[:500], "finished_at": now})
    is_staffing = imported.kind != Kind.DEALS
    signature = signature_of(header, imported.kind if is_staffing else "")
    remembered = RememberedMapping.objects.filter(signature=signature).first()
    known = dict(remembered.options) if remembered else {}
    columns = guess(header, MEANINGS[imported.kind]) if is_staffing else guess(header)
    options = {"columns": columns, **known, **imported.options}
    return _finish_reading(
        imported,
        {
            "state": State.WAITING, "message": "", "header": header, "signature": signature, "rows": profile.rows,
            "profile": profile.finish(), "options": options,
        },
    )  # fmt: skip


def remember(*, imported: Import, now: dt.datetime) -> None:
    """Keep the answers for the next file with the same headings."""
    options = {name: value for name, value in imported.options.items() if name not in _NOT_REMEMBERED}
    RememberedMapping.objects.update_or_create(
        signature=imported.signature, defaults={"options": options, "updated_at": now}
    )


def _companion(kind: str, file: BinaryIO) -> Companion:
    try:
        return read_companion(kind, file)
    except Unreadable as error:
        error.field = kind
        raise


def _finish_reading(imported: Import, values: Mapping[str, Any]) -> Import:
    with transaction.atomic():
        current = Import.objects.select_for_update().get(pk=imported.pk)
        if current.state != State.READING:
            return current
        for name, value in values.items():
            setattr(current, name, value)
        current.save()
        # Not before: whoever reads again after a crash needs the file.
        transaction.on_commit(
            partial(spool.discard if current.state == State.REFUSED else spool.drop_original, current)
        )
    return current


def _spool(file: BinaryIO, writer: spool.Writer, *, most: int | None) -> tuple[list[str], Profile]:
    with open_rows(file) as rows:
        first = next(rows, None)
        if first is None:
            raise Unreadable(_("The file is empty. Export it again, with a heading and at least one row."))
        header = checked_header(first.cells)
        profile = Profile(len(header))
        for number, row in enumerate(rows):
            if number % _AWAKE_EVERY == 0:
                _stay_awake()
            if most is not None and number >= most:
                raise Unreadable(_("The file has more than %(most)d rows. Send it in parts.") % {"most": most})
            cells = row.cells[: len(header)] if not any(row.cells[len(header) :]) else row.cells
            profile.add(cells)
            writer.add(row.line, cells)
    if not profile.rows:
        raise Unreadable(_("The file has a heading but no rows below it. Export it again with its rows."))
    return header, profile


def _stay_awake() -> None:
    """A transaction around the reading must not pass for an idle one, which the server would end."""
    if connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("select 1")


def _pieces(file: BinaryIO, largest: int | None) -> Iterable[bytes]:
    file.seek(0)
    size = 0
    while piece := file.read(1 << 20):
        size += len(piece)
        if largest is not None and size > largest:
            raise Unreadable(
                _("The file is larger than %(most)d MB. Export fewer columns, or use the command on the server.")
                % {"most": largest // 1024 // 1024}
            )
        yield piece


def _safe_name(given: str) -> str:
    """The last part of the name, without what can't be shown."""
    name = PurePath(given.replace("\\", "/")).name
    return "".join(char for char in name if char.isprintable())[-200:] or _("unnamed file")
