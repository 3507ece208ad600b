"""What sales and delivery own together."""

from handoffs.models.commitment import Commitment, CommitmentKind, CommitmentOutcome, CommitmentSource, Stance
from handoffs.models.engagement import Engagement, EngagementState, Outcome, Trigger
from handoffs.models.escalation import Escalation, EscalationStep
from handoffs.models.playbook import Anchor, Assignee, Playbook, PlaybookTask, TaskAction, TaskSide
from handoffs.models.review import (
    AskedQuestion,
    ConditionState,
    DealReview,
    Question,
    QuestionSet,
    ReviewAnswer,
    ReviewAttendee,
    ReviewCondition,
    ReviewDecision,
    ReviewOverride,
    ReviewState,
    Verdict,
)
from handoffs.models.risk import RaidItem, RaidKind, RiskProfile, RiskResponse
from handoffs.models.task import Task, TaskState

__all__ = [
    "Anchor",
    "AskedQuestion",
    "Assignee",
    "Commitment",
    "CommitmentKind",
    "CommitmentOutcome",
    "CommitmentSource",
    "ConditionState",
    "DealReview",
    "Engagement",
    "EngagementState",
    "Escalation",
    "EscalationStep",
    "Outcome",
    "Playbook",
    "PlaybookTask",
    "Question",
    "QuestionSet",
    "RaidItem",
    "RaidKind",
    "ReviewAnswer",
    "ReviewAttendee",
    "ReviewCondition",
    "ReviewDecision",
    "ReviewOverride",
    "ReviewState",
    "RiskProfile",
    "RiskResponse",
    "Stance",
    "Task",
    "TaskAction",
    "TaskSide",
    "TaskState",
    "Trigger",
    "Verdict",
]
