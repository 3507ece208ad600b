"""What-if scenarios through the API."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from opportunities.models import Opportunity
from staffing.models import Person, WorkRole
from staffing.weeks import monday_of
from tests import factories
from tests.api.conftest import Answer, Program, queries_of
from tests.staffing import staffed

MONDAY = monday_of(timezone.now().date())
WEEK = dt.timedelta(weeks=1)
SCENARIOS, CHANGES = "staffing/scenarios/", "staffing/scenario-changes/"


@pytest.fixture
def ruths(ruth: User) -> Program:
    """Ruth's program."""
    return Program(ruth)


@pytest.fixture
def architect(organisation: object) -> WorkRole:
    """The role of one person."""
    return staffed.worker("Nora", staffed.role("Architect")).role


@pytest.fixture
def deal(alice: User, architect: WorkRole) -> Opportunity:
    """Alice's; it asks for more than there is, with one half."""
    start = MONDAY + 4 * WEEK
    made = factories.deal("proposal", owner=alice, close_date=start, start_on=start, probability=50)
    staffed.need(made, architect, 50, weeks=20)
    return made


def made(program: Program, name: str = "What if") -> Answer:
    answer = program.post(SCENARIOS, {"name": name})
    assert answer.status == 201, answer
    return answer


def supposed(program: Program, scenario: Answer, kind: str, **more: Any) -> Answer:
    answer = program.post(CHANGES, {"scenario": scenario.json["id"], "kind": kind, **more})
    assert answer.status == 201, answer
    return answer


def test_scenarios_are_made_changed_and_put_away(ruths: Program, dans: Program) -> None:
    first = ruths.post(SCENARIOS, {"name": "What if"}, Idempotency_Key="a")
    assert ruths.post(SCENARIOS, {"name": "What if"}, Idempotency_Key="a").json == first.json
    assert ruths.post(SCENARIOS, {"name": "what IF"}).json["fields"].keys() == {"name"}
    path = first.json["url"]
    assert ruths.patch(path, {"note": "x"}).status == 428
    changed = dans.patch(path, {"note": "If not"}, If_Match=first.headers["ETag"])
    assert (changed.json["note"], changed.json["version"], changed.headers["ETag"]) == ("If not", 2, '"2"')
    stale = ruths.patch(path, {"name": "Other", "archived": True}, If_Match=first.headers["ETag"])
    assert (stale.status, stale.json["current"]["note"]) == (412, "If not")
    gone = ruths.ask("DELETE", path, If_Match='"2"')
    assert gone.json["archived_at"]
    assert ruths.rows(SCENARIOS) == []
    assert [row["id"] for row in ruths.rows(f"{SCENARIOS}?archived=true")] == [first.json["id"]]
    back = ruths.patch(path, {"archived": False, "name": "Back"}, If_Match='"3"')
    assert (back.json["archived_at"], back.json["name"], back.json["version"]) == (None, "Back", 5)


def test_only_those_who_see_the_horizon_read_and_planners_write(
    ruths: Program, alices: Program, pia: User, deal: Opportunity
) -> None:
    scenario = made(ruths)
    change = supposed(ruths, scenario, "lose", opportunity=deal.pk)
    for path in (SCENARIOS, CHANGES, scenario.json["url"], change.json["url"]):
        assert alices.get(path).code == "forbidden"
        assert Program(pia).get(path).status == 200
    for program in (alices, Program(pia)):
        assert program.post(SCENARIOS, {"name": "Mine"}).status == 403
        body = {"scenario": scenario.json["id"], "kind": "win", "opportunity": deal.pk}
        assert program.post(CHANGES, body).status in (403, 400)
        assert program.patch(change.json["url"], {}, If_Match="*").status == 403
        assert program.ask("DELETE", change.json["url"], If_Match="*").status == 403
        assert program.post(f"{change.json['url']}apply/", {}, If_Match="*").status == 403


def test_the_horizon_is_shown_as_it_would_be(ruths: Program, deal: Opportunity, architect: WorkRole) -> None:
    scenario = made(ruths)

    def chance(week: int) -> Any:
        shown = ruths.get(f"staffing/horizon/?weeks=30&scenario={scenario.json['id']}").json
        return shown["roles"][0]["weeks"][week]["overload_probability"]

    assert chance(15) == 0.5
    change = supposed(ruths, scenario, "chance", opportunity=deal.pk, percent=80)
    assert chance(15) == 0.8
    ruths.patch(change.json["url"], {"percent": 20}, If_Match=change.headers["ETag"])
    assert chance(15) == 0.2
    ruths.ask("DELETE", change.json["url"], If_Match="*")
    assert chance(15) == 0.5
    more = supposed(
        ruths, scenario, "join", role=architect.pk, people=1, hours_per_week="20.0", from_on=MONDAY.isoformat()
    )
    assert (chance(15), more.json["hours_per_week"], more.json["until_on"]) == (0, "20.0", None)
    assert ruths.get("staffing/horizon/?scenario=99999").status == 404


