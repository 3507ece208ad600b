"""Frozen copies of the forecast: what was expected, when."""

from django.db import models
from django.db.models import Q

from opportunities.models.opportunity import Opportunity


class ForecastSnapshot(models.Model):
    """The open pipeline as it stood when its week was locked."""

    # The Monday of the week.
    period = models.DateField(unique=True)
    locked_at = models.DateTimeField()

    class Meta:
        ordering = ["-period"]

    def __str__(self) -> str:
        return str(self.period)


class SnapshotLine(models.Model):
    """One deal in a snapshot."""

    snapshot = models.ForeignKey(ForecastSnapshot, on_delete=models.PROTECT, related_name="lines", db_index=False)
    opportunity = models.ForeignKey(Opportunity, on_delete=models.PROTECT, related_name="+")
    stage_id = models.BigIntegerField()
    temperature = models.CharField(max_length=8)
    forecast_category = models.CharField(max_length=16)
    probability = models.PositiveSmallIntegerField()
    amount = models.DecimalField(max_digits=15, decimal_places=2, null=True)
    currency = models.CharField(max_length=3)
    close_date = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["snapshot", "opportunity"], name="opportunities_once_per_snapshot"),
            models.CheckConstraint(condition=Q(probability__lte=100), name="opportunities_line_probability_percent"),
        ]

    def __str__(self) -> str:
        return f"{self.snapshot_id}: {self.opportunity_id}"
