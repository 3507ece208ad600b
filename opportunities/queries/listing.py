"""The deal list: columns, order, and pages that stay put while deals come and go."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import F, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from opportunities.models import Opportunity, OpportunityQuerySet
from opportunities.queries.filters import DealFilter
from opportunities.queries.keys import key_among

PAGE = 50


@dataclass(frozen=True)
class ColumnKind:
    """One column that the list can show: its name, how to sort by it, and its value in an export."""

    key: str
    label: str | Promise
    value: Callable[[Opportunity], Any]
    sort: str = ""
    is_figure: bool = False


def _name(attribute: str) -> Callable[[Opportunity], str]:
    return lambda deal: str(getattr(deal, attribute) or "")


_ALL = (
    ColumnKind("name", _("Deal"), lambda deal: deal.name, "name"),
    ColumnKind("account", _("Account"), _name("account"), "account__name"),
    ColumnKind("stage", _("Stage"), _name("stage"), "stage__position"),
    ColumnKind("temperature", _("Temperature"), lambda deal: deal.get_temperature_display()),
    ColumnKind("amount", _("Amount"), lambda deal: deal.amount, "amount", is_figure=True),
    ColumnKind("currency", _("Currency"), lambda deal: deal.currency),
    ColumnKind("probability", _("Probability"), lambda deal: deal.probability, "probability", is_figure=True),
    ColumnKind("weighted", _("Weighted"), lambda deal: deal.weighted_amount, is_figure=True),
    ColumnKind("close_date", _("Close date"), lambda deal: deal.close_date, "close_date"),
    ColumnKind("start_on", _("Expected start"), lambda deal: deal.start_on, "start_on"),
    ColumnKind("owner", _("Sales owner"), _name("owner"), "owner__name"),
    ColumnKind("delivery_owner", _("Delivery owner"), _name("delivery_owner"), "delivery_owner__name"),
    ColumnKind("next_step", _("Next step"), lambda deal: deal.next_step),
    ColumnKind("next_step_on", _("Next step on"), lambda deal: deal.next_step_on, "next_step_on"),
    ColumnKind("forecast", _("Forecast"), lambda deal: deal.get_forecast_category_display()),
    ColumnKind("service_line", _("Service line"), _name("service_line")),
    ColumnKind("product", _("Product"), lambda deal: deal.product),
    ColumnKind("unforecasted", _("Un-forecasted"), lambda deal: ", ".join(deal.unforecasted_labels)),
    ColumnKind("pushes", _("Pushed"), lambda deal: deal.push_count, "push_count", is_figure=True),
    ColumnKind("entered", _("In stage since"), lambda deal: deal.stage_entered_at, "stage_entered_at"),
    ColumnKind("pipeline", _("Pipeline"), _name("pipeline")),
    ColumnKind("changed", _("Changed"), lambda deal: deal.updated_at, "updated_at"),
)
COLUMNS: Mapping[str, ColumnKind] = {column.key: column for column in _ALL}
USUAL = ("name", "stage", "temperature", "amount", "close_date", "owner", "next_step")
USUAL_SORT = "close_date"


class BadCursor(ValueError):
    """The address of a page was cut or made up."""


@dataclass(frozen=True)
class Order:
    """A column to sort by, and the direction; ties are broken by the deal's key."""

    key: str
    is_descending: bool = False

    @classmethod
    def parse(cls, text: str) -> Order:
        """The order in an address such as ``-amount``; the usual one where that makes no sense."""
        key = text.removeprefix("-")
        column = COLUMNS.get(key)
        return cls(key, text.startswith("-")) if column and column.sort else cls(USUAL_SORT)

    def __str__(self) -> str:
        return f"-{self.key}" if self.is_descending else self.key

    @property
    def path(self) -> str:
        """The field to sort by."""
        return COLUMNS[self.key].sort

    def reversed(self) -> Order:
        """The other direction."""
        return Order(self.key, not self.is_descending)


@dataclass(frozen=True)
class Page:
    """Some deals of the list, with the cursors of the pages before and after."""

    deals: Sequence[Opportunity]
    before: str | None
    after: str | None


def listed(user: User, wanted: DealFilter) -> OpportunityQuerySet:
    """The deals of the list, in no order."""
    return wanted.apply(Opportunity.objects.current().visible_to(user))


