"""Many people at the same approval, and at the same delegations."""

from __future__ import annotations

import datetime as dt
import os

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Role, User
from events import names
from events.models import Event
from handoffs.models import ApprovalStep, Delegation, Handoff, HandoffState, StepState, Submission
from handoffs.services.approvals import (
    CannotDecide,
    accept_handoff,
    create_default_chain,
    decide_step,
    delegate,
    recall_handoff,
    remind_and_escalate,
    submit_handoff,
)
from handoffs.states import IllegalTransition
from tests import factories
from tests.concurrency.test_moves import at_once
from tests.handoffs.approving import approve, chain, fresh, ready, step_of, submitted
from tests.handoffs.reactions import MONDAY

pytestmark = pytest.mark.django_db(transaction=True)
# The figure to reach is 100 rounds; a few of them show a missing lock already.
ROUNDS = int(os.environ.get("ONETEAM_ROUNDS", "3"))
TUESDAY_CLOSING = MONDAY.replace(hour=17) + dt.timedelta(days=1)


@pytest.fixture
def handoff(alice: User, sam: User, dan: User, eve: User, ada: User) -> Handoff:
    """Ready to be submitted."""
    chain()
    return ready()


def happened(name: str) -> int:
    return Event.objects.filter(name=name).count()


def again(handoff: Handoff, alice: User) -> Submission:
    """Submitted once more."""
    if fresh(handoff).state == HandoffState.SUBMITTED:
        recall_handoff(actor=alice, handoff=handoff, reason="Again", now=MONDAY)
    return submitted(fresh(handoff))


def test_fifty_identical_approvals_count_once(handoff: Handoff, alice: User, sam: User) -> None:
    for round_ in range(1, ROUNDS + 1):
        submission = again(handoff, alice)

        def act(_number: int, submission: Submission = submission) -> int:
            return approve(submission, "Sales", sam).pk

        assert len(set(at_once(act, range(50)))) == 1
        assert happened(names.APPROVAL_GIVEN) == round_
        assert ApprovalStep.objects.filter(submission=submission, state=StepState.APPROVED).count() == 1


def test_of_two_managers_one_decides_and_the_other_hears_who(handoff: Handoff, alice: User, sam: User) -> None:
    sally = factories.person("Sally", Role.SALES_MANAGER, teams=(factories.team(),))
    for _round in range(ROUNDS):
        submission = again(handoff, alice)

        def decide(person: User, submission: Submission = submission) -> str:
            decision = StepState.APPROVED if person == sam else StepState.REJECTED
            try:
                decide_step(
                    actor=person, step=step_of(submission, "Sales"), decision=decision, comment="So be it", now=MONDAY
                )
            except CannotDecide as refused:
                return refused.sentence
            return ""

        told = at_once(decide, [sam, sally])
        winner = step_of(submission, "Sales").decided_by
        assert winner is not None
        assert sorted(sentence.split(" has ")[0] for sentence in told) == ["", winner.name]
        if fresh(handoff).state == HandoffState.REJECTED:
            return


def test_one_person_cannot_take_two_steps_at_once(handoff: Handoff, alice: User, dan: User) -> None:
    dan.roles = [Role.DELIVERY_MANAGER, Role.SALES_MANAGER]
    dan.save()
    for _round in range(ROUNDS):
        submission = again(handoff, alice)

        def take(name: str, submission: Submission = submission) -> str:
            try:
                return approve(submission, name, dan).state
            except CannotDecide as told:
                return told.refusal.value

        assert sorted(at_once(take, ["Sales", "Delivery"])) == ["approved", "decided_another"]


def test_both_last_approvals_at_once_approve_once(handoff: Handoff, alice: User, sam: User, dan: User) -> None:
    submission = again(handoff, alice)
    at_once(lambda each: approve(submission, *each), [("Sales", sam), ("Delivery", dan)])
    assert fresh(handoff).state == HandoffState.APPROVED
    assert happened(names.HANDOFF_APPROVED) == 1


def test_twenty_submissions_at_once_are_one(handoff: Handoff, alice: User) -> None:
    def submit(_number: int) -> int:
        return submit_handoff(actor=alice, handoff=handoff, note="", now=MONDAY, expected_version=handoff.version).pk

    assert len(set(at_once(submit, range(20)))) == 1
    assert happened(names.HANDOFF_SUBMITTED) == 1


def test_recalling_against_approving_never_leaves_half(handoff: Handoff, alice: User, sam: User, dan: User) -> None:
    submission = again(handoff, alice)
    approve(submission, "Sales", sam)

    def act(who: str) -> str:
        try:
            if who == "approve":
                approve(submission, "Delivery", dan)
            else:
                recall_handoff(actor=alice, handoff=handoff, reason="Wait", now=MONDAY)
        except (CannotDecide, IllegalTransition):
            return "too late"
        return who

    done = at_once(act, ["approve", "recall"])
    state = fresh(handoff).state
    assert done.count("too late") == 1
    assert state == (HandoffState.APPROVED if "approve" in done else HandoffState.DRAFT)


def test_ten_clocks_remind_and_escalate_once(handoff: Handoff) -> None:
    submitted(handoff)
    for now in (MONDAY.replace(hour=17), TUESDAY_CLOSING):

        def tick(_number: int, now: dt.datetime = now) -> None:
            remind_and_escalate(now=now)

        at_once(tick, range(10))
    remind_and_escalate(now=TUESDAY_CLOSING)
    assert (happened(names.APPROVAL_REMINDED), happened(names.APPROVAL_ESCALATED)) == (2, 2)


def test_ten_acceptances_start_one_ramp(handoff: Handoff, pia: User, sam: User, dan: User) -> None:
    submission = submitted(handoff)
    approve(submission, "Sales", sam)
    approve(submission, "Delivery", dan)
    at_once(lambda _n: accept_handoff(actor=pia, handoff=handoff, now=MONDAY), range(10))
    assert (happened(names.HANDOFF_ACCEPTED), happened(names.RAMP_STARTED)) == (1, 1)


def test_two_people_who_name_each_other_make_no_circle(sam: User, dan: User, eve: User) -> None:
    for round_ in range(ROUNDS):
        day = MONDAY.date() + dt.timedelta(days=7 * round_)

        def name(pair: tuple[User, User], day: dt.date = day) -> bool:
            try:
                delegate(
                    actor=pair[0], delegator=pair[0], delegate=pair[1], starts_on=day, ends_on=day, reason="",
                    now=MONDAY,
                )  # fmt: skip
            except ValidationError:
                return False
            return True

        assert sum(at_once(name, [(sam, dan), (dan, eve), (eve, sam)])) == 2
        assert Delegation.objects.filter(starts_on=day).count() == 2


def test_the_default_chain_is_made_once(ada: User) -> None:
    made = at_once(lambda _n: len(create_default_chain()), range(10))
    assert sorted(made) == [0] * 9 + [3]
