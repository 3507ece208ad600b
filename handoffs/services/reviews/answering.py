"""Answering the questions of a deal review, each side apart."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Side, User
from events import names
from events.recording import record
from handoffs.models import DealReview, ReviewAnswer, ReviewState
from handoffs.models.review import BEST, WORST
from handoffs.services.reviews.common import acting_side, clean, hold, require_open, save
from handoffs.states import REVIEW, IllegalTransition

LONGEST_NOTE = 1000
Given = Mapping[int, tuple[int | None, str]]


def save_answers(*, actor: User, review: DealReview, answers: Given, hand_in: bool, now: dt.datetime) -> DealReview:
    """Keep a side's answers as a draft, or hand them in once every question has a score.

    ``answers`` maps the key of an asked question to (score 1–5 or None, note); questions left out stay as they are.
    A draft changes nothing that the other side could notice: no event, no version, no time. Handing in the same
    twice changes nothing. Raises PermissionDenied, IllegalTransition, ValidationError with ``score_<key>`` and
    ``note_<key>`` as fields.
    """
    with transaction.atomic():
        current = hold(review)
        side = acting_side(actor, current)
        questions = list(current.questions.values_list("pk", flat=True))
        cleaned = _cleaned(answers, questions)
        own = {each.question_id: each for each in ReviewAnswer.objects.filter(question__review=current, side=side)}
        changed = {key: given for key, given in cleaned.items() if given != _said(own.get(key))}
        if current.answered_at(side) is not None and hand_in and not changed:
            return current
        require_open(current.opportunity)
        _check_answerable(current, side)
        for key, (score, note) in changed.items():
            ReviewAnswer.objects.update_or_create(
                question_id=key, side=side.value, defaults={"score": score, "note": note, "by": actor, "at": now}
            )
        if hand_in:
            scores = {key: each.score for key, each in own.items()} | {
                key: score for key, (score, _n) in cleaned.items()
            }
            _hand_in(current, side, actor, open_questions=[key for key in questions if not scores.get(key)], now=now)
    return current


def take_back_answers(*, actor: User, review: DealReview, now: dt.datetime) -> DealReview:
    """Make one's side's answers a draft again, while the other side has not handed in.

    Taking back what was not handed in changes nothing. Raises PermissionDenied, IllegalTransition.
    """
    with transaction.atomic():
        current = hold(review)
        side = acting_side(actor, current)
        if current.answered_at(side) is None:
            return current
        require_open(current.opportunity)
        if current.state != ReviewState.ANSWERING:
            raise IllegalTransition(
                _("Both sides have answered, so the answers are fixed."), REVIEW[ReviewState(current.state)]
            )
        _stamp(current, side, None, None)
        save(current, now)
        record(
            names.REVIEW_TAKEN_BACK, actor=actor, about=current, within=current.opportunity, now=now,
            data=_told(side),
        )  # fmt: skip
    return current


def _said(answer: ReviewAnswer | None) -> tuple[int | None, str]:
    return (answer.score, answer.note) if answer is not None else (None, "")


def _cleaned(answers: Given, questions: list[int]) -> dict[int, tuple[int | None, str]]:
    """The answers without space around their notes. Raises ValidationError."""
    problems: dict[str, str] = {}
    found = {}
    for key, (score, note) in answers.items():
        if key not in questions:
            raise ValidationError(_("That question belongs to another review. Open this one anew."))
        if score is not None and not WORST <= score <= BEST:
            problems[f"score_{key}"] = _("Choose a score from 1 to 5.")
        try:
            found[key] = (score, clean(note, field=f"note_{key}", longest=LONGEST_NOTE, is_multiline=True))
        except ValidationError as error:
            problems[f"note_{key}"] = " ".join(error.messages)
    if problems:
        raise ValidationError(problems)
    return found


def _check_answerable(review: DealReview, side: Side) -> None:
    legal = REVIEW[ReviewState(review.state)]
    if review.state != ReviewState.ANSWERING:
        sentence = _("The review is at “%(state)s”; its answers are fixed.")
        raise IllegalTransition(sentence % {"state": review.get_state_display()}, legal)
    if review.answered_at(side) is not None:
        raise IllegalTransition(_("Your side has handed in. Take the answers back to change them."), legal)


def _hand_in(
    review: DealReview, side: Side, actor: User, *, open_questions: list[int], now: dt.datetime
) -> None:  # fmt: skip
    if open_questions:
        raise ValidationError({f"score_{key}": _("Give this one a score too, from 1 to 5.") for key in open_questions})
    _stamp(review, side, actor, now)
    if review.are_both_in:
        review.state = ReviewState.COMPARING
    save(review, now)
    record(names.REVIEW_ANSWERED, actor=actor, about=review, within=review.opportunity, now=now, data=_told(side))
    if review.are_both_in:
        record(names.REVIEW_COMPARED, actor=None, about=review, within=review.opportunity, now=now)


def _stamp(review: DealReview, side: Side, by: User | None, at: dt.datetime | None) -> None:
    if side == Side.SALES:
        review.sales_answered_by, review.sales_answered_at = by, at
    else:
        review.delivery_answered_by, review.delivery_answered_at = by, at


def _told(side: Side) -> dict[str, str]:
    return {"side": str(side.label).lower(), "side_key": side.value}
