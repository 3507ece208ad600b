"""Pipelines and stages: administrator data that gives a move its meaning."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class StageKind(models.TextChoices):
    """Whether a deal in the stage is still being worked."""

    OPEN = "open", _("Open")
    WON = "won", _("Won")
    LOST = "lost", _("Lost")


class Temperature(models.TextChoices):
    """How near a deal is to becoming work; warm and hot are the One Team zone."""

    COLD = "cold", _("Cold")
    WARM = "warm", _("Warm")
    HOT = "hot", _("Hot")

    @property
    def degree(self) -> int:
        """0 for cold, 1 for warm, 2 for hot."""
        return list(Temperature).index(self)


class ForecastCategory(models.TextChoices):
    """How far the rep commits, apart from the stage."""

    OMITTED = "omitted", _("Omitted")
    PIPELINE = "pipeline", _("Pipeline")
    BEST_CASE = "best_case", _("Best case")
    COMMIT = "commit", _("Commit")
    CLOSED = "closed", _("Closed")


class Policy(models.TextChoices):
    """What a pipeline says to an unusual move."""

    ALLOW = "allow", _("Allow")
    REASON = "reason", _("Ask for a reason")
    FORBID = "forbid", _("Forbid")


class Pipeline(models.Model):
    """An ordered set of stages for one kind of sale."""

    key = models.SlugField(_("key"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80, unique=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    skip_policy = models.CharField(
        _("when a stage is skipped"), max_length=8, choices=Policy.choices, default=Policy.ALLOW
    )
    back_policy = models.CharField(
        _("when a deal moves back"), max_length=8, choices=Policy.choices, default=Policy.ALLOW
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class StageQuerySet(models.QuerySet["Stage"]):
    """Filters for stages."""

    def active(self) -> StageQuerySet:
        """Stages a deal may be moved to."""
        return self.filter(archived_at__isnull=True)


class Stage(models.Model):
    """A step of a pipeline with what it implies for a deal that enters it."""

    pipeline = models.ForeignKey(Pipeline, on_delete=models.PROTECT, related_name="stages")
    key = models.SlugField(_("key"), max_length=40)
    name = models.CharField(_("name"), max_length=80)
    position = models.PositiveSmallIntegerField(_("position"))
    kind = models.CharField(_("kind"), max_length=8, choices=StageKind.choices, default=StageKind.OPEN)
    temperature = models.CharField(
        _("temperature"), max_length=8, choices=Temperature.choices, default=Temperature.COLD
    )
    probability = models.PositiveSmallIntegerField(_("probability in %"), default=0)
    forecast_category = models.CharField(
        _("forecast category"),
        max_length=16,
        choices=ForecastCategory.choices,
        default=ForecastCategory.PIPELINE,
    )
    expected_days = models.PositiveSmallIntegerField(_("expected business days"), null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = StageQuerySet.as_manager()

    class Meta:
        ordering = ["pipeline", "position"]
        constraints = [
            models.UniqueConstraint(fields=["pipeline", "key"], name="opportunities_stage_key_unique"),
            models.UniqueConstraint(
                fields=["pipeline", "position"],
                condition=Q(archived_at__isnull=True),
                name="opportunities_stage_position_unique",
            ),
            models.CheckConstraint(condition=Q(probability__lte=100), name="opportunities_stage_probability_percent"),
            models.CheckConstraint(
                condition=Q(kind="open") | Q(kind="won", probability=100) | Q(kind="lost", probability=0),
                name="opportunities_stage_closed_probability",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        """Whether a deal here is still being worked."""
        return self.kind == StageKind.OPEN


class Criterion(models.Model):
    """One thing that must be true of a deal before it enters a stage."""

    stage = models.ForeignKey(Stage, on_delete=models.CASCADE, related_name="criteria")
    # A key of the registry in gates.py, with what that kind needs to know.
    kind = models.CharField(max_length=40)
    params = models.JSONField(default=dict, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["stage", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["stage", "kind", "params"], name="opportunities_criterion_once_per_stage")
        ]

    def __str__(self) -> str:
        return f"{self.stage}: {self.kind} {self.params}"
