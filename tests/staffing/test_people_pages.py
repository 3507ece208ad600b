"""The pages about people: the list, one person, their skills and time off, and the lists of roles and skills."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from staffing.models import Person, PersonSkill, Skill, TimeOff, WorkRole
from staffing.weeks import monday_of
from tests import factories
from tests.cast import Browser
from tests.staffing import staffed

MOST_QUERIES = 15


@pytest.fixture
def as_ruth(ruth: User) -> Browser:
    """The resource manager's browser."""
    return Browser(ruth)


def skilled(person: Person, name: str, level: int) -> Skill:
    """A skill that the person has."""
    skill = Skill.objects.get_or_create(name=name)[0]
    PersonSkill.objects.create(person=person, skill=skill, proficiency=level)
    return skill


def this_monday() -> dt.date:
    return monday_of(timezone.now().date())


def form_of(person: Person, **changes: Any) -> dict[str, Any]:
    """What the dialog sends."""
    present = {"name": person.name, "role": person.role_id, "weekly_hours": "40", "version": person.version}
    return {**present, **changes}


def test_the_list_says_who_can_what_and_how_much_is_booked(as_ruth: Browser, nils: Person, nora: Person) -> None:
    skilled(nils, "Kubernetes", 5)
    monday = this_monday()
    staffed.booking(monday, monday + dt.timedelta(days=27), 30, person=nils)
    page = as_ruth.get("/staffing/people/").content.decode()
    assert "Kubernetes <span>teaches it</span>" in page
    assert "75 %" in page
    assert "0 %" in page


def test_filters_by_role_skill_and_name(as_ruth: Browser, nils: Person, nora: Person) -> None:
    skill = skilled(nils, "Kubernetes", 3)
    other = staffed.worker("Olga", staffed.role("Engineer"))
    everybody = {nils, nora, other}
    for query, found in (
        (f"skill={skill.pk}", {nils}), (f"role={other.role_id}", {other}), ("q=no", {nora}), ("role=x", everybody),
    ):  # fmt: skip
        rows = as_ruth.get(f"/staffing/people/?{query}").context["page"].object_list
        assert {row.person for row in rows} == found, query


def test_the_list_is_for_those_who_see_the_staffing(as_charlie: Browser) -> None:
    assert as_charlie.get("/staffing/people/").status_code == 403
    assert "/staffing/people/" not in as_charlie.get("/").content.decode()


def test_ten_or_two_hundred_people_take_as_many_queries(as_ruth: Browser, architect: WorkRole) -> None:
    for path in ("/staffing/people/", "/staffing/schedule/"):
        counts = []
        for many in (10, 190):
            for number in range(many):
                person = staffed.worker(f"Person {many} {number} {path}", architect)
                skilled(person, f"Skill {number % 7}", 3)
                TimeOff.objects.create(person=person, first_on=this_monday(), last_on=this_monday())
                deal = {"opportunity": factories.deal()} if number < 3 else {}
                staffed.booking(this_monday(), this_monday() + dt.timedelta(days=20), 50, person=person, **deal)
            as_ruth.get(path)
            with CaptureQueriesContext(connection) as captured:
                as_ruth.get(path)
            counts.append(len(captured))
        assert counts[0] == counts[1] <= MOST_QUERIES, (path, counts)
        Person.objects.update(archived_at=timezone.now())


def test_somebody_is_added(as_ruth: Browser, architect: WorkRole) -> None:
    values = {"name": "Mira", "role": architect.pk, "weekly_hours": "32"}
    answer = as_ruth.hx("post", "/staffing/people/add/", values)
    mira = Person.objects.get(name="Mira")
    assert answer.headers["HX-Redirect"] == f"/staffing/people/{mira.pk}/"
    assert mira.weekly_hours == Decimal(32)


def test_a_form_without_a_role_says_so(as_ruth: Browser) -> None:
    answer = as_ruth.hx("post", "/staffing/people/add/", {"name": "Mira", "weekly_hours": "90"})
    assert answer.status_code == 422
    assert not Person.objects.exists()


def test_a_change_closes_the_dialog(as_ruth: Browser, nils: Person) -> None:
    answer = as_ruth.hx("post", f"/staffing/people/{nils.pk}/change/", form_of(nils, weekly_hours="20"))
    assert answer.status_code == 204
    assert "dialog:close" in answer.headers["HX-Trigger"]
    nils.refresh_from_db()
    assert nils.weekly_hours == 20


def test_a_collision_shows_what_stands_now_and_keeps_what_was_typed(as_ruth: Browser, nils: Person) -> None:
    Person.objects.filter(pk=nils.pk).update(weekly_hours=24, version=2)
    answer = as_ruth.hx("post", f"/staffing/people/{nils.pk}/change/", form_of(nils, name="Nils Berg"))
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Somebody changed this in the meantime" in page
    assert "Hours a week is now: 24" in page
    assert 'value="Nils Berg"' in page
    assert 'name="version" value="2"' in page


