"""Who is suggested for a need, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from accounts.models import Organisation, User
from opportunities.models import Opportunity
from staffing.models import NeedSkill, Person, PersonSkill, Skill, StaffingNeed
from staffing.suggestions import WEIGHTS, Candidate, candidates
from tests import factories
from tests.staffing import staffed

pytestmark = pytest.mark.django_db
MONDAY = dt.date(2027, 3, 1)
FRIDAY = dt.date(2027, 3, 26)
Found = Callable[[StaffingNeed], list[Candidate]]


@pytest.fixture
def deal(alice: User) -> Opportunity:
    """An open deal."""
    return factories.deal("negotiation", owner=alice)


@pytest.fixture
def need(deal: Opportunity) -> StaffingNeed:
    """Twenty hours of an architect for four weeks."""
    return staffed.need(deal, staffed.role(), 20)


@pytest.fixture
def found(organisation: Organisation) -> Found:
    """Those suggested for it in its weeks."""
    return lambda need: candidates(need, first_on=MONDAY, last_on=FRIDAY, standard=organisation.calendar)


def names(found: list[Candidate]) -> list[str]:
    return [one.person.name for one in found]


def able(person: Person, skill: Skill, level: int) -> None:
    PersonSkill.objects.create(person=person, skill=skill, proficiency=level)


def test_the_weights_make_a_whole() -> None:
    assert sum(WEIGHTS.values()) == 100


def test_who_can_comes_before_who_has_more_time(need: StaffingNeed, found: Found) -> None:
    networks = Skill.objects.create(name="Networks")
    NeedSkill.objects.create(need=need, skill=networks, proficiency=4)
    able(staffed.worker("Nora"), networks, 4)
    able(staffed.worker("Nils"), networks, 1)
    staffed.booking(MONDAY, FRIDAY, 25, person=Person.objects.get(name="Nora"))
    best, other = found(need)
    assert (best.person.name, best.fit, best.availability) == ("Nora", 1.0, 0.75)
    assert (other.fit, other.availability, [str(each.skill) for each in other.lacks]) == (0.25, 1.0, ["Networks"])
    assert best.score > other.score


def test_better_than_asked_counts_no_more(need: StaffingNeed, found: Found) -> None:
    networks = Skill.objects.create(name="Networks")
    NeedSkill.objects.create(need=need, skill=networks, proficiency=2)
    able(staffed.worker("Nora"), networks, 5)
    assert found(need)[0].fit == 1.0


def test_hours_in_one_week_do_not_make_up_for_another(need: StaffingNeed, found: Found) -> None:
    nora = staffed.worker("Nora")
    staffed.booking(MONDAY, MONDAY + dt.timedelta(days=11), 40, person=nora)
    assert found(need)[0].availability == 0.5


def test_who_is_known_to_the_client_comes_first(need: StaffingNeed, found: Found, alice: User) -> None:
    for name in ("Anna", "Nora", "Olaf"):
        staffed.worker(name)
    earlier = factories.deal("prospect", owner=alice, account=need.opportunity.account)
    elsewhere = factories.deal("prospect", owner=alice)
    past = (dt.date(2026, 1, 5), dt.date(2026, 1, 30))
    staffed.booking(*past, 20, person=Person.objects.get(name="Nora"), opportunity=earlier)
    staffed.booking(*past, 20, person=Person.objects.get(name="Olaf"), opportunity=elsewhere)
    assert names(found(need)) == ["Nora", "Anna", "Olaf"]
    assert [one.continuity for one in found(need)] == [1.0, 0.0, 0.0]


def test_it_costs_the_same_for_one_and_for_many(
    need: StaffingNeed, found: Found, django_assert_max_num_queries: Callable[..., object]
) -> None:
    for number in range(40):
        staffed.worker(f"Person {number}")
    with django_assert_max_num_queries(9):  # type: ignore[attr-defined]
        assert len(found(need)) == 40
