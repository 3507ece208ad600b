"""Open deals by stage, from kept totals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q

from accounts.models import User
from accounts.queries import Rates
from opportunities.models import Stage
from opportunities.queries.totals import Total, kept_totals


@dataclass(frozen=True)
class StageLine:
    """A stage with its total; ``share`` is its part of the largest amount, 0 to 100."""

    stage: Stage
    total: Total
    share: int


def open_by_stage(owner: User, *, rates: Rates) -> dict[int, Total]:
    """Totals of the owner's deals by stage; two queries."""
    found: dict[int, Total] = {}
    own = Q(owner_id=owner.pk)
    for key, part in kept_totals(owner, rates=rates, closed_since=None, filters=own).items():
        found.setdefault(key.stage_id, Total()).add(part)
    return found


def stage_lines(by_stage: Mapping[int, Total]) -> list[StageLine]:
    """The open stages that hold deals, in the order of their pipelines. One query."""
    held = [key for key, total in by_stage.items() if total.deals]
    stages = Stage.objects.filter(pk__in=held, kind="open").select_related("pipeline")
    ordered = list(stages.order_by("pipeline__position", "pipeline_id", "position"))
    largest = max((by_stage[stage.pk].amount for stage in ordered), default=0) or 1
    return [StageLine(stage, by_stage[stage.pk], int(by_stage[stage.pk].amount * 100 / largest)) for stage in ordered]
