"""The RAID register and the risk profile that both sides, and later the client, agree."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from events.audience import Scope
from opportunities.models import Contact, Opportunity

LEAST, MOST = 1, 5


class RaidKind(models.TextChoices):
    """The four kinds of the register."""

    RISK = "risk", _("Risk")
    ASSUMPTION = "assumption", _("Assumption")
    ISSUE = "issue", _("Issue")
    DEPENDENCY = "dependency", _("Dependency")


class RiskResponse(models.TextChoices):
    """What is done about it."""

    NONE = "", _("Not decided")
    AVOID = "avoid", _("Avoid")
    REDUCE = "reduce", _("Reduce")
    SHARE = "share", _("Share")
    ACCEPT = "accept", _("Accept")


class RaidItemQuerySet(models.QuerySet["RaidItem"]):
    """Filters for the register."""

    def visible_to(self, user: User) -> RaidItemQuerySet:
        """Entries on deals that the person may see."""
        return self.filter(opportunity__in=Opportunity.objects.visible_to(user))

    def open(self) -> RaidItemQuerySet:
        """Still to be minded."""
        return self.filter(closed_at__isnull=True)


class RaidItem(models.Model):
    """A risk, an assumption, an issue or a dependency. Risks carry likelihood and impact, 1 to 5 each."""

    opportunity = models.ForeignKey(Opportunity, on_delete=models.PROTECT, related_name="raid_items")
    kind = models.CharField(_("kind"), max_length=12, choices=RaidKind.choices)
    text = models.CharField(_("what"), max_length=500)
    likelihood = models.PositiveSmallIntegerField(
        _("likelihood"), null=True, blank=True, validators=[MinValueValidator(LEAST), MaxValueValidator(MOST)]
    )
    impact = models.PositiveSmallIntegerField(
        _("impact"), null=True, blank=True, validators=[MinValueValidator(LEAST), MaxValueValidator(MOST)]
    )
    response = models.CharField(_("response"), max_length=8, choices=RiskResponse.choices, blank=True)
    response_note = models.CharField(_("what we do"), max_length=500, blank=True)
    owner = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("owner")
    )
    due_on = models.DateField(_("look again on"), null=True, blank=True)
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    closed_note = models.CharField(max_length=500, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    objects = RaidItemQuerySet.as_manager()

    class Meta:
        ordering = ["kind", F("impact").desc(nulls_last=True), "id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=RaidKind.values), name="handoffs_raid_kind_known"),
            models.CheckConstraint(
                condition=~Q(kind="risk") | Q(likelihood__range=(LEAST, MOST), impact__range=(LEAST, MOST)),
                name="handoffs_risk_is_rated",
            ),
            models.CheckConstraint(
                condition=(Q(likelihood__isnull=True) | Q(likelihood__range=(LEAST, MOST)))
                & (Q(impact__isnull=True) | Q(impact__range=(LEAST, MOST))),
                name="handoffs_rating_in_range",
            ),
            models.CheckConstraint(condition=Q(response__in=RiskResponse.values), name="handoffs_risk_response_known"),
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def severity(self) -> int | None:
        """Likelihood × impact, 1 to 25; None where one isn't rated."""
        return self.likelihood * self.impact if self.likelihood and self.impact else None

    def scope(self) -> Scope:
        """That of its deal."""
        return self.opportunity.scope()


class RiskProfileQuerySet(models.QuerySet["RiskProfile"]):
    """Filters for risk profiles."""

    def visible_to(self, user: User) -> RiskProfileQuerySet:
        """Profiles of deals that the person may see."""
        return self.filter(opportunity__in=Opportunity.objects.visible_to(user))


class RiskProfile(models.Model):
    """The open register at a moment, put up for agreement: version 1, 2, 3 … of a deal.

    ``items`` is a list of {"id", "kind", "text", "likelihood", "impact", "response", "response_note", "owner"}. One
    that the client amended may have a "remark" with an entry, and entries of the client's own, with ids below zero.
    """

    opportunity = models.ForeignKey(Opportunity, on_delete=models.PROTECT, related_name="risk_profiles")
    number = models.PositiveSmallIntegerField()
    items = models.JSONField()
    reason = models.CharField(_("what changed"), max_length=500, blank=True)
    # Somebody of ours, or the client's contact who amended the version before.
    proposed_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    amended_by = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    sales_agreed_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    sales_agreed_at = models.DateTimeField(null=True, blank=True)
    delivery_agreed_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    delivery_agreed_at = models.DateTimeField(null=True, blank=True)
    client_agreed_by = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    client_agreed_at = models.DateTimeField(null=True, blank=True)

    objects = RiskProfileQuerySet.as_manager()

    class Meta:
        ordering = ["opportunity", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["opportunity", "number"], name="handoffs_profile_number_unique"),
            models.CheckConstraint(
                condition=Q(proposed_by__isnull=False, amended_by__isnull=True)
                | Q(proposed_by__isnull=True, amended_by__isnull=False),
                name="handoffs_profile_has_one_author",
            ),
            models.CheckConstraint(
                condition=Q(sales_agreed_by__isnull=True)
                | Q(delivery_agreed_by__isnull=True)
                | ~Q(sales_agreed_by=F("delivery_agreed_by")),
                name="handoffs_profile_agreed_by_two_people",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.opportunity_id}: {self.number}"

    @property
    def author(self) -> User | Contact | None:
        """Who put it up: one of ours, or the client's contact."""
        return self.amended_by or self.proposed_by

    @property
    def is_agreed(self) -> bool:
        """Whether both sides of the house agreed it."""
        return self.sales_agreed_at is not None and self.delivery_agreed_at is not None

    def scope(self) -> Scope:
        """That of its deal."""
        return self.opportunity.scope()
