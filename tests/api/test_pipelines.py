"""Pipelines and stages through the API: read by everybody, written by administrators."""

from __future__ import annotations

from typing import Any

import pytest

from opportunities.models import Pipeline, Stage
from tests import factories
from tests.api.conftest import Program, queries_of


@pytest.mark.parametrize("who", ["alices", "dans", "adas", "charlies"])
def test_everybody_reads_them_in_order(request: pytest.FixtureRequest, who: str) -> None:
    program: Program = request.getfixturevalue(who)
    pipeline = factories.pipeline()
    assert [row["key"] for row in program.rows("pipelines/")] == ["sales"]
    rows = program.rows(f"stages/?pipeline={pipeline.pk}&page_size=2")
    assert [row["key"] for row in rows][:3] == ["prospect", "qualified", "discovery"]
    assert rows[2]["temperature"] == "warm"
    assert rows[2]["expected_days"] == 20
    assert program.get(f"stages/{rows[0]['id']}/").json == rows[0]
    assert program.get(f"pipelines/{pipeline.pk}/").json["back_policy"] == "reason"


def test_filters(alices: Program) -> None:
    factories.pipeline()
    assert [row["key"] for row in alices.rows("stages/?kind=lost")] == ["lost"]
    assert alices.rows("stages/?is_archived=true") == []
    assert alices.rows("pipelines/?is_active=false") == []
    assert alices.rows("stages/?pipeline=999999") == []


def test_administrator_adds_and_changes_a_pipeline(adas: Program) -> None:
    like = factories.pipeline()
    added = adas.post("pipelines/", {"name": "Renewals", "like": like.pk}, Idempotency_Key="key-1")
    assert added.status == 201, added
    assert adas.post("pipelines/", {"name": "Renewals", "like": like.pk}, Idempotency_Key="key-1").json == added.json
    assert Stage.objects.filter(pipeline=added.json["id"]).count() == 7
    changed = adas.patch(f"pipelines/{added.json['id']}/", {"skip_policy": "forbid", "is_active": False})
    assert changed.status == 200, changed
    assert (changed.json["skip_policy"], changed.json["is_active"], changed.json["name"]) == (
        "forbid",
        False,
        "Renewals",
    )


def test_administrator_adds_and_changes_a_stage(adas: Program) -> None:
    pipeline = factories.pipeline()
    body = {"pipeline": pipeline.pk, "name": "Shortlist", "temperature": "hot", "probability": 70}
    added = adas.post("stages/", body)
    assert added.status == 201, added
    assert (added.json["key"], added.json["position"]) == ("shortlist", 5)
    changed = adas.patch(f"stages/{added.json['id']}/", {"expected_days": 12})
    assert (changed.json["expected_days"], changed.json["probability"]) == (12, 70)
    assert Stage.objects.get(pk=added.json["id"]).criteria.count() == 0


def test_a_changed_stage_keeps_its_gate(adas: Program) -> None:
    stage = factories.stage("proposal")
    before = stage.criteria.count()
    assert adas.patch(f"stages/{stage.pk}/", {"name": "Offer"}).status == 200
    assert stage.criteria.count() == before > 0


@pytest.mark.parametrize(
    "body",
    [{"name": ""}, {"name": "Prospect"}, {"kind": "maybe"}, {"probability": 101}, {"probability": "5"}, {"key": "x"},
     {"position": 1}, {"expected_days": 0}, {"temperature": None}, {"colour": "red"}, {"pipeline": 1}],
)  # fmt: skip
def test_refuses_values_of_a_stage(adas: Program, body: Any) -> None:
    answer = adas.patch(f"stages/{factories.stage('qualified').pk}/", body)
    assert answer.status == 400, answer
    assert list(answer.json["fields"]) == list(body)


def test_pipeline_with_open_deals_stays_in_use(adas: Program) -> None:
    deal = factories.deal()
    adas.post("pipelines/", {"name": "Renewals"})
    answer = adas.patch(f"pipelines/{deal.pipeline_id}/", {"is_active": False})
    assert answer.status == 409
    assert answer.code == "conflict"
    assert Pipeline.objects.get(pk=deal.pipeline_id).is_active


def test_a_pipeline_changes_all_or_nothing(adas: Program) -> None:
    """A refused retirement takes the new name back with it."""
    deal = factories.deal()
    adas.post("pipelines/", {"name": "Renewals"})
    adas.patch(f"pipelines/{deal.pipeline_id}/", {"name": "Renamed", "is_active": False})
    assert Pipeline.objects.get(pk=deal.pipeline_id).name == "Sales"


@pytest.mark.parametrize("who", ["alices", "sams", "dans", "charlies"])
def test_others_change_nothing(request: pytest.FixtureRequest, who: str) -> None:
    program: Program = request.getfixturevalue(who)
    stage = factories.stage("qualified")
    assert program.post("pipelines/", {"name": "Mine"}).status == 403
    assert program.post("stages/", {"name": "Mine", "pipeline": stage.pipeline_id}).status == 403
    assert program.patch(f"pipelines/{stage.pipeline_id}/", {"name": "Mine"}).status == 403
    assert program.patch(f"stages/{stage.pk}/", {"name": "Mine"}).status == 403


@pytest.mark.parametrize("path", ["pipelines/999999/", "stages/999999/", f"stages/{2**63}/"])
def test_missing(adas: Program, path: str) -> None:
    assert adas.get(path).status == 404
    assert adas.patch(path, {"name": "x"}).status == 404
    assert adas.ask("DELETE", path).status == 405


def test_queries_do_not_grow_with_rows(alices: Program, adas: Program) -> None:
    factories.pipeline()
    few = queries_of(alices, "stages/?page_size=200")
    for number in range(5):
        adas.post("pipelines/", {"name": f"P{number}", "like": factories.pipeline().pk})
    assert queries_of(alices, "stages/?page_size=200") == few <= 6
