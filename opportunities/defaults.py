"""What a new organisation starts with: one pipeline with stages and gentle gates."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from accounts.models import Organisation
from opportunities.models import (
    Criterion,
    ForecastCategory,
    Pipeline,
    Policy,
    Stage,
    StageKind,
    Temperature,
)

# key, name, kind, temperature, probability, forecast category, expected business days, fields asked for
_STAGES: tuple[tuple[str, str, str, str, int, str, int | None, tuple[str, ...]], ...] = (
    ("prospect", "Prospect", "open", "cold", 10, "omitted", 15, ()),
    ("qualified", "Qualified", "open", "cold", 25, "pipeline", 20, ("account",)),
    ("discovery", "Discovery", "open", "warm", 40, "pipeline", 20, ("account", "service_line", "close_date")),
    ("proposal", "Proposal", "open", "warm", 60, "best_case", 15, ("amount", "close_date", "next_step")),
    ("negotiation", "Negotiation", "open", "hot", 80, "commit", 10, ("amount", "close_date", "start_on")),
    ("won", "Won", "won", "hot", 100, "closed", None, ("account", "amount")),
    ("lost", "Lost", "lost", "cold", 0, "omitted", None, ()),
)


def create(*, organisation: Organisation, now: dt.datetime) -> None:
    """Make the default pipeline, unless there is one already."""
    with transaction.atomic():
        pipeline, is_new = Pipeline.objects.get_or_create(
            key="sales", defaults={"name": "Sales", "back_policy": Policy.REASON}
        )
        if not is_new:
            return
        for position, (key, name, kind, temperature, probability, category, days, fields) in enumerate(_STAGES):
            stage = Stage.objects.create(
                pipeline=pipeline, key=key, name=name, position=position, kind=StageKind(kind),
                temperature=Temperature(temperature), probability=probability,
                forecast_category=ForecastCategory(category), expected_days=days,
            )  # fmt: skip
            Criterion.objects.bulk_create(
                Criterion(stage=stage, kind="field", params={"field": field}, position=index)
                for index, field in enumerate(fields)
            )
