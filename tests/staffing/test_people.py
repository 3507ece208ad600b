"""Roles, skills, people and when they are away, changed through the services."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import User
from events import names
from events.models import Event
from staffing.models import Person, Skill, TimeOff, WorkRole
from staffing.services.lists import (
    StaleEntry,
    archive_role,
    restore_role,
    save_role,
    save_skill,
    save_template,
)
from staffing.services.people import (
    StalePerson,
    add_person,
    add_time_off,
    archive_person,
    change_person,
    change_time_off,
    remove_time_off,
    restore_person,
    set_skills,
)
from tests import factories
from tests.handoffs.reactions import MONDAY

pytestmark = pytest.mark.django_db
DAY = dt.date(2027, 1, 4)


def told(name: str) -> int:
    return Event.objects.filter(name=name).count()


def test_roles_are_added_renamed_and_rested(ruth: User) -> None:
    role = save_role(actor=ruth, role=None, name="  Architect ", now=MONDAY)
    engineer = save_role(actor=ruth, role=None, name="Engineer", now=MONDAY)
    assert (role.name, role.position, engineer.position) == ("Architect", 0, 1)
    renamed = save_role(actor=ruth, role=role, name="Lead architect", now=MONDAY, expected_version=1)
    assert (renamed.name, renamed.version) == ("Lead architect", 2)
    with pytest.raises(StaleEntry) as stale:
        save_role(actor=ruth, role=role, name="Chief", now=MONDAY, expected_version=1)
    assert str(stale.value.current) == "Lead architect"
    assert archive_role(actor=ruth, role=role, now=MONDAY).archived_at == MONDAY
    assert archive_role(actor=ruth, role=role, now=MONDAY).version == 3
    assert restore_role(actor=ruth, role=role, now=MONDAY).archived_at is None
    assert told(names.STAFFING_LIST_CHANGED) == 5


@pytest.mark.parametrize("name", ["", "architect", "x" * 81, "turn\u202eed"])
def test_a_role_has_a_name_of_its_own(ruth: User, architect: WorkRole, name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        save_role(actor=ruth, role=None, name=name, now=MONDAY)
    assert list(refused.value.message_dict) == ["name"]


def test_only_those_who_plan_people_keep_the_lists(alice: User, pia: User, charlie: User, architect: WorkRole) -> None:
    for outsider in (alice, pia, charlie):
        with pytest.raises(PermissionDenied):
            save_role(actor=outsider, role=architect, name="Mine", now=MONDAY)
        with pytest.raises(PermissionDenied):
            save_skill(actor=outsider, skill=None, name="Mine", now=MONDAY)
        with pytest.raises(PermissionDenied):
            add_person(actor=outsider, values={"name": "Nils", "role": architect}, now=MONDAY)
    assert not Skill.objects.exists()
    assert not Person.objects.exists()


def test_templates_come_one_after_the_other(ruth: User, architect: WorkRole) -> None:
    values = {"service_line": factories.service_line(), "role": architect, "hours_per_week": "20", "weeks": 8}
    first = save_template(actor=ruth, template=None, values=values, now=MONDAY)
    second = save_template(actor=ruth, template=None, values=values, now=MONDAY)
    assert (first.position, second.position, second.hours_per_week) == (0, 1, Decimal(20))
    with pytest.raises(ValidationError) as refused:
        save_template(actor=ruth, template=None, values={"hours_per_week": "500", "weeks": 0}, now=MONDAY)
    assert set(refused.value.message_dict) == {"role", "hours_per_week", "weeks"}


def test_people_are_added_and_changed(ruth: User, dan: User, architect: WorkRole) -> None:
    nils = add_person(actor=ruth, values={"name": "Nils", "role": architect, "user": dan}, now=MONDAY)
    assert nils.weekly_hours == 40
    changed = change_person(actor=ruth, person=nils, changes={"weekly_hours": "32"}, expected_version=1, now=MONDAY)
    assert (changed.weekly_hours, changed.version) == (32, 2)
    same = change_person(actor=ruth, person=nils, changes={"weekly_hours": 32}, expected_version=1, now=MONDAY)
    assert same.version == 2
    with pytest.raises(StalePerson) as stale:
        change_person(actor=ruth, person=nils, changes={"name": "Nico"}, expected_version=1, now=MONDAY)
    assert stale.value.current == nils
    assert str(stale.value.current) == "Nils"
    assert told(names.PERSON_CHANGED) == 2
    # An event about a person says no more than the name: everybody may read it.
    assert [event.data for event in Event.objects.filter(name=names.PERSON_CHANGED)] == [{"name": "Nils"}] * 2


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"),
        ({"weekly_hours": "81"}, "weekly_hours"),
        ({"weekly_hours": "7.25"}, "weekly_hours"),
        ({"role": None}, "role"),
        ({"joins_on": DAY, "leaves_on": DAY - dt.timedelta(days=1)}, "leaves_on"),
        ({"joins_on": dt.date(1999, 1, 1)}, "joins_on"),
        ({"external_id": "n-1"}, "external_id"),
        ({"version": 7}, "version"),
    ],
)
def test_people_are_refused_with_a_sentence_for_the_field(
    ruth: User, nils: Person, architect: WorkRole, values: dict[str, object], field: str
) -> None:
    Person.objects.filter(pk=nils.pk).update(external_id="n-1")
    with pytest.raises(ValidationError) as refused:
        add_person(actor=ruth, values={"name": "Nora", "role": architect, **values}, now=MONDAY)
    assert list(refused.value.message_dict) == [field]


def test_a_login_belongs_to_one_person(ruth: User, dan: User, nils: Person, nora: Person) -> None:
    change_person(actor=ruth, person=nils, changes={"user": dan}, expected_version=None, now=MONDAY)
    with pytest.raises(ValidationError) as refused:
        change_person(actor=ruth, person=nora, changes={"user": dan}, expected_version=None, now=MONDAY)
    assert list(refused.value.message_dict) == ["user"]


def test_people_rest_and_come_back(ruth: User, nils: Person) -> None:
    archive_person(actor=ruth, person=nils, now=MONDAY)
    assert archive_person(actor=ruth, person=nils, now=MONDAY).version == 2
    assert not Person.objects.current().exists()
    assert restore_person(actor=ruth, person=nils, now=MONDAY).archived_at is None


def test_skills_are_set_as_a_whole(ruth: User, nils: Person) -> None:
    cobol, django = (save_skill(actor=ruth, skill=None, name=name, now=MONDAY).pk for name in ("COBOL", "Django"))
    set_skills(actor=ruth, person=nils, skills={cobol: 2, django: 5}, expected_version=1, now=MONDAY)
    after = set_skills(actor=ruth, person=nils, skills={django: 4}, expected_version=2, now=MONDAY)
    assert dict(nils.skills.values_list("skill_id", "proficiency")) == {django: 4}
    assert after.version == 3
    assert set_skills(actor=ruth, person=nils, skills={django: 4}, expected_version=1, now=MONDAY).version == 3
    with pytest.raises(StalePerson):
        set_skills(actor=ruth, person=nils, skills={}, expected_version=2, now=MONDAY)
    for unknown in ({django: 6}, {django: 0}, {2**31: 3}):
        with pytest.raises(ValidationError):
            set_skills(actor=ruth, person=nils, skills=unknown, expected_version=3, now=MONDAY)


def test_time_off_is_kept_once_and_may_be_taken_back(ruth: User, alice: User, nils: Person) -> None:
    def away(last: dt.date = DAY, actor: User = ruth) -> TimeOff:
        return add_time_off(
            actor=actor, person=nils, first_on=DAY, last_on=last, hours_per_day=Decimal(0), note="", now=MONDAY
        )

    row = away()
    assert away() == row
    changed = change_time_off(actor=ruth, time_off=row, changes={"note": "Skiing"}, now=MONDAY)
    assert changed.note == "Skiing"
    with pytest.raises(ValidationError) as refused:
        away(DAY - dt.timedelta(days=1))
    assert list(refused.value.message_dict) == ["last_on"]
    with pytest.raises(PermissionDenied):
        away(DAY + dt.timedelta(days=1), alice)
    remove_time_off(actor=ruth, time_off=row, now=MONDAY)
    remove_time_off(actor=ruth, time_off=row, now=MONDAY)
    assert not nils.time_off.exists()
    assert told(names.PERSON_CHANGED) == 3
