"""Stages: adding, changing, ordering and archiving them. Open ones come first, then won, then lost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Case, F, IntegerField, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.access import require_administrator
from accounts.models import User
from events import names
from events.recording import record
from opportunities.models import (
    ForecastCategory,
    Opportunity,
    Pipeline,
    Stage,
    StageChange,
    StageKind,
    Temperature,
)
from opportunities.models.history import Source
from opportunities.services.criteria import Demanded, demanded_of, save_criteria
from opportunities.services.merging import Collision, merged
from opportunities.services.moves import move_to_stage
from opportunities.services.pipelines import DealsInTheWay, free_key, locked_pipeline, record_change
from opportunities.services.policies import IllegalMove, legal_stages

CHANGEABLE = ("name", "kind", "temperature", "probability", "forecast_category", "expected_days")
# What a deal takes over from its stage; open deals follow when it changes.
MEANING = ("temperature", "probability", "forecast_category")
MAX_STAGES = 20
# More deals than this are not moved along within one request.
MAX_MOVED_ALONG = 200
_KINDS = list(StageKind.values)
_OUT_OF_THE_WAY = 10_000
_CLOSED: Mapping[str, tuple[int, Temperature, ForecastCategory]] = {
    StageKind.WON: (100, Temperature.HOT, ForecastCategory.CLOSED),
    StageKind.LOST: (0, Temperature.COLD, ForecastCategory.OMITTED),
}


def add_stage(*, actor: User, pipeline: Pipeline, values: Mapping[str, Any], now: dt.datetime) -> Stage:
    """Add a stage behind the others of its kind. Raises PermissionDenied, ValidationError."""
    require_administrator(actor)
    with transaction.atomic():
        home = locked_pipeline(pipeline)
        stages = _active(home)
        if len(stages) >= MAX_STAGES:
            raise ValidationError(_("A pipeline has at most %(count)d stages.") % {"count": MAX_STAGES})
        stage = Stage(pipeline=home, position=len(stages), key=_key(home, values["name"]))
        for name, value in _consistent(values).items():
            setattr(stage, name, value)
        _check(stage, stages)
        stage.position = _OUT_OF_THE_WAY
        stage.save()
        _write_order([*stages, stage])
        record_change(actor, stage, now, _("the pipeline %(pipeline)s: added the stage %(stage)s") % _named(stage))
    return stage


def change_stage(
    *,
    actor: User,
    stage: Stage,
    wanted: Mapping[str, Any],
    base: Mapping[str, Any],
    demanded: frozenset[Demanded],
    demanded_base: frozenset[Demanded],
    now: dt.datetime,
) -> Stage:
    """Change what a stage is called, means and demands; the ``base``s are what the person saw.

    Open deals in it take over a new temperature, probability and forecast category in the background, unless
    somebody gave them their own. Saving the same again changes nothing.

    Raises PermissionDenied, Collision, ValidationError.
    """
    require_administrator(actor)
    with transaction.atomic():
        home = locked_pipeline(stage.pipeline)
        current = _held(stage)
        before = {name: getattr(current, name) for name in CHANGEABLE}
        changes = merged(current=before, wanted=_consistent({**before, **wanted}), base=base)
        added, removed = demanded - demanded_base, demanded_base - demanded
        gate = (demanded_of(current) | added) - removed
        is_new_gate = gate != demanded_of(current)
        if not changes and not is_new_gate:
            return current
        for name, value in changes.items():
            setattr(current, name, value)
        stages = _active(home)
        _check(current, stages)
        if "kind" in changes:
            _check_kind(current, before["kind"], stages)
        current.save(update_fields=list(changes))
        if "kind" in changes:
            _write_order([current if each.pk == current.pk else each for each in stages])
        if is_new_gate:
            save_criteria(current, gate)
        record_change(actor, current, now, _("the stage %(stage)s of %(pipeline)s") % _named(current), changes)
        if current.is_open and any(name in changes for name in MEANING):
            _redefined(actor, current, before, now)
    return current


def shift_stage(*, actor: User, stage: Stage, by: int, now: dt.datetime) -> None:
    """Move a stage forward (1) or back (-1) among those of its kind; at the end nothing happens.

    Raises PermissionDenied.
    """
    require_administrator(actor)
    with transaction.atomic():
        stages = _active(locked_pipeline(stage.pipeline))
        order = [each for each in stages if each.kind == stage.kind]
        at = next((index for index, each in enumerate(order) if each.pk == stage.pk), None)
        if at is None:
            return
        to = min(max(at + by, 0), len(order) - 1)
        if to != at:
            order.insert(to, order.pop(at))
            _reorder(actor, stage.pipeline, [each for each in stages if each.kind != stage.kind] + order, now)


def order_stages(
    *, actor: User, pipeline: Pipeline, order: Sequence[int], seen: Sequence[int], now: dt.datetime
) -> None:
    """Put the active stages in this order (ids), given the order that the person saw.

    Each kind keeps together. Raises PermissionDenied, Collision when others reordered, added or archived meanwhile.
    """
    require_administrator(actor)
    with transaction.atomic():
        stages = _active(locked_pipeline(pipeline))
        present = [each.pk for each in stages]
        if list(seen) != present or sorted(order) != sorted(present):
            raise Collision({"order": (list(seen), present, list(order))})
        by_id = {each.pk: each for each in stages}
        _reorder(actor, pipeline, [by_id[pk] for pk in order], now)


def archive_stage(*, actor: User, stage: Stage, move_to: Stage | None, now: dt.datetime) -> int:
    """Take a stage out of use, moving its open deals along to ``move_to``; gives how many were moved.

    Closed deals stay where they ended: that is their history. A gate that a deal doesn't meet is passed, with a row
    that says so. Raises PermissionDenied, DealsInTheWay, ValidationError (the last of its kind), IllegalMove.
    """
    require_administrator(actor)
    with transaction.atomic():
        home = locked_pipeline(stage.pipeline)
        # Deals before their stage, as moves lock them.
        in_it = Opportunity.objects.current().filter(stage=stage).select_for_update().order_by("pk")
        list(in_it.values_list("pk", flat=True)[: MAX_MOVED_ALONG + 1])
        current = _held(stage)
        if current.archived_at is not None:
            return 0
        stages = _active(home)
        if sum(each.kind == current.kind for each in stages) == 1:
            raise ValidationError(
                _("A pipeline needs at least one stage that is %(kind)s. Add another one first.")
                % {"kind": str(StageKind(current.kind).label).lower()}
            )
        deals = Opportunity.objects.current().filter(stage=current) if current.is_open else Opportunity.objects.none()
        count = deals.count()
        if count > MAX_MOVED_ALONG or (count and move_to is None):
            raise DealsInTheWay(_in_the_way(count), count)
        moved = _move_along(actor, list(deals.order_by("pk")), current, move_to, now) if move_to else 0
        current.archived_at = now
        current.save(update_fields=["archived_at"])
        _write_order([each for each in stages if each.pk != current.pk])
        record_change(
            actor, current, now, _("the pipeline %(pipeline)s: archived the stage %(stage)s") % _named(current)
        )
    return moved


def restore_stage(*, actor: User, stage: Stage, now: dt.datetime) -> Stage:
    """Bring an archived stage back, behind the others of its kind. Raises PermissionDenied, ValidationError."""
    require_administrator(actor)
    with transaction.atomic():
        stages = _active(locked_pipeline(stage.pipeline))
        current = _held(stage)
        if current.archived_at is None:
            return current
        if len(stages) >= MAX_STAGES:
            raise ValidationError(_("A pipeline has at most %(count)d stages.") % {"count": MAX_STAGES})
        _check(current, stages)
        current.archived_at, current.position = None, _OUT_OF_THE_WAY
        current.save(update_fields=["archived_at", "position"])
        _write_order([*stages, current])
        record_change(
            actor, current, now, _("the pipeline %(pipeline)s: brought back the stage %(stage)s") % _named(current)
        )
    return current


def targets_for(stage: Stage) -> list[Stage]:
    """Where the open deals of a stage may be moved along to: open stages that the pipeline's policies allow."""
    deal = Opportunity(pipeline=stage.pipeline, stage=stage, kind=stage.kind)
    return [each for each in legal_stages(deal) if each.is_open]


