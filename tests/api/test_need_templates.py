"""Usual needs through the API."""

from __future__ import annotations

import pytest

from accounts.models import ServiceLine, User
from staffing.models import NeedTemplate, WorkRole
from tests.api.conftest import Answer, Program, queries_of
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
def line(organisation: object) -> ServiceLine:
    """A service line."""
    return ServiceLine.objects.create(key="cloud", name="Cloud")


def made(program: Program, role: WorkRole, line: ServiceLine | None, **more: object) -> Answer:
    body = {"role": role.pk, "service_line": line and line.pk, "hours_per_week": "20", "weeks": 4, **more}
    answer = program.post("staffing/need-templates/", body)
    assert answer.status == 201, answer
    return answer


def test_is_added_listed_changed_and_archived(ruths: Program, architect: WorkRole, line: ServiceLine) -> None:
    first, last = made(ruths, architect, line, offset_weeks=2), made(ruths, architect, line)
    made(ruths, architect, None)
    assert (first.json["position"], last.json["position"]) == (0, 1)
    rows = ruths.rows(f"staffing/need-templates/?service_line={line.pk}")
    assert [row["id"] for row in rows] == [first.json["id"], last.json["id"]]
    assert rows[0] | {"url": ""} == {
        "id": first.json["id"], "version": 1, "url": "", "service_line": {"id": line.pk, "name": "Cloud"},
        "role": {"id": architect.pk, "name": "Architect"}, "hours_per_week": "20.0", "offset_weeks": 2, "weeks": 4,
        "position": 0, "archived_at": None,
    }  # fmt: skip
    path = first.json["url"]
    changed = ruths.patch(path, {"weeks": 6, "service_line": None}, If_Match='"1"')
    assert (changed.json["weeks"], changed.json["service_line"], changed.json["version"]) == (6, None, 2)
    assert ruths.patch(path, {"weeks": 8}, If_Match='"1"').status == 412
    gone = ruths.ask("DELETE", path, If_Match='"2"')
    assert gone.json["archived_at"]
    assert [row["id"] for row in ruths.rows("staffing/need-templates/?archived=true")] == [first.json["id"]]
    back = ruths.patch(path, {"archived": False}, If_Match=f'"{gone.json["version"]}"')
    assert back.json["archived_at"] is None
    assert NeedTemplate.objects.filter(archived_at__isnull=True).count() == 3


def test_is_added_once_with_the_same_key(ruths: Program, architect: WorkRole) -> None:
    body = {"role": architect.pk, "hours_per_week": "20", "weeks": 4}
    for _again in range(2):
        assert ruths.post("staffing/need-templates/", body, Idempotency_Key="a").status == 201
    assert NeedTemplate.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"weeks": 0}, "weeks"), ({"hours_per_week": "0.1"}, "hours_per_week"), ({"role": 0}, "role"),
        ({"hours_per_week": 20}, "hours_per_week"), ({"service_line": 0}, "service_line"),
        ({"offset_weeks": 105}, "offset_weeks"), ({"colour": 1}, "colour"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(
    ruths: Program, architect: WorkRole, body: dict[str, object], field: str
) -> None:
    whole = {"role": architect.pk, "hours_per_week": "20", "weeks": 4, **body}
    answer = ruths.post("staffing/need-templates/", whole)
    assert answer.status in (400, 422)
    assert list(answer.json["fields"]) == [field]


def test_is_for_those_who_plan(alices: Program, ruths: Program, architect: WorkRole) -> None:
    path = made(ruths, architect, None).json["url"]
    assert alices.get(path).status == 403
    assert alices.get("staffing/need-templates/").status == 403
    assert alices.patch(path, {"weeks": 1}, If_Match="*").status == 403
    assert ruths.get("staffing/need-templates/999999/").status == 404


def test_queries_dont_grow(ruths: Program, architect: WorkRole) -> None:
    made(ruths, architect, None)
    few = queries_of(ruths, "staffing/need-templates/")
    for _more in range(20):
        NeedTemplate.objects.create(role=architect, hours_per_week=8, weeks=2)
    assert queries_of(ruths, "staffing/need-templates/") == few
