"""Who approves a handoff: the chain as data, the steps of one submission, and who stands in for whom."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Role, ServiceLine, User
from handoffs.models.handoff import Submission
from opportunities.models import Opportunity

HOURS = [MinValueValidator(1), MaxValueValidator(720)]


class ApprovalRule(models.Model):
    """One step of the chain, for the deals that it fits. Steps of one position are asked together, positions in order.

    Whoever of the role may see the deal can approve; where people are named, only they. Hours are business hours:
    those of business days from nine to five.
    """

    name = models.CharField(_("name"), max_length=80)
    position = models.PositiveSmallIntegerField(_("turn"), validators=[MinValueValidator(1), MaxValueValidator(20)])
    role = models.CharField(_("role"), max_length=24, choices=Role.choices, blank=True)
    people = models.ManyToManyField(User, blank=True, related_name="+", verbose_name=_("people"))
    service_line = models.ForeignKey(
        ServiceLine, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("only for"),
    )  # fmt: skip
    # In base currency; a deal whose amount can't be priced counts as above.
    amount_from = models.DecimalField(_("from an amount of"), max_digits=16, decimal_places=2, null=True, blank=True)
    remind_after_hours = models.PositiveSmallIntegerField(_("remind after hours"), default=8, validators=HOURS)
    escalate_after_hours = models.PositiveSmallIntegerField(_("escalate after hours"), default=16, validators=HOURS)
    escalate_to = models.CharField(_("escalate to"), max_length=24, choices=Role.choices, default=Role.EXECUTIVE)
    archived_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(role__in=["", *Role.values]), name="handoffs_approver_role_known"),
            models.CheckConstraint(condition=Q(escalate_to__in=Role.values), name="handoffs_escalate_to_known"),
            models.CheckConstraint(
                condition=Q(amount_from__isnull=True) | Q(amount_from__gte=0), name="handoffs_approval_amount_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class StepState(models.TextChoices):
    """Where an approval step stands; an escalated one waits still, for more people."""

    PENDING = "pending", _("Waiting")
    ESCALATED = "escalated", _("Escalated")
    APPROVED = "approved", _("Approved")
    CHANGES_REQUESTED = "changes_requested", _("Changes requested")
    REJECTED = "rejected", _("Rejected")
    RECALLED = "recalled", _("Recalled")


class ApprovalStepQuerySet(models.QuerySet["ApprovalStep"]):
    """Filters for approval steps."""

    def visible_to(self, user: User) -> ApprovalStepQuerySet:
        """Steps on deals that the person may see."""
        return self.filter(submission__handoff__opportunity__in=Opportunity.objects.visible_to(user))

    def waiting(self) -> ApprovalStepQuerySet:
        """Those whose turn it is, of handoffs that don't rest."""
        return self.filter(
            state__in=[StepState.PENDING, StepState.ESCALATED], opened_at__isnull=False,
            submission__state="pending", submission__handoff__shelved_at__isnull=True,
        )  # fmt: skip


class ApprovalStep(models.Model):
    """One approval that a submission needs. Copied from its rule, so that a later change leaves it alone."""

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="steps")
    rule = models.ForeignKey(ApprovalRule, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField()
    role = models.CharField(max_length=24, choices=Role.choices, blank=True)
    people = models.ManyToManyField(User, blank=True, related_name="+")
    state = models.CharField(max_length=20, choices=StepState.choices, default=StepState.PENDING)
    # None until its turn.
    opened_at = models.DateTimeField(null=True, blank=True)
    remind_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    escalate_at = models.DateTimeField(null=True, blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)
    escalate_to = models.CharField(max_length=24, choices=Role.choices)
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # The person in whose name somebody else decided.
    on_behalf_of = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    comment = models.CharField(max_length=1000, blank=True)
    # Copied from the submission: the database itself refuses that they decide.
    submitted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    objects = ApprovalStepQuerySet.as_manager()

    class Meta:
        ordering = ["submission", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["submission", "rule"], name="handoffs_one_step_per_rule"),
            models.UniqueConstraint(fields=["submission", "decided_by"], name="handoffs_one_step_per_person"),
            models.CheckConstraint(condition=Q(state__in=StepState.values), name="handoffs_step_state_known"),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "changes_requested", "rejected"])
                | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="handoffs_decided_step_has_person",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("submitted_by")),
                name="handoffs_submitter_never_decides",
            ),
            models.CheckConstraint(
                condition=Q(on_behalf_of__isnull=True)
                | (~Q(on_behalf_of=F("submitted_by")) & ~Q(on_behalf_of=F("decided_by"))),
                name="handoffs_nobody_decides_for_submitter",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["changes_requested", "rejected"]) | ~Q(comment=""),
                name="handoffs_refusal_has_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["role", "opened_at"],
                condition=Q(state__in=["pending", "escalated"], opened_at__isnull=False),
                name="handoffs_steps_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.state}"


class DelegationQuerySet(models.QuerySet["Delegation"]):
    """Filters for delegations."""

    def standing(self) -> DelegationQuerySet:
        """Those that were not ended early."""
        return self.filter(revoked_at__isnull=True)


class Delegation(models.Model):
    """Somebody stands in for somebody else's approvals, from a day to a day, both included."""

    delegator = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("for"))
    delegate = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("stands in"))
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"))
    reason = models.CharField(_("why"), max_length=200, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = DelegationQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_on", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(delegator=F("delegate")), name="handoffs_nobody_delegates_to_self"),
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="handoffs_delegation_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.delegator_id} → {self.delegate_id}"
