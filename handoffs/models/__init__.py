"""What sales and delivery own together."""

from handoffs.models.engagement import Engagement, EngagementState, Outcome, Trigger
from handoffs.models.playbook import Anchor, Assignee, Playbook, PlaybookTask, TaskSide
from handoffs.models.task import Task, TaskState

__all__ = [
    "Anchor",
    "Assignee",
    "Engagement",
    "EngagementState",
    "Outcome",
    "Playbook",
    "PlaybookTask",
    "Task",
    "TaskSide",
    "TaskState",
    "Trigger",
]
