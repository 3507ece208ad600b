"""What must hold about handoffs is found when it doesn't."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.models import User
from events.models import Delivery, DeliveryState
from handoffs.models import HandoffState, Submission, SubmissionState
from handoffs.services.commitments import add_commitment
from handoffs.services.handoff import accept_relationship, change_relationship
from opportunities.models import Opportunity
from tests.handoffs.handing import handoff_of, named_on, transfer_of, won
from tests.handoffs.reactions import MONDAY, deal, move
from tests.handoffs.test_review_invariants import broken


def swapped(owner: str) -> str:
    """A statement that gives the tasks of one deal to another deal's handoff or plan."""
    table = f"handoffs_{owner.replace('_', '')}"
    return f"update handoffs_task set {owner}_id = (select max(id) from {table}) where {owner}_id is not null"


APPROVED = "update handoffs_handoff set state = 'approved', approved_at = now()"


@pytest.fixture
def whole(alice: User, dan: User, pia: User) -> Opportunity:
    """A won deal with a promise and a person who was taken over, and a deal that is open again."""
    offered = deal("proposal", owner=alice, delivery_owner=dan)
    add_commitment(
        actor=alice, opportunity=offered, values={"text": "March", "kind": "date", "source": "call"}, now=MONDAY
    )
    named_on(offered, "Kari", by=alice)
    whole = move(offered, "won").opportunity
    change_relationship(
        actor=alice, transfer=transfer_of(whole, "Kari"), now=MONDAY, expected_version=None,
        values={"owner_next": pia, "introduced_on": MONDAY.date()},
    )  # fmt: skip
    accept_relationship(actor=pia, transfer=transfer_of(whole, "Kari"), now=MONDAY)
    return whole


@pytest.mark.parametrize(
    ("name", "breaking"),
    [
        ("won_deals_have_a_handoff", ["update handoffs_handoff set shelved_at = now()"]),
        ("won_deals_have_a_handoff", ["update handoffs_rampplan set shelved_at = now()"]),
        ("open_deals_have_no_handoff", ["update opportunities_opportunity set archived_at = now()"]),
        ("items_are_of_their_deal", [swapped("handoff")]),
        ("items_are_of_their_deal", [swapped("ramp_plan")]),
        ("approved_handoffs_were_approved", [APPROVED]),
        ("approved_handoffs_were_approved", ["update handoffs_handoff set state = 'submitted'"]),
        ("relationship_items_follow_the_map", ["update handoffs_relationshiptransfer set accepted_at = null"]),
        ("promise_items_follow_the_promise", ["update handoffs_commitment set stance = 'accepted'"]),
    ],
)  # fmt: skip
def test_a_break_is_found_by_its_name_alone(
    alice: User, dan: User, whole: Opportunity, name: str, breaking: list[str]
) -> None:
    won(owner=alice, delivery_owner=dan)
    assert broken() == set()
    with connection.cursor() as cursor:
        for statement in breaking:
            cursor.execute(statement)
    assert broken() == {name}


def test_a_handoff_with_a_pending_submission_is_submitted(alice: User, whole: Opportunity) -> None:
    handoff = handoff_of(whole)
    Submission.objects.create(handoff=handoff, number=1, submitted_by=alice, submitted_at=MONDAY, items=[])
    asks_nobody = "pending_submissions_ask_somebody"
    assert broken() == {"approved_handoffs_were_approved", asks_nobody}
    handoff.state = HandoffState.SUBMITTED
    handoff.save()
    assert broken() == {asks_nobody}
    Submission.objects.update(state=SubmissionState.RECALLED, closed_at=MONDAY)
    assert broken() == {"approved_handoffs_were_approved"}


def test_a_condition_item_that_does_not_follow_is_found(alice: User, dan: User) -> None:
    from tests.handoffs.test_carried_over import reviewed

    offered = deal("proposal", owner=alice, delivery_owner=dan)
    reviewed(offered, alice, dan, "Architect is free")
    move(offered, "won")
    assert broken() == set()
    with connection.cursor() as cursor:
        cursor.execute("update handoffs_reviewcondition set state = 'met', settled_at = now()")
    assert broken() == {"condition_items_follow_the_condition"}


def test_a_stated_win_whose_reaction_is_owed_is_no_break(alice: User) -> None:
    from tests.handoffs.test_winning import stated_won

    offered = deal("proposal", owner=alice)
    stated_won(offered, is_baseline=False)
    assert "won_deals_have_a_handoff" not in broken()
    Delivery.objects.update(state=DeliveryState.DONE, done_at=MONDAY)
    assert "won_deals_have_a_handoff" in broken()


def test_items_without_a_template_are_no_repeat(alice: User, dan: User, whole: Opportunity) -> None:
    add_commitment(
        actor=alice, opportunity=whole, values={"text": "April", "kind": "date", "source": "call"}, now=MONDAY
    )
    assert broken() == set()
