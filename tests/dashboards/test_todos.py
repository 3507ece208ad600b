"""What waits for a person beside tasks: reviews, conditions, promises, risk profiles."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.models import Organisation, User
from dashboards.queries.todos import todos_of
from handoffs.models import CommitmentKind, CommitmentSource
from handoffs.services.commitments import add_commitment
from handoffs.services.reviews import ConditionDraft
from opportunities.models import Opportunity
from tests.handoffs import reviewing
from tests.handoffs.reactions import MONDAY, deal, fresh, move


def asked(user: User, now: dt.datetime = MONDAY) -> list[tuple[str, str]]:
    """Kind of thing and name of the button."""
    found = todos_of(user, home=Organisation.objects.get(), now=now)
    return sorted((todo.key.partition("-")[0], todo.act) for todo in found)


@pytest.fixture
def shared(alice: User, dan: User) -> Opportunity:
    """Alice's warm deal with Dan."""
    made = move(deal("qualified", owner=alice), "discovery").opportunity
    made.delivery_owner = dan
    made.save(update_fields=["delivery_owner"])
    return fresh(made)


def test_both_owners_are_asked_to_answer_and_each_until_they_have(shared: Opportunity, alice: User, dan: User) -> None:
    review = reviewing.requested(shared, alice)
    assert asked(alice) == asked(dan) == [("review", "Answer")]
    reviewing.answer(review, alice)
    assert asked(alice) == []
    assert asked(dan) == [("review", "Answer")]


def test_both_decide_and_each_signs(shared: Opportunity, alice: User, dan: User) -> None:
    review = reviewing.compared(reviewing.requested(shared, alice), alice, dan)
    assert asked(alice) == asked(dan) == [("review", "Decide")]
    reviewing.decide(review, dan)
    assert asked(alice) == asked(dan) == [("review", "Sign")]
    reviewing.sign(review, alice)
    assert asked(alice) == []


def test_a_condition_waits_for_its_owner_and_only_in_the_newest_version(
    shared: Opportunity, alice: User, dan: User, pia: User
) -> None:
    review = reviewing.compared(reviewing.requested(shared, alice), alice, dan)
    draft = ConditionDraft(text="The client names a product owner", owner=pia, due_on=reviewing.IN_A_WEEK, follows=None)
    reviewing.decide(review, dan, "go_if", conditions=[draft])
    assert asked(pia) == [("condition", "Settle")]
    reviewing.decide(review, dan, "go", reason="They named one")
    assert asked(pia) == []


def test_a_promise_waits_for_the_delivery_owner_alone(shared: Opportunity, alice: User, dan: User) -> None:
    add_commitment(
        actor=alice, opportunity=shared, now=MONDAY,
        values={
            "text": "Go live before Christmas", "kind": CommitmentKind.DATE, "promised_by": alice,
            "promised_on": MONDAY.date(), "source": CommitmentSource.CALL,
        },
    )  # fmt: skip
    assert asked(dan) == [("promise", "Answer")]
    assert asked(alice) == []


def test_others_are_asked_for_nothing(shared: Opportunity, alice: User, charlie: User, sam: User) -> None:
    reviewing.requested(shared, alice)
    assert asked(charlie) == asked(sam) == []
