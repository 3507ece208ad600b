"""Pipelines: adding, naming, ordering and retiring them, and what they say to unusual moves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.access import require_administrator
from accounts.models import User
from events import names
from events.recording import record
from opportunities.models import (
    Criterion,
    ForecastCategory,
    Opportunity,
    Pipeline,
    Policy,
    Stage,
    StageKind,
    Temperature,
)
from opportunities.services.merging import merged

CHANGEABLE = ("name", "skip_policy", "back_policy")


class DealsInTheWay(Exception):
    """Open deals stand where something is to be retired; ``count`` says how many."""

    def __init__(self, sentence: str, count: int) -> None:
        super().__init__(sentence)
        self.count = count


def create_pipeline(*, actor: User, name: str, like: Pipeline | None, now: dt.datetime) -> Pipeline:
    """Add a pipeline with the stages, gates and policies of another one, or with the three that each one needs.

    Raises PermissionDenied, ValidationError (name taken).
    """
    require_administrator(actor)
    with transaction.atomic():
        pipelines = _locked_all()
        _refuse_taken(name, pipelines)
        pipeline = Pipeline.objects.create(
            key=free_key(name, "pipeline", {each.key for each in pipelines}),
            name=name,
            position=max((each.position for each in pipelines), default=-1) + 1,
            skip_policy=like.skip_policy if like else Policy.ALLOW,
            back_policy=like.back_policy if like else Policy.REASON,
        )
        if like is None:
            Stage.objects.bulk_create(_first_stages(pipeline))
        else:
            _copy_stages(like, pipeline)
        record_change(actor, pipeline, now, _("pipelines: added %(name)s") % {"name": name})
    return pipeline


def change_pipeline(
    *, actor: User, pipeline: Pipeline, wanted: Mapping[str, Any], base: Mapping[str, Any], now: dt.datetime
) -> Pipeline:
    """Change name and policies; ``base`` is what the person saw. Saving the same again changes nothing.

    Raises PermissionDenied, Collision, ValidationError (name taken).
    """
    require_administrator(actor)
    with transaction.atomic():
        pipelines = _locked_all()
        current = next(each for each in pipelines if each.pk == pipeline.pk)
        present = {name: getattr(current, name) for name in CHANGEABLE}
        changes = merged(current=present, wanted=wanted, base=base)
        if not changes:
            return current
        if "name" in changes:
            _refuse_taken(changes["name"], [each for each in pipelines if each.pk != current.pk])
        for name, value in changes.items():
            setattr(current, name, value)
        current.save(update_fields=list(changes))
        record_change(actor, current, now, _("the pipeline %(name)s") % {"name": current.name}, changes)
    return current


def shift_pipeline(*, actor: User, pipeline: Pipeline, by: int, now: dt.datetime) -> None:
    """Move a pipeline up (-1) or down (1) in the order; at the end nothing happens. Raises PermissionDenied."""
    require_administrator(actor)
    with transaction.atomic():
        order = [each.pk for each in sorted(_locked_all(), key=lambda each: (each.position, each.name))]
        at = order.index(pipeline.pk)
        to = min(max(at + by, 0), len(order) - 1)
        if to == at:
            return
        order.insert(to, order.pop(at))
        for position, pk in enumerate(order):
            Pipeline.objects.filter(pk=pk).update(position=position)
        record_change(actor, pipeline, now, _("the order of the pipelines"))


def set_pipeline_active(*, actor: User, pipeline: Pipeline, is_active: bool, now: dt.datetime) -> Pipeline:
    """Take a pipeline out of use, or back into it.

    Raises PermissionDenied, DealsInTheWay, ValidationError for the last active one.
    """
    require_administrator(actor)
    with transaction.atomic():
        pipelines = _locked_all()
        current = next(each for each in pipelines if each.pk == pipeline.pk)
        if current.is_active == is_active:
            return current
        if not is_active:
            _refuse_deactivation(current, pipelines)
        current.is_active = is_active
        current.save(update_fields=["is_active"])
        said = _("pipelines: %(name)s is in use again") if is_active else _("pipelines: retired %(name)s")
        record_change(actor, current, now, said % {"name": current.name})
    return current


def locked_pipeline(pipeline: Pipeline) -> Pipeline:
    """The pipeline as it stands; who changes its stages waits here for others, so that the rules hold."""
    return Pipeline.objects.select_for_update().get(pk=pipeline.pk)


def free_key(name: str, stem: str, taken: set[str]) -> str:
    """A key made of the name, for the API and for imports; names without Latin letters fall back to ``stem``."""
    base = slugify(name)[:34].strip("-") or stem
    key, number = base, 2
    while key in taken:
        key, number = f"{base}-{number}", number + 1
    return key


def record_change(
    actor: User, about: models.Model, now: dt.datetime, what: str, changes: Mapping[str, Any] | None = None
) -> None:
    """Note in the timeline that an administrator changed something."""
    record(
        names.SETTINGS_CHANGED, actor=actor, about=about, now=now, data={"what": what, "fields": dict(changes or {})}
    )


def _locked_all() -> list[Pipeline]:
    return list(Pipeline.objects.select_for_update().order_by("pk"))


def _refuse_taken(name: str, others: list[Pipeline]) -> None:
    if any(each.name.casefold() == name.casefold() for each in others):
        raise ValidationError({"name": _("There is already a pipeline called “%(name)s”.") % {"name": name}})


def _refuse_deactivation(pipeline: Pipeline, pipelines: list[Pipeline]) -> None:
    if not any(each.is_active and each.pk != pipeline.pk for each in pipelines):
        raise ValidationError(_("This is the only pipeline in use. Add another one first."))
    count = Opportunity.objects.open().filter(pipeline=pipeline).count()
    if count:
        sentence = ngettext(
            "%(count)d open deal is in this pipeline. Close it first.",
            "%(count)d open deals are in this pipeline. Close them first.",
            count,
        )
        raise DealsInTheWay(sentence % {"count": count}, count)


def _first_stages(pipeline: Pipeline) -> list[Stage]:
    return [
        Stage(pipeline=pipeline, key="open", name=_("Open"), position=0, probability=10),
        Stage(
            pipeline=pipeline, key="won", name=_("Won"), position=1, kind=StageKind.WON, probability=100,
            temperature=Temperature.HOT, forecast_category=ForecastCategory.CLOSED,
        ),
        Stage(
            pipeline=pipeline, key="lost", name=_("Lost"), position=2, kind=StageKind.LOST, probability=0,
            temperature=Temperature.COLD, forecast_category=ForecastCategory.OMITTED,
        ),
    ]  # fmt: skip


def _copy_stages(source: Pipeline, target: Pipeline) -> None:
    originals = list(source.stages.filter(archived_at__isnull=True).order_by("position").prefetch_related("criteria"))
    copies = Stage.objects.bulk_create(
        Stage(
            pipeline=target, key=each.key, name=each.name, position=position, kind=each.kind,
            temperature=each.temperature, probability=each.probability, forecast_category=each.forecast_category,
            expected_days=each.expected_days,
        )
        for position, each in enumerate(originals)
    )  # fmt: skip
    Criterion.objects.bulk_create(
        Criterion(stage=copy, kind=criterion.kind, params=criterion.params, position=criterion.position)
        for copy, original in zip(copies, originals, strict=True)
        for criterion in original.criteria.all()
    )