def was_used(stage: Stage) -> bool:
    """Whether a deal is or ever was in the stage; its kind is fixed from then on."""
    return StageChange.objects.filter(to_stage=stage).exists()


def _active(pipeline: Pipeline) -> list[Stage]:
    return list(Stage.objects.active().filter(pipeline=pipeline).order_by("position"))


def _held(stage: Stage) -> Stage:
    """The stage as it stands; moves into it that are under way end first, later ones wait (see versions.held)."""
    return Stage.objects.select_related("pipeline").select_for_update(of=("self",)).get(pk=stage.pk)


def _named(stage: Stage) -> dict[str, str]:
    return {"stage": stage.name, "pipeline": stage.pipeline.name}


def _key(pipeline: Pipeline, name: str) -> str:
    return free_key(name, "stage", set(Stage.objects.filter(pipeline=pipeline).values_list("key", flat=True)))


def _consistent(values: Mapping[str, Any]) -> dict[str, Any]:
    """Won and lost stages mean what they mean."""
    closed = _CLOSED.get(values.get("kind", StageKind.OPEN))
    if closed is None:
        return dict(values)
    return {**values, **dict(zip(("probability", "temperature", "forecast_category"), closed, strict=True)),
            "expected_days": None}  # fmt: skip


def _check(stage: Stage, others: Sequence[Stage]) -> None:
    stage.clean_fields(exclude=["pipeline", "position"])
    if any(each.name.casefold() == stage.name.casefold() for each in others if each.pk != stage.pk):
        raise ValidationError({"name": _("There is already a stage called “%(name)s” here.") % {"name": stage.name}})


