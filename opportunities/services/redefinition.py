"""A stage comes to mean something else: its open deals follow, unless somebody gave them a value of their own."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q

from accounts.models import User
from events import names
from events.models import EventData
from events.recording import Occurrence, record, record_many
from opportunities.models import Opportunity, OpportunityQuerySet, Stage
from opportunities.services.moves import warmth_events

# Deals changed in one go; what is left over follows in the next, so that no lock is held for long.
BATCH = 500


@dataclass(frozen=True)
class Effect:
    """What a new meaning would do to the open deals of a stage."""

    temperature: str | None
    followers: int = 0
    own_temperature: int = 0
    probability: int | None = None
    estimated: int = 0
    own_probability: int = 0
    forecast_category: str | None = None
    categorised: int = 0
    own_category: int = 0

    @property
    def touches_deals(self) -> bool:
        """Whether any deal would change."""
        return bool(self.followers or self.estimated or self.categorised)


def effect_of(stage: Stage, wanted: Mapping[str, Any]) -> Effect:
    """What saving these values would do. One query; the stage is as it stands, unsaved."""
    new = {name: wanted.get(name, getattr(stage, name)) for name in ("temperature", "probability", "forecast_category")}
    same_probability = Q(probability=stage.probability)
    same_category = Q(forecast_category=stage.forecast_category)
    counts = (
        _open_deals(stage)
        .order_by()
        .aggregate(
            every=Count("pk"),
            followers=Count("pk", filter=Q(temperature_override="") & ~Q(temperature=new["temperature"])),
            overridden=Count("pk", filter=~Q(temperature_override="")),
            estimated=Count("pk", filter=same_probability),
            categorised=Count("pk", filter=same_category),
        )
    )
    is_warmer = new["temperature"] != stage.temperature
    is_likelier = new["probability"] != stage.probability
    is_other = new["forecast_category"] != stage.forecast_category
    return Effect(
        temperature=new["temperature"] if is_warmer else None,
        followers=counts["followers"] if is_warmer else 0,
        own_temperature=counts["overridden"] if is_warmer else 0,
        probability=new["probability"] if is_likelier else None,
        estimated=counts["estimated"] if is_likelier else 0,
        own_probability=counts["every"] - counts["estimated"] if is_likelier else 0,
        forecast_category=new["forecast_category"] if is_other else None,
        categorised=counts["categorised"] if is_other else 0,
        own_category=counts["every"] - counts["categorised"] if is_other else 0,
    )


def follow_stage(
    *, stage: Stage, before: Mapping[str, Any], redefined_at: dt.datetime, actor: User | None, now: dt.datetime
) -> int:
    """Bring up to a batch of open deals in line with the stage as it stands now; gives how many it changed.

    ``before`` is what the stage said until ``redefined_at``. A deal whose probability or category was something else
    has its own and keeps it; one with a temperature override keeps that. Runs late, twice or out of order alike:
    deals that stand as the stage says are left alone. Runs in the caller's transaction.
    """
    changed = 0
    occurrences: list[Occurrence] = []
    by_values: dict[tuple[tuple[str, Any], ...], list[int]] = defaultdict(list)
    for deal in _behind(stage, before, redefined_at).select_for_update().order_by("pk")[:BATCH]:
        temperature_before = deal.temperature
        values = _new_values(deal, stage, before, redefined_at)
        if not values:
            continue
        diff = {name: [getattr(deal, name), value] for name, value in values.items()}
        for name, value in values.items():
            setattr(deal, name, value)
        by_values[tuple(values.items())].append(deal.pk)
        occurrences += _events(deal, stage, diff, temperature_before)
        changed += 1
    for items, keys in by_values.items():
        Opportunity.objects.filter(pk__in=keys).update(**dict(items), version=F("version") + 1, updated_at=now)
    record_many(occurrences, actor=actor, now=now)
    return changed


def continue_following(*, stage: Stage, data: EventData, actor: User | None, now: dt.datetime) -> None:
    """Leave the rest of the deals to the next delivery."""
    record(names.STAGE_REDEFINED, actor=actor, about=stage, now=now, data=data)


def _open_deals(stage: Stage) -> OpportunityQuerySet:
    return Opportunity.objects.open().filter(stage=stage)


def _behind(stage: Stage, before: Mapping[str, Any], redefined_at: dt.datetime) -> OpportunityQuerySet:
    """Deals that don't stand as the stage says and have nothing of their own."""
    was_there = Q(stage_entered_at__lte=redefined_at)
    behind = Q(temperature_override="") & ~Q(temperature=stage.temperature)
    for name in ("probability", "forecast_category"):
        if before[name] != getattr(stage, name):
            behind |= was_there & Q(**{name: before[name]})
    return _open_deals(stage).filter(behind)


def _new_values(
    deal: Opportunity, stage: Stage, before: Mapping[str, Any], redefined_at: dt.datetime
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if not deal.temperature_override and deal.temperature != stage.temperature:
        values["temperature"] = stage.temperature
    for name in ("probability", "forecast_category"):
        new = getattr(stage, name)
        if deal.stage_entered_at <= redefined_at and getattr(deal, name) == before[name] != new:
            values[name] = new
    return values


def _events(deal: Opportunity, stage: Stage, diff: dict[str, list[Any]], temperature_before: str) -> list[Occurrence]:
    labels = ", ".join(str(Opportunity._meta.get_field(name).verbose_name) for name in diff)  # type: ignore[union-attr]
    data: EventData = {"fields": diff, "labels": labels, "stage": stage.name, "version": deal.version + 1}
    changed = Occurrence(names.OPPORTUNITY_CHANGED, deal, deal, data)
    if deal.temperature == temperature_before:
        return [changed]
    return [changed, *warmth_events(deal, temperature_before, {"stage": stage.name})]
