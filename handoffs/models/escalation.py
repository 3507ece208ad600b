"""Who is told, one after the other, when the clock of a fast-lane review runs out."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Role
from events.audience import Scope
from handoffs.models.review import DealReview


class EscalationStep(models.Model):
    """One link of the chain: this role hears of it so many hours after the clock ran out."""

    position = models.PositiveSmallIntegerField(unique=True)
    hours = models.PositiveSmallIntegerField(
        _("hours after the clock ran out"), validators=[MinValueValidator(0), MaxValueValidator(720)]
    )
    role = models.CharField(_("tell"), max_length=24, choices=Role.choices)

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.position}: {self.role}"


class Escalation(models.Model):
    """A link of the chain that was told about one review; told once."""

    review = models.ForeignKey(DealReview, on_delete=models.PROTECT, related_name="escalations")
    position = models.PositiveSmallIntegerField()
    role = models.CharField(max_length=24, choices=Role.choices)
    told = ArrayField(models.BigIntegerField(), default=list)
    at = models.DateTimeField()

    class Meta:
        ordering = ["review", "position"]
        constraints = [
            models.UniqueConstraint(fields=["review", "position"], name="handoffs_escalated_once_per_step"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="handoffs_escalation_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.review_id}: {self.position}"

    def scope(self) -> Scope:
        """That of its deal."""
        return self.review.scope()
