"""What goes into the horizon: open deals, what they need, and how far their start may slip."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Need:
    """`hours` per week of the role at index `role`, for `weeks` weeks from `offset` weeks after the deal's start.

    Needs of no hours or no weeks are allowed and ask for nothing. Raises ValueError for what can't be a need.
    """

    role: int
    hours: float
    weeks: int
    offset: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.hours < math.inf:
            raise ValueError(f"A need's hours per week must be a number from 0 up, not {self.hours}.")
        if self.role < 0:
            raise ValueError(f"A need's role is an index from 0 up, not {self.role}.")
        if self.weeks < 0:
            raise ValueError(f"A need can't last {self.weeks} weeks.")


@dataclass(frozen=True, slots=True)
class Shift:
    """How far a deal's start moves from the planned one: P(shift = first + i weeks) = chances[i].

    Negative weeks are earlier. Raises ValueError unless the chances are numbers from 0 up that sum to 1 (± 1e-6).
    """

    first: int
    chances: tuple[float, ...]

    def __post_init__(self) -> None:
        if not all(0 <= chance <= 1 + 1e-6 for chance in self.chances):
            raise ValueError("The chances of a shift must be numbers from 0 to 1.")
        if abs(math.fsum(self.chances) - 1) > 1e-6:
            raise ValueError(f"The chances of a shift must sum to 1, not {math.fsum(self.chances)}.")

    @property
    def mean(self) -> float:
        """Weeks that the start moves on average."""
        return math.fsum((self.first + i) * chance for i, chance in enumerate(self.chances)) / math.fsum(self.chances)


ON_TIME = Shift(0, (1.0,))

# Until a company's own close dates have shown how they slip: 40 % start as planned, 44 % one to four weeks late, 16 %
# five to eight, on average two weeks late. An assumption, not a finding; replace it as soon as there is history.
DEFAULT_SHIFT = Shift(0, (0.40, 0.15, 0.12, 0.09, 0.08, 0.04, 0.04, 0.04, 0.04))


@dataclass(frozen=True, slots=True)
class OpenDeal:
    """A deal that is won as a whole with `probability`, independently of the others, and then needs all its `needs`.

    `start` is the planned first week as an index into the horizon's weeks; it may lie before or after them. `key` tells
    the deal from others. All needs move by the same `shift`. Raises ValueError for an impossible probability.
    """

    key: Hashable
    probability: float
    start: int
    needs: tuple[Need, ...]
    shift: Shift = field(default=DEFAULT_SHIFT)

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError(f"A deal's probability must lie between 0 and 1, not {self.probability}.")
