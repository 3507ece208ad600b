"""What a deal went through: rows are added, never changed."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from opportunities.models.opportunity import Opportunity
from opportunities.models.pipeline import Stage


class Source(models.TextChoices):
    """The door a change came through."""

    BOARD = "board", _("board")
    FORM = "form", _("deal page")
    BULK = "bulk", _("bulk edit")
    API = "api", _("API")
    IMPORT = "import", _("import")
    SYNC = "sync", _("CRM sync")
    UNDO = "undo", _("undo")
    SYSTEM = "system", _("system")


class StageChange(models.Model):
    """One step through the pipeline. A trigger refuses updates and deletes."""

    opportunity = models.ForeignKey(Opportunity, on_delete=models.PROTECT, related_name="stage_changes", db_index=False)
    # 1, 2, 3 … within the deal; imported history has true dates in `at`.
    number = models.PositiveIntegerField()
    from_stage = models.ForeignKey(Stage, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    to_stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=models.functions.Now())
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    source = models.CharField(max_length=8, choices=Source.choices)
    reason = models.CharField(max_length=500, blank=True)
    skipped = models.PositiveSmallIntegerField(default=0)
    # What the move overwrote, so that it can be undone exactly.
    before = models.JSONField(default=dict, blank=True)
    # Given by the form or API call; the same request never moves twice.
    request_id = models.UUIDField(null=True)

    class Meta:
        ordering = ["opportunity", "number"]
        constraints = [
            models.UniqueConstraint(fields=["opportunity", "number"], name="opportunities_change_number_unique"),
            models.UniqueConstraint(
                fields=["opportunity", "request_id"],
                condition=Q(request_id__isnull=False),
                name="opportunities_change_once_per_request",
            ),
            models.UniqueConstraint(
                fields=["request_id"],
                condition=Q(number=1, request_id__isnull=False),
                name="opportunities_created_once_per_request",
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="opportunities_change_number_positive"),
        ]
        indexes = [models.Index(fields=["to_stage", "at"], name="opportunities_change_entered")]

    def __str__(self) -> str:
        return f"{self.opportunity_id}: {self.from_stage} → {self.to_stage}"


class GateBypass(models.Model):
    """Somebody with the right moved a deal past a gate and said why."""

    opportunity = models.ForeignKey(Opportunity, on_delete=models.PROTECT, related_name="gate_bypasses")
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    reason = models.CharField(max_length=500)
    missing = models.JSONField(default=list)

    class Meta:
        ordering = ["-at"]
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="opportunities_bypass_has_reason")]

    def __str__(self) -> str:
        return f"{self.opportunity_id}: {self.reason}"
