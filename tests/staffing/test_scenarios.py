"""Making scenarios and what they suppose: who may, what is refused, what is kept."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from accounts.models import User
from events import names
from events.models import Event
from opportunities.models import Opportunity
from staffing.models import ChangeKind, Person, Scenario, ScenarioChange, WorkRole
from staffing.services.scenarios import (
    StaleScenario,
    add_change,
    archive_scenario,
    change_change,
    change_scenario,
    make_scenario,
    remove_change,
    restore_change,
    restore_scenario,
    try_out,
)
from staffing.states import IllegalTransition
from tests import factories
from tests.handoffs.reactions import FRIDAY, MONDAY

K = ChangeKind
DAY = MONDAY.date()


def make(actor: User, name: str = "Without the portal") -> Scenario:
    return make_scenario(actor=actor, values={"name": name}, now=MONDAY)


def suppose(actor: User, scenario: Scenario, kind: ChangeKind, **values: Any) -> ScenarioChange:
    return add_change(actor=actor, scenario=scenario, kind=kind, values=values, now=MONDAY)


@pytest.fixture
def scenario(ruth: User) -> Scenario:
    """Ruth's, empty."""
    return make(ruth)


def values_of(kind: ChangeKind, deal: Opportunity, nora: Person, architect: WorkRole) -> dict[str, Any]:
    """Something of the kind that can be supposed."""
    values: dict[ChangeKind, dict[str, Any]] = {
        K.WIN: {"opportunity": deal}, K.LOSE: {"opportunity": deal}, K.SHIFT: {"opportunity": deal, "weeks": -4},
        K.CHANCE: {"opportunity": deal, "percent": 60}, K.LEAVE: {"person": nora, "from_on": DAY},
        K.JOIN: {"role": architect, "people": 2, "hours_per_week": 32, "from_on": DAY},
    }  # fmt: skip
    return values[kind]


def test_a_scenario_is_made_and_told(ruth: User) -> None:
    made = make(ruth)
    assert (made.name, made.created_by, made.version) == ("Without the portal", ruth, 1)
    told = Event.objects.get(name=names.SCENARIO_ADDED)
    # No more than that: whoever reads the feed may not see the horizon.
    assert (told.actor, told.subject_id, told.data) == (ruth, made.pk, {})


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\u202eb"])
def test_a_name_is_needed(ruth: User, name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        make(ruth, name)
    assert "name" in refused.value.message_dict


def test_two_of_one_name_would_be_confused(ruth: User, scenario: Scenario) -> None:
    with pytest.raises(ValidationError, match="already"):
        make(ruth, "without the PORTAL")
    archive_scenario(actor=ruth, scenario=scenario, now=MONDAY)
    make(ruth)
    with pytest.raises(ValidationError, match="already"):
        restore_scenario(actor=ruth, scenario=scenario, now=MONDAY)


def test_only_those_who_plan_people_make_and_change_them(
    scenario: Scenario, deal: Opportunity, alice: User, sam: User, pia: User, eve: User
) -> None:
    for actor in (alice, sam, pia, eve):
        with pytest.raises(PermissionDenied):
            make(actor, "Mine")
        with pytest.raises(PermissionDenied):
            suppose(actor, scenario, K.WIN, opportunity=deal)
        with pytest.raises(PermissionDenied):
            archive_scenario(actor=actor, scenario=scenario, now=MONDAY)


def test_it_is_renamed_once(ruth: User, dan: User, scenario: Scenario) -> None:
    changed = change_scenario(
        actor=dan, scenario=scenario, changes={"note": "Ask sales"}, expected_version=1, now=FRIDAY
    )
    assert (changed.note, changed.version, changed.updated_at) == ("Ask sales", 2, FRIDAY)
    with pytest.raises(StaleScenario) as stale:
        change_scenario(actor=ruth, scenario=scenario, changes={"name": "Other"}, expected_version=1, now=FRIDAY)
    assert stale.value.current.version == 2  # type: ignore[attr-defined]
    again = change_scenario(
        actor=ruth, scenario=scenario, changes={"note": "Ask sales"}, expected_version=1, now=FRIDAY
    )
    assert again.version == 2


@pytest.mark.parametrize("kind", list(ChangeKind))
def test_each_kind_is_supposed_once(
    ruth: User, scenario: Scenario, deal: Opportunity, nora: Person, architect: WorkRole, kind: ChangeKind
) -> None:
    values = values_of(kind, deal, nora, architect)
    made = suppose(ruth, scenario, kind, **values)
    assert made.is_pending
    if kind != K.JOIN:
        assert suppose(ruth, scenario, kind, **values) == made


@pytest.mark.parametrize("kind", list(ChangeKind))
def test_what_a_kind_needs_is_asked_for(ruth: User, scenario: Scenario, kind: ChangeKind) -> None:
    with pytest.raises(ValidationError) as refused:
        suppose(ruth, scenario, kind)
    assert set(refused.value.message_dict) <= {"opportunity", "weeks", "percent", "role", "people", "hours_per_week",
                                               "from_on", "person"}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "values", "field"),
    [
        (K.SHIFT, {"weeks": 0}, "weeks"), (K.SHIFT, {"weeks": 53}, "weeks"), (K.CHANCE, {"percent": 101}, "percent"),
        (K.JOIN, {"people": 0}, "people"), (K.JOIN, {"people": 51}, "people"),
        (K.JOIN, {"hours_per_week": 81}, "hours_per_week"), (K.JOIN, {"until_on": DAY - dt.timedelta(1)}, "until_on"),
        (K.LEAVE, {"from_on": dt.date(9999, 1, 1)}, "from_on"), (K.WIN, {"weeks": 4}, "weeks"),
    ],
)  # fmt: skip
def test_figures_out_of_range_are_refused(
    ruth: User, scenario: Scenario, deal: Opportunity, nora: Person, architect: WorkRole, kind: ChangeKind,
    values: dict[str, Any], field: str,
) -> None:  # fmt: skip
    with pytest.raises(ValidationError) as refused:
        suppose(ruth, scenario, kind, **{**values_of(kind, deal, nora, architect), **values})
    assert field in refused.value.message_dict


