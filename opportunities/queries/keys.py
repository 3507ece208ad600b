"""Rows by keys that another query finds."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, F, Func, QuerySet


def key_among(keys: QuerySet[Any, Any]) -> Func:
    """A filter: the keys are found first, then the rows are read by them.

    ``pk__in=keys`` would be turned into a join, and the planner, not knowing how few keys there are, may join whole
    tables before it looks at them.
    """
    return Func(
        F("pk"), ArraySubquery(keys), arg_joiner=" = ANY(", template="(%(expressions)s))", output_field=BooleanField()
    )
