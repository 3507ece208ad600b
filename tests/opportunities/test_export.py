"""The list as a file."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from opportunities.services.export import safe_cell
from tests.cast import Browser
from tests.factories import AccountFactory, deal, deals, team

pytestmark = pytest.mark.django_db


def rows(response: Any) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_the_csv_has_the_columns_and_order_of_the_list(as_alice: Browser) -> None:
    account = AccountFactory.make(name="Grüße & Söhne", team=team())
    late = deal(name="Late", close_date=dt.date(2027, 2, 1), account=account)
    soon = deal(name="Soon", close_date=dt.date(2027, 1, 1), amount=None)
    response = as_alice.get("/deals/export.csv?columns=account&columns=amount&columns=close_date")
    assert response.headers["Content-Disposition"].startswith('attachment; filename="deals-2')
    assert rows(response) == [
        ["id", "Deal", "Account", "Amount", "Close date"],
        [str(soon.pk), "Soon", str(soon.account), "", "2027-01-01"],
        [str(late.pk), "Late", "Grüße & Söhne", "120000.00", "2027-02-01"],
    ]


def test_the_filter_holds(as_alice: Browser, sam: User) -> None:
    deal(name="Mine")
    deal(name="Of Sam", owner=sam)
    assert [row[1] for row in rows(as_alice.get("/deals/export.csv?owner=me"))] == ["Deal", "Mine"]


def test_an_outsider_gets_the_heading_alone(as_charlie: Browser, alice: User) -> None:
    made = deal(owner=alice)
    for query in ("", f"owner={alice.pk}", f"account={made.account_id}", "state=all"):
        assert len(rows(as_charlie.get(f"/deals/export.csv?{query}"))) == 1


def test_the_workbook_holds_the_same_with_figures_as_figures(as_alice: Browser) -> None:
    deal(name="Portal", amount=Decimal("1234.50"), close_date=dt.date(2027, 2, 1))
    response = as_alice.get("/deals/export.xlsx?columns=amount&columns=close_date")
    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    found = list(book.active.iter_rows(values_only=True))
    assert found[0] == ("id", "Deal", "Amount", "Close date")
    assert found[1][1:3] == ("Portal", 1234.5)
    assert found[1][3].date() == dt.date(2027, 2, 1)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "  =1", "=cmd|' /C calc'!A0"])
def test_no_text_is_a_formula(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["Portal", "a=b", "", 5, Decimal("-1.5"), dt.date(2027, 1, 1), None, True])
def test_other_values_stay_as_they_are(value: Any) -> None:
    assert safe_cell(value) == value


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_injected_formulas_arrive_as_text(as_alice: Browser, kind: str) -> None:
    deal(name="=HYPERLINK(1)", next_step="@x")
    response = as_alice.get(f"/deals/export.{kind}?columns=next_step")
    content = b"".join(response.streaming_content)
    if kind == "csv":
        assert b"'=HYPERLINK(1)" in content
        assert b"'@x" in content
    else:
        cells = list(openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows())[1]
        assert [cell.data_type for cell in cells[1:]] == ["s", "s"]
        assert cells[1].value == "'=HYPERLINK(1)"


def test_a_workbook_has_a_limit_and_says_what_to_do(as_alice: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opportunities.views.listing.MOST_XLSX", 1)
    deals(2)
    response = as_alice.hx("get", "/deals/export.xlsx")
    assert response.status_code == 422
    assert "Take the CSV file" in response.headers["HX-Trigger"]


def test_many_rows_cost_no_more_queries(as_alice: Browser) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            rows(as_alice.get("/deals/export.csv"))
        return len(captured)

    deal()
    cost()
    few = cost()
    deals(30)
    assert cost() == few <= 15


def test_another_ending_is_not_found(as_alice: Browser) -> None:
    assert as_alice.get("/deals/export.pdf").status_code == 404
