"""When a playbook task applies."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from accounts.models import ServiceLine
from handoffs.conditions import applies, check
from opportunities.models import Opportunity


@pytest.fixture
def deal() -> Opportunity:
    return Opportunity(
        amount=Decimal("250000"), currency="EUR", probability=60, temperature="hot", is_unforecasted=True,
        service_line=ServiceLine(key="cloud"), product="Platform", push_count=0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("field", "op", "value", "holds"),
    [
        ("amount", "at_least", "250000", True),
        ("amount", "at_least", "250000.01", False),
        ("amount", "below", "250000", False),
        ("probability", "at_least", "60", True),
        ("temperature", "is", "hot", True),
        ("temperature", "is_not", "hot", False),
        ("service_line", "is", "cloud", True),
        ("service_line", "is", "data", False),
        ("product", "is", "PLATFORM", True),
        ("region", "is", "North", False),
        ("is_unforecasted", "is", "true", True),
        ("push_count", "below", "1", True),
    ],
)
def test_comparisons(deal: Opportunity, field: str, op: str, value: str, holds: bool) -> None:
    assert applies([{"field": field, "op": op, "value": value}], deal) is holds


def test_a_deal_without_an_amount_is_neither_large_nor_small(deal: Opportunity) -> None:
    deal.amount = None
    assert not applies([{"field": "amount", "op": "at_least", "value": "1"}], deal)
    assert not applies([{"field": "amount", "op": "below", "value": "1"}], deal)


def test_all_conditions_must_hold(deal: Opportunity) -> None:
    large = {"field": "amount", "op": "at_least", "value": "1"}
    assert applies([large, {"field": "currency", "op": "is", "value": "eur"}], deal)
    assert not applies([large, {"field": "currency", "op": "is", "value": "USD"}], deal)


def test_no_condition_always_holds(deal: Opportunity) -> None:
    assert applies([], deal)


@pytest.mark.parametrize(
    "condition",
    [
        {"field": "owner__password", "op": "is", "value": "x"},
        {"field": "amount", "op": "like", "value": "1"},
        {"field": "amount", "op": "below", "value": "much"},
        {"field": "amount", "op": "below", "value": "NaN"},
        {"field": "amount", "op": "below"},
    ],
)
def test_a_condition_that_could_not_be_evaluated_is_refused(condition: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        check([condition])
