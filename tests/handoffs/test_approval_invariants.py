"""Approvals that break their rules are found, and ordinary ones are not."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.models import User
from events.invariants import SHOWN
from handoffs.handoff_invariants import HANDOFF_INVARIANTS
from handoffs.models import ApprovalStep, StepState
from handoffs.services.approvals import decide_step, delegate, recall_handoff
from tests.handoffs.approving import approve, chain, fresh, step_of, submitted
from tests.handoffs.reactions import MONDAY

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _chain(sam: User, dan: User, eve: User, ada: User) -> None:
    chain()


def broken(name: str) -> int:
    """How many rows break the rule of that name."""
    [invariant] = [each for each in HANDOFF_INVARIANTS if each.name == f"handoffs.{name}"]
    with connection.cursor() as cursor:
        cursor.execute(invariant.sql)
        return len(cursor.fetchmany(SHOWN))


def test_ordinary_ways_break_nothing(alice: User, sam: User, dan: User, ruth: User) -> None:
    delegate(
        actor=sam, delegator=sam, delegate=ruth, starts_on=MONDAY.date(), ends_on=MONDAY.date(), reason="", now=MONDAY
    )
    submission = submitted()
    approve(submission, "Sales", ruth)
    recall_handoff(actor=alice, handoff=submission.handoff, reason="A number", now=MONDAY)
    again = submitted(fresh(submission.handoff))
    decide_step(
        actor=dan, step=step_of(again, "Delivery"), decision=StepState.CHANGES_REQUESTED, comment="No", now=MONDAY
    )
    last = submitted(fresh(submission.handoff))
    approve(last, "Sales", ruth)
    approve(last, "Delivery", dan)
    assert broken("approvals_by_different_people") == 0
    assert broken("pending_submissions_ask_somebody") == 0


def test_one_person_in_two_approvals_is_found(sam: User, dan: User, ruth: User) -> None:
    submission = submitted()
    approve(submission, "Sales", sam)
    ApprovalStep.objects.filter(submission=submission, name="Delivery").update(
        state=StepState.APPROVED, decided_by=ruth, on_behalf_of=sam, decided_at=MONDAY
    )
    assert broken("approvals_by_different_people") == 1


def test_a_submission_that_asks_nobody_is_found(sam: User) -> None:
    ApprovalStep.objects.filter(submission=submitted()).update(opened_at=None)
    assert broken("pending_submissions_ask_somebody") == 1
