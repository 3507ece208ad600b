"""Whose playbooks' tasks can be done now, given how a deal stands."""

from __future__ import annotations

from events import names
from events.models import Event
from handoffs.models import Engagement, Trigger
from opportunities.models import Opportunity, StageKind, Temperature

SIGNALS = (
    names.OPPORTUNITY_TURNED_WARM, names.OPPORTUNITY_TURNED_HOT, names.OPPORTUNITY_SURFACED_UNFORECASTED,
    names.OPPORTUNITY_WON, names.OPPORTUNITY_COOLED,
)  # fmt: skip


def wanted_triggers(opportunity: Opportunity, engagement: Engagement) -> set[Trigger]:
    """Whose playbooks' tasks can be done now, given how the deal stands."""
    if opportunity.archived_at or opportunity.kind == StageKind.LOST:
        return set()
    if opportunity.kind == StageKind.WON:
        return {Trigger.WON, Trigger.HANDOFF}
    by_temperature = {
        Temperature.COLD: set(),
        Temperature.WARM: {Trigger.WARM},
        Temperature.HOT: {Trigger.WARM, Trigger.HOT},
    }
    wanted: set[Trigger] = by_temperature[Temperature(opportunity.temperature)]
    if engagement.trigger == Trigger.ASKED:
        wanted |= {Trigger.WARM}
    if opportunity.is_unforecasted and (wanted or not has_cooled(opportunity)):
        wanted |= {Trigger.UNFORECASTED}
    return wanted


def has_cooled(opportunity: Opportunity) -> bool:
    """Whether cooling is the last that was heard of its temperature."""
    newest = newest_signal(opportunity)
    return newest is not None and newest.name == names.OPPORTUNITY_COOLED


def newest_signal(opportunity: Opportunity) -> Event | None:
    """The last that was heard of its temperature."""
    return Event.objects.filter(opportunity_id=opportunity.pk, name__in=SIGNALS).order_by("-id").first()
