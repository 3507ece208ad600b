"""Roles, people, needs and bookings through the API."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from opportunities.models import Opportunity
from staffing.models import Booking, Person, Skill, StaffingNeed, TimeOff, WorkRole
from tests import factories
from tests.api.conftest import Answer, Program, queries_of, react
from tests.staffing import staffed


@pytest.fixture
def ruths(ruth: User) -> Program:
    """Ruth's program."""
    return Program(ruth)


@pytest.fixture
def architect(organisation: object) -> WorkRole:
    """A role."""
    return staffed.role("Architect")


@pytest.fixture
def nils(architect: WorkRole) -> Person:
    """An architect."""
    return staffed.worker("Nils", architect)


@pytest.fixture
def deal(alice: User) -> Opportunity:
    """Alice's; its work starts on Thursday 1 April 2027."""
    return factories.deal("qualified", owner=alice)


def asked(program: Program, deal: Opportunity, role: WorkRole, **more: Any) -> Answer:
    body = {"opportunity": deal.pk, "role": role.pk, "hours_per_week": "20", "weeks": 4, **more}
    answer = program.post("staffing/needs/", body)
    assert answer.status == 201, answer
    return answer


def path_of(answer: Answer) -> str:
    return str(answer.json["url"])


# --- roles and skills ---


@pytest.mark.parametrize("kind", ["roles", "skills"])
def test_lists_are_kept_by_those_who_plan(ruths: Program, alices: Program, kind: str) -> None:
    made = ruths.post(f"staffing/{kind}/", {"name": "Kafka"}, Idempotency_Key="a")
    assert ruths.post(f"staffing/{kind}/", {"name": "Kafka"}, Idempotency_Key="a").json == made.json
    assert (made.status, made.headers["Location"]) == (201, path_of(made))
    twice = ruths.post(f"staffing/{kind}/", {"name": "kafka"})
    assert (twice.status, list(twice.json["fields"])) == (400, ["name"])
    assert alices.post(f"staffing/{kind}/", {"name": "Django"}).status == 403
    assert [row["name"] for row in alices.rows(f"staffing/{kind}/")] == ["Kafka"]
    path = path_of(made)
    assert ruths.patch(path, {"name": "Streams"}).status == 428
    renamed = ruths.patch(path, {"name": "Streams"}, If_Match=made.headers["ETag"])
    assert (renamed.json["name"], renamed.json["version"]) == ("Streams", 2)
    for changes in ({"name": "Rivers"}, {"archived": True}, {"name": "Streams", "archived": True}):
        stale = ruths.patch(path, changes, If_Match=made.headers["ETag"])
        assert (stale.status, stale.json["current"]["name"]) == (412, "Streams")
    both = ruths.patch(path, {"name": "Rivers", "archived": True}, If_Match=renamed.headers["ETag"])
    assert (both.json["name"], both.json["version"]) == ("Rivers", 4)
    assert ruths.rows(f"staffing/{kind}/") == []
    assert len(ruths.rows(f"staffing/{kind}/?archived=true")) == 1
    assert ruths.patch(path, {"archived": False}, If_Match="*").json["archived_at"] is None
    assert ruths.ask("DELETE", path, If_Match='"1"').status == 412
    assert ruths.ask("DELETE", path, If_Match="*").json["archived_at"].endswith("Z")
    assert ruths.get(f"staffing/{kind}/99999999999999999999/").status == 404


# --- people ---


def test_people_come_with_their_skills(ruths: Program, alices: Program, dan: User, architect: WorkRole) -> None:
    skill, other = (Skill.objects.create(name=name) for name in ("Kafka", "Go"))
    levels = [{"skill": skill.pk, "proficiency": 4}, {"skill": other.pk, "proficiency": 1}]
    body = {"name": "Nils", "role": architect.pk, "weekly_hours": "32.5", "user": dan.pk, "skills": levels}
    made = ruths.post("staffing/people/", body)
    assert (made.status, made.json["weekly_hours"], made.json["user"]["name"]) == (201, "32.5", "Dan")
    assert [level["skill"]["name"] for level in made.json["skills"]] == ["Go", "Kafka"]
    path = path_of(made)
    changed = ruths.patch(path, {"name": "Nico", "skills": levels[:1]}, If_Match=made.headers["ETag"])
    assert (changed.status, changed.json["name"], len(changed.json["skills"])) == (200, "Nico", 1)
    refused: tuple[dict[str, Any], ...] = ({"name": "N"}, {"skills": []}, {"archived": True})
    for changes in refused:
        assert ruths.patch(path, changes, If_Match=made.headers["ETag"]).code == "stale"
    gone = ruths.ask("DELETE", path, If_Match=changed.headers["ETag"])
    assert gone.json["archived_at"]
    assert ruths.rows("staffing/people/") == []
    assert ruths.patch(path, {"archived": False}, If_Match="*").json["archived_at"] is None
    assert alices.get(path).status == 404
    assert alices.rows("staffing/people/") == []
    assert Program(dan).get(path).status == 200
    assert alices.post("staffing/people/", {"name": "Nora", "role": architect.pk}).status == 403


