"""Submitting, deciding, recalling, resubmitting and accepting handoffs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from pytest_django import DjangoAssertNumQueries

from accounts.models import CurrencyRate, Role, User
from events import names
from events.models import Event
from handoffs.approval_queries import can_decide, trail_of
from handoffs.models import ApprovalRule, ApprovalStep, HandoffState, ProjectState, StepState, SubmissionState
from handoffs.services.approvals import (
    CannotDecide,
    NotReady,
    Refusal,
    StaleHandoff,
    accept_handoff,
    decide_step,
    delegate,
    recall_handoff,
    revise_handoff,
    submit_handoff,
)
from handoffs.services.handoff import add_item, waive_item
from handoffs.states import IllegalTransition
from opportunities.models import Opportunity
from tests import factories
from tests.handoffs.approving import approve, chain, fresh, ready, rule, step_of, submitted
from tests.handoffs.handing import handoff_of, won
from tests.handoffs.reactions import FRIDAY, MONDAY, TUESDAY, move

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _chain(sam: User, dan: User, eve: User, ada: User) -> None:
    chain()


def count(name: str) -> int:
    return Event.objects.filter(name=name).count()


def refusal(act: Callable[[], object]) -> Refusal:
    with pytest.raises(CannotDecide) as caught:
        act()
    assert caught.value.sentence
    return caught.value.refusal


# --- the chain --------------------------------------------------------------------------------------------------------


def test_both_managers_are_asked_together(alice: User) -> None:
    submission = submitted()
    steps = list(submission.steps.all())
    assert [(step.name, step.opened_at) for step in steps] == [("Sales", MONDAY), ("Delivery", MONDAY)]
    assert fresh(submission.handoff).state == HandoffState.SUBMITTED
    assert (count(names.HANDOFF_SUBMITTED), count(names.APPROVAL_ASKED)) == (1, 1)


def test_a_large_deal_needs_an_executive_in_the_end(sam: User, dan: User, eve: User) -> None:
    submission = submitted(amount=Decimal(250_000))
    assert step_of(submission, "Large deal").opened_at is None
    approve(submission, "Sales", sam)
    assert step_of(submission, "Large deal").opened_at is None
    approve(submission, "Delivery", dan, now=TUESDAY)
    assert step_of(submission, "Large deal").opened_at == TUESDAY
    approve(submission, "Large deal", eve)
    assert fresh(submission.handoff).state == HandoffState.APPROVED


@pytest.mark.parametrize(
    ("amount", "currency", "is_large"),
    [("249999.99", "EUR", False), ("250000", "EUR", True), ("300000", "USD", True), ("200000", "USD", False),
     ("10", "XAU", True), (None, "EUR", True)],
)  # fmt: skip
def test_amounts_count_in_base_currency_and_without_a_rate_as_above(
    alice: User, amount: str | None, currency: str, is_large: bool
) -> None:
    CurrencyRate.objects.create(currency="USD", on=MONDAY.date(), rate=Decimal("0.9"))
    handoff = ready()
    Opportunity.objects.filter(pk=handoff.opportunity_id).update(amount=amount, currency=currency)
    submission = submitted(fresh(handoff))
    assert submission.steps.filter(name="Large deal").exists() is is_large


def test_steps_for_other_service_lines_and_archived_ones_are_left_out() -> None:
    rule("Security", Role.EXECUTIVE, service_line=factories.service_line("Security"))
    rule("Old", Role.EXECUTIVE, archived_at=MONDAY)
    rule("Cloud", Role.EXECUTIVE, service_line=factories.service_line("Cloud"))
    assert {step.name for step in submitted().steps.all()} == {"Sales", "Delivery", "Cloud"}


def test_a_later_change_of_the_chain_leaves_what_was_submitted_alone(sam: User, dan: User) -> None:
    submission = submitted()
    ApprovalRule.objects.update(name="Another", role=Role.EXECUTIVE)
    approve(submission, "Sales", sam)
    approve(submission, "Delivery", dan)
    assert fresh(submission.handoff).state == HandoffState.APPROVED


def test_named_people_are_asked_alone(dan: User, eve: User) -> None:
    ApprovalRule.objects.all().delete()
    rule("Finance", Role.DELIVERY_MANAGER, people=[eve])
    submission = submitted()
    assert refusal(lambda: approve(submission, "Finance", dan)) == Refusal.NOT_YOURS
    approve(submission, "Finance", eve)


# --- submitting -------------------------------------------------------------------------------------------------------


def test_what_is_open_stands_in_the_way(alice: User) -> None:
    handoff = ready()
    add_item(
        actor=alice,
        handoff=handoff,
        section="scope",
        title="Sign the order",
        side="sales",
        is_required=True,
        now=MONDAY,
    )
    with pytest.raises(NotReady) as caught:
        submitted(fresh(handoff))
    assert any("Sign the order" in sentence for sentence in caught.value.sentences)
    assert not handoff.submissions.exists()


def test_without_a_chain_nothing_is_submitted() -> None:
    handoff = ready()
    ApprovalRule.objects.all().delete()
    with pytest.raises(NotReady, match="approve"):
        submitted(handoff)


def test_nobody_left_to_approve_is_said_before_submitting(sam: User) -> None:
    with pytest.raises(NotReady, match="Nobody can approve “Sales”"):
        submitted(by=sam)


def test_one_person_for_two_steps_is_too_few(sam: User) -> None:
    sam.roles = [Role.SALES_MANAGER, Role.EXECUTIVE]
    sam.save()
    ApprovalRule.objects.all().delete()
    rule("First", Role.SALES_MANAGER)
    rule("Second", Role.SALES_MANAGER, position=2)
    with pytest.raises(NotReady, match="too few people"):
        submitted()


def test_a_manager_of_another_team_does_not_count(sam: User) -> None:
    sam.teams.set([factories.team("Sales South")])
    with pytest.raises(NotReady, match="Nobody can approve “Sales”"):
        submitted()


def test_outsiders_and_a_stale_page_are_refused(alice: User, charlie: User) -> None:
    handoff = ready()
    with pytest.raises(PermissionDenied):
        submitted(handoff, by=charlie)
    with pytest.raises(StaleHandoff):
        submit_handoff(actor=alice, handoff=handoff, note="", now=MONDAY, expected_version=handoff.version - 1)


def test_submitting_twice_gives_the_same_answer(alice: User, dan: User) -> None:
    handoff = ready()
    first = submitted(handoff)
    assert submitted(handoff).pk == first.pk
    assert count(names.HANDOFF_SUBMITTED) == 1
    with pytest.raises(IllegalTransition):
        submitted(handoff, by=dan)


# --- deciding ---------------------------------------------------------------------------------------------------------


def test_all_approvals_approve_the_handoff(sam: User, dan: User) -> None:
    submission = submitted()
    approve(submission, "Delivery", dan, comment="Good")
    assert fresh(submission.handoff).state == HandoffState.SUBMITTED
    approve(submission, "Sales", sam)
    handoff = fresh(submission.handoff)
    assert (handoff.state, handoff.approved_at) == (HandoffState.APPROVED, MONDAY)
    assert (count(names.APPROVAL_GIVEN), count(names.HANDOFF_APPROVED)) == (2, 1)


def test_the_same_approval_again_changes_nothing(sam: User) -> None:
    submission = submitted()
    first = approve(submission, "Sales", sam)
    again = approve(submission, "Sales", sam, now=TUESDAY)
    assert (again.pk, again.decided_at) == (first.pk, MONDAY)
    assert count(names.APPROVAL_GIVEN) == 1


def test_the_submitter_never_decides(sam: User) -> None:
    second = factories.person("Sally", Role.SALES_MANAGER, teams=(factories.team(),))
    submission = submitted(by=sam)
    assert refusal(lambda: approve(submission, "Sales", sam)) == Refusal.SUBMITTED
    approve(submission, "Sales", second)


def test_nobody_decides_twice(dan: User, sam: User) -> None:
    dan.roles = [Role.DELIVERY_MANAGER, Role.SALES_MANAGER]
    dan.save()
    submission = submitted()
    approve(submission, "Delivery", dan)
    assert refusal(lambda: approve(submission, "Sales", dan)) == Refusal.DECIDED_ANOTHER


def test_each_refusal_says_why(alice: User, sam: User, dan: User, eve: User, pia: User) -> None:
    submission = submitted(amount=Decimal(900_000))
    assert refusal(lambda: approve(submission, "Sales", pia)) == Refusal.NOT_YOURS
    assert refusal(lambda: approve(submission, "Large deal", eve)) == Refusal.NOT_ITS_TURN
    approve(submission, "Sales", sam)
    second = factories.person("Sally", Role.SALES_MANAGER, teams=(factories.team(),))
    with pytest.raises(CannotDecide, match="Sam has approved this already"):
        approve(submission, "Sales", second)
    recall_handoff(actor=alice, handoff=submission.handoff, reason="A number is wrong", now=MONDAY)
    assert refusal(lambda: approve(submission, "Delivery", dan)) == Refusal.RECALLED


def test_a_handoff_at_rest_waits_for_nobody(dan: User) -> None:
    submission = submitted()
    move(submission.handoff.opportunity, "negotiation", by=factories.ada())
    assert refusal(lambda: approve(submission, "Delivery", dan)) == Refusal.RESTING


@pytest.mark.parametrize("decision", [StepState.CHANGES_REQUESTED, StepState.REJECTED])
def test_a_refusal_needs_a_comment_and_ends_the_submission(dan: User, decision: StepState) -> None:
    submission = submitted()
    step = step_of(submission, "Delivery")
    with pytest.raises(ValidationError):
        decide_step(actor=dan, step=step, decision=decision, comment="  ", now=MONDAY)
    decide_step(actor=dan, step=step, decision=decision, comment="The dates don't hold", now=MONDAY)
    submission.refresh_from_db()
    assert submission.state == decision.value
    assert fresh(submission.handoff).state == decision.value
    assert step_of(submission, "Sales").state == StepState.RECALLED


# --- standing in ------------------------------------------------------------------------------------------------------


def stand_in(delegator: User, person: User, *, since: dt.datetime = MONDAY, until: dt.datetime = FRIDAY) -> None:
    delegate(
        actor=delegator, delegator=delegator, delegate=person, starts_on=since.date(), ends_on=until.date(),
        reason="Away", now=MONDAY,
    )  # fmt: skip


def test_both_names_are_kept(sam: User, ruth: User) -> None:
    stand_in(sam, ruth)
    step = approve(submitted(), "Sales", ruth)
    assert (step.decided_by, step.on_behalf_of) == (ruth, sam)


def test_standing_in_passes_on_and_ends(sam: User, ruth: User, pia: User) -> None:
    stand_in(sam, ruth)
    stand_in(ruth, pia, since=TUESDAY)
    submission = submitted()
    assert refusal(lambda: approve(submission, "Sales", pia)) == Refusal.NOT_YOURS
    after = FRIDAY + dt.timedelta(days=3)
    assert refusal(lambda: approve(submission, "Sales", pia, now=after)) == Refusal.NOT_YOURS
    assert approve(submission, "Sales", pia, now=TUESDAY).on_behalf_of == sam


def test_a_disabled_stand_in_falls_away(sam: User, ruth: User, pia: User) -> None:
    stand_in(sam, ruth)
    stand_in(ruth, pia)
    ruth.is_active = False
    ruth.save()
    submission = submitted()
    assert refusal(lambda: approve(submission, "Sales", pia)) == Refusal.NOT_YOURS


def test_nobody_acts_in_the_name_of_the_submitter(sam: User, ruth: User) -> None:
    factories.person("Sally", Role.SALES_MANAGER, teams=(factories.team(),))
    stand_in(sam, ruth)
    submission = submitted(by=sam)
    assert refusal(lambda: approve(submission, "Sales", ruth)) == Refusal.NOT_YOURS


def test_nobody_passes_through_the_submitter(sam: User, alice: User, ruth: User) -> None:
    stand_in(sam, alice)
    stand_in(alice, ruth)
    submission = submitted(by=alice)
    assert refusal(lambda: approve(submission, "Sales", ruth)) == Refusal.NOT_YOURS


def test_nobody_acts_in_the_name_of_one_who_decided(sam: User, dan: User, ruth: User) -> None:
    dan.roles = [Role.DELIVERY_MANAGER, Role.SALES_MANAGER]
    dan.save()
    stand_in(dan, ruth)
    submission = submitted()
    approve(submission, "Delivery", dan)
    assert refusal(lambda: approve(submission, "Sales", ruth)) == Refusal.NOT_YOURS


def test_one_in_whose_name_somebody_decided_does_not_decide_again(sam: User, dan: User, ruth: User) -> None:
    dan.roles = [Role.DELIVERY_MANAGER, Role.SALES_MANAGER]
    dan.save()
    stand_in(dan, ruth)
    submission = submitted()
    approve(submission, "Delivery", ruth)
    assert refusal(lambda: approve(submission, "Sales", dan)) == Refusal.DECIDED_ANOTHER


def test_a_stand_in_sees_the_deal_or_does_not_count(sam: User, charlie: User) -> None:
    stand_in(sam, charlie)
    submission = submitted()
    assert refusal(lambda: approve(submission, "Sales", charlie)) == Refusal.NOT_YOURS


def test_when_everybody_asked_has_left_administrators_decide(sam: User, eve: User, ada: User, dan: User) -> None:
    submission = submitted()
    assert refusal(lambda: approve(submission, "Sales", eve)) == Refusal.NOT_YOURS
    sam.is_active = False
    sam.save()
    step = step_of(submission, "Sales")
    assert can_decide(eve, step, MONDAY)
    assert can_decide(ada, step, MONDAY)
    assert can_decide(dan, step, MONDAY) is None
    view = next(view for view in trail_of(submission.handoff, ada, MONDAY).submissions[0].steps if view.step == step)
    assert view.is_orphaned
    assert approve(submission, "Sales", ada).decided_by == ada


# --- recalling, changing, accepting -----------------------------------------------------------------------------------


def test_recalling_needs_a_reason_and_opens_the_handoff(alice: User, sam: User) -> None:
    submission = submitted()
    approve(submission, "Sales", sam)
    with pytest.raises(ValidationError):
        recall_handoff(actor=alice, handoff=submission.handoff, reason="", now=MONDAY)
    recall_handoff(actor=alice, handoff=submission.handoff, reason="A number is wrong", now=MONDAY)
    recall_handoff(actor=alice, handoff=submission.handoff, reason="A number is wrong", now=MONDAY)
    submission.refresh_from_db()
    assert submission.state == SubmissionState.RECALLED
    assert fresh(submission.handoff).state == HandoffState.DRAFT
    assert step_of(submission, "Sales").state == StepState.APPROVED
    assert step_of(submission, "Delivery").state == StepState.RECALLED
    assert count(names.HANDOFF_RECALLED) == 1


def test_outsiders_do_not_recall(charlie: User) -> None:
    submission = submitted()
    with pytest.raises(PermissionDenied):
        recall_handoff(actor=charlie, handoff=submission.handoff, reason="Because", now=MONDAY)


def test_resubmitting_says_what_changed(alice: User, dan: User, ada: User) -> None:
    submission = submitted()
    decide_step(
        actor=dan, step=step_of(submission, "Delivery"), decision=StepState.CHANGES_REQUESTED, comment="No plan",
        now=MONDAY,
    )  # fmt: skip
    handoff = fresh(submission.handoff)
    item = add_item(
        actor=alice, handoff=handoff, section="scope", title="A plan", side="sales", is_required=True, now=MONDAY
    )
    waive_item(actor=ada, task=item, reason="Follows in May", now=MONDAY)
    again = submitted(fresh(handoff), now=TUESDAY)
    assert again.number == 2
    changes = trail_of(fresh(handoff), alice, TUESDAY).submissions[0].changes
    assert changes is not None
    assert [(change.kind, change.title, list(change.sentences)) for change in changes] == [
        ("added", "A plan", ["waived: Follows in May"])
    ]
    assert not again.steps.filter(state=StepState.APPROVED).exists()


def test_an_approved_or_rejected_handoff_opens_for_changes(alice: User, sam: User, dan: User) -> None:
    submission = submitted()
    with pytest.raises(IllegalTransition):
        revise_handoff(actor=alice, handoff=submission.handoff, reason="The scope grew", now=MONDAY)
    approve(submission, "Sales", sam)
    approve(submission, "Delivery", dan)
    with pytest.raises(ValidationError):
        revise_handoff(actor=alice, handoff=submission.handoff, reason=" ", now=MONDAY)
    for _time in range(2):
        revise_handoff(actor=alice, handoff=submission.handoff, reason="The scope grew", now=MONDAY)
    handoff = fresh(submission.handoff)
    assert (handoff.state, handoff.approved_at) == (HandoffState.DRAFT, None)
    assert count(names.HANDOFF_REVISED) == 1


def test_the_project_manager_accepts_and_the_ramp_begins(pia: User, sam: User, dan: User, alice: User) -> None:
    submission = submitted(by=pia)
    with pytest.raises(IllegalTransition):
        accept_handoff(actor=pia, handoff=submission.handoff, now=MONDAY)
    approve(submission, "Sales", sam)
    approve(submission, "Delivery", dan)
    with pytest.raises(PermissionDenied):
        accept_handoff(actor=dan, handoff=submission.handoff, now=MONDAY)
    for _time in range(2):
        accept_handoff(actor=pia, handoff=submission.handoff, now=MONDAY)
    handoff = fresh(submission.handoff)
    assert (handoff.accepted_by, handoff.ramp_plan.state) == (pia, ProjectState.RAMPING)
    assert (count(names.HANDOFF_ACCEPTED), count(names.RAMP_STARTED)) == (1, 1)
    with pytest.raises(IllegalTransition, match="accepted"):
        revise_handoff(actor=alice, handoff=handoff, reason="Too late", now=MONDAY)


def test_the_trail_costs_the_same_for_one_and_for_many_submissions(
    alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    submission = submitted()
    for _time in range(4):
        recall_handoff(actor=alice, handoff=submission.handoff, reason="Again", now=MONDAY)
        submission = submitted(fresh(submission.handoff))
    handoff = fresh(submission.handoff)
    with django_assert_max_num_queries(9):
        trail = trail_of(handoff, alice, MONDAY)
    assert [view.submission.number for view in trail.submissions] == [5, 4, 3, 2, 1]


def test_steps_of_a_deal_nobody_won_do_not_exist(alice: User) -> None:
    assert not ApprovalStep.objects.exists()
    assert handoff_of(won(owner=alice)).state == HandoffState.DRAFT
