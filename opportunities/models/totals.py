"""Kept totals, so that boards and the home page sum some hundred rows whatever the number of deals."""

from django.db import models


class StageTotal(models.Model):
    """A change of count and money for one combination; the total is the sum of its rows.

    A trigger on opportunities adds rows and never updates one, so concurrent moves don't wait for each other;
    ``services.totals.compact_totals`` folds them together. Written by nothing else.
    """

    pipeline_id = models.BigIntegerField()
    stage_id = models.BigIntegerField()
    kind = models.CharField(max_length=8)
    temperature = models.CharField(max_length=8)
    team_id = models.BigIntegerField(null=True)
    service_line_id = models.BigIntegerField(null=True)
    owner_id = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3)
    # First day of the month a deal was closed in; empty while it is open.
    closed_month = models.DateField(null=True)
    deals = models.BigIntegerField()
    unpriced = models.BigIntegerField()
    amount = models.DecimalField(max_digits=24, decimal_places=2)
    weighted = models.DecimalField(max_digits=26, decimal_places=4)
    is_delta = models.BooleanField(default=True)

    class Meta:
        indexes = [
            models.Index(fields=["closed_month", "pipeline_id"], name="opportunities_totals_by_month"),
            models.Index(fields=["team_id", "closed_month"], name="opportunities_totals_by_team"),
            models.Index(fields=["owner_id", "closed_month"], name="opportunities_totals_by_owner"),
            models.Index(fields=["id"], condition=models.Q(is_delta=True), name="opportunities_totals_delta"),
        ]

    def __str__(self) -> str:
        return f"{self.stage_id} {self.currency} {self.deals}"
