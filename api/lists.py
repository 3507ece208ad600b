"""Lists: filters and orders from an allow-list, and pages by cursor.

A cursor holds the place after which a page begins, not a number of rows: pages stay right while rows come and go, and a
deep page costs what the first one costs.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q, QuerySet
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.response import Response

from api.endpoints import Endpoint
from api.errors import invalid
from api.fields import Input

MOST = 200
_FOREIGN_CURSOR = _("This cursor does not belong to this list. Begin again without it.")


class Ordering(serializers.ChoiceField):
    """Names of columns, each also with a minus for the other direction."""

    def __init__(self, *names: str, default: str = "") -> None:
        super().__init__(
            choices=[choice for name in names for choice in (name, f"-{name}")],
            default=default or names[0],
            help_text="A minus turns the order round. Empty values come last in both directions.",
        )

    default_error_messages = {"invalid_choice": "“{input}” can't be ordered by here."}


class ListQuery(Input):
    """What every list understands."""

    cursor = serializers.RegexField(
        "^[A-Za-z0-9_-]+$", required=False, max_length=1000, help_text="From next or previous of another page.",
        error_messages={"invalid": _FOREIGN_CURSOR},
    )  # fmt: skip
    page_size = serializers.IntegerField(min_value=1, max_value=MOST, default=50)


class ListEndpoint(Endpoint):
    """An address that shows pages of objects."""

    def page(self, rows: QuerySet[Any], given: dict[str, Any], *, ordering: str | None = None) -> Response:
        """One page of the rows with the addresses of its neighbours; at most two queries besides prefetches."""
        order = Order.of(rows.model, ordering or given["ordering"])
        place = order.place(given.get("cursor"))
        found = order.rows_from(rows, place, given["page_size"] + 1)
        has_more = len(found) > given["page_size"]
        found = found[: given["page_size"]]
        is_backward = place is not None and place.is_backward
        if is_backward:
            found.reverse()
        has_next = is_backward or has_more
        has_previous = has_more if is_backward else place is not None
        return Response(
            {
                "next": self._address(order.cursor(found[-1], is_backward=False)) if found and has_next else None,
                "previous": self._address(order.cursor(found[0], is_backward=True)) if found and has_previous else None,
                "results": self.output(found, many=True, context=self.context()).data,
            }
        )

    def _address(self, cursor: str) -> str:
        parameters = {**self.request.query_params.dict(), "cursor": cursor}
        return self.request.build_absolute_uri(f"{self.request.path}?{urlencode(parameters)}")


@dataclass(frozen=True)
class Place:
    """A row's place in an order, and the direction in which to read from it."""

    value: Any
    pk: int
    is_backward: bool


@dataclass(frozen=True)
class Order:
    """One column and then the key, both in the same direction; empty values last."""

    name: str
    column: models.Field[Any, Any]
    is_descending: bool

    @classmethod
    def of(cls, model: type[models.Model], ordering: str) -> Order:
        """The order for an allowed name such as ``-amount``."""
        column = model._meta.get_field(ordering.lstrip("-"))
        assert isinstance(column, models.Field)
        return cls(column.name, column, ordering.startswith("-"))

    @property
    def _signed(self) -> str:
        return f"-{self.name}" if self.is_descending else self.name

    def cursor(self, row: models.Model, *, is_backward: bool) -> str:
        """The place of a row as text that goes into an address."""
        text = None if getattr(row, self.name) is None else self.column.value_to_string(row)
        place = json.dumps([self._signed, text, row.pk, is_backward])
        return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")

    def place(self, cursor: str | None) -> Place | None:
        """The place that a cursor names. Raises Problem for one that was cut, made up, or of another order."""
        if cursor is None:
            return None
        try:
            return self._read(cursor)
        except (ValueError, TypeError, ValidationError, RecursionError):
            raise invalid({"cursor": [str(_FOREIGN_CURSOR)]}, str(_FOREIGN_CURSOR))

    def _read(self, cursor: str) -> Place:
        padded = cursor + "=" * (-len(cursor) % 4)
        signed, text, pk, is_backward = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if signed != self._signed or type(pk) is not int or not 0 < pk < 2**63 or type(is_backward) is not bool:
            raise ValueError(cursor)
        if text is None and self.column.null:
            return Place(None, pk, is_backward)
        if not isinstance(text, str) or "\0" in text:
            raise ValueError(cursor)
        text.encode()  # half a character raises UnicodeEncodeError, a ValueError
        return Place(self.column.clean(text, None), pk, is_backward)

    def rows_from(self, rows: QuerySet[Any], place: Place | None, most: int) -> list[Any]:
        """The next rows from a place, in reading direction. Rows without a value are a second query, so that both
        can follow an index.
        """
        is_backward = place is not None and place.is_backward
        parts = [True, False] if self.column.null else [True]  # with a value, without
        if is_backward:
            parts.reverse()
        if place is not None:
            parts = parts[parts.index(place.value is not None) :]
        found: list[Any] = []
        for index, has_value in enumerate(parts):
            part = rows.filter(**{f"{self.name}__isnull": not has_value}) if self.column.null else rows
            if place is not None and index == 0:
                part = part.filter(self._beyond(place))
            if len(found) < most:
                found += part.order_by(*self._columns(is_backward=is_backward))[: most - len(found)]
        return found

    def _beyond(self, place: Place) -> Q:
        way = "lt" if self.is_descending != place.is_backward else "gt"
        beyond = Q(**{f"pk__{way}": place.pk})
        if place.value is None:
            return beyond
        # Says more than it must, so that PostgreSQL can begin reading the index at the value.
        return Q(**{f"{self.name}__{way}e": place.value}) & (Q(**{f"{self.name}__{way}": place.value}) | beyond)

    def _columns(self, *, is_backward: bool) -> list[Any]:
        """Where nothing stands matters to the index only: the rows here all have a value, or none has."""
        nulls = {"nulls_first": True} if is_backward else {"nulls_last": True}
        if self.is_descending != is_backward:
            return [F(self.name).desc(**nulls), F("pk").desc()]
        return [F(self.name).asc(**nulls), F("pk").asc()]
