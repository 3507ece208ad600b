"""Reads about approvals, shaped for what shows them."""

from handoffs.approval_queries.inbox import InboxRow, Waiting, decided_by, inbox_of, inbox_rows
from handoffs.approval_queries.trail import (
    StepView,
    SubmissionView,
    Trail,
    can_decide,
    steps_of,
    trail_of,
    why_cannot_decide,
)

__all__ = [
    "InboxRow",
    "StepView",
    "SubmissionView",
    "Trail",
    "Waiting",
    "can_decide",
    "decided_by",
    "inbox_of",
    "inbox_rows",
    "steps_of",
    "trail_of",
    "why_cannot_decide",
]
