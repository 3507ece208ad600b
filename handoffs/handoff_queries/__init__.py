"""Reads of handoffs, shaped for pages."""

from handoffs.handoff_queries.chains import has_chain
from handoffs.handoff_queries.checklist import (
    Blocker,
    Checklist,
    SectionView,
    blockers_of,
    checklist_of,
    snapshot_of,
)
from handoffs.handoff_queries.lists import HandoffFilter, HandoffRow, handoff_list
from handoffs.handoff_queries.relationships import relationships_of

__all__ = [
    "Blocker",
    "Checklist",
    "HandoffFilter",
    "HandoffRow",
    "SectionView",
    "blockers_of",
    "checklist_of",
    "handoff_list",
    "has_chain",
    "relationships_of",
    "snapshot_of",
]
