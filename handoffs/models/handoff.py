"""The handoff of a won deal: its checklist's state, its submissions, and who takes over which relationship."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from events.audience import Scope
from opportunities.models import Contact, Opportunity


class HandoffState(models.TextChoices):
    """Where a handoff stands."""

    DRAFT = "draft", _("Draft")
    SUBMITTED = "submitted", _("Submitted")
    CHANGES_REQUESTED = "changes_requested", _("Changes requested")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")


class HandoffQuerySet(models.QuerySet["Handoff"]):
    """Filters for handoffs."""

    def visible_to(self, user: User) -> HandoffQuerySet:
        """Handoffs of deals that the person may see."""
        return self.filter(opportunity__in=Opportunity.objects.visible_to(user))

    def live(self) -> HandoffQuerySet:
        """Leaves out those that rest because their deal was reopened."""
        return self.filter(shelved_at__isnull=True)


class Handoff(models.Model):
    """What sales hands to delivery with a won deal. One per deal; it rests while the deal is open again."""

    opportunity = models.OneToOneField(Opportunity, on_delete=models.PROTECT, related_name="handoff")
    state = models.CharField(max_length=20, choices=HandoffState.choices, default=HandoffState.DRAFT)
    project_manager = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("project manager")
    )
    opened_at = models.DateTimeField()
    approved_at = models.DateTimeField(null=True, blank=True)
    # The project manager takes it on, after it was approved.
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    shelved_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    objects = HandoffQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=HandoffState.values), name="handoffs_handoff_state_known"),
            models.CheckConstraint(
                condition=~Q(state="approved") | Q(approved_at__isnull=False), name="handoffs_approved_has_time"
            ),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True) | Q(state="approved", accepted_by__isnull=False),
                name="handoffs_accepted_is_approved",
            ),
        ]
        indexes = [models.Index(fields=["state", "-opened_at"], name="handoffs_by_state")]

    def __str__(self) -> str:
        return f"{self.opportunity_id}: {self.state}"

    def scope(self) -> Scope:
        """That of its deal."""
        return self.opportunity.scope()


class SubmissionState(models.TextChoices):
    """What came of handing a handoff in for approval."""

    PENDING = "pending", _("Waiting")
    APPROVED = "approved", _("Approved")
    CHANGES_REQUESTED = "changes_requested", _("Changes requested")
    REJECTED = "rejected", _("Rejected")
    RECALLED = "recalled", _("Recalled")


class Submission(models.Model):
    """The handoff as it was handed in: version 1, 2, 3 …

    ``items`` is what the approvers saw: a list of {"id", "section", "title", "state", "side", "is_required",
    "evidence", "link", "file", "waived_reason"}, by section and position.
    """

    handoff = models.ForeignKey(Handoff, on_delete=models.PROTECT, related_name="submissions")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=20, choices=SubmissionState.choices, default=SubmissionState.PENDING)
    submitted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField()
    note = models.CharField(_("what the approvers should know"), max_length=1000, blank=True)
    items = models.JSONField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["handoff", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["handoff", "number"], name="handoffs_submission_number_unique"),
            models.UniqueConstraint(
                fields=["handoff"], condition=Q(state="pending"), name="handoffs_one_pending_submission"
            ),
            models.CheckConstraint(
                condition=Q(state__in=SubmissionState.values), name="handoffs_submission_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="pending") | Q(closed_at__isnull=False), name="handoffs_closed_submission_has_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.handoff_id}: {self.number}"


class RelationshipTransfer(models.Model):
    """One stakeholder's way from who knows them now to who will: introduced, then accepted by the next owner."""

    handoff = models.ForeignKey(Handoff, on_delete=models.PROTECT, related_name="relationships")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    owner_now = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("owner now")
    )
    owner_next = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("owner next")
    )
    introduced_on = models.DateField(_("introduced on"), null=True, blank=True)
    introduced_how = models.CharField(_("how"), max_length=300, blank=True)
    accepted_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    accepted_at = models.DateTimeField(null=True, blank=True)
    # The contact was taken off the deal.
    dropped_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["handoff", "id"]
        constraints = [
            models.UniqueConstraint(fields=["handoff", "contact"], name="handoffs_one_transfer_per_contact"),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True) | Q(accepted_by__isnull=False, introduced_on__isnull=False),
                name="handoffs_accepted_transfer_was_introduced",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.handoff_id}: {self.contact_id}"

    @property
    def is_cold(self) -> bool:
        """Whether delivery would meet this person without an introduction."""
        return self.introduced_on is None or self.owner_next_id is None
