"""The journals against the database, in the words of Jepsen's set tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.faults.client import read


@dataclass
class Verdict:
    """How many moves, and what became of them.

    ``acknowledged``: the client was told that the move happened. ``unknown``: it was told nothing, or an error that
    leaves it open; ``recovered`` of these did happen. ``lost``: a move that happened without its engagement, or an
    acknowledged one that did not happen. ``duplicated``: more than one engagement or move. ``unexpected``: an
    engagement without a move, or a move that was refused.
    """

    attempted: int = 0
    acknowledged: int = 0
    refused: int = 0
    unknown: int = 0
    recovered: int = 0
    lost: list[int] = field(default_factory=list)
    duplicated: list[int] = field(default_factory=list)
    unexpected: list[int] = field(default_factory=list)
    broken_invariants: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Nothing lost, nothing double, nothing that should not be."""
        return not (self.lost or self.duplicated or self.unexpected or self.broken_invariants)

    def as_row(self) -> dict[str, Any]:
        """Numbers for a report."""
        return {key: len(value) if isinstance(value, list) else value for key, value in asdict(self).items()}


def outcomes(journals: Iterable[Path]) -> dict[int, str]:
    """What the clients were told about each deal they tried: ok, fail or info."""
    told: dict[int, str] = {}
    for journal in journals:
        for said in read(journal):
            told[said["deal"]] = "info" if said["type"] == "try" else said["type"]
    return told


def judge(told: dict[int, str], deals: Sequence[int]) -> Verdict:
    """Compare what clients were told with what stands in the database."""
    from handoffs.models import Engagement
    from opportunities.models import StageChange

    engagements = Counter(Engagement.objects.values_list("opportunity_id", flat=True))
    moves = Counter(StageChange.objects.filter(number__gt=1).values_list("opportunity_id", flat=True))
    verdict = Verdict(attempted=len(told))
    for deal in deals:
        outcome, moved, engaged = told.get(deal, "never tried"), moves[deal], engagements[deal]
        verdict.acknowledged += outcome == "ok"
        verdict.refused += outcome == "fail"
        verdict.unknown += outcome == "info"
        verdict.recovered += outcome == "info" and moved > 0
        if (moved and not engaged) or (outcome == "ok" and not moved):
            verdict.lost.append(deal)
        if moved > 1 or engaged > 1:
            verdict.duplicated.append(deal)
        if (engaged and not moved) or (moved and outcome in ("fail", "never tried")):
            verdict.unexpected.append(deal)
    return verdict
