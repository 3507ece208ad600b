"""Pipelines and stages as their settings pages show them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Count, Prefetch, Q, Sum
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from opportunities.models import Criterion, Pipeline, Stage, StageKind, StageTotal
from opportunities.services.criteria import Demanded, offers_for


@dataclass(frozen=True)
class Step:
    """A stage with the deals in it and its gate in words; alone when it is the only one of its kind."""

    stage: Stage
    deals: int
    gate: str
    is_alone: bool = False

    @property
    def is_shared(self) -> bool:
        """Whether delivery is at the table here."""
        return self.stage.is_open and self.stage.temperature != "cold"


@dataclass(frozen=True)
class Course:
    """A pipeline's stages: the open ones in order, then those where deals end, and those out of use."""

    open: list[Step] = field(default_factory=list)
    closed: list[Step] = field(default_factory=list)
    archived: list[Stage] = field(default_factory=list)

    @property
    def order(self) -> str:
        """Ids of the active stages in order, as the drag sends them."""
        return ",".join(str(step.stage.pk) for step in [*self.open, *self.closed])


@dataclass(frozen=True)
class Listed:
    """A pipeline on the list."""

    pipeline: Pipeline
    stages: int
    deals: int


def pipelines_listed() -> list[Listed]:
    """All pipelines in order, with how many stages and open deals they have. Two queries."""
    deals = _open_deals("pipeline_id")
    active = Count("stages", filter=Q(stages__archived_at__isnull=True))
    return [
        Listed(pipeline, pipeline.active_stages, deals.get(pipeline.pk, 0))
        for pipeline in Pipeline.objects.annotate(active_stages=active).order_by("position", "name")
    ]


def course_of(pipeline: Pipeline) -> Course:
    """The pipeline's stages with counts and gates. Three queries."""
    criteria = Prefetch("criteria", Criterion.objects.order_by("position", "pk"))
    stages = list(Stage.objects.filter(pipeline=pipeline).order_by("position", "pk").prefetch_related(criteria))
    deals = _open_deals("stage_id", pipeline)
    active = [stage for stage in stages if stage.archived_at is None]
    kinds = Counter(stage.kind for stage in active)
    steps = [
        Step(stage, deals.get(stage.pk, 0), gate_sentence(stage), is_alone=kinds[stage.kind] == 1) for stage in active
    ]
    return Course(
        open=[step for step in steps if step.stage.is_open],
        closed=[step for step in steps if not step.stage.is_open],
        archived=[stage for stage in stages if stage.archived_at is not None],
    )


def open_deals_in(stage: Stage) -> int:
    """How many open deals are in a stage, by the kept totals."""
    return _open_deals("stage_id", stage.pipeline).get(stage.pk, 0)


def gate_sentence(stage: Stage) -> str:
    """“To enter Proposal a deal needs: amount, close date and next step.”; empty where nothing is asked."""
    labels = {offer.demanded: offer.label for offer in offers_for(stage)}
    asked = [labels[Demanded.of(each.kind, each.params)] for each in stage.criteria.all()]
    if stage.kind == StageKind.LOST:
        asked.insert(0, _("the reason why"))
    if not asked:
        return ""
    return _("To enter %(stage)s a deal needs: %(things)s.") % {"stage": stage.name, "things": _listed(asked)}


def _listed(things: Sequence[str]) -> str:
    words = [_lowered(thing) for thing in things]
    return str(get_text_list(words, _("and")))


def _lowered(words: str) -> str:
    """The label inside a sentence; abbreviations and names keep their capitals."""
    first = words.split(" ", 1)[0]
    return words if first[1:] != first[1:].lower() else words[:1].lower() + words[1:]


def _open_deals(by: str, pipeline: Pipeline | None = None) -> dict[int, int]:
    totals: Iterable[tuple[int, int]] = (
        StageTotal.objects.filter(kind=StageKind.OPEN, **({"pipeline_id": pipeline.pk} if pipeline else {}))
        .order_by()
        .values(by)
        .annotate(count=Sum("deals"))
        .values_list(by, "count")
    )
    return dict(totals)
