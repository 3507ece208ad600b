"""Pages by cursor: each row once, in order, in both directions, whatever else happens."""

from __future__ import annotations

import base64
import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest

from opportunities.models import Opportunity
from tests import factories
from tests.api.conftest import Program


@pytest.fixture
def many(alices: Program) -> list[Opportunity]:
    """Deals with equal, different and missing amounts and dates."""
    amounts = [Decimal(5), None, Decimal(7), Decimal(5), None, Decimal(5), Decimal("9.5"), None, Decimal(7)]
    days = [dt.date(2027, 3, 1), dt.date(2027, 2, 1), None]
    return [
        factories.deal(amount=amount, close_date=days[index % 3], name=f"Deal {index % 4}")
        for index, amount in enumerate(amounts)
    ]


def expected(deals: list[Opportunity], ordering: str) -> list[int]:
    """The order by plain sorting: empty values last, ids in the same direction."""
    name, is_descending = ordering.lstrip("-"), ordering.startswith("-")
    for deal in deals:
        deal.refresh_from_db()
    valued = [deal for deal in deals if getattr(deal, name) is not None]
    empty = [deal for deal in deals if getattr(deal, name) is None]
    valued.sort(key=lambda deal: (getattr(deal, name), deal.pk), reverse=is_descending)
    empty.sort(key=lambda deal: deal.pk, reverse=is_descending)
    return [deal.pk for deal in valued + empty]


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("name", ["id", "name", "amount", "close_date", "created_at", "updated_at", "stage_entered_at"])
@pytest.mark.parametrize("size", [1, 2, 4, 9, 200])
def test_forwards_and_backwards(alices: Program, many: list[Opportunity], sign: str, name: str, size: int) -> None:
    ordering = sign + name
    wanted = expected(many, ordering)
    pages = []
    address: str | None = f"opportunities/?ordering={ordering}&page_size={size}"
    while address:
        answer = alices.get(address)
        pages.append(answer.json)
        address = answer.json["next"]
    assert [row["id"] for page in pages for row in page["results"]] == wanted
    assert pages[0]["previous"] is None
    backwards = [pages[-1]["results"]]
    address = pages[-1]["previous"]
    while address:
        answer = alices.get(address)
        backwards.insert(0, answer.json["results"])
        assert answer.json["next"] is not None
        address = answer.json["previous"]
    assert [row["id"] for rows in backwards for row in rows] == wanted


def test_rows_that_appear_or_go_do_not_shift_the_next_page(alices: Program, many: list[Opportunity]) -> None:
    first = alices.get("opportunities/?ordering=-id&page_size=3").json
    factories.deal(name="New")
    Opportunity.objects.filter(pk=first["results"][-1]["id"]).update(archived_at=dt.datetime.now(dt.UTC))
    second = alices.get(first["next"]).json
    assert [row["id"] for row in second["results"]] == [deal.pk for deal in many[::-1][3:6]]


def test_neighbours_keep_filters(alices: Program, many: list[Opportunity]) -> None:
    rows = alices.rows("opportunities/?search=deal&kind=open&page_size=2&ordering=amount")
    assert len(rows) == len(many)
    assert "kind=open" in alices.get("opportunities/?kind=open&page_size=2").json["next"]


def test_no_more_rows_than_asked_for(alices: Program, many: list[Opportunity]) -> None:
    assert len(alices.get("opportunities/?page_size=4").json["results"]) == 4


def test_empty_list(alices: Program) -> None:
    assert alices.get("opportunities/").json == {"next": None, "previous": None, "results": []}


def cursor(*place: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "made_up",
    [
        cursor("amount", "5", 1, False), cursor("-amount", "NaN", 1, False), cursor("-amount", "1e999999", 1, False),
        cursor("-amount", "x", 1, False), cursor("-amount", 5, 1, False), cursor("-amount", "5", "1", False),
        cursor("-amount", "5", 2**63, False), cursor("-amount", "5", 0, False), cursor("-amount", "5", True, False),
        cursor("-amount", "5", 1, "no"), cursor("-amount", "5", 1), cursor(), cursor("-amount", ["5"], 1, False),
        cursor("-amount", "5\0", 1, False), cursor("-amount", "\ud800", 1, False), "a" * 999, "%", "é", "W",
        base64.urlsafe_b64encode(b"[" * 700).decode(), base64.urlsafe_b64encode(b"\xff").decode(),
    ],
)  # fmt: skip
def test_cursors_that_are_made_up(alices: Program, made_up: str) -> None:
    answer = alices.get(f"opportunities/?ordering=-amount&cursor={made_up}")
    assert answer.status == 400, answer
    assert list(answer.json["fields"]) == ["cursor"]


@pytest.mark.parametrize("text", ["\0", "x\ud800", None])
def test_cursors_that_are_made_up_for_texts(alices: Program, text: Any) -> None:
    assert alices.get(f"opportunities/?ordering=name&cursor={cursor('name', text, 1, False)}").status == 400


@pytest.mark.django_db
def test_deep_pages_follow_the_index(alices: Program, many: list[Opportunity]) -> None:
    """The place is a condition that an index can begin at, not a number of rows to skip."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    first = alices.get("opportunities/?ordering=-amount&page_size=2").json
    with CaptureQueriesContext(connection) as captured:
        alices.get(first["next"])
    page = next(query["sql"] for query in captured if "LIMIT" in query["sql"] and '"amount"' in query["sql"])
    assert "OFFSET" not in page
    assert '"amount" <=' in page
    assert "NULLS LAST" in page
