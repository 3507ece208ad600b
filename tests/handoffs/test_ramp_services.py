"""Milestones, health, contacts with the client, the end of the ramp, closing, and lessons."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import User
from events import names
from events.models import Event
from handoffs.models import (
    HealthReport,
    Lesson,
    LessonProposal,
    LessonState,
    Playbook,
    ProjectState,
    Rag,
    RampPhase,
    RampPlan,
    Task,
    TaskSide,
    TaskState,
    Touchpoint,
    TouchpointKind,
)
from handoffs.services import ramp
from handoffs.states import IllegalTransition
from opportunities.models import Contact
from tests import factories
from tests.handoffs.handing import handoff_of, won
from tests.handoffs.ramping import TODAY, due, milestone, ramping, settle, stands
from tests.handoffs.reactions import MONDAY, TUESDAY, move

EXIT = RampPhase.EXIT


@pytest.fixture
def plan(alice: User, dan: User) -> RampPlan:
    return ramping(owner=alice, delivery_owner=dan)


def told(name: str) -> int:
    return Event.objects.filter(name=name).count()


# --- starting ---


def test_a_ramp_starts_once(alice: User, dan: User) -> None:
    plan = handoff_of(won(owner=alice, delivery_owner=dan)).ramp_plan
    for _again in range(2):
        assert ramp.start_ramp(plan=plan, actor=dan, now=MONDAY).state == ProjectState.RAMPING
    assert told(names.RAMP_STARTED) == 1


def test_a_plan_at_rest_does_not_start(alice: User, dan: User) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    move(deal, "negotiation", now=TUESDAY)
    with pytest.raises(ValidationError, match="rests"):
        ramp.start_ramp(plan=handoff_of(deal).ramp_plan, actor=dan, now=TUESDAY)


# --- milestones ---


def test_a_milestone_goes_to_the_owner_of_its_side(plan: RampPlan, alice: User, dan: User) -> None:
    owners = {side: milestone(plan, f"For {side}", side=side).assignee for side in TaskSide}
    assert owners == {TaskSide.SALES: alice, TaskSide.DELIVERY: dan, TaskSide.SHARED: dan}


def test_adding_the_same_milestone_again_is_the_one_there_is(plan: RampPlan) -> None:
    assert milestone(plan, "Access") == milestone(plan, "Access")
    assert told(names.TASKS_ADDED) - Event.objects.filter(name=names.TASKS_ADDED, actor=None).count() == 1


def test_a_milestone_is_never_due_before_what_it_waits_for(plan: RampPlan) -> None:
    first = milestone(plan, "Access", days=5)
    assert due(milestone(plan, "Data", days=1, after=(first,))) == due(first)
    with pytest.raises(ValidationError, match="can't be due before"):
        milestone(plan, "Demo", on=dt.date(2026, 12, 1), after=(first,))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"title": " "}, "Give it a title"),
        ({"title": "x" * 201}, "at most 200"),
        ({"offset_days": None}, "how many business days"),
        ({"offset_days": 5000}, "at most 750"),
        ({"offset_days": None, "due_on": dt.date(2026, 11, 20)}, "today or a later day"),
        ({"offset_days": None, "due_on": dt.date(2101, 1, 1)}, "between 2000 and 2100"),
    ],
)
def test_a_milestone_that_makes_no_sense_is_refused(plan: RampPlan, dan: User, given: Any, said: str) -> None:
    values = {"phase": RampPhase.MOBILISE, "title": "Access", "side": TaskSide.DELIVERY, "offset_days": 0, **given}
    with pytest.raises(ValidationError, match=said):
        ramp.add_milestone(actor=dan, plan=plan, now=MONDAY, **values)
    assert not Task.objects.filter(ramp_plan=plan).exists()


def test_outsiders_add_nothing(plan: RampPlan, charlie: User) -> None:
    with pytest.raises(PermissionDenied):
        ramp.add_milestone(
            actor=charlie, plan=plan, phase=RampPhase.MOBILISE, title="Access", side=TaskSide.DELIVERY, offset_days=0,
            now=MONDAY,
        )  # fmt: skip


# --- health ---


def report(plan: RampPlan, by: User, rag: Rag, reason: str, seen: int | None = None) -> HealthReport:
    return ramp.report_health(actor=by, plan=plan, rag=rag, reason=reason, now=MONDAY, expected_version=seen)


def test_the_plan_follows_the_newest_report_and_earlier_ones_stay(plan: RampPlan, alice: User, dan: User) -> None:
    report(plan, dan, Rag.AMBER, "Nobody has access yet")
    report(plan, alice, Rag.RED, "The sponsor left")
    assert stands(plan).rag == Rag.RED
    assert [each.reason for each in plan.health_reports.all()] == ["The sponsor left", "Nobody has access yet"]


def test_the_same_report_again_is_one(plan: RampPlan, dan: User) -> None:
    assert report(plan, dan, Rag.AMBER, "No access") == report(plan, dan, Rag.AMBER, " No access ")
    assert told(names.RAMP_HEALTH_REPORTED) == 1


def test_health_needs_a_reason(plan: RampPlan, dan: User) -> None:
    with pytest.raises(ValidationError, match="Say why"):
        report(plan, dan, Rag.GREEN, "  ")
    assert not HealthReport.objects.exists()


def test_a_stale_report_changes_nothing(plan: RampPlan, alice: User, dan: User) -> None:
    report(plan, dan, Rag.AMBER, "No access", seen=plan.version)
    with pytest.raises(ramp.StalePlan):
        report(plan, alice, Rag.GREEN, "All well", seen=plan.version)
    assert stands(plan).rag == Rag.AMBER


# --- contacts with the client ---


def touch(plan: RampPlan, by: User, *, key: uuid.UUID | None = None, **given: Any) -> Touchpoint:
    values = {"kind": TouchpointKind.CALL, "on": TODAY, "note": "All well", "contacts": (), **given}
    return ramp.log_touchpoint(actor=by, plan=plan, request_id=key or uuid.uuid4(), now=MONDAY, **values)


def test_a_contact_is_logged_once_for_one_request(plan: RampPlan, alice: User) -> None:
    key = uuid.uuid4()
    assert touch(plan, alice, key=key) == touch(plan, alice, key=key, note="Another")
    assert told(names.RAMP_TOUCHED) == 1
    assert Touchpoint.objects.get().side == "sales"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"on": dt.date(2026, 11, 24)}, "has not come yet"),
        ({"on": dt.date(1999, 1, 1)}, "between 2000"),
        ({"note": " "}, "what it was about"),
    ],
)
def test_a_contact_that_makes_no_sense_is_refused(plan: RampPlan, dan: User, given: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        touch(plan, dan, **given)
    assert not Touchpoint.objects.exists()


def test_only_people_of_the_client_were_spoken_with(plan: RampPlan, dan: User) -> None:
    own: Contact = factories.ContactFactory.make()
    plan.opportunity.contacts.add(own)
    assert list(touch(plan, dan, contacts=[own]).contacts.all()) == [own]
    with pytest.raises(ValidationError, match="people of this client"):
        touch(plan, dan, contacts=[factories.ContactFactory.make()])


def test_an_entry_is_removed_and_restored_by_whoever_logged_it(plan: RampPlan, alice: User, dan: User) -> None:
    entry = touch(plan, dan)
    with pytest.raises(PermissionDenied):
        ramp.remove_touchpoint(actor=alice, touchpoint=entry, now=MONDAY)
    for _again in range(2):
        assert ramp.remove_touchpoint(actor=dan, touchpoint=entry, now=MONDAY).removed_at == MONDAY
    assert told(names.RAMP_TOUCH_REMOVED) == 1
    assert ramp.restore_touchpoint(actor=dan, touchpoint=entry, now=MONDAY).removed_at is None


# --- the end of the ramp ---


def end(plan: RampPlan, by: User, **given: Any) -> RampPlan:
    return ramp.exit_ramp(actor=by, plan=plan, now=MONDAY, **given)


def test_the_ramp_ends_when_every_criterion_has_its_evidence(plan: RampPlan, dan: User) -> None:
    milestone(plan, "Still open", phase=RampPhase.HYPERCARE)
    settle(milestone(plan, "Scope confirmed", phase=EXIT, evidence="by whom"), evidence="Ms Lind, 2026-12-01")
    settle(milestone(plan, "Team stands", phase=EXIT), state=TaskState.DONE)
    for _again in range(2):
        assert end(plan, dan).state == ProjectState.IN_DELIVERY
    assert (told(names.RAMP_EXITED), told(names.RAMP_EXITED_EARLY)) == (1, 0)
    assert stands(plan).exit_missing == []


def test_what_is_missing_is_named(plan: RampPlan, dan: User) -> None:
    milestone(plan, "Scope confirmed", phase=EXIT)
    settle(milestone(plan, "Risks confirmed", phase=EXIT, evidence="by whom"))
    with pytest.raises(ramp.ExitNotReady) as refusal:
        end(plan, dan)
    assert [each.sentence for each in refusal.value.missing] == [
        "Open: “Scope confirmed”.", "Without evidence: “Risks confirmed”.",
    ]  # fmt: skip
    assert stands(plan).state == ProjectState.RAMPING


def test_a_handoff_that_nobody_took_on_is_missing(alice: User, dan: User) -> None:
    plan = handoff_of(won(owner=alice, delivery_owner=dan)).ramp_plan
    Task.objects.filter(ramp_plan=plan).delete()
    with pytest.raises(ramp.ExitNotReady, match="has not taken the handoff on"):
        end(plan, dan)


def test_a_waived_criterion_holds_nothing_up(plan: RampPlan, dan: User) -> None:
    task = milestone(plan, "Scope confirmed", phase=EXIT, evidence="by whom")
    Task.objects.filter(pk=task.pk).update(
        state=TaskState.WAIVED, waived_by=dan, waived_at=MONDAY, waived_reason="Same scope as last year"
    )
    assert end(plan, dan).state == ProjectState.IN_DELIVERY


def test_an_early_end_needs_a_reason_and_says_what_was_missing(plan: RampPlan, dan: User) -> None:
    milestone(plan, "Scope confirmed", phase=EXIT)
    with pytest.raises(ValidationError, match="Say why"):
        end(plan, dan, early=True)
    ended = end(plan, dan, early=True, reason="The client is on leave until March")
    assert ended.exit_reason == "The client is on leave until March"
    assert [each["sentence"] for each in ended.exit_missing] == ["Open: “Scope confirmed”."]
    assert told(names.RAMP_EXITED_EARLY) == 1


def test_only_delivery_managers_end_it_early(plan: RampPlan, alice: User, pia: User, sam: User) -> None:
    milestone(plan, "Scope confirmed", phase=EXIT)
    for person in (alice, pia, sam):
        with pytest.raises(PermissionDenied, match="delivery manager"):
            end(plan, person, early=True, reason="We want to go on")
    assert stands(plan).state == ProjectState.RAMPING


def test_sales_does_not_end_the_ramp(plan: RampPlan, alice: User) -> None:
    with pytest.raises(PermissionDenied, match="delivery on this deal"):
        end(plan, alice)


def test_early_without_anything_missing_is_an_ordinary_end(plan: RampPlan, dan: User) -> None:
    ended = end(plan, dan, early=True)
    assert (ended.exit_missing, told(names.RAMP_EXITED), told(names.RAMP_EXITED_EARLY)) == ([], 1, 0)


def test_an_ended_ramp_can_be_taken_up_again(plan: RampPlan, dan: User) -> None:
    milestone(plan, "Scope confirmed", phase=EXIT)
    end(plan, dan, early=True, reason="Hurry")
    again = ramp.resume_ramp(actor=dan, plan=plan, now=TUESDAY)
    assert (again.exited_at, again.exit_missing, again.exit_reason) == (None, [], "")
    assert again.is_ramping


def test_a_stale_end_is_refused(plan: RampPlan, dan: User) -> None:
    report(plan, dan, Rag.AMBER, "No access")
    with pytest.raises(ramp.StalePlan):
        end(plan, dan, expected_version=plan.version)


def test_after_the_end_the_kickoff_stays(plan: RampPlan, dan: User) -> None:
    end(plan, dan)
    with pytest.raises(ValidationError, match="has ended"):
        ramp.move_kickoff(actor=dan, plan=plan, kickoff_on=dt.date(2027, 1, 11), now=MONDAY, expected_version=None)


# --- closing ---


def test_closing_warns_of_what_sales_still_owes(plan: RampPlan, dan: User) -> None:
    milestone(plan, "Introduce the project manager", side=TaskSide.SALES)
    end(plan, dan)
    with pytest.raises(ramp.DutiesOpen, match="Introduce the project manager"):
        ramp.close_project(actor=dan, plan=plan, now=TUESDAY)
    for _again in range(2):
        closed = ramp.close_project(actor=dan, plan=plan, now=TUESDAY, despite_duties=True)
    assert (closed.state, closed.closed_by) == (ProjectState.CLOSED, dan)
    assert Event.objects.get(name=names.PROJECT_CLOSED).data == {"open_duties": 1}


def test_only_what_is_for_sales_alone_and_open_is_its_duty(plan: RampPlan) -> None:
    tasks = {side: milestone(plan, f"For {side}", side=side) for side in TaskSide}
    settle(milestone(plan, "Introduced", side=TaskSide.SALES))
    assert list(ramp.sales_duties(plan)) == [tasks[TaskSide.SALES]]


def test_a_project_that_ramps_is_not_closed(plan: RampPlan, dan: User) -> None:
    with pytest.raises(IllegalTransition) as refusal:
        ramp.close_project(actor=dan, plan=plan, now=MONDAY)
    assert "in_delivery" in refusal.value.legal


def test_a_closed_project_opens_again(plan: RampPlan, dan: User) -> None:
    end(plan, dan)
    ramp.close_project(actor=dan, plan=plan, now=TUESDAY)
    for _again in range(2):
        assert ramp.reopen_project(actor=dan, plan=plan, now=TUESDAY).state == ProjectState.IN_DELIVERY
    assert told(names.PROJECT_REOPENED) == 1


# --- lessons ---


def learn(plan: RampPlan, by: User, proposal: LessonProposal, **given: Any) -> Lesson:
    return ramp.add_lesson(
        actor=by, plan=plan, text="Access took three weeks", proposal=proposal, request_id=uuid.uuid4(), now=MONDAY,
        **given,
    )  # fmt: skip


@pytest.fixture
def playbook(plan: RampPlan) -> Playbook:
    return Playbook.objects.get(trigger="won")


def test_a_lesson_adds_its_task_once(plan: RampPlan, playbook: Playbook, alice: User, ada: User) -> None:
    lesson = learn(plan, alice, LessonProposal.ADD, playbook=playbook, title="Ask for access on the day of the win")
    for _again in range(2):
        assert ramp.adopt_lesson(actor=ada, lesson=lesson, now=TUESDAY).state == LessonState.ADOPTED
    assert playbook.tasks.filter(title="Ask for access on the day of the win").count() == 1
    assert told(names.LESSON_SETTLED) == 1


def test_a_lesson_rewords_a_task(plan: RampPlan, playbook: Playbook, dan: User, ada: User) -> None:
    task = playbook.tasks.filter(archived_at=None)[0]
    lesson = learn(plan, dan, LessonProposal.REWORD, playbook_task=task, title="Say it more clearly")
    ramp.adopt_lesson(actor=ada, lesson=lesson, now=TUESDAY)
    task.refresh_from_db()
    assert task.title == "Say it more clearly"


def test_a_lesson_leaves_a_task_out(plan: RampPlan, playbook: Playbook, dan: User, ada: User) -> None:
    task = playbook.tasks.filter(archived_at=None)[0]
    ramp.adopt_lesson(
        actor=ada, lesson=learn(plan, dan, LessonProposal.LEAVE_OUT, playbook_task=task), now=TUESDAY
    )  # fmt: skip
    task.refresh_from_db()
    assert task.archived_at == TUESDAY


def test_what_the_playbook_refuses_leaves_the_lesson_open(
    plan: RampPlan, playbook: Playbook, dan: User, ada: User
) -> None:
    taken = playbook.tasks.filter(archived_at=None)[0].title
    lesson = learn(plan, dan, LessonProposal.ADD, playbook=playbook, title=taken)
    with pytest.raises(ValidationError, match="already a task"):
        ramp.adopt_lesson(actor=ada, lesson=lesson, now=TUESDAY)
    lesson.refresh_from_db()
    assert lesson.state == LessonState.OPEN


def test_dismissing_needs_a_reason_and_settles_it(plan: RampPlan, dan: User, ada: User) -> None:
    lesson = learn(plan, dan, LessonProposal.NONE)
    with pytest.raises(ValidationError, match="Say why"):
        ramp.dismiss_lesson(actor=ada, lesson=lesson, reason="", now=TUESDAY)
    ramp.dismiss_lesson(actor=ada, lesson=lesson, reason="That client was special", now=TUESDAY)
    with pytest.raises(IllegalTransition, match="dismissed"):
        ramp.adopt_lesson(actor=ada, lesson=lesson, now=TUESDAY)


def test_only_administrators_settle_lessons(plan: RampPlan, dan: User, sam: User) -> None:
    lesson = learn(plan, dan, LessonProposal.NONE)
    with pytest.raises(PermissionDenied):
        ramp.adopt_lesson(actor=sam, lesson=lesson, now=TUESDAY)


@pytest.mark.parametrize(
    ("proposal", "said"),
    [(LessonProposal.ADD, "Choose the playbook"), (LessonProposal.REWORD, "Choose a task"),
     (LessonProposal.LEAVE_OUT, "Choose a task")],
)  # fmt: skip
def test_a_proposal_says_what_it_is_about(plan: RampPlan, dan: User, proposal: LessonProposal, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        learn(plan, dan, proposal, title="Something")
