"""Deal reviews that have come so far, at times that the test chooses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from accounts.models import User
from handoffs.models import DealReview, ReviewDecision, Trigger, Verdict
from handoffs.services.reviews import ConditionDraft, decide_review, request_review, save_answers, sign_decision
from opportunities.models import Opportunity
from tests.handoffs.reactions import MONDAY

SECRET = "Between us: the date is a hope"
IN_A_WEEK = MONDAY.date() + dt.timedelta(days=7)


def requested(opportunity: Opportunity, by: User, *, now: dt.datetime = MONDAY, is_express: bool = False) -> DealReview:
    """A review that somebody asked for by hand."""
    return request_review(actor=by, opportunity=opportunity, is_express=is_express, trigger=Trigger.ASKED, now=now)


def fresh(review: DealReview) -> DealReview:
    """The review as it stands, with its deal."""
    return DealReview.objects.select_related("opportunity").get(pk=review.pk)


def answer(
    review: DealReview, by: User, score: int | None = 3, *, note: str = "", hand_in: bool = True,
    now: dt.datetime = MONDAY,
) -> DealReview:  # fmt: skip
    """Give every question the same answer."""
    answers = {question.pk: (score, note) for question in review.questions.all()}
    return save_answers(actor=by, review=fresh(review), answers=answers, hand_in=hand_in, now=now)


def compared(review: DealReview, sales: User, delivery: User) -> DealReview:
    """Both sides have handed in: fives from sales, twos from delivery."""
    answer(review, sales, 5)
    return answer(review, delivery, 2)


def decide(
    review: DealReview, by: User, verdict: str = Verdict.GO, *, conditions: Sequence[ConditionDraft] = (),
    reason: str = "", version: int | None = None, now: dt.datetime = MONDAY, summary: str = "",
) -> ReviewDecision:  # fmt: skip
    """Propose a verdict."""
    return decide_review(
        actor=by, review=fresh(review), verdict=verdict, summary=summary, conditions=conditions, reason=reason,
        expected_version=version, now=now,
    )  # fmt: skip


def sign(review: DealReview, by: User, number: int = 1, *, now: dt.datetime = MONDAY) -> ReviewDecision:
    """Sign the version of the verdict."""
    return sign_decision(actor=by, review=fresh(review), number=number, now=now)


def agreed(review: DealReview, sales: User, delivery: User, verdict: str = Verdict.GO, **given: object) -> DealReview:
    """Answered, decided and signed by both."""
    compared(review, sales, delivery)
    decide(review, delivery, verdict, **given)  # type: ignore[arg-type]
    sign(review, sales)
    sign(review, delivery)
    return fresh(review)
