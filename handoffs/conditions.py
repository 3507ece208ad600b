"""When a playbook task applies: simple comparisons on the deal, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_stubs_ext import StrPromise

from opportunities.models import Opportunity

# What a condition may ask about, with the words for it.
FIELDS: Mapping[str, StrPromise] = {
    "amount": gettext_lazy("amount"),
    "currency": gettext_lazy("currency"),
    "probability": gettext_lazy("probability"),
    "temperature": gettext_lazy("temperature"),
    "service_line": gettext_lazy("service line (key)"),
    "region": gettext_lazy("region"),
    "product": gettext_lazy("product"),
    "source": gettext_lazy("source"),
    "push_count": gettext_lazy("times pushed"),
    "is_unforecasted": gettext_lazy("un-forecasted"),
}

OPERATORS: Mapping[str, tuple[StrPromise, Callable[[Any, Any], bool]]] = {
    "is": (gettext_lazy("is"), lambda have, want: have == want),
    "is_not": (gettext_lazy("is not"), lambda have, want: have != want),
    "at_least": (gettext_lazy("is at least"), lambda have, want: have is not None and have >= want),
    "below": (gettext_lazy("is below"), lambda have, want: have is not None and have < want),
}
_NUMBERS = frozenset({"amount", "probability", "push_count"})


def applies(conditions: Sequence[Mapping[str, Any]], opportunity: Opportunity) -> bool:
    """Whether all conditions hold for the deal; none at all hold always."""
    return all(_holds(condition, opportunity) for condition in conditions)


def check(conditions: Sequence[Mapping[str, Any]]) -> None:
    """Raise ValidationError for a condition that could not be evaluated."""
    for condition in conditions:
        if condition.get("field") not in FIELDS or condition.get("op") not in OPERATORS:
            raise ValidationError(_("Choose a field and a comparison for each condition."))
        if condition["field"] in _NUMBERS and _number(condition.get("value")) is None:
            raise ValidationError(_("Compare %(field)s with a number.") % {"field": FIELDS[condition["field"]]})


def _holds(condition: Mapping[str, Any], opportunity: Opportunity) -> bool:
    name, want = condition["field"], condition["value"]
    have: Any = getattr(opportunity, name)
    if name in _NUMBERS:
        have, want = (None if have is None else Decimal(have)), _number(want)
    elif name == "service_line":
        have = have.key if have else ""
    elif name == "is_unforecasted":
        want = str(want).lower() in ("true", "1", "yes")
    else:
        have, want = str(have or "").casefold(), str(want).casefold()
    return OPERATORS[condition["op"]][1](have, want)


def _number(value: Any) -> Decimal | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
