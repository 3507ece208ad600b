"""Applying a supposition: on purpose, once, through the services that people use for it anyway."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import User
from accounts.queries import organisation
from events import names
from events.models import Event
from opportunities.models import Comment, Opportunity
from opportunities.services.editing import update_opportunity
from opportunities.services.versions import Stale
from staffing.horizon_queries import horizon_of
from staffing.models import ChangeKind, Person, Scenario, ScenarioChange, WorkRole
from staffing.scenario_queries import changes_of, versions_of
from staffing.services.applying import NotYours, apply_change, ask_owner, effects_of, may_apply
from staffing.services.people import StalePerson, change_person
from staffing.services.scenarios import StaleScenario, archive_scenario, change_change, make_scenario, remove_change
from staffing.states import IllegalTransition
from tests.handoffs.reactions import FRIDAY, MONDAY, fresh, move
from tests.staffing.staffed import need
from tests.staffing.test_scenarios import suppose

K = ChangeKind
DAY = MONDAY.date()
START = dt.date(2027, 4, 1)


@pytest.fixture
def scenario(ruth: User) -> Scenario:
    """Ruth's, empty."""
    return make_scenario(actor=ruth, values={"name": "What if"}, now=MONDAY)


@pytest.fixture
def later(ruth: User, scenario: Scenario, deal: Opportunity) -> ScenarioChange:
    """Alice's deal starts four weeks later."""
    return suppose(ruth, scenario, K.SHIFT, opportunity=deal, weeks=4)


def apply(actor: User, change: ScenarioChange, **given: Any) -> ScenarioChange:
    given = {"expected_version": None, "now": FRIDAY, **given}
    return apply_change(actor=actor, change=change, **given)


def told(name: str) -> int:
    return Event.objects.filter(name=name).count()


def test_a_shift_moves_the_start_and_keeps_the_close_date(ada: User, deal: Opportunity, later: ScenarioChange) -> None:
    assert [(each.field, each.after) for each in effects_of(later, home=organisation(), today=DAY)] == [
        ("start_on", START + dt.timedelta(weeks=4))
    ]
    applied = apply(ada, later)
    after = fresh(deal)
    assert (after.start_on, after.close_date, after.push_count) == (dt.date(2027, 4, 29), deal.close_date, 0)
    assert (applied.applied_by, applied.applied_at) == (ada, FRIDAY)
    assert applied.did == {"start_on": ["2027-04-01", "2027-04-29"]}
    assert told(names.OPPORTUNITY_START_MOVED) == told(names.SCENARIO_APPLIED) == 1


def test_an_earlier_start_takes_the_close_date_with_it(ada: User, deal: Opportunity, later: ScenarioChange) -> None:
    change_change(actor=ada, change=later, changes={"weeks": -6}, expected_version=None, now=MONDAY)
    apply(ada, ScenarioChange.objects.select_related("scenario", "opportunity").get(pk=later.pk))
    after = fresh(deal)
    assert after.start_on == START - dt.timedelta(weeks=6)
    assert after.close_date == dt.date(2027, 3, 15) - dt.timedelta(weeks=6)


def test_a_start_that_nobody_named_is_named(ada: User, deal: Opportunity, later: ScenarioChange) -> None:
    update_opportunity(
        actor=ada, opportunity=deal, changes={"start_on": None}, expected_version=deal.version, now=MONDAY
    )
    apply(ada, ScenarioChange.objects.select_related("scenario", "opportunity").get(pk=later.pk))
    home = organisation()
    expected = dt.date(2027, 3, 15) + dt.timedelta(days=home.start_after_close_days, weeks=4)
    assert fresh(deal).start_on == expected


def test_a_deal_without_dates_has_nothing_to_move(ada: User, deal: Opportunity, later: ScenarioChange) -> None:
    Opportunity.objects.filter(pk=deal.pk).update(start_on=None, close_date=None)
    with pytest.raises(IllegalTransition, match="neither a start nor a close date"):
        apply(ada, later)


def test_applying_is_what_the_scenario_showed(
    ada: User, deal: Opportunity, later: ScenarioChange, nora: Person
) -> None:
    need(deal, nora.role, 60, weeks=6)
    home, scenario = organisation(), later.scenario
    given: Any = {"today": DAY, "weeks": 40, "scenarios": [scenario]}
    shown = versions_of(home, changes=changes_of([scenario]), **given)[1].horizon
    apply(ada, later)
    _inputs, horizon = horizon_of(home, today=DAY, weeks=40)
    assert (abs(horizon.overload_probability - shown.overload_probability) < 1e-9).all()
    # It counts once: as today's truth, no longer as a supposition.
    again = versions_of(home, changes=changes_of([scenario]), **given)[1].horizon
    assert (again.expected == horizon.expected).all()


def test_a_chance_becomes_the_deals(ada: User, scenario: Scenario, deal: Opportunity) -> None:
    change = suppose(ada, scenario, K.CHANCE, opportunity=deal, percent=65)
    assert apply(ada, change).did == {"probability": [deal.probability, 65]}
    assert fresh(deal).probability == 65


def test_twice_is_once(ada: User, dan: User, deal: Opportunity, later: ScenarioChange) -> None:
    apply(ada, later)
    again = apply(ada, later, expected_version=1)
    assert again.applied_by == ada
    assert fresh(deal).start_on == START + dt.timedelta(weeks=4)
    assert told(names.SCENARIO_APPLIED) == 1


