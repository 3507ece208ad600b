"""Deal reviews: import every service from here."""

from handoffs.services.reviews.answering import save_answers, take_back_answers
from handoffs.services.reviews.common import StaleReview
from handoffs.services.reviews.deciding import ConditionDraft, decide_review, settle_condition, sign_decision
from handoffs.services.reviews.meeting import Meeting, note_attendance, schedule_review, unschedule_review
from handoffs.services.reviews.overriding import override_review
from handoffs.services.reviews.requesting import request_review

__all__ = [
    "ConditionDraft",
    "Meeting",
    "StaleReview",
    "decide_review",
    "note_attendance",
    "override_review",
    "request_review",
    "save_answers",
    "schedule_review",
    "settle_condition",
    "sign_decision",
    "take_back_answers",
    "unschedule_review",
]
