"""Legal transitions of engagements, tasks and deal reviews, checked at import."""

from __future__ import annotations

from collections.abc import Mapping

from handoffs.models import EngagementState, ReviewState, TaskState

E, R, T = EngagementState, ReviewState, TaskState

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
REVIEW: Mapping[ReviewState, frozenset[ReviewState]] = {
    R.ANSWERING: frozenset({R.COMPARING, R.CANCELLED}),
    R.COMPARING: frozenset({R.DECIDED, R.CANCELLED}),
    R.DECIDED: frozenset({R.DECIDED, R.AGREED, R.CANCELLED}),
    # A later change is a new version of the verdict, to be signed again.
    R.AGREED: frozenset({R.DECIDED}),
    # A reopened deal takes its review up where it was.
    R.CANCELLED: frozenset({R.ANSWERING, R.COMPARING, R.DECIDED}),
}

if set(ENGAGEMENT) != set(EngagementState) or set(TASK) != set(TaskState) or set(REVIEW) != set(ReviewState):
    raise RuntimeError("Every state needs its legal transitions.")


class IllegalTransition(Exception):
    """The thing can't go from its state to the wanted one; ``legal`` names those it can go to."""

    def __init__(
        self, sentence: str, legal: frozenset[EngagementState] | frozenset[TaskState] | frozenset[ReviewState]
    ) -> None:
        super().__init__(sentence)
        self.legal = sorted(state.value for state in legal)
