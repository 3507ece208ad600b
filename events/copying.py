"""Many rows at once by COPY: for imports, syncs and loads, where INSERT spends its time on parsing."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db import connection, models
from psycopg2 import sql

_SPECIAL = re.compile(r"[\\\n\r\t]")
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def take_ids(model: type[models.Model], count: int) -> list[int]:
    """Keys for rows that are about to be copied, ascending; each is given out once."""
    if not count:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "select nextval(pg_get_serial_sequence(%s, 'id')) from generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [pk for (pk,) in cursor.fetchall()]


def copy_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows; columns that are not named get the database's default. Triggers and constraints hold as ever."""
    _copy(model._meta.db_table, columns, rows)


def overwrite_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Update rows by key in one statement. The first column must be ``id``; runs inside a transaction."""
    table = sql.Identifier(model._meta.db_table)
    shadow = f"{model._meta.db_table}_new"
    names = [sql.Identifier(name) for name in columns]
    changed = sql.SQL(", ").join(sql.SQL("{0} = shadow.{0}").format(name) for name in names[1:])
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("create temporary table {} on commit drop as select {} from {} with no data").format(
                sql.Identifier(shadow), sql.SQL(", ").join(names), table
            )
        )
        _copy(shadow, columns, rows)
        cursor.execute(
            sql.SQL("update {} target set {} from {} shadow where target.id = shadow.id").format(
                table, changed, sql.Identifier(shadow)
            )
        )
        cursor.execute(sql.SQL("drop table {}").format(sql.Identifier(shadow)))


def _copy(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    text = "\n".join(map("\t".join, zip(*map(_column, zip(*rows, strict=True)), strict=True)))
    if not text:
        return
    statement = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor:
        cursor.copy_expert(statement, io.StringIO(text))


def _column(values: tuple[Any, ...]) -> Iterable[str]:
    """The texts of a column. Most columns hold one type, and most texts need no escape."""
    kinds = set(map(type, values))
    if kinds == {str} and not _SPECIAL.search("".join(values)):
        return values
    if len(kinds) == 1:
        return map(_WRITERS.get(kinds.pop(), _text), values)
    return [_WRITERS.get(type(value), _text)(value) for value in values]


def _text(value: Any) -> str:
    return str(value).translate(_ESCAPES)


def _array(values: Iterable[Any]) -> str:
    quoted = (str(value).replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return ("{" + ",".join(f'"{value}"' for value in quoted) + "}").translate(_ESCAPES)


_WRITERS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: r"\N",
    bool: lambda value: "t" if value else "f",
    int: str,
    dt.datetime: dt.datetime.isoformat,
    dt.date: dt.date.isoformat,
    dict: lambda value: json.dumps(value).translate(_ESCAPES),
    list: _array,
    tuple: _array,
}
