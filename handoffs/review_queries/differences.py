"""What a further version of a verdict changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handoffs.models import ReviewCondition, ReviewDecision


@dataclass(frozen=True)
class ConditionChange:
    """A condition before and after; one of them is None where it came or went."""

    old: ReviewCondition | None
    new: ReviewCondition | None

    @property
    def kind(self) -> str:
        """added, removed, changed or kept."""
        if self.old is None:
            return "added"
        if self.new is None:
            return "removed"
        return "changed" if self.changed else "kept"

    @property
    def changed(self) -> list[str]:
        """Which of text, owner and due_on are not what they were."""
        if self.old is None or self.new is None:
            return []
        names = {"text": "text", "owner": "owner_id", "due_on": "due_on"}
        return [name for name, column in names.items() if getattr(self.old, column) != getattr(self.new, column)]


@dataclass(frozen=True)
class DecisionDiff:
    """What a version of the verdict changed."""

    old: ReviewDecision
    new: ReviewDecision
    conditions: Sequence[ConditionChange]

    @property
    def is_verdict_changed(self) -> bool:
        """Whether it says go, go if, or no go otherwise than before."""
        return self.old.verdict != self.new.verdict

    @property
    def is_summary_changed(self) -> bool:
        """Whether the sentences differ."""
        return self.old.summary != self.new.summary


def decision_diff(old: ReviewDecision, new: ReviewDecision) -> DecisionDiff:
    """The difference between two neighbouring versions; conditions are matched by what they carry over.

    Asks nothing where ``conditions`` were prefetched with their owners.
    """
    before = {condition.pk: condition for condition in old.conditions.all()}
    after = list(new.conditions.all())
    changes = [ConditionChange(before.get(each.follows_id) if each.follows_id else None, each) for each in after]
    carried = {each.follows_id for each in after}
    changes += [ConditionChange(each, None) for key, each in before.items() if key not in carried]
    return DecisionDiff(old, new, changes)
