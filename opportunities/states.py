"""Which kinds of stage a deal may go between; checked at import."""

from __future__ import annotations

from collections.abc import Mapping

from opportunities.models import StageKind

LEGAL: Mapping[StageKind, frozenset[StageKind]] = {
    StageKind.OPEN: frozenset({StageKind.OPEN, StageKind.WON, StageKind.LOST}),
    StageKind.WON: frozenset({StageKind.OPEN}),
    StageKind.LOST: frozenset({StageKind.OPEN}),
}

if set(LEGAL) != set(StageKind):
    raise RuntimeError("Every kind of stage needs its legal moves.")
