"""The handoff of a won deal: import every service from here."""

from handoffs.services.handoff.common import HandoffFrozen, StaleHandoff
from handoffs.services.handoff.items import add_item, waive_item
from handoffs.services.handoff.opening import align_handoff
from handoffs.services.handoff.relationships import (
    StaleRelationship,
    accept_relationship,
    change_relationship,
    name_project_manager,
)

__all__ = [
    "HandoffFrozen",
    "StaleHandoff",
    "StaleRelationship",
    "accept_relationship",
    "add_item",
    "align_handoff",
    "change_relationship",
    "name_project_manager",
    "waive_item",
]
