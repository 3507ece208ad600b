"""Amounts as people type them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import translation

from opportunities.money import NotAnAmount, parse_amount


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("1234", "1234.00"),
        ("1234.5", "1234.50"),
        ("1234,56", "1234.56"),
        (",5", "0.50"),
        ("1,234.56", "1234.56"),
        ("1.234,56", "1234.56"),
        ("1 234,56", "1234.56"),
        ("1\u00a0234\u202f567", "1234567.00"),
        ("1'234.50", "1234.50"),
        ("1.234.567", "1234567.00"),
        ("1,234,567.8", "1234567.80"),
        ("１２３４．５", "1234.50"),
        ("0", "0.00"),
    ],
)
def test_unambiguous_amounts_are_read(typed: str, amount: str) -> None:
    assert parse_amount(typed) == Decimal(amount)


@pytest.mark.parametrize(
    "typed",
    [
        "NaN",
        "Infinity",
        "1e400",
        "1e5",
        "abc",
        "12.34.56",
        "1,23,456",
        "1.2345",
        "",
        "٣٤",
        "0x10",
        "1_0.00.0",
        "9" * 41,
    ],
)
def test_what_is_no_amount_is_explained(typed: str) -> None:
    with pytest.raises(NotAnAmount, match="in figures"):
        parse_amount(typed)


@pytest.mark.parametrize("typed", ["-1", "−1", "－1"])
def test_negative_amounts_are_refused(typed: str) -> None:
    with pytest.raises(NotAnAmount, match="negative"):
        parse_amount(typed)


def test_more_than_the_column_holds_is_refused() -> None:
    assert parse_amount("9999999999999.99") == Decimal("9999999999999.99")
    with pytest.raises(NotAnAmount, match="largest"):
        parse_amount("10000000000000")


@pytest.mark.parametrize(("language", "thousand", "unclear"), [("en", "1,234", "1.234"), ("de", "1.234", "1,234")])
def test_one_separator_before_three_digits_is_read_as_the_language_groups_or_asked_about(
    language: str, thousand: str, unclear: str
) -> None:
    with translation.override(language):
        assert parse_amount(thousand) == Decimal(1234)
        with pytest.raises(NotAnAmount, match="1234"):
            parse_amount(unclear)
