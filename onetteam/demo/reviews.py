"""Deal reviews of the demo: some wait for a side, some show their gaps, some are signed, one clock is running."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from enum import IntEnum
from functools import partial
from typing import TYPE_CHECKING

from accounts.models import Side, User
from handoffs.models import DealReview, ReviewDecision, Trigger, Verdict
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

if TYPE_CHECKING:
    from onetteam.demo.story import Story

# By a word of the question: what sales and delivery say to it.
NOTES: Mapping[str, tuple[str, str]] = {
    "scope": (
        "The workshop settled it; the minutes went to the client.",
        "I found three things in the workshop notes that nobody has priced.",
    ),
    "success": (
        "They want it live before their summer peak. That is the criterion.",
        "Nobody has told us yet who accepts the result, and how.",
    ),
    "dates": (
        "Tight, but they would move the date if we ask now.",
        "Depends on their test data. Last time it came late.",
    ),
    "team": ("Dan said we would find the people.", "Two of the four people we need are booked until the end of March."),
    "client": (
        "Their IT lead is on it and answers the same day.",
        "They have one administrator, and he leaves in spring.",
    ),
    "price": (
        "Agreed in principle; procurement still wants a discount.",
        "The estimate leaves out the migration of the old data.",
    ),
    "trust": (
        "The sponsor is with us. I could ring her tonight.",
        "We have met the sponsor once, and the users never.",
    ),
    "technically": ("We did the same for another client.", "Half of it can be used again; the interface is new to us."),
    "terms": ("Standard terms, but for the penalty on the date.", "A penalty on a date that we do not hold alone."),
}
SUMMARIES = {
    Verdict.GO: "Scope and dates hold, and the team is there.",
    Verdict.GO_IF: "We want it, once the two open points are settled.",
}
CONDITIONS = ("Acceptance criteria are written and the client has agreed them", "An architect is named from the start")
_STEP = dt.timedelta(minutes=4)
EXPRESS_SINCE = dt.timedelta(hours=4, minutes=40)


class Stop(IntEnum):
    """How far a review has come."""

    SALES_IN = 1
    BOTH_IN = 2
    DECIDED = 3
    AGREED = 4


# Deals whose reviews are under way these days: by name, how far, how many days ago, in how many days they meet.
LATELY: tuple[tuple[str, Stop, int, int], ...] = (
    ("Identity and access renewal", Stop.SALES_IN, 2, 4),
    ("Imaging archive in the cloud", Stop.BOTH_IN, 2, 2),
    ("Landing zone and guardrails", Stop.BOTH_IN, 1, 1),
    ("Mill reporting warehouse", Stop.SALES_IN, 1, 3),
)
AMENDED = "Web shop on managed containers"
EXPRESS = "Disaster recovery in a second region"
DELIVERY_FIRST = "Sawmill sensors, live view"


def plan(story: Story) -> None:
    """Plan the reviews that are under way now."""
    for name, stop, ago, ahead in LATELY:
        story.at(_day(story, ago, 14), partial(_hold_lately, story, name, stop, ahead))
    story.at(_day(story, 1, 15), partial(_delivery_first, story))
    story.at(_day(story, 4, 13), partial(_agree_with_conditions, story))
    story.at(_day(story, 1, 13), partial(_amend, story))
    story.at(story.now - EXPRESS_SINCE, partial(_express, story))


def hold_review(deal: Opportunity, seller: User, deliverer: User, *, stop: Stop, when: dt.datetime) -> None:
    """Take the deal's review as far as that; the same deal always gets the same answers."""
    chance = random.Random(deal.name)  # noqa: S311 - the same demo every time
    review = request_review(actor=seller, opportunity=deal, is_express=False, trigger=Trigger.ASKED, now=when)
    _answer(review, seller, Side.SALES, chance, when)
    if stop == Stop.SALES_IN:
        return
    _answer(review, deliverer, Side.DELIVERY, chance, when + _STEP)
    if stop == Stop.BOTH_IN:
        return
    verdict = chance.choice((Verdict.GO, Verdict.GO_IF))
    decision = _decide(review, seller, deliverer, verdict, when + 2 * _STEP)
    people = (deliverer, seller) if stop == Stop.AGREED else (deliverer,)
    for number, person in enumerate(people, start=3):
        sign_decision(actor=person, review=review, number=decision.number, now=when + number * _STEP)


