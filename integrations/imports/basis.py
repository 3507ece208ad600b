"""What every kind of file asks alike: which columns mean what, and how dates and numbers are to be read."""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts.models import Organisation
from accounts.queries import organisation
from integrations.imports.errors import NeedsAnswer
from integrations.imports.mapping import columns_of
from integrations.imports.models import Import
from integrations.imports.profiling import CLEAR, UNCLEAR
from integrations.imports.values import COMMA, DAY_FIRST, MONTH_FIRST, POINT


@dataclass(frozen=True)
class Question:
    """Something that only a person can answer; ``key`` names the option, ``sentence`` asks."""

    key: str
    sentence: str


class Basis(ABC):
    """Reads an import's profile and options. Properties that depend on an open question raise NeedsAnswer."""

    # By kind of file; where one class reads several kinds, of its file.
    targets: Mapping[str, Promise]
    dates: tuple[str, ...]
    # The column of money, where there is one.
    amounts: ClassVar[str] = ""

    def __init__(self, imported: Import, *, now: dt.datetime) -> None:
        self.imported = imported
        self.options: dict[str, Any] = imported.options
        self.now = now
        self.columns: Mapping[str, int] = columns_of(imported.header, self.options.get("columns", {}))

    @cached_property
    def home(self) -> Organisation:
        """The organisation."""
        return organisation()

    @abstractmethod
    def questions(self) -> list[Question]:
        """All that has to be answered before rows can be read."""

    def profile_of(self, target: str) -> dict[str, Any] | None:
        """The profile of the column that holds the target."""
        index = self.columns.get(target)
        return None if index is None else self.imported.profile["columns"][index]

    def distinct(self, target: str) -> dict[str, int]:
        """Values of a column with their counts. Raises NeedsAnswer where there are too many to be names."""
        profile = self.profile_of(target)
        if profile is None:
            return {}
        if profile["distinct"] is None:
            raise NeedsAnswer(
                [
                    _("The column for “%(target)s” has thousands of different values. Is it the right one?")
                    % {"target": self.targets[target]}
                ]
            )
        found: dict[str, int] = profile["distinct"]
        return found

    @cached_property
    def date_reading(self) -> str:
        """Whether the day or the month comes first. Raises NeedsAnswer."""
        answer = self.found_date_reading()
        if answer is None:
            raise NeedsAnswer([date_question().sentence])
        return answer

    @cached_property
    def decimal_mark(self) -> str:
        """What marks decimals. Raises NeedsAnswer."""
        answer = self.found_decimal_mark()
        if answer is None:
            raise NeedsAnswer([mark_question().sentence])
        return answer

    def recognised(self) -> dict[str, str]:
        """How dates and amounts are read when nobody says otherwise, where it is clear and not a matter of course."""
        found: dict[str, str] = {}
        profiles = [profile for target in self.dates if (profile := self.profile_of(target))]
        reading = _decide((profile["dates"] for profile in profiles), DAY_FIRST, MONTH_FIRST)
        if reading and any(profile["dates"].get(reading) for profile in profiles):
            found["date_reading"] = reading
        amounts = self.profile_of(self.amounts)
        mark = _decide([amounts["numbers"]], POINT, COMMA) if amounts else None
        if mark and amounts and amounts["numbers"].get(mark):
            found["decimal_mark"] = mark
        return found

    def found_date_reading(self) -> str | None:
        if self.options.get("date_reading"):
            return str(self.options["date_reading"])
        profiles = [profile for target in self.dates if (profile := self.profile_of(target))]
        return _decide((profile["dates"] for profile in profiles), DAY_FIRST, MONTH_FIRST)

    def found_decimal_mark(self) -> str | None:
        if self.options.get("decimal_mark"):
            return str(self.options["decimal_mark"])
        profile = self.profile_of(self.amounts)
        return _decide([profile["numbers"]] if profile else [], POINT, COMMA)

    def require_answers(self) -> None:
        """Raise NeedsAnswer while a question is open."""
        questions = self.questions()
        if questions:
            raise NeedsAnswer([question.sentence for question in questions])


def _decide(counts: Iterable[Mapping[str, int]], first: str, second: str) -> str | None:
    """The reading that values demand; None when they demand both, or neither and it matters."""
    total = dict.fromkeys((first, second, UNCLEAR, CLEAR), 0)
    for column in counts:
        for name, count in column.items():
            total[name] += count
    for one, other in ((first, second), (second, first)):
        if total[one] and total[other] * 20 <= total[one]:
            return one
    return first if not total[first] and not total[UNCLEAR] else None


def date_question() -> Question:
    return Question("date_reading", _("The dates can be read in two ways. Does the day or the month come first?"))


def mark_question() -> Question:
    return Question("decimal_mark", _("The amounts can be read in two ways. Does a point or a comma mark decimals?"))