def test_a_deal_has_one_outcome_and_one_shift(ruth: User, scenario: Scenario, deal: Opportunity) -> None:
    suppose(ruth, scenario, K.WIN, opportunity=deal)
    suppose(ruth, scenario, K.SHIFT, opportunity=deal, weeks=4)
    for kind, more in ((K.LOSE, {}), (K.CHANCE, {"percent": 50}), (K.SHIFT, {"weeks": 5})):
        with pytest.raises(ValidationError, match="already"):
            suppose(ruth, scenario, kind, opportunity=deal, **more)
    suppose(ruth, make(ruth, "Another"), K.LOSE, opportunity=deal)


@pytest.mark.parametrize(
    "columns",
    [
        {"kind": "win"}, {"kind": "shift", "weeks": 0}, {"kind": "chance", "percent": 101}, {"kind": "guess"},
        {"kind": "win", "weeks": 3}, {"kind": "win", "applied_at": MONDAY}, {"kind": "shift", "weeks": 60},
    ],
)  # fmt: skip
def test_the_database_refuses_it_too(
    ruth: User, scenario: Scenario, deal: Opportunity, columns: dict[str, Any]
) -> None:
    given = columns if columns == {"kind": "win"} else {**columns, "opportunity": deal}
    given = {**given, "applied_by": ruth} if "applied_at" in given else given
    with pytest.raises(IntegrityError), transaction.atomic():
        ScenarioChange.objects.create(scenario=scenario, added_by=ruth, **given)


def test_closed_deals_and_those_of_others_can_not_be_supposed_otherwise(ruth: User, scenario: Scenario) -> None:
    with pytest.raises(ValidationError, match="closed"):
        suppose(ruth, scenario, K.LOSE, opportunity=factories.deal("won"))
    team = factories.team("Data people", side="delivery")
    team.service_lines.add(factories.service_line("Data"))
    tom = factories.UserFactory.make(name="Tom", roles=["delivery_manager"], teams=[team])
    secret = factories.deal("qualified", service_line=factories.service_line("Cloud"))
    with pytest.raises(PermissionDenied):
        suppose(tom, scenario, K.LOSE, opportunity=secret)


def test_weeks_and_percent_are_changed(ruth: User, dan: User, scenario: Scenario, deal: Opportunity) -> None:
    made = suppose(ruth, scenario, K.SHIFT, opportunity=deal, weeks=4)
    changed = change_change(actor=dan, change=made, changes={"weeks": 6}, expected_version=1, now=FRIDAY)
    assert (changed.weeks, changed.version) == (6, 2)
    with pytest.raises(StaleScenario):
        change_change(actor=ruth, change=made, changes={"weeks": 8}, expected_version=1, now=FRIDAY)
    with pytest.raises(ValidationError):
        change_change(actor=ruth, change=made, changes={"percent": 8}, expected_version=2, now=FRIDAY)
    scenario.refresh_from_db()
    assert (scenario.version, scenario.updated_at) == (1, FRIDAY)


def test_a_removed_change_comes_back_unless_its_place_is_taken(
    ruth: User, scenario: Scenario, deal: Opportunity
) -> None:
    made = suppose(ruth, scenario, K.WIN, opportunity=deal)
    for _ in range(2):
        assert remove_change(actor=ruth, change=made, now=MONDAY).removed_at == MONDAY
    assert restore_change(actor=ruth, change=made, now=MONDAY).is_pending
    remove_change(actor=ruth, change=made, now=MONDAY)
    suppose(ruth, scenario, K.LOSE, opportunity=deal)
    with pytest.raises(ValidationError, match="already"):
        restore_change(actor=ruth, change=made, now=MONDAY)


def test_nothing_is_supposed_in_the_archive(ruth: User, scenario: Scenario, deal: Opportunity) -> None:
    made = suppose(ruth, scenario, K.WIN, opportunity=deal)
    archive_scenario(actor=ruth, scenario=scenario, now=MONDAY)
    with pytest.raises(IllegalTransition, match="archive"):
        suppose(ruth, scenario, K.SHIFT, opportunity=deal, weeks=1)
    with pytest.raises(IllegalTransition, match="archive"):
        remove_change(actor=ruth, change=made, now=MONDAY)


def test_trying_makes_a_scenario_or_takes_one(ruth: User, deal: Opportunity) -> None:
    for name in ("Architect in week 51", "Architect in week 51 (2)"):
        tried = try_out(
            actor=ruth, scenario=None, name="Architect in week 51", kind=K.LOSE, values={"opportunity": deal},
            now=MONDAY,
        )  # fmt: skip
        assert tried.scenario.name == name
    won = suppose(ruth, scenario := make(ruth), K.WIN, opportunity=deal)
    for _ in range(2):
        again = try_out(
            actor=ruth, scenario=scenario, name="", kind=K.LOSE, values={"opportunity": deal}, now=MONDAY
        )  # fmt: skip
        assert again.scenario == scenario
    won.refresh_from_db()
    assert won.removed_at == MONDAY
    assert [each.kind for each in scenario.changes.filter(removed_at=None)] == ["lose"]