def test_archived_people_leave_the_list_and_come_back(as_ruth: Browser, nils: Person) -> None:
    answer = as_ruth.hx("post", f"/staffing/people/{nils.pk}/archive/")
    assert f"/staffing/people/{nils.pk}/restore/" in answer.headers["HX-Trigger"]
    assert not as_ruth.get("/staffing/people/").context["page"].object_list
    assert as_ruth.get("/staffing/people/?show=archived").context["page"].object_list[0].person == nils
    as_ruth.hx("post", f"/staffing/people/{nils.pk}/restore/")
    assert as_ruth.get("/staffing/people/").context["page"].object_list[0].person == nils


def test_skills_are_set_by_their_words(as_ruth: Browser, nils: Person) -> None:
    old, new = skilled(nils, "COBOL", 2), Skill.objects.create(name="Go")
    path = f"/staffing/people/{nils.pk}/skills/"
    assert "on their own" in as_ruth.hx("get", path).content.decode()
    answer = as_ruth.hx("post", path, {f"skill-{old.pk}": "", f"skill-{new.pk}": "4", "version": nils.version})
    assert answer.status_code == 204
    assert dict(nils.skills.values_list("skill__name", "proficiency")) == {"Go": 4}


def test_time_off_is_added_removed_and_brought_back(as_ruth: Browser, nils: Person) -> None:
    day = this_monday() + dt.timedelta(days=8)
    values = {"first_on": day, "last_on": day + dt.timedelta(days=2), "hours_per_day": "4", "note": "Course"}
    as_ruth.hx("post", f"/staffing/people/{nils.pk}/time-off/add/", values)
    off = nils.time_off.get()
    removed = as_ruth.hx("post", f"/staffing/people/{nils.pk}/time-off/{off.pk}/remove/")
    assert not nils.time_off.exists()
    undo = f"/staffing/people/{nils.pk}/time-off/{off.pk}/restore/"
    assert undo in removed.headers["HX-Trigger"]
    as_ruth.hx("post", undo)
    back = nils.time_off.get()
    assert (back.first_on, back.last_on, back.hours_per_day, back.note) == (day, values["last_on"], 4, "Course")


def test_nobody_brings_back_what_others_removed(as_ruth: Browser, as_dan: Browser, nils: Person) -> None:
    off = TimeOff.objects.create(person=nils, first_on=this_monday(), last_on=this_monday())
    as_ruth.hx("post", f"/staffing/people/{nils.pk}/time-off/{off.pk}/remove/")
    assert as_dan.hx("post", f"/staffing/people/{nils.pk}/time-off/{off.pk}/restore/").status_code == 404


def test_a_person_week_by_week(as_ruth: Browser, nils: Person) -> None:
    monday = this_monday()
    TimeOff.objects.create(person=nils, first_on=monday, last_on=monday + dt.timedelta(days=1))
    staffed.booking(monday, monday + dt.timedelta(days=11), 40, person=nils, title="Support rota")
    weeks = as_ruth.get(f"/staffing/people/{nils.pk}/").context["weeks"]
    assert [(week.capacity, week.booked, week.free) for week in weeks[:3]] == [(24, 40, -16), (40, 40, 0), (40, 0, 40)]


def test_people_see_themselves_and_nobody_else(as_charlie: Browser, charlie: User, nils: Person) -> None:
    own = staffed.worker("Charlie", user=charlie)
    assert as_charlie.get(f"/staffing/people/{own.pk}/").status_code == 200
    assert as_charlie.get(f"/staffing/people/{nils.pk}/").status_code == 404


@pytest.mark.parametrize("kind", ["role", "skill"])
def test_roles_and_skills_are_added_renamed_archived_and_restored(as_ruth: Browser, kind: str) -> None:
    model: Any = {"role": WorkRole, "skill": Skill}[kind]
    lists = f"/staffing/settings/lists/{kind}"
    assert as_ruth.hx("post", f"{lists}/add/", {"name": "Archit"}).status_code == 204
    row = model.objects.get()
    assert as_ruth.hx("post", f"{lists}/{row.pk}/", {"name": "Architect"}).status_code == 204
    assert as_ruth.hx("post", f"{lists}/add/", {"name": "architect"}).status_code == 422
    as_ruth.hx("post", f"{lists}/{row.pk}/archive/")
    row.refresh_from_db()
    assert row.name == "Architect"
    assert row.archived_at is not None
    assert "Bring back" in as_ruth.get("/staffing/settings/").content.decode()
    as_ruth.hx("post", f"{lists}/{row.pk}/restore/")
    row.refresh_from_db()
    assert row.archived_at is None


def test_an_unknown_list_is_not_there(as_ruth: Browser) -> None:
    assert as_ruth.get("/staffing/settings/lists/colour/add/").status_code == 404
