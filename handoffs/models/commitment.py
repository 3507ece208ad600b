"""The commitment ledger: what was promised to the client, and what delivery says to it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from events.audience import Scope
from opportunities.models import Contact, Opportunity


class CommitmentKind(models.TextChoices):
    """What a promise fixes."""

    DATE = "date", _("Date")
    PRICE = "price", _("Price")
    TEAM = "team", _("Team")
    SCOPE = "scope", _("Scope")
    OTHER = "other", _("Other")


class CommitmentSource(models.TextChoices):
    """Where a promise was made."""

    CALL = "call", _("Call")
    MEETING = "meeting", _("Meeting")
    EMAIL = "email", _("E-mail")
    PROPOSAL = "proposal", _("Proposal")
    CONTRACT = "contract", _("Contract or SOW")
    OTHER = "other", _("Other")


class Stance(models.TextChoices):
    """What delivery says to a promise."""

    PENDING = "pending", _("Not answered")
    ACCEPTED = "accepted", _("Accepted")
    ACCEPTED_IF = "accepted_if", _("Accepted, if")
    DISPUTED = "disputed", _("Disputed")


class CommitmentOutcome(models.TextChoices):
    """What became of a promise after the win."""

    OPEN = "open", _("Open")
    KEPT = "kept", _("Kept")
    CHANGED = "changed", _("Changed by agreement")
    BROKEN = "broken", _("Broken")


class CommitmentQuerySet(models.QuerySet["Commitment"]):
    """Filters for commitments."""

    def visible_to(self, user: User) -> CommitmentQuerySet:
        """Commitments on deals that the person may see."""
        return self.filter(opportunity__in=Opportunity.objects.visible_to(user))

    def current(self) -> CommitmentQuerySet:
        """Those that were not entered by mistake."""
        return self.filter(withdrawn_at__isnull=True)


class Commitment(models.Model):
    """A promise to the client."""

    opportunity = models.ForeignKey(Opportunity, on_delete=models.PROTECT, related_name="commitments")
    text = models.CharField(_("what was promised"), max_length=500)
    kind = models.CharField(_("it fixes"), max_length=8, choices=CommitmentKind.choices)
    promised_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("promised by"))
    promised_to = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("promised to")
    )
    promised_on = models.DateField(_("promised on"))
    due_on = models.DateField(_("for when"), null=True, blank=True)
    source = models.CharField(_("where"), max_length=10, choices=CommitmentSource.choices)
    source_note = models.CharField(_("which one"), max_length=300, blank=True)
    is_in_sow = models.BooleanField(_("in the SOW"), default=False)
    stance = models.CharField(max_length=12, choices=Stance.choices, default=Stance.PENDING)
    stance_note = models.CharField(max_length=500, blank=True)
    stance_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    stance_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=8, choices=CommitmentOutcome.choices, default=CommitmentOutcome.OPEN)
    outcome_note = models.CharField(max_length=500, blank=True)
    settled_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    settled_at = models.DateTimeField(null=True, blank=True)
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    objects = CommitmentQuerySet.as_manager()

    class Meta:
        ordering = ["promised_on", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=CommitmentKind.values), name="handoffs_commitment_kind_known"),
            models.CheckConstraint(condition=Q(stance__in=Stance.values), name="handoffs_stance_known"),
            models.CheckConstraint(
                condition=Q(stance__in=["pending", "accepted"]) | ~Q(stance_note=""), name="handoffs_stance_has_reason"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=CommitmentOutcome.values), name="handoffs_commitment_outcome_known"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=["open", "kept"]) | ~Q(outcome_note=""), name="handoffs_outcome_has_reason"
            ),
        ]

    def __str__(self) -> str:
        return self.text

    def scope(self) -> Scope:
        """That of its deal."""
        return self.opportunity.scope()
