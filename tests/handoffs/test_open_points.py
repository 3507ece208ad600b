"""What is open on a deal, in whose part of the two circles it stands, and where it leads."""

from __future__ import annotations

import pytest

from accounts.models import User
from handoffs.models import Commitment, Stance
from handoffs.open_points import points_of
from handoffs.services.reviews import ConditionDraft
from opportunities.models import Opportunity
from tests.cast import Browser
from tests.handoffs import reviewing
from tests.handoffs.reactions import MONDAY, deal, fresh, move, task_of


@pytest.fixture
def shared(alice: User, dan: User) -> Opportunity:
    """Alice's hot deal with Dan."""
    made = move(deal("qualified", owner=alice, delivery_owner=dan), "negotiation").opportunity
    return fresh(made)


def told(found: Opportunity) -> set[tuple[str, str]]:
    return {(point.side, point.text) for point in points_of(found)}


def test_each_side_is_told_what_it_owes_the_review_until_it_has_done_it(
    shared: Opportunity, alice: User, dan: User
) -> None:
    review = shared.deal_reviews.get()
    assert {("sales", "Answer the deal review"), ("delivery", "Answer the deal review")} <= told(shared)
    reviewing.answer(review, alice)
    assert ("sales", "Answer the deal review") not in told(shared)
    reviewing.answer(review, dan)
    assert ("shared", "Compare the answers and decide") in told(shared)
    draft = ConditionDraft(text="An architect is named", owner=dan, due_on=reviewing.IN_A_WEEK, follows=None)
    reviewing.decide(review, dan, "go_if", conditions=[draft])
    reviewing.sign(review, dan)
    assert {("sales", "Sign the verdict"), ("shared", "Verdict: Go, if"), ("shared", "1 open condition")} <= told(
        shared
    )
    assert ("delivery", "Sign the verdict") not in told(shared)


def test_promises_stand_where_somebody_has_to_act(shared: Opportunity, alice: User) -> None:
    given = {"opportunity": shared, "promised_by": alice, "added_by": alice, "promised_on": MONDAY.date()}
    Commitment.objects.create(**given, text="Go live in May", kind="date", source="call")
    Commitment.objects.create(
        **given, text="Two architects", kind="team", source="call", stance=Stance.DISPUTED, stance_note="One is ill"
    )
    assert {
        ("sales", "2 promises to the client"), ("delivery", "Answer 1 promise"), ("shared", "1 disputed promise"),
    } <= told(shared)  # fmt: skip


def test_a_task_that_follows_the_review_leads_to_it_instead_of_being_ticked(shared: Opportunity, alice: User) -> None:
    task = task_of(shared, "deal-review")
    panel = Browser(alice).get(f"/deals/{shared.pk}/delivery/").content.decode()
    assert f'id="check-{task.pk}"' not in panel
    assert f"/deals/{shared.pk}/#review-panel" in panel
