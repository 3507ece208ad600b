"""What must hold about deal reviews is found when it doesn't."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.models import User
from events.models import Delivery, DeliveryState
from handoffs.invariants import INVARIANTS
from handoffs.models import DealReview
from opportunities.models import Opportunity
from tests.handoffs.reactions import move
from tests.handoffs.reviewing import agreed


@pytest.fixture
def hot(warm_deal: Opportunity, alice: User, dan: User) -> Opportunity:
    """A hot deal of Alice's whose review is agreed."""
    hot = move(move(warm_deal, "proposal").opportunity, "negotiation").opportunity
    agreed(DealReview.objects.get(opportunity=hot), alice, dan)
    return hot


def broken() -> set[str]:
    found = set()
    with connection.cursor() as cursor:
        for invariant in INVARIANTS:
            cursor.execute(f"select count(*) from ({invariant.sql}) found")
            if cursor.fetchone()[0]:
                found.add(invariant.name.removeprefix("handoffs."))
    return found


SALES_BY_DELIVERY = """
    update handoffs_dealreview set sales_answered_by_id = delivery_answered_by_id, delivery_answered_by_id = null
"""
ANSWERS_BY_DELIVERY = """
    update handoffs_reviewanswer set by_id = (select delivery_answered_by_id from handoffs_dealreview)
    where side = 'sales'
"""
CANCEL_TASK = "update handoffs_task set state = 'cancelled' where action <> ''"


@pytest.mark.parametrize(
    ("name", "breaking"),
    [
        ("one_running_review", ["update opportunities_opportunity set archived_at = now()",
                                "update handoffs_engagement set state = 'done', outcome = 'lost'",
                                "update handoffs_reviewdecision set sales_signed_at = null",
                                "update handoffs_dealreview set state = 'decided'", CANCEL_TASK]),
        ("agreed_reviews_are_signed", ["update handoffs_reviewdecision set sales_signed_at = null", CANCEL_TASK]),
        ("agreed_reviews_are_signed", ["update handoffs_dealreview set state = 'decided'"]),
        ("handed_in_answers_are_complete", ["update handoffs_reviewanswer set score = null where side = 'sales'"]),
        ("nobody_speaks_for_both_sides", [SALES_BY_DELIVERY]),
        ("nobody_speaks_for_both_sides", [ANSWERS_BY_DELIVERY]),
        ("review_tasks_follow_the_review", ["update handoffs_task set state = 'open' where action = 'review'"]),
        ("review_tasks_follow_the_review", ["update handoffs_reviewdecision set sales_signed_at = null",
                                            "update handoffs_dealreview set state = 'decided'"]),
        ("review_tasks_have_a_review", ["delete from handoffs_reviewanswer", "delete from handoffs_askedquestion",
                                        "delete from handoffs_reviewdecision", "delete from handoffs_dealreview",
                                        "update handoffs_task set state = 'open' where action = 'review'"]),
    ],
)  # fmt: skip
def test_a_break_is_found_by_its_name_alone(hot: Opportunity, name: str, breaking: list[str]) -> None:
    assert broken() == set()
    with connection.cursor() as cursor:
        for statement in breaking:
            cursor.execute(statement)
    assert broken() == {name}


def test_what_a_reaction_still_owes_is_no_break(hot: Opportunity) -> None:
    with connection.cursor() as cursor:
        cursor.execute("update handoffs_task set state = 'open' where action = 'review'")
    assert broken() == {"review_tasks_follow_the_review"}
    Delivery.objects.filter(event__opportunity_id=hot.pk).update(state=DeliveryState.PENDING)
    assert broken() == set()
