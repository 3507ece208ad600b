"""Answering a deal review: each side apart, and nothing seen of the other before both are in."""

from __future__ import annotations

import pytest

from accounts.models import Side, User
from events import names
from events.models import Event
from handoffs.models import DealReview, ReviewAnswer, ReviewState
from opportunities.models import Opportunity
from tests.handoffs.reviewing import SECRET, answer, compared, requested


@pytest.fixture
def review(warm_deal: Opportunity, alice: User) -> DealReview:
    """A review that Alice asked for on Monday."""
    return requested(warm_deal, alice)


def events_of(review: DealReview) -> list[str]:
    told = Event.objects.filter(opportunity_id=review.opportunity_id, name__startswith="reviews.")
    return list(told.order_by("pk").values_list("name", flat=True))


def shown_to(review: DealReview, side: Side | None) -> set[str]:
    return set(ReviewAnswer.objects.shown_to(side).filter(question__review=review).values_list("side", flat=True))


def test_handing_in_opens_nothing_to_the_other_side(review: DealReview, alice: User) -> None:
    handed_in = answer(review, alice, 4, note=SECRET)
    assert (handed_in.state, handed_in.sales_answered_by) == (ReviewState.ANSWERING, alice)
    assert shown_to(review, Side.SALES) == {"sales"}
    assert shown_to(review, Side.DELIVERY) == set()
    assert shown_to(review, None) == set()


def test_once_both_are_in_everybody_sees_all(review: DealReview, alice: User, dan: User) -> None:
    assert compared(review, alice, dan).state == ReviewState.COMPARING
    for side in (Side.SALES, Side.DELIVERY, None):
        assert shown_to(review, side) == {"sales", "delivery"}
    assert events_of(review)[-3:] == [names.REVIEW_ANSWERED, names.REVIEW_ANSWERED, names.REVIEW_COMPARED]
