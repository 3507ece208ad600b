"""Many who suppose and apply the same at the same moment."""

from __future__ import annotations

import datetime as dt
import os

import pytest
from django.core.exceptions import ValidationError

from accounts.models import User
from events import names
from events.models import Event
from opportunities.models import Opportunity
from staffing.models import ChangeKind, Person, Scenario, ScenarioChange
from staffing.services.applying import apply_change
from staffing.services.scenarios import StaleScenario, add_change, change_change, make_scenario, try_out
from staffing.states import IllegalTransition
from tests import factories
from tests.concurrency.test_moves import at_once
from tests.handoffs.reactions import MONDAY, fresh
from tests.staffing import staffed

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = int(os.environ.get("ONETEAM_ROUNDS", "3"))
K = ChangeKind


@pytest.fixture
def deal(alice: User) -> Opportunity:
    """Alice's, open."""
    return factories.deal("qualified", owner=alice)


def scenario_of(actor: User, name: str) -> Scenario:
    return make_scenario(actor=actor, values={"name": name}, now=MONDAY)


def test_of_ten_who_apply_a_shift_one_moves_the_deal(ada: User, deal: Opportunity) -> None:
    for number in range(ROUNDS):
        start = fresh(deal).start_on
        assert start is not None
        scenario = scenario_of(ada, f"Round {number}")
        change = add_change(
            actor=ada, scenario=scenario, kind=K.SHIFT, values={"opportunity": fresh(deal), "weeks": 1}, now=MONDAY
        )
        pks = at_once(
            lambda _, pk=change.pk: (
                apply_change(  # type: ignore[misc]
                    actor=ada, change=ScenarioChange.objects.get(pk=pk), expected_version=None, now=MONDAY
                ).pk
            ),
            range(10),
        )
        assert set(pks) == {change.pk}
        assert fresh(deal).start_on == start + dt.timedelta(weeks=1)
        assert Event.objects.filter(name=names.SCENARIO_APPLIED, subject_id=scenario.pk).count() == 1


def test_of_ten_who_let_people_join_one_does(ruth: User) -> None:
    role = staffed.role("Architect")
    values = {"role": role, "people": 2, "hours_per_week": 40, "from_on": MONDAY.date()}
    change = add_change(actor=ruth, scenario=scenario_of(ruth, "Two join"), kind=K.JOIN, values=values, now=MONDAY)
    at_once(
        lambda number: apply_change(
            actor=ruth, change=ScenarioChange.objects.get(pk=change.pk), expected_version=None, now=MONDAY,
            people=[f"First {number}", f"Second {number}"],
        ),
        range(10),
    )  # fmt: skip
    assert Person.objects.count() == 2


def test_applying_and_changing_at_once_never_mix(ada: User, deal: Opportunity) -> None:
    for number in range(ROUNDS):
        start = fresh(deal).start_on
        assert start is not None
        values = {"opportunity": fresh(deal), "weeks": 1}
        scenario = scenario_of(ada, f"Mixed {number}")
        change = add_change(actor=ada, scenario=scenario, kind=K.SHIFT, values=values, now=MONDAY)

        def act(weeks: int, pk: int = change.pk) -> str:
            row = ScenarioChange.objects.select_related("scenario").get(pk=pk)
            try:
                if weeks == 1:
                    apply_change(actor=ada, change=row, expected_version=1, now=MONDAY)
                else:
                    change_change(actor=ada, change=row, changes={"weeks": 2}, expected_version=1, now=MONDAY)
            except (StaleScenario, IllegalTransition):
                return "refused"
            return "done"

        assert sorted(at_once(act, [1, 2])) == ["done", "refused"]
        moved = fresh(deal).start_on
        change.refresh_from_db()
        assert moved == start + dt.timedelta(weeks=1 if change.applied_at else 0)


def test_a_deal_is_supposed_one_way_and_tried_under_different_names(ruth: User, deal: Opportunity) -> None:
    scenario = scenario_of(ruth, "One way")

    def suppose(kind: ChangeKind) -> str:
        try:
            return add_change(
                actor=ruth, scenario=scenario, kind=kind, values={"opportunity": deal}, now=MONDAY
            ).kind  # fmt: skip
        except ValidationError:
            return "refused"

    found = at_once(suppose, [K.WIN, K.LOSE] * 5)
    assert set(found) in ({"win", "refused"}, {"lose", "refused"})
    assert scenario.changes.count() == 1
    tried = at_once(
        lambda _: (
            try_out(
                actor=ruth, scenario=None, name="Tried", kind=K.LOSE, values={"opportunity": deal}, now=MONDAY
            ).scenario.name
        ),
        range(5),
    )
    assert len(set(tried)) == 5
