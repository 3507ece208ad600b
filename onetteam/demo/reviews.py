"""Deal reviews of the demo: some wait for a side, some show their gaps, some are signed."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from enum import IntEnum

from accounts.models import User
from handoffs.models import DealReview, Trigger, Verdict
from handoffs.services.reviews import (
    ConditionDraft,
    Meeting,
    decide_review,
    request_review,
    save_answers,
    schedule_review,
    sign_decision,
)
from opportunities.models import Opportunity

SALES_NOTES = (
    "They said so twice, and it is in the minutes.",
    "Tight, but they would move the date if we ask now.",
    "Price is agreed in principle; procurement still wants a discount.",
    "The sponsor is with us. Their IT we have met once.",
)
DELIVERY_NOTES = (
    "I found three things in the workshop notes that nobody has priced.",
    "Two of the four people we need are booked until the end of the quarter.",
    "Nobody has told us yet who accepts the result, and how.",
    "We did this for another client; half of it can be used again.",
    "Depends on their test data. Last time it came six weeks late.",
)
SUMMARIES = {
    Verdict.GO: "Scope and dates hold, and the team is there.",
    Verdict.GO_IF: "We want it, once the two open points below are settled.",
}
CONDITIONS = ("Acceptance criteria are written and the client has agreed them", "An architect is named from the start")


class Stop(IntEnum):
    """How far a review has come."""

    SALES_IN = 1
    BOTH_IN = 2
    DECIDED = 3
    AGREED = 4


def hold_review(deal: Opportunity, seller: User, deliverer: User, *, stop: Stop, when: dt.datetime) -> None:
    """Take the deal's review as far as that; the same deal always gets the same answers."""
    chance = random.Random(deal.name)  # noqa: S311 - the same demo every time
    review = request_review(actor=seller, opportunity=deal, is_express=False, trigger=Trigger.ASKED, now=when)
    _answer(review, seller, (3, 4, 4, 5, 5), SALES_NOTES, chance, when)
    if stop == Stop.SALES_IN:
        return
    _answer(review, deliverer, (2, 3, 3, 4, 5), DELIVERY_NOTES, chance, when)
    if stop == Stop.BOTH_IN:
        starts_at = dt.datetime.combine(when.date() + dt.timedelta(days=3), dt.time(9), dt.UTC)
        meeting = Meeting(starts_at, 30, "Room Utsikten", "The gaps, then the verdict.", (seller, deliverer))
        schedule_review(actor=deliverer, review=review, meeting=meeting, expected_version=None, now=when)
        return
    verdict = chance.choice((Verdict.GO, Verdict.GO_IF))
    soon = when.date() + dt.timedelta(days=14)
    drafts = [ConditionDraft(text, owner, soon) for text, owner in zip(CONDITIONS, (seller, deliverer), strict=True)]
    decision = decide_review(
        actor=deliverer, review=review, verdict=verdict, summary=SUMMARIES[verdict], reason="", expected_version=None,
        conditions=drafts if verdict == Verdict.GO_IF else [], now=when,
    )  # fmt: skip
    for person in (deliverer, seller) if stop == Stop.AGREED else (deliverer,):
        sign_decision(actor=person, review=review, number=decision.number, now=when)


def _answer(
    review: DealReview, by: User, scores: Sequence[int], notes: Sequence[str], chance: random.Random, when: dt.datetime
) -> None:
    answers = {
        key: (chance.choice(scores), chance.choice(notes) if chance.random() < 0.5 else "")
        for key in review.questions.values_list("pk", flat=True)
    }
    save_answers(actor=by, review=review, answers=answers, hand_in=True, now=when)
