"""Legal transitions of what sales and delivery own together, checked at import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import TextChoices

from handoffs.models import EngagementState, HandoffState, ProjectState, ReviewState, StepState, TaskState

E, R, T = EngagementState, ReviewState, TaskState
H, A, P = HandoffState, StepState, ProjectState

ENGAGEMENT: Mapping[EngagementState, frozenset[EngagementState]] = {
    E.REQUESTED: frozenset({E.ACCEPTED, E.DECLINED, E.DONE}),
    E.ACCEPTED: frozenset({E.ACTIVE, E.DONE}),
    E.ACTIVE: frozenset({E.DONE}),
    # A reopened deal takes its engagement up where it was.
    E.DONE: frozenset({E.REQUESTED, E.ACCEPTED, E.ACTIVE}),
    E.DECLINED: frozenset(),
}
TASK: Mapping[TaskState, frozenset[TaskState]] = {
    T.OPEN: frozenset({T.DONE, T.PAUSED, T.CANCELLED, T.WAIVED}),
    T.PAUSED: frozenset({T.OPEN, T.CANCELLED}),
    T.DONE: frozenset({T.OPEN}),
    T.CANCELLED: frozenset({T.OPEN, T.PAUSED}),
    T.WAIVED: frozenset({T.OPEN}),
}
REVIEW: Mapping[ReviewState, frozenset[ReviewState]] = {
    R.ANSWERING: frozenset({R.COMPARING, R.CANCELLED}),
    R.COMPARING: frozenset({R.DECIDED, R.CANCELLED}),
    R.DECIDED: frozenset({R.DECIDED, R.AGREED, R.CANCELLED}),
    # A later change is a new version of the verdict, to be signed again.
    R.AGREED: frozenset({R.DECIDED}),
    # A reopened deal takes its review up where it was.
    R.CANCELLED: frozenset({R.ANSWERING, R.COMPARING, R.DECIDED}),
}

HANDOFF: Mapping[HandoffState, frozenset[HandoffState]] = {
    H.DRAFT: frozenset({H.SUBMITTED}),
    H.SUBMITTED: frozenset({H.DRAFT, H.CHANGES_REQUESTED, H.APPROVED, H.REJECTED}),
    H.CHANGES_REQUESTED: frozenset({H.SUBMITTED}),
    # What has changed since needs the approvals anew.
    H.APPROVED: frozenset({H.DRAFT}),
    H.REJECTED: frozenset({H.DRAFT}),
}
STEP: Mapping[StepState, frozenset[StepState]] = {
    A.PENDING: frozenset({A.ESCALATED, A.APPROVED, A.CHANGES_REQUESTED, A.REJECTED, A.RECALLED}),
    A.ESCALATED: frozenset({A.APPROVED, A.CHANGES_REQUESTED, A.REJECTED, A.RECALLED}),
    A.APPROVED: frozenset(),
    A.CHANGES_REQUESTED: frozenset(),
    A.REJECTED: frozenset(),
    A.RECALLED: frozenset(),
}
PROJECT: Mapping[ProjectState, frozenset[ProjectState]] = {
    P.PLANNED: frozenset({P.RAMPING, P.IN_DELIVERY}),
    P.RAMPING: frozenset({P.IN_DELIVERY, P.PLANNED}),
    P.IN_DELIVERY: frozenset({P.CLOSED, P.RAMPING}),
    P.CLOSED: frozenset({P.IN_DELIVERY}),
}
_TABLES: tuple[tuple[type[TextChoices], Mapping[Any, frozenset[Any]]], ...] = (
    (E, ENGAGEMENT), (T, TASK), (R, REVIEW), (H, HANDOFF), (A, STEP), (P, PROJECT),
)  # fmt: skip

for _states, _legal in _TABLES:
    if set(_states) != set(_legal):
        raise RuntimeError(f"Every {_states.__name__} needs its legal transitions.")


class IllegalTransition(Exception):
    """The thing can't go from its state to the wanted one; ``legal`` names those it can go to."""

    def __init__(self, sentence: str, legal: frozenset[Any]) -> None:
        super().__init__(sentence)
        self.legal = sorted(state.value for state in legal)
