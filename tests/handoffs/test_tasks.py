"""Working on tasks, through the services."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from accounts.models import Role, Side, User
from events import names
from events.models import Event
from handoffs.models import EngagementState, Task, TaskState
from handoffs.services.engagements import accept_engagement
from handoffs.services.tasks import StaleTask, change_task, complete_task, reopen_task
from handoffs.states import IllegalTransition
from opportunities.models import Opportunity
from tests import factories
from tests.handoffs.reactions import MONDAY, TUESDAY, engagement_of, move, task_of


def done(actor: User, task: Task, **given: object) -> Task:
    return complete_task(actor=actor, task=task, now=TUESDAY, **given)  # type: ignore[arg-type]


# --- done ---


def test_a_sales_task_is_done_by_sales(warm_deal: Opportunity, alice: User) -> None:
    task = done(alice, task_of(warm_deal, "brief-delivery"))
    assert (task.state, task.sales_done_by, task.done_at) == (TaskState.DONE, alice, TUESDAY)


def test_a_colleague_of_the_side_may_do_it(warm_deal: Opportunity, sam: User) -> None:
    assert done(sam, task_of(warm_deal, "brief-delivery")).sales_done_by == sam


def test_doing_it_twice_changes_nothing(warm_deal: Opportunity, alice: User) -> None:
    first = done(alice, task_of(warm_deal, "brief-delivery"))
    again = complete_task(actor=alice, task=first, now=TUESDAY + dt.timedelta(hours=1))
    assert (again.version, again.done_at) == (first.version, TUESDAY)
    assert Event.objects.filter(name=names.TASK_COMPLETED).count() == 1


def test_an_earlier_task_comes_first(warm_deal: Opportunity, dan: User) -> None:
    with pytest.raises(ValidationError, match="Brief delivery on client"):
        done(dan, task_of(warm_deal, "read-the-deal"))


def test_a_stale_version_is_told(warm_deal: Opportunity, alice: User) -> None:
    task = task_of(warm_deal, "brief-delivery")
    change_task(actor=alice, task=task, changes={"title": "Brief them"}, expected_version=1, now=MONDAY)
    with pytest.raises(StaleTask) as raised:
        done(alice, task, expected_version=1)
    assert raised.value.current.title == "Brief them"


def test_a_resting_task_can_not_be_done(warm_deal: Opportunity, alice: User) -> None:
    move(warm_deal, "qualified")
    with pytest.raises(IllegalTransition) as raised:
        done(alice, task_of(warm_deal, "brief-delivery"))
    assert raised.value.legal == ["cancelled", "open"]


# --- evidence ---


def test_wanted_evidence_is_asked_for(warm_deal: Opportunity, alice: User) -> None:
    won = move(warm_deal, "won").opportunity
    with pytest.raises(ValidationError) as raised:
        done(alice, task_of(won, "introduce-pm"), evidence="  ")
    assert "evidence" in raised.value.message_dict


def test_evidence_is_kept(warm_deal: Opportunity, alice: User) -> None:
    won = move(warm_deal, "won").opportunity
    assert done(alice, task_of(won, "introduce-pm"), evidence=" Tuesday ").evidence == "Tuesday"


# --- shared ---


def test_a_shared_task_needs_both_sides(warm_deal: Opportunity, alice: User, dan: User) -> None:
    task = done(alice, task_of(warm_deal, "first-risks"))
    assert (task.state, task.sales_done_by, task.delivery_done_by) == (TaskState.OPEN, alice, None)
    task = done(dan, task)
    assert (task.state, task.delivery_done_by) == (TaskState.DONE, dan)


def test_the_same_side_twice_is_not_both(warm_deal: Opportunity, alice: User, sam: User) -> None:
    task = done(alice, task_of(warm_deal, "first-risks"))
    assert done(alice, task).state == TaskState.OPEN
    with pytest.raises(PermissionDenied):
        done(sam, task)


def test_one_person_of_both_sides_can_not_sign_twice(warm_deal: Opportunity, dan: User) -> None:
    both = factories.person("Robin", Role.SALES_REP, Role.DELIVERY_MANAGER, teams=(factories.team(),))
    task = done(both, task_of(warm_deal, "first-risks"))
    assert done(both, task).state == TaskState.OPEN
    assert done(dan, task).state == TaskState.DONE


def test_the_database_refuses_one_person_for_both_sides(warm_deal: Opportunity, alice: User) -> None:
    with pytest.raises(IntegrityError, match="handoffs_shared_task_needs_two_people"), transaction.atomic():
        Task.objects.filter(pk=task_of(warm_deal, "first-risks").pk).update(sales_done_by=alice, delivery_done_by=alice)


def test_the_database_refuses_a_shared_task_done_by_one_side(warm_deal: Opportunity, alice: User) -> None:
    with pytest.raises(IntegrityError, match="handoffs_shared_task_needs_both"), transaction.atomic():
        Task.objects.filter(pk=task_of(warm_deal, "first-risks").pk).update(
            state=TaskState.DONE, done_at=MONDAY, sales_done_by=alice, sales_done_at=MONDAY
        )


# --- rights ---


@pytest.mark.parametrize(
    ("key", "who", "allowed"),
    [
        ("brief-delivery", "alice", True),
        ("brief-delivery", "sam", True),
        ("brief-delivery", "dan", False),
        ("brief-delivery", "eve", False),
        ("brief-delivery", "ada", True),
        ("staffing-needs", "dan", True),
        ("staffing-needs", "pia", True),
        ("staffing-needs", "ruth", True),
        ("staffing-needs", "alice", False),
        ("staffing-needs", "eve", False),
        ("first-risks", "alice", True),
        ("first-risks", "pia", True),
        ("first-risks", "eve", False),
        ("first-risks", "ada", False),
    ],
)
def test_who_may_do_what(
    warm_deal: Opportunity, request: pytest.FixtureRequest, key: str, who: str, allowed: bool
) -> None:
    hot = move(move(warm_deal, "proposal").opportunity, "negotiation").opportunity
    actor = request.getfixturevalue(who)
    if not allowed:
        with pytest.raises(PermissionDenied):
            done(actor, task_of(hot, key))
        return
    task = done(actor, task_of(hot, key))
    assert actor in (task.sales_done_by, task.delivery_done_by)


# --- taken back ---


def test_reopening_takes_back_both_sides(warm_deal: Opportunity, alice: User, dan: User) -> None:
    task = done(dan, done(alice, task_of(warm_deal, "first-risks")))
    reopened = reopen_task(actor=alice, task=task, now=TUESDAY)
    assert (reopened.state, reopened.sales_done_by, reopened.delivery_done_by) == (TaskState.OPEN, None, None)


def test_reopening_an_open_task_changes_nothing(warm_deal: Opportunity, alice: User) -> None:
    task = task_of(warm_deal, "brief-delivery")
    assert reopen_task(actor=alice, task=task, now=TUESDAY).version == task.version


def test_a_resting_task_can_not_be_reopened(warm_deal: Opportunity, alice: User) -> None:
    move(warm_deal, "qualified")
    with pytest.raises(IllegalTransition):
        reopen_task(actor=alice, task=task_of(warm_deal, "brief-delivery"), now=TUESDAY)


# --- changed ---


def test_a_due_date_set_by_hand_is_fixed(warm_deal: Opportunity, alice: User) -> None:
    task = task_of(warm_deal, "brief-delivery")
    changed = change_task(
        actor=alice, task=task, changes={"due_on": dt.date(2026, 12, 1)}, expected_version=1, now=MONDAY
    )
    assert (changed.due_on, changed.is_due_fixed) == (dt.date(2026, 12, 1), True)


@pytest.mark.parametrize(
    "changes", [{"due_on": dt.date(2026, 11, 20)}, {"due_on": dt.date(9999, 1, 1)}, {"title": "  "}, {"state": "done"}]
)
def test_senseless_changes_are_refused(warm_deal: Opportunity, alice: User, changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        change_task(
            actor=alice, task=task_of(warm_deal, "brief-delivery"), changes=changes, expected_version=1, now=MONDAY
        )
    assert task_of(warm_deal, "brief-delivery").version == 1


def test_a_change_to_the_present_values_is_no_change(warm_deal: Opportunity, alice: User) -> None:
    task = task_of(warm_deal, "brief-delivery")
    same = {"title": task.title, "due_on": task.due_on, "assignee": task.assignee}
    assert change_task(actor=alice, task=task, changes=same, expected_version=99, now=MONDAY).version == 1


# --- the engagement ---


def test_the_first_delivery_task_makes_an_accepted_engagement_active(
    warm_deal: Opportunity, alice: User, dan: User
) -> None:
    accept_engagement(actor=dan, engagement=engagement_of(warm_deal), expected_version=None, now=MONDAY)
    done(alice, task_of(warm_deal, "brief-delivery"))
    assert engagement_of(warm_deal).state == EngagementState.ACCEPTED
    done(dan, task_of(warm_deal, "read-the-deal"))
    assert engagement_of(warm_deal).state == EngagementState.ACTIVE


def test_waits_for(warm_deal: Opportunity, alice: User) -> None:
    shared = done(alice, task_of(warm_deal, "first-risks"))
    assert not shared.waits_for(Side.SALES)
    assert shared.waits_for(Side.DELIVERY)
    assert task_of(warm_deal, "brief-delivery").waits_for(Side.SALES)
    assert not task_of(warm_deal, "brief-delivery").waits_for(Side.DELIVERY)
