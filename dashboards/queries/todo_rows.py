"""Things to do at an address, of many kinds, read as one union: what the kinds have in common."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import (
    BigIntegerField,
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    F,
    IntegerField,
    QuerySet,
    Value,
)
from django.db.models.functions import Cast

from opportunities.models import Opportunity

MOST = 50


@dataclass(frozen=True)
class Todo:
    """One thing to do at an address: ``sentence`` says what, ``act`` names the button."""

    key: str
    deal: Opportunity
    sentence: str
    act: str
    url: str
    icon: str
    due_on: dt.date
    at: dt.datetime | None = None

    @property
    def kind(self) -> str:
        """The kind of thing, such as review, promise or approval."""
        return self.key.partition("-")[0]


class Row(NamedTuple):
    """What the kinds have in common, and what one of them needs to be put into words."""

    kind: str
    key: int
    deal: int
    page: int
    due_on: dt.date | None
    due_at: dt.datetime | None
    text: str
    state: str
    is_express: bool
    sales_at: dt.datetime | None
    delivery_at: dt.datetime | None
    number: int | None


_TYPES: Mapping[str, Any] = {
    "kind": CharField(), "key": BigIntegerField(), "deal": BigIntegerField(), "page": BigIntegerField(),
    "due_on": DateField(), "due_at": DateTimeField(), "text": CharField(), "state": CharField(),
    "is_express": BooleanField(), "sales_at": DateTimeField(), "delivery_at": DateTimeField(),
    "number": IntegerField(),
}  # fmt: skip


def branch(rows: QuerySet[Any], kind: str, **columns: Any) -> QuerySet[Any]:
    """The rows with the columns of ``Row``; those not given are empty."""
    given = {"kind": Value(kind), "key": F("pk"), "text": Value(""), "state": Value(""), **columns}
    given = {"is_express": Value(False), "page": given["deal"], **given}
    cast = {f"as_{name}": Cast(given.get(name, Value(None)), kept) for name, kept in _TYPES.items()}
    found: QuerySet[Any] = rows.annotate(**cast).values_list(*cast)[:MOST]
    return found
