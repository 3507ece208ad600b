"""Where a deal may go from where it stands: the states, and the pipeline's policies on skips and steps back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from opportunities.gates import Missing, missing_for
from opportunities.models import Opportunity, Policy, Stage, StageKind
from opportunities.states import LEGAL


class IllegalMove(Exception):
    """The deal can't go there; ``legal`` names the stages that it can go to."""

    def __init__(self, sentence: str, legal: Sequence[Stage]) -> None:
        super().__init__(sentence)
        self.legal = legal


class ReasonNeeded(Exception):
    """The pipeline's policy asks why."""


@dataclass(frozen=True)
class Demand:
    """What a move would ask for: unmet criteria, and whether the pipeline wants a reason."""

    missing: list[Missing]
    reason: bool


def demand_of(opportunity: Opportunity, stage: Stage) -> Demand:
    """What moving the deal as it stands to the stage would ask for."""
    stages = list(Stage.objects.active().filter(pipeline_id=opportunity.pipeline_id).order_by("position"))
    asks_why = _policy(opportunity, stage, stages) == Policy.REASON
    return Demand(missing_for(opportunity, stage, list(stage.criteria.all())), asks_why)


def legal_stages(opportunity: Opportunity) -> list[Stage]:
    """Where the deal may be moved to, in the order of the pipeline, policies that forbid included."""
    stages = list(Stage.objects.active().filter(pipeline_id=opportunity.pipeline_id).order_by("position"))
    return [stage for stage in stages if _refusal(opportunity, stage, stages) is None]


def _refusal(opportunity: Opportunity, stage: Stage, stages: Sequence[Stage]) -> str | None:
    if stage.pk == opportunity.stage_id:
        return _("The deal is already there.")
    if stage.pipeline_id != opportunity.pipeline_id:
        return _("“%(stage)s” belongs to another pipeline.") % {"stage": stage.name}
    if stage.archived_at is not None:
        return _("“%(stage)s” is no longer in use.") % {"stage": stage.name}
    if StageKind(stage.kind) not in LEGAL[StageKind(opportunity.kind)]:
        return _("Reopen the deal before moving it to “%(stage)s”.") % {"stage": stage.name}
    policy = _policy(opportunity, stage, stages)
    if policy == Policy.FORBID:
        return _("This pipeline does not allow that step.")
    return None


def skipped_between(origin: Stage, target: Stage, stages: Sequence[Stage]) -> int:
    """How many open stages lie between the two, going forward; losing skips nothing."""
    if target.kind == StageKind.LOST or origin.kind != StageKind.OPEN:
        return 0
    return sum(stage.kind == StageKind.OPEN and origin.position < stage.position < target.position for stage in stages)


def _policy(opportunity: Opportunity, stage: Stage, stages: Sequence[Stage]) -> Policy:
    origin, pipeline = opportunity.stage, opportunity.pipeline
    if stage.kind == StageKind.LOST:
        return Policy.ALLOW
    if origin.kind != StageKind.OPEN:
        return Policy.REASON  # reopening always says why
    if stage.position < origin.position:
        return Policy(pipeline.back_policy)
    return Policy(pipeline.skip_policy) if skipped_between(origin, stage, stages) else Policy.ALLOW


def check_policy(opportunity: Opportunity, stage: Stage, reason: str) -> int:
    """How many stages the step skips. Raises IllegalMove, and ReasonNeeded where the policy asks why."""
    stages = list(Stage.objects.active().filter(pipeline_id=opportunity.pipeline_id).order_by("position"))
    refusal = _refusal(opportunity, stage, stages)
    if refusal is not None:
        legal = [other for other in stages if _refusal(opportunity, other, stages) is None]
        raise IllegalMove(refusal, legal)
    if _policy(opportunity, stage, stages) == Policy.REASON and not reason.strip():
        raise ReasonNeeded(_("Say why the deal takes this step."))
    return skipped_between(opportunity.stage, stage, stages)
