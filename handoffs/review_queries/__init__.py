"""Reads of deal reviews, shaped for pages: import every one from here."""

from handoffs.review_queries.differences import ConditionChange, DecisionDiff, decision_diff
from handoffs.review_queries.lists import (
    OpenPoints,
    Overriders,
    late_reviews_for,
    open_points,
    overrides,
    upcoming_reviews,
)
from handoffs.review_queries.pages import (
    QuestionLine,
    ReviewPage,
    ReviewPanel,
    SideLine,
    comparison,
    is_review_late,
    review_page,
    review_panel,
)

__all__ = [
    "ConditionChange",
    "DecisionDiff",
    "OpenPoints",
    "Overriders",
    "QuestionLine",
    "ReviewPage",
    "ReviewPanel",
    "SideLine",
    "comparison",
    "decision_diff",
    "is_review_late",
    "late_reviews_for",
    "open_points",
    "overrides",
    "review_page",
    "review_panel",
    "upcoming_reviews",
]