def _hold_lately(story: Story, name: str, stop: Stop, ahead: int, when: dt.datetime) -> None:
    deal, seller, deliverer = _sides(story, name)
    hold_review(deal, seller, deliverer, stop=stop, when=when)
    review = DealReview.objects.running().select_related("opportunity").get(opportunity=deal)
    day = story.today + dt.timedelta(days=ahead)
    day += dt.timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)
    starts_at = dt.datetime.combine(day, dt.time(9 + ahead, 30 * (ahead % 2)), dt.UTC)
    meeting = Meeting(starts_at, 30, "Room Utsikten", "The largest gaps first, then the verdict.", (seller, deliverer))
    schedule_review(actor=deliverer, review=review, meeting=meeting, expected_version=None, now=when + 3 * _STEP)


def _delivery_first(story: Story, when: dt.datetime) -> None:
    """Delivery has handed in; sales has not."""
    deal, _seller, deliverer = _sides(story, DELIVERY_FIRST)
    review = request_review(actor=deliverer, opportunity=deal, is_express=False, trigger=Trigger.ASKED, now=when)
    _answer(review, deliverer, Side.DELIVERY, random.Random(deal.name), when + _STEP)  # noqa: S311


def _agree_with_conditions(story: Story, when: dt.datetime) -> None:
    deal, seller, deliverer = _sides(story, AMENDED)
    chance = random.Random(deal.name)  # noqa: S311 - the same demo every time
    review = request_review(actor=seller, opportunity=deal, is_express=False, trigger=Trigger.ASKED, now=when)
    _answer(review, seller, Side.SALES, chance, when)
    _answer(review, deliverer, Side.DELIVERY, chance, when + _STEP)
    decision = _decide(review, seller, deliverer, Verdict.GO_IF, when + 2 * _STEP)
    for number, person in enumerate((seller, deliverer), start=3):
        sign_decision(actor=person, review=review, number=decision.number, now=when + number * _STEP)


def _amend(story: Story, when: dt.datetime) -> None:
    """The client moved a date, so the verdict has a second version that delivery has yet to sign."""
    deal, seller, deliverer = _sides(story, AMENDED)
    review = DealReview.objects.select_related("opportunity").get(opportunity=deal)
    first, second = review.decisions.get().conditions.all()
    drafts = [
        ConditionDraft(first.text, first.owner, first.due_on + dt.timedelta(days=7), first.pk),
        ConditionDraft("The cut-over is moved out of the Christmas trade", deliverer, second.due_on),
    ]
    decision = decide_review(
        actor=seller, review=review, verdict=Verdict.GO_IF, summary="Still worth it, with a calmer cut-over.",
        reason="They told us that nothing may change before January; the architect is named.", conditions=drafts,
        expected_version=None, now=when,
    )  # fmt: skip
    sign_decision(actor=seller, review=review, number=decision.number, now=when + _STEP)


def _express(story: Story, when: dt.datetime) -> None:
    """A clock that is running: sales has answered."""
    deal, seller, _deliverer = _sides(story, EXPRESS)
    review = request_review(actor=seller, opportunity=deal, is_express=True, trigger=Trigger.ASKED, now=when)
    _answer(review, seller, Side.SALES, random.Random(deal.name), when + 5 * _STEP)  # noqa: S311


def _day(story: Story, ago: int, hour: int) -> dt.datetime:
    """That hour so many days ago; of a weekend the Friday before."""
    day = story.today - dt.timedelta(days=ago)
    return dt.datetime.combine(day - dt.timedelta(days=max(0, day.weekday() - 4)), dt.time(hour), dt.UTC)


def _sides(story: Story, name: str) -> tuple[Opportunity, User, User]:
    deal = Opportunity.objects.with_people().get(name=name)
    seller = deal.owner or story.company.people["Sam"]
    return deal, seller, deal.delivery_owner or story.company.people["Dan"]


def _decide(
    review: DealReview, seller: User, deliverer: User, verdict: Verdict, when: dt.datetime
) -> ReviewDecision:  # fmt: skip
    soon = when.date() + dt.timedelta(days=14)
    drafts = [ConditionDraft(text, owner, soon) for text, owner in zip(CONDITIONS, (seller, deliverer), strict=True)]
    return decide_review(
        actor=deliverer, review=review, verdict=verdict, summary=SUMMARIES[verdict], reason="", expected_version=None,
        conditions=drafts if verdict == Verdict.GO_IF else [], now=when,
    )  # fmt: skip


def _answer(review: DealReview, by: User, side: Side, chance: random.Random, when: dt.datetime) -> None:
    scores = (3, 4, 4, 5, 5) if side == Side.SALES else (2, 3, 3, 4, 5)
    answers = {}
    for question in review.questions.all():
        notes = next((notes for word, notes in NOTES.items() if word in question.text.lower()), ("", ""))
        score = chance.choice(scores)
        is_noted = score < 4 if side == Side.DELIVERY else chance.random() < 0.5
        answers[question.pk] = (score, notes[side == Side.DELIVERY] if is_noted else "")
    save_answers(actor=by, review=review, answers=answers, hand_in=True, now=when)
