"""The relationship map: who knows each stakeholder now, and who will."""

from __future__ import annotations

from handoffs.models import Handoff, RelationshipTransfer


def relationships_of(handoff: Handoff, *, with_dropped: bool = False) -> list[RelationshipTransfer]:
    """Everybody on the map with contact and people, the most cold first; one query."""
    found = RelationshipTransfer.objects.filter(handoff=handoff).select_related(
        "contact", "owner_now", "owner_next", "accepted_by"
    )
    if not with_dropped:
        found = found.filter(dropped_at__isnull=True)
    transfers = list(found.order_by("contact__name", "pk"))
    for transfer in transfers:
        transfer.handoff = handoff
    return sorted(transfers, key=_urgency)


def _urgency(transfer: RelationshipTransfer) -> tuple[bool, bool, bool]:
    return transfer.dropped_at is not None, transfer.accepted_at is not None, not transfer.is_cold
