"""Reads about approvals, shaped for what shows them."""

from handoffs.approval_queries.inbox import InboxRow, Waiting, decided_by, inbox_of, inbox_rows, row_of
from handoffs.approval_queries.standing_in import DelegationLists, delegations_of
from handoffs.approval_queries.trail import (
    StepView,
    SubmissionView,
    Trail,
    can_decide,
    step_to_decide,
    steps_of,
    trail_of,
    why_cannot_decide,
)

__all__ = [
    "DelegationLists",
    "InboxRow",
    "StepView",
    "SubmissionView",
    "Trail",
    "Waiting",
    "can_decide",
    "decided_by",
    "delegations_of",
    "inbox_of",
    "inbox_rows",
    "row_of",
    "step_to_decide",
    "steps_of",
    "trail_of",
    "why_cannot_decide",
]
