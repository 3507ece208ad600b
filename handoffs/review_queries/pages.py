"""A deal's review on the deal page and on its own: what the reader may see of it, and what they may do."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Prefetch

from accounts.models import Side, User
from handoffs.access import may_arrange, may_override, side_in
from handoffs.models import (
    AskedQuestion,
    ConditionState,
    DealReview,
    Escalation,
    ReviewAnswer,
    ReviewAttendee,
    ReviewCondition,
    ReviewDecision,
    ReviewOverride,
    ReviewState,
)
from handoffs.services.reviews.standing import Standing, standing_of
from opportunities.models import Opportunity, StageKind


@dataclass(frozen=True)
class SideLine:
    """How one side stands in a review; says nothing of what it answered."""

    side: Side
    answered_at: dt.datetime | None
    answered_by: User | None
    signed_at: dt.datetime | None
    signed_by: User | None
    is_mine: bool

    @property
    def label(self) -> str:
        """The side in words."""
        return str(self.side.label)


@dataclass(frozen=True)
class ReviewPanel:
    """What the deal page shows of the deal's review; ``review`` is the newest one, if there is any."""

    opportunity: Opportunity
    review: DealReview | None
    standing: Standing
    side: Side | None
    sides: Sequence[SideLine]
    conditions: Sequence[ReviewCondition]
    may_request: bool
    may_override: bool
    now: dt.datetime

    @property
    def decision(self) -> ReviewDecision | None:
        """The newest verdict."""
        return self.standing.decision

    @property
    def is_late(self) -> bool:
        """Whether the clock ran out."""
        return self.review is not None and is_review_late(self.review, self.now)

    @property
    def waits_for_me(self) -> str:
        """What the reader's side has to do now: answer, decide, sign, or nothing (an empty string)."""
        return next_act(self.review, self.sides) if self.side is not None and self.opportunity.is_open else ""

    @property
    def open_conditions(self) -> int:
        """How many conditions of the newest verdict are not settled."""
        return sum(condition.state == ConditionState.OPEN for condition in self.conditions)


def review_panel(user: User, opportunity: Opportunity, now: dt.datetime) -> ReviewPanel:
    """The newest review of a deal, with what this person may do. At most six queries."""
    review = DealReview.objects.filter(opportunity=opportunity).select_related(*_PEOPLE).order_by("-pk").first()
    if review is not None:
        review.opportunity = opportunity
    standing = standing_of(opportunity)
    side = side_in(user, opportunity)
    conditions: list[ReviewCondition] = []
    if standing.decision is not None:
        conditions = list(standing.decision.conditions.select_related("owner", "settled_by"))
    is_open = opportunity.kind == StageKind.OPEN and opportunity.archived_at is None
    return ReviewPanel(
        opportunity=opportunity, review=review, standing=standing, side=side,
        sides=_side_lines(review, standing.decision, side), conditions=conditions,
        may_request=is_open and (review is None or not review.is_running) and bool(may_arrange(user, opportunity)),
        may_override=is_open and not standing.lets_win and bool(may_override(user, opportunity)), now=now,
    )  # fmt: skip


_PEOPLE = ("requested_by", "sales_answered_by", "delivery_answered_by", "question_set")


@dataclass(frozen=True)
class QuestionLine:
    """A question with the answers that the reader may see."""

    question: AskedQuestion
    sales: ReviewAnswer | None
    delivery: ReviewAnswer | None
    mine: ReviewAnswer | None

    @property
    def gap(self) -> int | None:
        """How many points lie between the sides; None unless both scores may be seen."""
        if self.sales is None or self.delivery is None or self.sales.score is None or self.delivery.score is None:
            return None
        return abs(self.sales.score - self.delivery.score)

    @property
    def lowest(self) -> int:
        """The lower of the scores, 6 where neither may be seen."""
        scores = [each.score for each in (self.sales, self.delivery) if each is not None and each.score is not None]
        return min(scores, default=6)


@dataclass(frozen=True)
class ReviewPage:
    """One review with everything that the reader may see and do."""

    review: DealReview
    side: Side | None
    sides: Sequence[SideLine]
    questions: Sequence[QuestionLine]
    gaps: Sequence[QuestionLine]
    decisions: Sequence[ReviewDecision]
    attendees: Sequence[ReviewAttendee]
    overrides: Sequence[ReviewOverride]
    escalations: Sequence[Escalation]
    may_answer: bool
    may_take_back: bool
    may_decide: bool
    may_sign: bool
    may_schedule: bool
    may_override: bool
    now: dt.datetime

    @property
    def decision(self) -> ReviewDecision | None:
        """The newest verdict of this review."""
        return self.decisions[0] if self.decisions else None

    @property
    def is_late(self) -> bool:
        """Whether the clock ran out."""
        return is_review_late(self.review, self.now)

    @property
    def answered(self) -> int:
        """How many questions the reader's own side has scored."""
        return sum(line.mine is not None and line.mine.score is not None for line in self.questions)


