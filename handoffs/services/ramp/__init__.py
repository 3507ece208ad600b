"""Ramp plans: import every service from here."""

from handoffs.services.ramp.common import StalePlan
from handoffs.services.ramp.ending import (
    DutiesOpen,
    ExitNotReady,
    Missing,
    close_project,
    exit_ramp,
    missing_for_exit,
    reopen_project,
    resume_ramp,
    sales_duties,
)
from handoffs.services.ramp.health import log_touchpoint, remove_touchpoint, report_health, restore_touchpoint
from handoffs.services.ramp.kickoff import Preview, move_kickoff, preview_kickoff, undo_kickoff
from handoffs.services.ramp.lessons import add_lesson, adopt_lesson, dismiss_lesson
from handoffs.services.ramp.milestones import add_milestone
from handoffs.services.ramp.starting import start_ramp

__all__ = [
    "DutiesOpen",
    "ExitNotReady",
    "Missing",
    "Preview",
    "StalePlan",
    "add_lesson",
    "add_milestone",
    "adopt_lesson",
    "close_project",
    "dismiss_lesson",
    "exit_ramp",
    "log_touchpoint",
    "missing_for_exit",
    "move_kickoff",
    "preview_kickoff",
    "remove_touchpoint",
    "reopen_project",
    "report_health",
    "restore_touchpoint",
    "resume_ramp",
    "sales_duties",
    "start_ramp",
    "undo_kickoff",
]