def test_who_may_not_change_the_deal_asks(ruth: User, pia: User, deal: Opportunity, later: ScenarioChange) -> None:
    assert not may_apply(ruth, later)
    with pytest.raises(NotYours, match="Ask Alice"):
        apply(ruth, later)
    assert fresh(deal).start_on == START
    later.refresh_from_db()
    assert later.is_pending
    asked = ask_owner(actor=ruth, change=later, body="@Alice could it start later?", now=FRIDAY)
    assert [asked.opportunity, *asked.mentions.all()] == [deal, deal.owner]
    with pytest.raises(PermissionDenied):
        ask_owner(actor=pia, change=later, body="Please", now=FRIDAY)
    assert Comment.objects.count() == 1


def test_the_deals_own_people_need_to_plan_people_too(alice: User, sam: User, later: ScenarioChange) -> None:
    for actor in (alice, sam):
        with pytest.raises(PermissionDenied):
            apply(actor, later)


def test_the_delivery_owner_may(dan: User, deal: Opportunity, later: ScenarioChange) -> None:
    Opportunity.objects.filter(pk=deal.pk).update(delivery_owner=dan)
    assert apply(dan, later).applied_by == dan


@pytest.mark.parametrize("kind", [K.WIN, K.LOSE])
def test_deals_are_never_closed_from_here(ada: User, scenario: Scenario, deal: Opportunity, kind: ChangeKind) -> None:
    with pytest.raises(IllegalTransition, match="in the deal itself"):
        apply(ada, suppose(ada, scenario, kind, opportunity=deal))
    assert fresh(deal).is_open


def test_a_closed_deal_is_not_moved(ada: User, deal: Opportunity, later: ScenarioChange) -> None:
    move(deal, "lost")
    with pytest.raises(IllegalTransition, match="closed"):
        apply(ada, later)


def test_stale_versions_are_refused(ada: User, deal: Opportunity, later: ScenarioChange) -> None:
    with pytest.raises(Stale):
        apply(ada, later, seen_version=deal.version + 7)
    change_change(actor=ada, change=later, changes={"weeks": 8}, expected_version=1, now=MONDAY)
    with pytest.raises(StaleScenario):
        apply(ada, later, expected_version=1)
    assert fresh(deal).start_on == START


def test_what_was_removed_or_archived_is_not_applied(ada: User, scenario: Scenario, later: ScenarioChange) -> None:
    remove_change(actor=ada, change=later, now=MONDAY)
    with pytest.raises(IllegalTransition, match="removed"):
        apply(ada, later)
    archive_scenario(actor=ada, scenario=scenario, now=MONDAY)
    with pytest.raises(IllegalTransition, match="archive"):
        apply(ada, later)


def test_people_join_by_name(ruth: User, scenario: Scenario, architect: WorkRole) -> None:
    change = suppose(ruth, scenario, K.JOIN, role=architect, people=2, hours_per_week=32, from_on=DAY)
    for wrong in ((), ("Ines",), ("Ines", " ")):
        with pytest.raises(ValidationError):
            apply(ruth, change, people=wrong)
    assert not Person.objects.exists()
    applied = apply(ruth, change, people=["Ines", "Gregor"])
    added = Person.objects.order_by("pk")
    assert [(each.name, each.role, each.weekly_hours, each.joins_on) for each in added] == [
        ("Ines", architect, 32, DAY), ("Gregor", architect, 32, DAY),
    ]  # fmt: skip
    assert applied.did == {"people": [each.pk for each in added]}


def test_of_people_of_whom_one_can_not_be_added_nobody_is(ruth: User, scenario: Scenario, architect: WorkRole) -> None:
    change = suppose(ruth, scenario, K.JOIN, role=architect, people=2, hours_per_week=32, from_on=DAY)
    with pytest.raises(ValidationError):
        apply(ruth, change, people=["Ines", "x" * 200])
    assert not Person.objects.exists()


def test_somebody_leaves_the_day_before(ruth: User, scenario: Scenario, nora: Person) -> None:
    change = suppose(ruth, scenario, K.LEAVE, person=nora, from_on=dt.date(2027, 3, 1))
    change_person(actor=ruth, person=nora, changes={"weekly_hours": 30}, expected_version=1, now=MONDAY)
    with pytest.raises(StalePerson):
        apply(ruth, change, seen_version=1)
    apply(ruth, change, seen_version=2)
    nora.refresh_from_db()
    assert nora.leaves_on == dt.date(2027, 2, 28)


def test_somebody_who_comes_back_has_time_off(ruth: User, scenario: Scenario, nora: Person) -> None:
    days = {"from_on": dt.date(2027, 3, 1), "until_on": dt.date(2027, 3, 12)}
    applied = apply(ruth, suppose(ruth, scenario, K.LEAVE, person=nora, **days))
    off = nora.time_off.get()
    assert (off.first_on, off.last_on, off.hours_per_day) == (*days.values(), 0)
    assert applied.did == {"time_off": off.pk}


def test_what_was_applied_stays_and_makes_room(ada: User, deal: Opportunity, later: ScenarioChange) -> None:
    apply(ada, later)
    for refused in (remove_change, change_change):
        more: dict[str, Any] = {"changes": {"weeks": 9}, "expected_version": None} if refused is change_change else {}
        with pytest.raises(IllegalTransition, match="today’s truth"):
            refused(actor=ada, change=later, now=FRIDAY, **more)
    assert suppose(ada, later.scenario, K.SHIFT, opportunity=fresh(deal), weeks=2).is_pending
