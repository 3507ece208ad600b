"""Asking for a deal review."""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.calendars import BusinessDays
from accounts.models import User
from accounts.queries import organisation
from events import names
from events.recording import record
from handoffs.models import AskedQuestion, DealReview, Question, QuestionSet, Trigger
from handoffs.services.reviews.clock import review_due
from handoffs.services.reviews.common import require_open, told_moment
from opportunities.models import Opportunity
from opportunities.services.versions import locked


def request_review(
    *, actor: User | None, opportunity: Opportunity, is_express: bool, trigger: Trigger, now: dt.datetime
) -> DealReview:
    """Ask both sides to review the deal; while a review runs, that one is the answer.

    Raises PermissionDenied, ValidationError for a closed deal or where there are no questions.
    """
    if actor is not None and not actor.has_perm("handoffs.request_review", opportunity):
        raise PermissionDenied(_("People of sales or delivery on this deal ask for its review."))
    with transaction.atomic():
        current = locked(opportunity)
        require_open(current)
        running = DealReview.objects.running().filter(opportunity=current).first()
        if running is not None:
            running.opportunity = current
            return running
        return start_review(actor=actor, opportunity=current, is_express=is_express, trigger=trigger, now=now)


def start_review(
    *, actor: User | None, opportunity: Opportunity, is_express: bool, trigger: Trigger, now: dt.datetime
) -> DealReview:
    """A new review of a (locked) deal that has none running. Raises ValidationError where there are no questions."""
    question_set, questions = questions_for(opportunity, is_express=is_express)
    if question_set is None:
        raise ValidationError(_("No review questions are set up. An administrator can add them in the settings."))
    home = organisation()
    due = review_due(
        opportunity, is_express=is_express, clock_from=now, home=home, days=BusinessDays(home.calendar)
    )  # fmt: skip
    review = DealReview.objects.create(
        opportunity=opportunity, question_set=question_set, is_express=is_express, trigger=trigger, requested_at=now,
        requested_by=actor, due_at=due, clock_from=now, created_at=now, updated_at=now,
    )  # fmt: skip
    ask(review, questions)
    record(
        names.REVIEW_REQUESTED, actor=actor, about=review, within=opportunity, now=now,
        data={
            "due": told_moment(due), "due_at": due.astimezone(dt.UTC).isoformat(), "express": is_express,
            "trigger": trigger,
        },
    )  # fmt: skip
    return review


def ask(review: DealReview, questions: list[Question]) -> None:
    """Give the review its questions, in the words of today."""
    AskedQuestion.objects.bulk_create(
        AskedQuestion(review=review, text=question.text, hint=question.hint, position=position)
        for position, question in enumerate(questions)
    )


def questions_for(opportunity: Opportunity, *, is_express: bool) -> tuple[QuestionSet | None, list[Question]]:
    """The set of the deal's service line, else the one for all lines; (None, []) where neither has questions.

    An express review asks the questions marked so, or all of them where none is.
    """
    active = QuestionSet.objects.filter(is_active=True)
    lines = [opportunity.service_line_id, None] if opportunity.service_line_id else [None]
    for line in lines:
        question_set = active.filter(service_line=line).first()
        if question_set is None:
            continue
        questions = list(question_set.questions.filter(archived_at__isnull=True))
        if is_express:
            questions = [question for question in questions if question.is_express] or questions
        if questions:
            return question_set, questions
    return None, []