def _check_kind(stage: Stage, before: str, stages: Sequence[Stage]) -> None:
    if was_used(stage):
        raise ValidationError({"kind": _("Deals have been in this stage, so it stays what it was for them.")})
    if not any(each.kind == before for each in stages if each.pk != stage.pk):
        raise ValidationError(
            {"kind": _("A pipeline needs at least one stage that is %(kind)s.") % {"kind": StageKind(before).label}}
        )


def _write_order(stages: Sequence[Stage]) -> None:
    """Number the stages 0, 1, 2 …, kinds together. Two steps, because positions are unique at every moment."""
    ordered = sorted(stages, key=lambda each: _KINDS.index(each.kind))
    rows = Stage.objects.filter(pk__in=[each.pk for each in ordered])
    rows.update(position=F("position") + 2 * _OUT_OF_THE_WAY)
    cases = [When(pk=each.pk, then=Value(position)) for position, each in enumerate(ordered)]
    rows.update(position=Case(*cases, default=F("position"), output_field=IntegerField()))
    for position, each in enumerate(ordered):
        each.position = position


def _reorder(actor: User, pipeline: Pipeline, order: Sequence[Stage], now: dt.datetime) -> None:
    before = [each.pk for each in sorted(order, key=lambda each: each.position)]
    _write_order(order)
    after = [each.pk for each in sorted(order, key=lambda each: each.position)]
    if after != before:
        record_change(actor, pipeline, now, _("the order of the stages in %(name)s") % {"name": pipeline.name})


def _redefined(actor: User, stage: Stage, before: Mapping[str, Any], now: dt.datetime) -> None:
    record(
        names.STAGE_REDEFINED, actor=actor, about=stage, now=now,
        data={"stage": stage.name, "before": {name: before[name] for name in MEANING}},
    )  # fmt: skip


def _in_the_way(count: int) -> str:
    if count > MAX_MOVED_ALONG:
        sentence = _("%(count)d open deals are in this stage; at most %(most)d are moved along. Move them first.")
        return sentence % {"count": count, "most": MAX_MOVED_ALONG}
    sentence = ngettext(
        "%(count)d open deal is in this stage. Choose where it goes.",
        "%(count)d open deals are in this stage. Choose where they go.",
        count,
    )
    return sentence % {"count": count}


def _move_along(actor: User, deals: Sequence[Opportunity], stage: Stage, target: Stage, now: dt.datetime) -> int:
    if target.pk not in {each.pk for each in targets_for(stage)}:
        raise IllegalMove(_("Deals can't go from here to “%(stage)s”.") % {"stage": target.name}, targets_for(stage))
    for deal in deals:
        move_to_stage(
            actor=actor, opportunity=deal, stage=target, expected_version=None, now=now, source=Source.SYSTEM,
            reason=_("The stage “%(stage)s” was archived.") % {"stage": stage.name}, bypass=True,
        )  # fmt: skip
    return len(deals)
