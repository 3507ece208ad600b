"""Legal transitions of engagements and tasks, checked at import."""

from __future__ import annotations

from collections.abc import Mapping

from handoffs.models import EngagementState, TaskState

E, T = EngagementState, TaskState

ENGAGEMENT: Mapping[EngagementState, frozenset[EngagementState]] = {
    E.REQUESTED: frozenset({E.ACCEPTED, E.DECLINED, E.DONE}),
    E.ACCEPTED: frozenset({E.ACTIVE, E.DONE}),
    E.ACTIVE: frozenset({E.DONE}),
    # A reopened deal takes its engagement up where it was.
    E.DONE: frozenset({E.REQUESTED, E.ACCEPTED, E.ACTIVE}),
    E.DECLINED: frozenset(),
}
TASK: Mapping[TaskState, frozenset[TaskState]] = {
    T.OPEN: frozenset({T.DONE, T.PAUSED, T.CANCELLED}),
    T.PAUSED: frozenset({T.OPEN, T.CANCELLED}),
    T.DONE: frozenset({T.OPEN}),
    T.CANCELLED: frozenset({T.OPEN, T.PAUSED}),
}

if set(ENGAGEMENT) != set(EngagementState) or set(TASK) != set(TaskState):
    raise RuntimeError("Every state needs its legal transitions.")


class IllegalTransition(Exception):
    """The thing can't go from its state to the wanted one; ``legal`` names those it can go to."""

    def __init__(self, sentence: str, legal: frozenset[EngagementState] | frozenset[TaskState]) -> None:
        super().__init__(sentence)
        self.legal = sorted(state.value for state in legal)
