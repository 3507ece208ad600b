"""Delivery's involvement before the win."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from events.audience import Scope
from opportunities.models import Opportunity


class EngagementState(models.TextChoices):
    """Where delivery's involvement stands."""

    REQUESTED = "requested", _("Requested")
    ACCEPTED = "accepted", _("Accepted")
    ACTIVE = "active", _("Active")
    DONE = "done", _("Done")
    DECLINED = "declined", _("Declined")


OPEN_STATES = [EngagementState.REQUESTED, EngagementState.ACCEPTED, EngagementState.ACTIVE]


class Trigger(models.TextChoices):
    """The signal that brings delivery in, or adds a playbook."""

    WARM = "warm", _("Turned warm")
    HOT = "hot", _("Turned hot")
    UNFORECASTED = "unforecasted", _("Surfaced un-forecasted")
    WON = "won", _("Won")
    HANDOFF = "handoff", _("Handoff opened")
    ASKED = "asked", _("Asked in by hand")


class Outcome(models.TextChoices):
    """How an engagement ended."""

    COMPLETED = "completed", _("completed")
    WON = "won", _("deal won")
    LOST = "lost", _("deal lost")
    WITHDRAWN = "withdrawn", _("move undone")


class EngagementQuerySet(models.QuerySet["Engagement"]):
    """Filters for engagements."""

    def visible_to(self, user: User) -> EngagementQuerySet:
        """Engagements on deals that the person may see."""
        return self.filter(opportunity__in=Opportunity.objects.visible_to(user))

    def open(self) -> EngagementQuerySet:
        """Requested, accepted or active."""
        return self.filter(state__in=OPEN_STATES)


class Engagement(models.Model):
    """Delivery asked in on one deal; at most one is open per deal."""

    opportunity = models.ForeignKey(Opportunity, on_delete=models.PROTECT, related_name="engagements")
    state = models.CharField(max_length=12, choices=EngagementState.choices, default=EngagementState.REQUESTED)
    trigger = models.CharField(max_length=16, choices=Trigger.choices)
    # The event that asked; the same event never asks twice.
    trigger_event_id = models.BigIntegerField(null=True)
    is_fast_lane = models.BooleanField(default=False)
    requested_at = models.DateTimeField()
    answer_due_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    decline_reason = models.CharField(max_length=500, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    # What to go back to when a closed deal is reopened.
    state_before_end = models.CharField(max_length=12, choices=EngagementState.choices, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    objects = EngagementQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["opportunity"],
                condition=Q(state__in=["requested", "accepted", "active"]),
                name="handoffs_one_open_engagement",
            ),
            models.UniqueConstraint(
                fields=["opportunity", "trigger_event_id"], name="handoffs_one_engagement_per_event"
            ),
            models.CheckConstraint(
                condition=Q(state__in=EngagementState.values), name="handoffs_engagement_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="declined") | ~Q(decline_reason=""), name="handoffs_decline_has_reason"
            ),
            models.CheckConstraint(condition=~Q(state="done") | ~Q(outcome=""), name="handoffs_done_has_outcome"),
        ]
        indexes = [
            models.Index(fields=["-requested_at", "-id"], name="handoffs_engagements_recent"),
            models.Index(
                fields=["answer_due_at", "id"],
                condition=Q(state="requested", paused_at__isnull=True),
                name="handoffs_engagements_to_answer",
            ),
            models.Index(fields=["opportunity"], condition=Q(state="declined"), name="handoffs_engagements_declined"),
        ]

    def __str__(self) -> str:
        return f"{self.opportunity_id}: {self.state}"

    @property
    def is_open(self) -> bool:
        """Whether delivery is (to be) involved."""
        return self.state in OPEN_STATES

    def scope(self) -> Scope:
        """That of its deal."""
        return self.opportunity.scope()