def in_order(deals: OpportunityQuerySet, order: Order) -> OpportunityQuerySet:
    """Deals sorted; those without a value come last either way."""
    field = F(order.path)
    if order.is_descending:
        return deals.order_by(field.desc(nulls_last=True), "-pk")
    return deals.order_by(field.asc(nulls_last=True), "pk")


def deal_page(deals: OpportunityQuerySet, order: Order, *, after: str = "", before: str = "") -> Page:
    """A page of the sorted deals, after or before a cursor. Raises BadCursor."""
    if before:
        return _page_before(deals, order, before)
    rows = in_order(deals, order)
    if after:
        rows = rows.filter(_beyond(order, *_decoded(order, after)))
    found = list(in_order(_fetched(rows), order))
    shown = found[:PAGE]
    return Page(
        shown,
        before=_encoded(order, shown[0]) if after and shown else None,
        after=_encoded(order, shown[-1]) if len(found) > PAGE else None,
    )


def _page_before(deals: OpportunityQuerySet, order: Order, before: str) -> Page:
    value, key = _decoded(order, before)
    # The same keys backwards; the order is total, so this is exactly what lies before.
    field = F(order.path)
    backwards = (field.asc(nulls_first=True), "pk") if order.is_descending else (field.desc(nulls_first=True), "-pk")
    rows = deals.filter(_ahead(order, value, key)).order_by(*backwards)
    found = list(_fetched(rows).order_by(*backwards))
    shown = found[:PAGE][::-1]
    if len(found) <= PAGE:
        # The first page, filled up to its usual length.
        return deal_page(deals, order)
    return Page(shown, before=_encoded(order, shown[0]), after=_encoded(order, shown[-1]))


def _fetched(rows: OpportunityQuerySet) -> OpportunityQuerySet:
    """One page of the rows and one row more, with all that they show; only these are joined."""
    return Opportunity.objects.filter(key_among(rows.values("pk")[: PAGE + 1])).with_people()


def _beyond(order: Order, value: Any, key: int) -> Q:
    next_key = Q(pk__lt=key) if order.is_descending else Q(pk__gt=key)
    path = order.path
    if value is None:
        return Q(**{f"{path}__isnull": True}) & next_key
    step = "lt" if order.is_descending else "gt"
    return Q(**{f"{path}__{step}": value}) | (Q(**{path: value}) & next_key) | Q(**{f"{path}__isnull": True})


def _ahead(order: Order, value: Any, key: int) -> Q:
    prior_key = Q(pk__gt=key) if order.is_descending else Q(pk__lt=key)
    path = order.path
    if value is None:
        return Q(**{f"{path}__isnull": False}) | (Q(**{f"{path}__isnull": True}) & prior_key)
    step = "gt" if order.is_descending else "lt"
    return Q(**{f"{path}__{step}": value}) | (Q(**{path: value}) & prior_key)


def _value_of(order: Order, deal: Opportunity) -> Any:
    value: Any = deal
    for part in order.path.split("__"):
        value = getattr(value, part) if value is not None else None
    return value


def _encoded(order: Order, deal: Opportunity) -> str:
    value = _value_of(order, deal)
    if isinstance(value, Decimal):
        text: Any = str(value)
    else:
        text = value.isoformat() if isinstance(value, dt.date) else value
    packed = json.dumps([str(order), text, deal.pk]).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _decoded(order: Order, cursor: str) -> tuple[Any, int]:
    try:
        padded = cursor[:2000] + "=" * (-len(cursor[:2000]) % 4)
        sort, text, key = json.loads(base64.urlsafe_b64decode(padded.encode()))
        if sort != str(order) or not isinstance(key, int) or not 0 < key < 2**63:
            raise BadCursor(cursor)
        return _parsed(order, text), key
    except (binascii.Error, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise BadCursor(cursor) from error


def _parsed(order: Order, text: Any) -> Any:
    if text is None:
        return None
    if order.key == "amount":
        return Decimal(str(text)).quantize(Decimal("0.01"))
    if order.key in ("close_date", "start_on", "next_step_on"):
        return dt.date.fromisoformat(text)
    if order.key in ("entered", "changed"):
        return dt.datetime.fromisoformat(text)
    if order.key in ("stage", "probability", "pushes"):
        return max(-1, min(int(text), 2**31 - 1))
    return str(text)
