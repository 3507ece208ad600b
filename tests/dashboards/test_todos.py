"""What waits for a person beside tasks: reviews, conditions, promises, risk profiles, handoffs."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.models import Organisation, User
from dashboards.queries.handing_over import items_of
from dashboards.queries.todos import todos_of
from handoffs.models import (
    ApprovalRule,
    ApprovalStep,
    CommitmentKind,
    CommitmentSource,
    Delegation,
    Handoff,
    Statement,
    Submission,
    Task,
)
from handoffs.services.commitments import add_commitment
from handoffs.services.reviews import ConditionDraft
from opportunities.models import Opportunity
from tests.factories import ContactFactory
from tests.handoffs import reviewing
from tests.handoffs.handing import handoff_of, won
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


# --- once the deal is won ---


def test_the_items_of_a_checklist_are_one_thing_that_waits(alice: User, dan: User) -> None:
    handoff = handoff_of(won(owner=alice, delivery_owner=dan))
    own = Task.objects.open().filter(handoff=handoff).filter(items_of(alice)).count()
    (todo,) = [each for each in todos_of(alice, home=Organisation.objects.get(), now=MONDAY) if each.kind == "handoff"]
    assert own > 1
    assert str(own) in todo.sentence
    assert todo.url == f"/handoffs/{handoff.pk}/"


def test_a_complete_checklist_asks_its_owners_to_submit(alice: User, dan: User, pia: User) -> None:
    handoff = handoff_of(won(owner=alice, delivery_owner=dan))
    Task.objects.filter(handoff=handoff).update(state="cancelled")
    assert ("handoff", "Submit") in asked(alice)
    assert ("handoff", "Submit") in asked(dan)
    assert "handoff" not in dict(asked(pia))


def test_the_project_manager_alone_takes_an_approved_handoff_on(alice: User, dan: User, pia: User) -> None:
    handoff = handoff_of(won(owner=alice, delivery_owner=dan))
    Handoff.objects.filter(pk=handoff.pk).update(state="approved", approved_at=MONDAY, project_manager=pia)
    assert ("handoff", "Accept") in asked(pia)
    assert "handoff" not in dict(asked(dan))


def test_an_approval_waits_for_those_who_may_give_it(alice: User, dan: User, sam: User, charlie: User) -> None:
    waiting_step(handoff_of(won(owner=alice, delivery_owner=dan)), by=alice, role="sales_manager")
    assert ("approval", "Decide") in asked(sam)
    assert "approval" not in dict(asked(dan))
    assert "approval" not in dict(asked(charlie))


def test_an_approval_waits_for_whoever_stands_in(alice: User, dan: User, sam: User, eve: User) -> None:
    waiting_step(handoff_of(won(owner=alice, delivery_owner=dan)), by=alice, role="sales_manager")
    assert "approval" not in dict(asked(eve))
    Delegation.objects.create(
        delegator=sam, delegate=eve, starts_on=MONDAY.date(), ends_on=MONDAY.date(), created_by=sam
    )
    assert ("approval", "Decide") in asked(eve)
    assert "approval" not in dict(asked(eve, MONDAY + dt.timedelta(days=1)))


def test_what_the_client_amended_waits_for_both_owners_until_answered(alice: User, dan: User, sam: User) -> None:
    deal_won = won(owner=alice, delivery_owner=dan)
    contact = ContactFactory.make(account=deal_won.account, name="Casey Client")
    Statement.objects.create(
        opportunity=deal_won, subject="scope", number=1, text="All", amended_by=contact, written_at=MONDAY
    )
    assert ("statement", "Look") in asked(alice)
    assert ("statement", "Look") in asked(dan)
    assert "statement" not in dict(asked(sam))
    Statement.objects.create(
        opportunity=deal_won, subject="scope", number=2, text="All of it", written_by=alice, written_at=MONDAY
    )
    assert "statement" not in dict(asked(alice))


def waiting_step(handoff: Handoff, *, by: User, role: str) -> ApprovalStep:
    """One step of a submission that waits for somebody of a role."""
    submission = Submission.objects.create(handoff=handoff, number=1, submitted_by=by, submitted_at=MONDAY, items=[])
    rule = ApprovalRule.objects.create(name="Manager", position=1, role=role)
    return ApprovalStep.objects.create(
        submission=submission, rule=rule, name="Manager", position=1, role=role, opened_at=MONDAY, submitted_by=by,
        escalate_to="executive",
    )  # fmt: skip
