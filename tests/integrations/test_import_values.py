"""Cells as people and CRMs write them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from integrations.imports.errors import BadRow
from integrations.imports.values import is_missing, key_of, parse_amount, parse_date, parse_percent, possible_dates

D = dt.date


@pytest.mark.parametrize(
    ("cell", "dmy", "mdy"),
    [
        ("20-10-2016", D(2016, 10, 20), None),
        ("10/20/2016", None, D(2016, 10, 20)),
        ("03/04/2016", D(2016, 4, 3), D(2016, 3, 4)),
        ("3.4.16", D(2016, 4, 3), None),
        ("2016-10-20", D(2016, 10, 20), D(2016, 10, 20)),
        ("2016-10-20T23:59:59Z", D(2016, 10, 20), D(2016, 10, 20)),
        ("20161020", D(2016, 10, 20), D(2016, 10, 20)),
        ("12 Mar 2017", D(2017, 3, 12), D(2017, 3, 12)),
        ("Tue, March 12, 2017", D(2017, 3, 12), D(2017, 3, 12)),
        ("12. Dezember 2017", D(2017, 12, 12), D(2017, 12, 12)),
        ("29/02/2027", None, None),
        ("31-12-9999", D(9999, 12, 31), None),
        ("soon", None, None),
        ("1054", None, None),
    ],
)
def test_a_date_means_what_it_can_mean(cell: str, dmy: dt.date | None, mdy: dt.date | None) -> None:
    found = dict(possible_dates(cell))
    assert (found.get("dmy"), found.get("mdy")) == (dmy, mdy)


@pytest.mark.parametrize("cell", ["31-12-9999", "01-01-1999", "29/02/2027", "10/20/2016", "yesterday"])
def test_a_date_out_of_reach_is_refused_with_what_it_says(cell: str) -> None:
    with pytest.raises(BadRow, match=cell):
        parse_date(cell, "dmy")


@pytest.mark.parametrize(
    ("cell", "mark", "amount", "currency"),
    [
        ("1054", "point", "1054", ""),
        ("1,234.56", "point", "1234.56", ""),
        ("1.234,56", "comma", "1234.56", ""),
        ("1.234.567", "comma", "1234567", ""),
        ("1 234,5", "comma", "1234.5", ""),
        ("1'234.50", "point", "1234.5", ""),
        ("€ 1.234", "comma", "1234", "EUR"),
        ("1,000 USD", "point", "1000", "USD"),
        ("$12", "point", "12", "USD"),
        ("１２３", "point", "123", ""),
    ],
)
def test_an_amount_is_read_by_its_decimal_mark(cell: str, mark: str, amount: str, currency: str) -> None:
    assert parse_amount(cell, mark) == (Decimal(amount), currency)


@pytest.mark.parametrize(
    "cell", ["-1", "−5", "(12)", "NaN", "1e400", "inf", "1.2.3", "12,34", "=1+1", "9" * 20, "1 EUR USD", "0x10", "٣"]
)
def test_what_is_no_amount_is_refused(cell: str) -> None:
    with pytest.raises(BadRow):
        parse_amount(cell, "point")


@pytest.mark.parametrize(("cell", "percent"), [("60", 60), ("60%", 60), ("0.6", 60), ("0,6", 60), ("100 %", 100)])
def test_a_probability_is_a_percentage_however_written(cell: str, percent: int) -> None:
    assert parse_percent(cell) == percent


@pytest.mark.parametrize("cell", ["", "null", "NULL", "N/A", " - ", "n. a.", "(blank)", "#N/A"])
def test_words_for_missing_are_missing(cell: str) -> None:
    assert is_missing(cell)


def test_spellings_of_a_name_have_one_key() -> None:
    assert key_of("GTX Pro") == key_of("gtx-pro ") == key_of("GTXPro") == key_of("ＧＴＸ Pro")
