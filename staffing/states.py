"""Legal transitions of needs, checked at import."""

from __future__ import annotations

from collections.abc import Mapping

from staffing.models import NeedState

S = NeedState

# Bookings come and go, so what follows from them goes both ways; only a need that nobody is booked for is cancelled.
NEED: Mapping[NeedState, frozenset[NeedState]] = {
    S.OPEN: frozenset({S.PROPOSED, S.BOOKED, S.FILLED, S.CANCELLED}),
    S.PROPOSED: frozenset({S.OPEN, S.BOOKED, S.FILLED}),
    S.BOOKED: frozenset({S.OPEN, S.PROPOSED, S.FILLED}),
    S.FILLED: frozenset({S.OPEN, S.PROPOSED, S.BOOKED}),
    S.CANCELLED: frozenset({S.OPEN}),
}

if set(NEED) != set(NeedState):
    raise RuntimeError("Every NeedState needs its legal transitions.")


class IllegalTransition(Exception):
    """The thing can't go from its state to the wanted one; ``legal`` names those it can go to."""

    def __init__(self, sentence: str, legal: frozenset[NeedState] = frozenset()) -> None:
        super().__init__(sentence)
        self.legal = sorted(state.value for state in legal)