def review_page(user: User, review: DealReview, now: dt.datetime) -> ReviewPage:
    """The review as this person may see it; ``decisions`` has the newest version first, each with ``conditions``.

    A constant number of queries, at most twelve.
    """
    opportunity = review.opportunity
    side = side_in(user, opportunity)
    decisions = list(
        review.decisions.order_by("-number")
        .select_related("decided_by", "sales_signed_by", "delivery_signed_by")
        .prefetch_related(Prefetch("conditions", ReviewCondition.objects.select_related("owner", "settled_by")))
    )
    lines = _question_lines(review, side)
    newest = decisions[0] if decisions else None
    is_open = opportunity.kind == StageKind.OPEN and opportunity.archived_at is None
    speaks = side is not None and is_open
    is_in = side is not None and review.answered_at(side) is not None
    is_decidable = review.state in (ReviewState.COMPARING, ReviewState.DECIDED, ReviewState.AGREED)
    return ReviewPage(
        review=review, side=side, sides=_side_lines(review, newest, side), questions=lines,
        gaps=_largest_first(lines) if review.are_both_in else [], decisions=decisions,
        attendees=list(review.attendees.select_related("user")), overrides=list(review.overrides.select_related("by")),
        escalations=list(review.escalations.all()),
        may_answer=speaks and not is_in and review.state == ReviewState.ANSWERING,
        may_take_back=speaks and is_in and review.state == ReviewState.ANSWERING,
        may_decide=speaks and is_decidable,
        may_sign=speaks and side is not None and newest is not None and newest.signed_at(side) is None,
        may_schedule=is_open and review.is_running and bool(may_arrange(user, opportunity)),
        may_override=is_open and bool(may_override(user, opportunity)) and not standing_of(opportunity).lets_win,
        now=now,
    )  # fmt: skip


def comparison(review: DealReview) -> list[QuestionLine]:
    """Both sides' answers, the largest gap first, then the lowest score; empty before both are in. Two queries."""
    return _largest_first(_question_lines(review, None)) if review.are_both_in else []


def is_review_late(review: DealReview, now: dt.datetime) -> bool:
    """Whether the clock of a running review ran out; it rests while the deal is cold."""
    return review.is_running and review.paused_at is None and review.due_at < now


def _question_lines(review: DealReview, side: Side | None) -> list[QuestionLine]:
    answers: dict[int, dict[str, ReviewAnswer]] = defaultdict(dict)
    for answer in ReviewAnswer.objects.shown_to(side).filter(question__review=review).select_related("by"):
        answers[answer.question_id][answer.side] = answer
    lines = []
    for question in review.questions.all():
        given = answers[question.pk]
        mine = given.get(side.value) if side is not None else None
        lines.append(QuestionLine(question, given.get(Side.SALES.value), given.get(Side.DELIVERY.value), mine))
    return lines


def _largest_first(lines: Sequence[QuestionLine]) -> list[QuestionLine]:
    return sorted(lines, key=lambda line: (-(line.gap or 0), line.lowest, line.question.position))


def _side_lines(review: DealReview | None, decision: ReviewDecision | None, mine: Side | None) -> list[SideLine]:
    if review is None:
        return []
    # The newest verdict may be an earlier review's.
    signed = decision if decision is not None and decision.review_id == review.pk else None
    return [
        SideLine(
            side=side, is_mine=side == mine,
            answered_at=review.answered_at(side), answered_by=getattr(review, f"{side.value}_answered_by"),
            signed_at=signed.signed_at(side) if signed else None,
            signed_by=getattr(signed, f"{side.value}_signed_by") if signed else None,
        )
        for side in (Side.SALES, Side.DELIVERY)
    ]  # fmt: skip


def next_act(review: DealReview | None, sides: Sequence[SideLine]) -> str:
    mine = next((line for line in sides if line.is_mine), None)
    if review is None or mine is None or not review.is_running:
        return ""
    if review.state == ReviewState.ANSWERING:
        return "" if mine.answered_at else "answer"
    if review.state == ReviewState.COMPARING:
        return "decide"
    return "" if mine.signed_at else "sign"