def test_a_person_who_cannot_have_the_skills_is_not_added(ruths: Program, architect: WorkRole) -> None:
    body = {"name": "Nils", "role": architect.pk, "skills": [{"skill": 99999, "proficiency": 3}]}
    refused = ruths.post("staffing/people/", body)
    assert (refused.status, list(refused.json["fields"])) == (400, ["skills"])
    assert not Person.objects.exists()


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("role={role}", True), ("role=999", False), ("skill={skill}", True), ("skill=999", False),
        ("since=2027-06-30", True), ("since=2027-07-01", False), ("until=2027-02-01", True),
        ("until=2027-01-31", False), ("search=nil", True), ("search=nora", False), ("region=1", False),
    ],
)  # fmt: skip
def test_people_are_filtered(ruths: Program, nils: Person, query: str, is_found: bool) -> None:
    skill = Skill.objects.create(name="Kafka")
    nils.skills.create(skill=skill, proficiency=3)
    Person.objects.update(joins_on="2027-02-01", leaves_on="2027-06-30")
    rows = ruths.rows("staffing/people/?" + query.format(role=nils.role_id, skill=skill.pk))
    assert bool(rows) == is_found


def test_time_off_comes_and_goes(ruths: Program, alices: Program, pia: User, nils: Person) -> None:
    body = {"person": nils.pk, "first_on": "2027-07-05", "last_on": "2027-07-16"}
    made = ruths.post("staffing/time-off/", body)
    assert (made.status, made.json["hours_per_day"]) == (201, "0.0")
    path = path_of(made)
    assert ruths.post("staffing/time-off/", body).json["id"] == made.json["id"]
    assert ruths.patch(path, {"hours_per_day": "4"}).json["hours_per_day"] == "4.0"
    assert "last_on" in ruths.patch(path, {"last_on": "2027-07-04"}).json["fields"]
    for query, count in (("since=2027-07-16", 1), ("since=2027-07-17", 0), ("until=2027-07-04", 0), ("role=9", 0)):
        assert len(ruths.rows(f"staffing/time-off/?{query}")) == count
    assert alices.rows("staffing/time-off/") == []
    assert alices.get(path).status == 404
    assert Program(pia).ask("DELETE", path).status == 403
    assert ruths.ask("DELETE", path).status == 200
    assert ruths.get(path).status == 404
    assert not TimeOff.objects.exists()


# --- needs ---


