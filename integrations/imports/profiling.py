"""What the columns of a file look like, gathered in one pass over all of its rows in bounded memory."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from integrations.imports.values import (
    DAY_FIRST,
    FIRST_YEAR,
    LAST_YEAR,
    MONTH_FIRST,
    decimal_marks,
    is_missing,
    possible_dates,
    says_decimal_mark,
)

MOST_DISTINCT = 5_000  # values kept per column, for owners, products, stages
FEW_DISTINCT = 40  # columns like a stage, for which it is counted what else the row says
LONGEST_KEPT = 200  # longer values are prose, not names
MOST_COMBINATIONS = 2_000
SAMPLES = 3
UNCLEAR, CLEAR = "unclear", "clear"


@dataclass
class Column:
    """One column. ``dates`` and ``numbers`` count values by how they must be read: in one way only, in either way with
    different meanings (unclear), or alike in both (clear).
    """

    filled: int = 0
    missing: int = 0
    dates: Counter[str] = field(default_factory=Counter)
    newest: dict[str, dt.date] = field(default_factory=dict)
    numbers: Counter[str] = field(default_factory=Counter)
    distinct: Counter[str] | None = field(default_factory=Counter)
    samples: list[str] = field(default_factory=list)

    def add(self, cell: str) -> None:
        """Take one filled cell into account."""
        self.filled += 1
        if self.distinct is None:
            self._read(cell, 1)
            return
        self.distinct[cell] += 1
        if len(self.distinct) > MOST_DISTINCT or len(cell) > LONGEST_KEPT:
            for value, count in self.distinct.items():
                self._read(value, count)
            self.samples = list(self.distinct)[:SAMPLES]
            self.distinct = None

    def finish(self) -> dict[str, Any]:
        """What is kept of the column, as JSON."""
        if self.distinct is not None:
            self.samples = list(self.distinct)[:SAMPLES]
            for value, count in self.distinct.items():
                self._read(value, count)
        return {
            "filled": self.filled, "missing": self.missing, "dates": self.dates, "numbers": self.numbers,
            "samples": [sample[:60] for sample in self.samples],
            "newest": {name: date.isoformat() for name, date in self.newest.items()},
            "distinct": None if self.distinct is None else dict(self.distinct.most_common()),
        }  # fmt: skip

    def _read(self, cell: str, count: int) -> None:
        dates = dict(possible_dates(cell))
        if dates:
            unclear = len(dates) == 2 and dates[DAY_FIRST] != dates[MONTH_FIRST]
            self.dates[UNCLEAR if unclear else CLEAR if len(dates) == 2 else next(iter(dates))] += count
        for name, date in dates.items():
            if FIRST_YEAR <= date.year <= LAST_YEAR and (name not in self.newest or date > self.newest[name]):
                self.newest[name] = date
        marks = decimal_marks(cell)
        if marks:
            unclear = len(marks) == 2 and says_decimal_mark(cell)
            self.numbers[UNCLEAR if unclear else CLEAR if len(marks) == 2 else next(iter(marks))] += count


class Profile:
    """Gathers all columns; ``filled_beside`` counts, for columns with few values, which other columns are filled."""

    def __init__(self, width: int) -> None:
        self.columns = [Column() for _ in range(width)]
        self.rows = 0
        self._few: dict[int, Counter[tuple[str, int]]] = {index: Counter() for index in range(width)}

    def add(self, cells: Sequence[str]) -> None:
        """Take one row into account; rows of another width are only counted."""
        self.rows += 1
        if len(cells) != len(self.columns):
            return
        if "\0" in "".join(cells):  # PostgreSQL keeps no NUL in JSON
            cells = [cell.replace("\0", "\ufffd") for cell in cells]
        mask = 0
        for index, cell in enumerate(cells):
            if is_missing(cell):
                self.columns[index].missing += 1
            else:
                mask |= 1 << index
                self.columns[index].add(cell)
        for index in list(self._few):
            distinct = self.columns[index].distinct
            if distinct is None or len(distinct) > FEW_DISTINCT or len(self._few[index]) > MOST_COMBINATIONS:
                del self._few[index]
            elif mask >> index & 1:
                self._few[index][cells[index], mask] += 1

    def finish(self) -> dict[str, Any]:
        """The profile as JSON."""
        beside: dict[str, dict[str, list[int]]] = {}
        for index, combinations in self._few.items():
            values = beside.setdefault(str(index), {})
            for (value, mask), count in combinations.items():
                counts = values.setdefault(value, [0] * len(self.columns))
                for other in range(len(self.columns)):
                    counts[other] += count if mask >> other & 1 else 0
        return {"columns": [column.finish() for column in self.columns], "filled_beside": beside}
