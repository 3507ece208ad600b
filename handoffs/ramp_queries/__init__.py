"""Reads of ramp plans, shaped for pages."""

from handoffs.ramp_queries.lists import BadCursor, PlanFilter, PlanRow, plans_page
from handoffs.ramp_queries.page import PhaseView, RampPage, RampPanel, current_phase, ramp_page, ramp_panel
from handoffs.ramp_queries.timeline import Timeline, timeline_of

__all__ = [
    "BadCursor",
    "PhaseView",
    "PlanFilter",
    "PlanRow",
    "RampPage",
    "RampPanel",
    "Timeline",
    "current_phase",
    "plans_page",
    "ramp_page",
    "ramp_panel",
    "timeline_of",
]