def test_a_need_goes_its_way(
    alices: Program, ruths: Program, charlies: Program, deal: Opportunity, architect: WorkRole, nils: Person
) -> None:
    skill = Skill.objects.create(name="Kafka")
    made = asked(alices, deal, architect, offset_weeks=1, skills=[{"skill": skill.pk, "proficiency": 2}])
    path = path_of(made)
    assert (made.json["state"], made.json["starts_on"], made.json["hours_per_week"]) == ("open", "2027-04-05", "20.0")
    assert made.json["skills"] == [{"skill": {"id": skill.pk, "name": "Kafka"}, "proficiency": 2}]
    assert alices.patch(path, {"weeks": 5}).status == 428
    changed = alices.patch(path, {"weeks": 5, "skills": []}, If_Match=made.headers["ETag"])
    assert (changed.json["weeks"], changed.json["skills"], changed.json["version"]) == (5, [], 2)
    stale = alices.patch(path, {"weeks": 6}, If_Match=made.headers["ETag"])
    assert (stale.code, stale.json["current"]["weeks"]) == ("stale", 5)
    assert alices.post(path + "book/", {"person": nils.pk}).status == 403
    assert charlies.post(path + "book/", {}).status == 404
    booked = ruths.post(path + "book/", {"person": nils.pk}, Idempotency_Key="a")
    assert (booked.status, booked.json["kind"], booked.json["first_on"]) == (201, "soft", "2027-04-05")
    assert booked.json["last_on"] == "2027-05-09"
    assert ruths.post(path + "book/", {"person": nils.pk}, Idempotency_Key="a").json == booked.json
    assert ruths.post(path + "book/", {"person": nils.pk}).json["id"] == booked.json["id"]
    now_is = alices.get(path)
    assert now_is.json["state"] == "proposed"
    refused = alices.ask("DELETE", path, If_Match="*")
    assert (refused.status, refused.code, refused.json["legal"]) == (
        409,
        "illegal_transition",
        ["booked", "filled", "open"],
    )
    ruths.ask("DELETE", path_of(booked), If_Match="*")
    assert alices.ask("DELETE", path, If_Match="*").json["state"] == "cancelled"
    assert alices.rows("staffing/needs/") == []
    assert len(alices.rows("staffing/needs/?state=cancelled")) == 1
    assert alices.post(path + "restore/").json["state"] == "open"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"hours_per_week": 20}, "hours_per_week"), ({"hours_per_week": "0.4"}, "hours_per_week"),
        ({"hours_per_week": "401"}, "hours_per_week"), ({"weeks": 0}, "weeks"), ({"role": 999999}, "role"),
        ({"opportunity": 999999}, "opportunity"), ({"state": "filled"}, "state"), ({"colour": "red"}, "colour"),
        ({"skills": [{"skill": 1, "proficiency": 6}]}, "skills.0.proficiency"),
        ({"skills": [{"skill": 999999, "proficiency": 1}]}, "skills"),
    ],
)  # fmt: skip
def test_a_need_that_makes_no_sense(
    alices: Program, deal: Opportunity, architect: WorkRole, body: Any, field: str
) -> None:
    given = {"opportunity": deal.pk, "role": architect.pk, "hours_per_week": "20", "weeks": 4, **body}
    answer = alices.post("staffing/needs/", given)
    assert (answer.status, list(answer.json["fields"])) == (400, [field])
    assert not StaffingNeed.objects.exists()


def test_outsiders_learn_nothing_of_needs(
    alices: Program, charlies: Program, deal: Opportunity, architect: WorkRole
) -> None:
    path = path_of(asked(alices, deal, architect))
    assert charlies.rows("staffing/needs/") == []
    assert charlies.get(path).status == 404
    body = {"opportunity": deal.pk, "role": architect.pk, "hours_per_week": "20", "weeks": 4}
    assert charlies.post("staffing/needs/", body).status == 400


def test_a_lost_deal_needs_nothing(alices: Program, architect: WorkRole, alice: User) -> None:
    lost = factories.deal("lost", owner=alice)
    body = {"opportunity": lost.pk, "role": architect.pk, "hours_per_week": "20", "weeks": 4}
    answer = alices.post("staffing/needs/", body)
    assert (answer.status, answer.code, answer.json["legal"]) == (409, "illegal_transition", [])


# --- bookings ---


def test_a_booking_goes_its_way(
    ruths: Program, alices: Program, charlies: Program, deal: Opportunity, nils: Person
) -> None:
    body = {
        "opportunity": deal.pk, "person": nils.pk, "hours_per_week": "20", "first_on": "2027-04-05",
        "last_on": "2027-04-30",
    }  # fmt: skip
    assert alices.post("staffing/bookings/", {**body, "person": None}).status == 403
    hard = ruths.post("staffing/bookings/", {**body, "kind": "hard"})
    assert (hard.status, list(hard.json["fields"])) == (400, ["kind"])
    made = ruths.post("staffing/bookings/", body)
    assert (made.status, made.json["kind"], made.json["role"]["name"]) == (201, "soft", "Architect")
    path = path_of(made)
    assert alices.get(path).json["person"]["name"] == "Nils"
    assert charlies.get(path).status == 404
    assert ruths.patch(path, {"note": "x"}).status == 428
    assert "kind" in ruths.patch(path, {"kind": "hard"}, If_Match="*").json["fields"]
    changed = ruths.patch(path, {"last_on": "2027-05-07"}, If_Match=made.headers["ETag"])
    assert (changed.json["last_on"], changed.json["version"]) == ("2027-05-07", 2)
    assert ruths.patch(path, {"note": "x"}, If_Match=made.headers["ETag"]).code == "stale"
    assert ruths.ask("DELETE", path, If_Match=changed.headers["ETag"]).json["released_at"].endswith("Z")
    assert ruths.rows("staffing/bookings/") == []
    assert len(ruths.rows("staffing/bookings/?released=true")) == 1
    again = ruths.patch(path, {"note": "x"}, If_Match="*")
    assert (again.status, again.code) == (409, "illegal_transition")
    assert ruths.post(path + "restore/").json["released_at"] is None


