"""From the cells of a row to what it says about a deal; pure but for the tables in ``Setup`` and its helpers."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Team, User
from accounts.text import fault_in
from integrations.imports.clients import Given
from integrations.imports.errors import BadRow
from integrations.imports.models import KnownProduct
from integrations.imports.people import Crew
from integrations.imports.setup import Setup
from integrations.imports.values import is_missing, key_of, parse_amount, parse_date, parse_percent
from opportunities.models import ForecastCategory, LossReason, Stage, StageKind
from opportunities.services.loading import Step, noon

_ZERO = Decimal(0)


@dataclass
class Planned:
    """What a row says. ``values`` holds only what it says: an empty cell changes nothing."""

    line: int
    cells: Sequence[str]
    external_id: str
    stage: Stage
    steps: list[Step]
    closed_on: dt.date | None
    client: Given | None
    owner: User | None
    team: Team | None
    values: dict[str, Any] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)


class Planner:
    """Reads rows by one setup."""

    def __init__(self, setup: Setup, *, crew: Crew, products: Mapping[str, KnownProduct]) -> None:
        self.setup = setup
        self.crew = crew
        self.products = products
        self.width = len(setup.imported.header)
        self._columns = dict(setup.columns)
        self._has_id = "external_id" in self._columns
        self._stages = setup.stage_map
        self._reading, self._mark, self._shift = setup.date_reading, setup.decimal_mark, setup.shift
        self._noons: dict[dt.date, dt.datetime] = {}
        self._categories = {
            key_of(word): value for value, label in ForecastCategory.choices for word in (value, str(label))
        }
        self._reasons = {key_of(word): value for value, label in LossReason.choices for word in (value, str(label))}

    def plan(self, line: int, cells: Sequence[str]) -> Planned:
        """What the row says. Raises BadRow with what is wrong with it."""
        if len(cells) != self.width:
            raise BadRow(
                _("The row has %(cells)d cells and the heading %(width)d.") % {"cells": len(cells), "width": self.width}
            )
        said = {target: cell for target, index in self._columns.items() if not is_missing(cell := cells[index].strip())}
        for target, cell in said.items():
            if not (cell.isascii() and cell.isprintable()) and (fault := fault_in(cell, is_multiline=target in _LONG)):
                raise BadRow(fault)
        stage = self._stage(said)
        opened, closed = self._date(said, "created_on"), self._date(said, "close_date")
        owner, team = self._owner(said)
        planned = Planned(
            line=line, cells=cells, external_id=self._identity(said), stage=stage,
            steps=self._steps(stage, opened, closed, self._date(said, "stage_on")),
            closed_on=None if stage.is_open else closed, client=_client(said), owner=owner, team=team,
        )  # fmt: skip
        self._fill(planned, said, closed)
        return planned

    def name_for(self, planned: Planned) -> str:
        """A name for a new deal whose row has none: the client and the product."""
        parts = [planned.client.name if planned.client else "", planned.values.get("product", "")]
        return " – ".join(part for part in parts if part)[:200] or _("Deal %(id)s") % {"id": planned.external_id}

    def _stage(self, said: Mapping[str, str]) -> Stage:
        found = self._stages.get(said.get("stage", ""))
        if found is None:
            raise BadRow(_("The row names no stage."))
        return found

    def _identity(self, said: Mapping[str, str]) -> str:
        if self._has_id:
            if "external_id" not in said:
                raise BadRow(_("The row has no deal id."))
            if len(said["external_id"]) > 120:
                raise BadRow(_("The deal id is longer than 120 characters."))
            return said["external_id"]
        if "name" not in said:
            raise BadRow(_("The row has no deal name."))
        words = "\n".join((said["name"].casefold(), said.get("account", "").casefold()))
        return f"name:{hashlib.sha256(words.encode()).hexdigest()[:32]}"

    def _date(self, said: Mapping[str, str], target: str) -> dt.date | None:
        cell = said.get(target)
        return None if cell is None else parse_date(cell, self._reading) + self._shift

    def _owner(self, said: Mapping[str, str]) -> tuple[User | None, Team | None]:
        return self.crew.owner(said["owner"]) if "owner" in said else (None, None)

    def _steps(
        self, stage: Stage, opened: dt.date | None, closed: dt.date | None, entered: dt.date | None
    ) -> list[Step]:
        """The stages a new deal went through, with their dates; undated ones count from now."""
        today = self.setup.today
        if stage.is_open:
            last = entered or opened
        else:
            last = closed
            if last is None:
                raise BadRow(_("A deal that is %(stage)s needs its close date.") % {"stage": stage.name})
            if last > today:
                raise BadRow(_("The deal is %(stage)s on a day in the future.") % {"stage": stage.name})
        if (opened is not None and opened > today) or (entered is not None and entered > today):
            raise BadRow(_("The deal was opened on a day in the future."))
        if opened is not None and last is not None and opened > last:
            raise BadRow(_("The deal was closed, or entered its stage, before it was opened."))
        end = Step(stage, self._noon(last) if last else self.setup.now)
        origin = self.setup.opened_in
        goes_on = not stage.is_open or (entered is not None and origin.position < stage.position)
        if opened is None or not goes_on:
            return [end]
        return [Step(origin, self._noon(opened)), end]

    def _noon(self, day: dt.date) -> dt.datetime:
        moment = self._noons.get(day)
        if moment is None:
            moment = self._noons[day] = noon(day, self.setup.home, now=self.setup.now)
        return moment

    def _fill(self, planned: Planned, said: Mapping[str, str], closed: dt.date | None) -> None:
        values = planned.values
        for target in _TEXTS:
            if target in said:
                values[target] = said[target]
        if closed is not None:
            values["close_date"] = closed
        for target in ("next_step_on", "start_on"):
            date = self._date(said, target)
            if date is not None:
                values[target] = date
        if "probability" in said and planned.stage.is_open:
            values["probability"] = parse_percent(said["probability"])
        if "forecast_category" in said and planned.stage.is_open:
            values["forecast_category"] = self._known("forecast_category", said, self._categories)
        self._fill_product_and_amount(planned, said)
        self._fill_places(planned, said)
        if planned.stage.kind == StageKind.LOST:
            self._fill_loss(planned, said)

    def _fill_product_and_amount(self, planned: Planned, said: Mapping[str, str]) -> None:
        product = self.products.get(key_of(said["product"])[:120]) if "product" in said else None
        if product is not None:
            planned.values["product"] = product.name
        amount, currency = parse_amount(said["amount"], self._mark) if "amount" in said else (None, "")
        if not amount and product is not None and product.price is not None and planned.stage.is_open:
            amount = product.price
        if amount is not None:
            planned.values["amount"] = amount
        currency = said.get("currency", currency).upper()
        if currency and not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
            raise BadRow(_("“%(currency)s” is not a currency code such as EUR.") % {"currency": currency[:20]})
        if currency:
            planned.values["currency"] = currency

    def _fill_places(self, planned: Planned, said: Mapping[str, str]) -> None:
        for target, table in (("service_line", self.setup.service_lines), ("region", self.setup.regions)):
            if target in said:
                planned.values[target] = self._known(target, said, table)
        if "delivery_owner" in said:
            person = self.crew.known(said["delivery_owner"])
            if person is None:
                planned.notices.append(_("The delivery owner is not known here and was left out."))
            else:
                planned.values["delivery_owner"] = person

    def _fill_loss(self, planned: Planned, said: Mapping[str, str]) -> None:
        words, note = said.get("loss_reason", ""), said.get("loss_note", "")
        reason = self._reasons.get(key_of(words)) if words else None
        if words:
            planned.values["loss_reason"] = reason or LossReason.UNKNOWN.value
        if words and reason is None:
            note = "\n".join(filter(None, [words, note]))
        if note:
            planned.values["loss_note"] = note[:1000]

    def _known(self, target: str, said: Mapping[str, str], table: Mapping[str, Any]) -> Any:
        found = table.get(key_of(said[target]))
        if found is None:
            raise BadRow(
                _("“%(value)s” is not known here. Add it in the settings first.") % {"value": said[target][:60]}
            )
        return found


_TEXTS = ("name", "next_step", "description")
_LONG = frozenset({"description", "loss_note"})


def _client(said: Mapping[str, str]) -> Given | None:
    name, external_id = " ".join(said.get("account", "").split()), said.get("account_id", "")
    if not name and not external_id:
        return None
    if len(name) > 200 or len(external_id) > 120:
        raise BadRow(_("The account’s name is longer than 200 characters."))
    return Given(name or external_id, external_id)
