"""Many people at the same ramp plan."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.utils import timezone

from accounts.models import User
from events import names
from events.models import Event
from handoffs import defaults
from handoffs.models import HealthReport, Lesson, LessonProposal, Playbook, Rag, RampPlan, Task, TouchpointKind
from handoffs.services import ramp
from handoffs.services.tasks import complete_task
from tests.concurrency.test_moves import at_once
from tests.factories import ada, organisation
from tests.handoffs.ramping import milestone, ramping, stands

pytestmark = pytest.mark.django_db(transaction=True)

NOW = timezone.now()
DAYS = [dt.date(NOW.year + 2, 3, 1) + dt.timedelta(weeks=week) for week in range(12)]


@pytest.fixture
def plan(alice: User, dan: User) -> RampPlan:
    """Alice's won deal ramps; Dan delivers it."""
    defaults.create(organisation=organisation(), now=NOW)
    return ramping(owner=alice, delivery_owner=dan)


def happened(name: str) -> int:
    return Event.objects.filter(name=name).count()


def test_many_move_the_kickoff_at_once_and_one_does(plan: RampPlan, dan: User) -> None:
    milestone(plan, "Access", days=2)
    seen = stands(plan).version

    def move(number: int) -> str:
        try:
            ramp.move_kickoff(
                actor=dan, plan=stands(plan), kickoff_on=DAYS[number], now=timezone.now(), expected_version=seen
            )
        except ramp.StalePlan:
            return "stale"
        return "moved"

    assert sorted(at_once(move, range(6))) == ["moved"] + ["stale"] * 5
    assert happened(names.RAMP_RESCHEDULED) == 1
    current = stands(plan)
    assert current.kickoff_on == current.opportunity.start_on


def test_many_end_the_ramp_at_once_and_it_ends_once(plan: RampPlan, dan: User) -> None:
    def end(_number: int) -> str:
        return ramp.exit_ramp(actor=dan, plan=stands(plan), now=timezone.now()).state

    assert set(at_once(end, range(8))) == {"in_delivery"}
    assert happened(names.RAMP_EXITED) == 1


def test_a_task_done_while_the_kickoff_moves_stays_done(plan: RampPlan, dan: User) -> None:
    task = milestone(plan, "Access", days=2)

    def act(number: int) -> str:
        if number % 2:
            complete_task(actor=dan, task=Task.objects.get(pk=task.pk), now=timezone.now())
        else:
            ramp.move_kickoff(
                actor=dan, plan=stands(plan), kickoff_on=DAYS[number], now=timezone.now(), expected_version=None
            )
        return ""

    at_once(act, range(8))
    assert Task.objects.get(pk=task.pk).state == "done"


def test_the_same_health_report_at_once_is_one(plan: RampPlan, dan: User) -> None:
    def report(_number: int) -> int:
        return ramp.report_health(
            actor=dan, plan=stands(plan), rag=Rag.AMBER, reason="No access", now=timezone.now()
        ).pk  # fmt: skip

    assert len(set(at_once(report, range(8)))) == HealthReport.objects.count() == 1


def test_the_same_request_logs_one_contact(plan: RampPlan, dan: User) -> None:
    key = uuid.uuid4()

    def log(_number: int) -> int:
        return ramp.log_touchpoint(
            actor=dan, plan=stands(plan), kind=TouchpointKind.CALL, on=dt.date(2026, 11, 20), note="All well",
            contacts=(), request_id=key, now=timezone.now(),
        ).pk  # fmt: skip

    assert len(set(at_once(log, range(8)))) == 1
    assert happened(names.RAMP_TOUCHED) == 1


def test_a_lesson_adopted_at_once_adds_one_task(plan: RampPlan, dan: User) -> None:
    playbook = Playbook.objects.get(trigger="won")
    lesson = ramp.add_lesson(
        actor=dan, plan=plan, text="Ask early", proposal=LessonProposal.ADD, playbook=playbook, title="Ask early",
        request_id=uuid.uuid4(), now=NOW,
    )  # fmt: skip
    administrator = ada()

    def adopt(_number: int) -> str:
        fresh = Lesson.objects.select_related("plan__opportunity", "playbook", "playbook_task").get(pk=lesson.pk)
        return ramp.adopt_lesson(actor=administrator, lesson=fresh, now=timezone.now()).state

    assert set(at_once(adopt, range(6))) == {"adopted"}
    assert playbook.tasks.filter(title="Ask early").count() == 1