def test_people_are_suggested_for_a_need(
    ruths: Program, alices: Program, deal: Opportunity, architect: WorkRole, nils: Person
) -> None:
    need = staffed.need(deal, architect, 20)
    staffed.worker("Elsewhere", staffed.role("Tester"))
    answer = ruths.get(f"staffing/needs/{need.pk}/suggestions/")
    assert (answer.status, answer.json["first_on"], answer.json["last_on"]) == (200, "2027-03-29", "2027-04-25")
    (only,) = answer.json["suggestions"]
    assert (only["person"]["id"], only["fit"], only["continuity"], only["lacks"]) == (nils.pk, 1.0, 0.0, [])
    assert 80 <= only["score"] <= 85
    assert alices.get(f"staffing/needs/{need.pk}/suggestions/").status == 403


def test_a_win_hardens_what_a_program_booked(ruths: Program, alice: User, deal: Opportunity, nils: Person) -> None:
    need = staffed.need(deal, nils.role, 20)
    made = ruths.post(f"staffing/needs/{need.pk}/book/", {"person": nils.pk})
    answer = Program(alice).post(f"opportunities/{deal.pk}/move/", {"stage": "won", "reason": "Signed"}, If_Match="*")
    assert answer.status == 200, answer
    react()
    assert ruths.get(path_of(made)).json["kind"] == "hard"
    assert ruths.get(f"staffing/needs/{need.pk}/").json["state"] == "booked"


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("role={role}", True), ("role=999999", False), ("person={person}", True), ("person=999999", False),
        ("kind=hard", True), ("kind=soft", False), ("since=2027-04-30", True), ("since=2027-05-01", False),
        ("until=2027-04-05", True), ("until=2027-04-04", False), ("opportunity=1", False), ("need=1", False),
    ],
)  # fmt: skip
def test_bookings_are_filtered(ruths: Program, nils: Person, query: str, is_found: bool) -> None:
    body = {"title": "Training", "person": nils.pk, "hours_per_week": "8"}
    days = {"first_on": "2027-04-05", "last_on": "2027-04-30"}
    assert ruths.post("staffing/bookings/", {**body, **days}).status == 201
    rows = ruths.rows("staffing/bookings/?" + query.format(role=nils.role_id, person=nils.pk))
    assert bool(rows) == is_found


@pytest.mark.parametrize("query", ["kind=firm", "since=soon", "colour=red", "ordering=note", "person=x"])
def test_filters_that_make_no_sense(ruths: Program, query: str) -> None:
    assert ruths.get(f"staffing/bookings/?{query}").status == 400


def test_more_rows_cost_no_more_queries(ruths: Program, deal: Opportunity, architect: WorkRole, nils: Person) -> None:
    skill = Skill.objects.create(name="Kafka")

    def more(number: int) -> None:
        person = staffed.worker(f"Worker {number}", architect)
        person.skills.create(skill=skill, proficiency=3)
        TimeOff.objects.create(person=person, first_on="2027-07-05", last_on="2027-07-16")
        need = staffed.need(factories.deal(), architect, 20)
        need.skills.create(skill=skill, proficiency=2)
        assert ruths.post(f"staffing/needs/{need.pk}/book/", {"person": person.pk}).status == 201

    paths = [f"staffing/{kind}/" for kind in ("roles", "skills", "people", "time-off", "needs", "bookings")]
    more(1)
    few = [queries_of(ruths, path) for path in paths]
    for number in range(2, 6):
        more(number)
    assert [queries_of(ruths, path) for path in paths] == few
    assert Booking.objects.count() == 5