def test_a_kind_has_its_own_fields(ruths: Program, deal: Opportunity) -> None:
    scenario = made(ruths)
    body = {"scenario": scenario.json["id"], "kind": "win", "opportunity": deal.pk}
    assert ruths.post(CHANGES, {**body, "weeks": 4}).json["fields"].keys() == {"weeks"}
    assert ruths.post(CHANGES, {**body, "kind": "shift"}).json["fields"].keys() == {"weeks"}
    assert ruths.post(CHANGES, {**body, "kind": "guess"}).json["fields"].keys() == {"kind"}
    change = ruths.post(CHANGES, body)
    assert ruths.post(CHANGES, body).json["id"] == change.json["id"]
    assert "already" in ruths.post(CHANGES, {**body, "kind": "lose"}).json["fields"]["opportunity"][0]
    assert ruths.patch(change.json["url"], {"weeks": 1}, If_Match="*").json["fields"].keys() == {"weeks"}


def test_removed_and_back(ruths: Program, deal: Opportunity) -> None:
    change = supposed(ruths, made(ruths), "win", opportunity=deal.pk)
    path = change.json["url"]
    assert ruths.ask("DELETE", path, If_Match='"1"').json["removed_at"]
    assert ruths.rows(CHANGES) == []
    assert len(ruths.rows(f"{CHANGES}?removed=true")) == 1
    assert ruths.post(f"{path}restore/", {}).json["removed_at"] is None


def test_applied_once_by_who_has_the_right(
    ruths: Program, alice: User, ada: User, deal: Opportunity, architect: WorkRole
) -> None:
    scenario = made(ruths)
    shift = supposed(ruths, scenario, "shift", opportunity=deal.pk, weeks=4)
    refused = ruths.post(f"{shift.json['url']}apply/", {}, If_Match='"1"')
    assert (refused.code, "Ask Alice" in refused.json["detail"]) == ("forbidden", True)
    adas = Program(ada)
    for _ in range(2):
        applied = adas.post(f"{shift.json['url']}apply/", {}, If_Match="*")
        assert (applied.status, applied.json["applied_by"]["name"]) == (200, "Ada")
    deal.refresh_from_db()
    assert deal.start_on == MONDAY + 8 * WEEK
    win = supposed(ruths, scenario, "win", opportunity=deal.pk)
    assert adas.post(f"{win.json['url']}apply/", {}, If_Match="*").code == "illegal_transition"
    join = supposed(
        ruths, scenario, "join", role=architect.pk, people=1, hours_per_week="20.0", from_on=MONDAY.isoformat()
    )
    assert ruths.post(f"{join.json['url']}apply/", {}, If_Match="*").json["fields"].keys() == {"people"}
    assert ruths.post(f"{join.json['url']}apply/", {"people": ["Ines"]}, If_Match='"7"').status == 412
    assert ruths.post(f"{join.json['url']}apply/", {"people": ["Ines"]}, If_Match='"1"').status == 200
    assert Person.objects.filter(name="Ines", weekly_hours=20, joins_on=MONDAY).count() == 1


def test_deals_of_others_stay_without_a_name(ruths: Program, deal: Opportunity) -> None:
    team = factories.team("Data people", side="delivery")
    team.service_lines.add(factories.service_line("Data"))
    Opportunity.objects.filter(pk=deal.pk).update(service_line=factories.service_line("Cloud"), name="Secret plan")
    change = supposed(ruths, made(ruths), "lose", opportunity=deal.pk)
    toms = Program(factories.UserFactory.make(name="Tom", roles=["delivery_manager"], teams=[team]))
    for shown in (toms.rows(CHANGES)[0], toms.get(change.json["url"]).json):
        assert (shown["opportunity"], shown["is_hidden"]) == (None, True)
    assert toms.ask("DELETE", change.json["url"], If_Match="*").status == 404
    assert toms.post(f"{change.json['url']}apply/", {}, If_Match="*").status == 404
    body = {"scenario": change.json["scenario"]["id"], "kind": "win", "opportunity": deal.pk}
    assert toms.post(CHANGES, body).json["fields"].keys() == {"opportunity"}


def test_lists_ask_as_much_of_many_as_of_few(ruths: Program, deal: Opportunity, architect: WorkRole) -> None:
    counts = []
    for size in (1, 9):
        for number in range(size):
            scenario = made(ruths, f"What if {size} {number}")
            supposed(ruths, scenario, "lose", opportunity=deal.pk)
        counts.append([queries_of(ruths, path) for path in (SCENARIOS, CHANGES)])
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 15
