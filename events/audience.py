"""Who may know that something happened: the same rule in SQL (events) and in memory (the live stream)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from events.models import Event


@dataclass(frozen=True)
class Scope:
    """Where a record belongs: its sales team, its service line and the people named on it."""

    opportunity_id: int | None = None
    team_id: int | None = None
    service_line_id: int | None = None
    user_ids: tuple[int, ...] = ()


class Scoped(Protocol):
    """Anything that belongs to a deal and can say so."""

    def scope(self) -> Scope: ...


@dataclass(frozen=True)
class Audience:
    """What one person may see.

    ``team_ids`` are the sales teams whose deals are visible; ``service_line_ids`` the service lines
    seen from the delivery side. ``serves_all_lines`` is a delivery person without restriction.
    """

    user_id: int
    sees_all: bool = False
    team_ids: frozenset[int] = field(default_factory=frozenset)
    is_delivery: bool = False
    serves_all_lines: bool = False
    service_line_ids: frozenset[int] = field(default_factory=frozenset)

    def includes(self, event: Event) -> bool:
        """Whether the person may learn of this event."""
        if self.sees_all or event.opportunity_id is None:
            return True
        if self.user_id in event.user_ids or event.team_id in self.team_ids:
            return True
        if not self.is_delivery:
            return False
        return self.serves_all_lines or event.service_line_id is None or event.service_line_id in self.service_line_ids
