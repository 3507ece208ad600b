"""Tasks on a deal."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Side, User
from events.audience import Scope
from handoffs.models.commitment import Commitment
from handoffs.models.engagement import Engagement, Trigger
from handoffs.models.handoff import Handoff
from handoffs.models.playbook import Anchor, Assignee, PlaybookTask, RampPhase, Section, TaskAction, TaskSide
from handoffs.models.ramp import RampPlan
from handoffs.models.review import ReviewCondition
from opportunities.models import Attachment, Opportunity


class TaskState(models.TextChoices):
    """Where a task stands."""

    OPEN = "open", _("Open")
    PAUSED = "paused", _("Paused")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")
    WAIVED = "waived", _("Waived")


class TaskQuerySet(models.QuerySet["Task"]):
    """Filters for tasks."""

    def visible_to(self, user: User) -> TaskQuerySet:
        """Tasks on deals that the person may see."""
        return self.filter(opportunity__in=Opportunity.objects.visible_to(user))

    def open(self) -> TaskQuerySet:
        """Tasks that can be done now."""
        return self.filter(state=TaskState.OPEN)


class Task(models.Model):
    """Something one side, or both, must do for a deal. A shared task is done when both sides say so.

    The items of a handoff's checklist (``handoff``, ``section``) and the milestones, sales duties and exit criteria of
    a ramp plan (``ramp_plan``, ``phase``) are tasks too.
    """

    opportunity = models.ForeignKey(Opportunity, on_delete=models.PROTECT, related_name="tasks")
    engagement = models.ForeignKey(Engagement, on_delete=models.PROTECT, related_name="tasks", db_index=False)
    # None for what somebody added by hand, or what was carried over from a review or the ledger.
    template = models.ForeignKey(PlaybookTask, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    handoff = models.ForeignKey(Handoff, null=True, blank=True, on_delete=models.PROTECT, related_name="items")
    section = models.CharField(_("section"), max_length=20, choices=Section.choices, blank=True)
    ramp_plan = models.ForeignKey(RampPlan, null=True, blank=True, on_delete=models.PROTECT, related_name="tasks")
    phase = models.CharField(_("phase"), max_length=20, choices=RampPhase.choices, blank=True)
    condition = models.ForeignKey(ReviewCondition, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    commitment = models.ForeignKey(Commitment, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    is_required = models.BooleanField(_("required"), default=True)
    # Copied, so that a later change of the playbook leaves running work alone.
    trigger = models.CharField(max_length=16, choices=Trigger.choices)
    title = models.CharField(_("title"), max_length=200)
    help_text = models.CharField(max_length=500, blank=True)
    side = models.CharField(_("side"), max_length=10, choices=TaskSide.choices)
    assignee_role = models.CharField(max_length=24, choices=Assignee.choices)
    assignee = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("for")
    )
    anchor = models.CharField(max_length=12, choices=Anchor.choices)
    anchored_on = models.DateField()
    offset_days = models.SmallIntegerField()
    due_on = models.DateField(_("due"))
    # Set by hand: the date no longer follows the deal's dates.
    is_due_fixed = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=TaskState.choices, default=TaskState.OPEN)
    paused_on = models.DateField(null=True, blank=True)
    evidence_wanted = models.CharField(max_length=200, blank=True)
    evidence = models.CharField(_("evidence"), max_length=1000, blank=True)
    evidence_link = models.URLField(_("link"), max_length=500, blank=True)
    evidence_file = models.ForeignKey(
        Attachment, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("file")
    )
    waived_reason = models.CharField(max_length=500, blank=True)
    waived_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    waived_at = models.DateTimeField(null=True, blank=True)
    # Done when what it is about is done: a review signed by both, a risk profile agreed by both.
    action = models.CharField(max_length=16, choices=TaskAction.choices, blank=True)
    depends_on = models.ManyToManyField("self", symmetrical=False, blank=True, related_name="unlocks")
    sales_done_at = models.DateTimeField(null=True, blank=True)
    sales_done_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    delivery_done_at = models.DateTimeField(null=True, blank=True)
    delivery_done_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    done_at = models.DateTimeField(null=True, blank=True)
    position = models.PositiveIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    objects = TaskQuerySet.as_manager()

    class Meta:
        ordering = ["due_on", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["opportunity", "template"], name="handoffs_task_once_per_deal"),
            models.UniqueConstraint(
                fields=["handoff", "condition"], condition=Q(condition__isnull=False), name="handoffs_condition_once"
            ),
            models.UniqueConstraint(
                fields=["handoff", "commitment"], condition=Q(commitment__isnull=False), name="handoffs_promise_once"
            ),
            models.CheckConstraint(
                condition=(Q(handoff__isnull=True) & Q(section=""))
                | (Q(handoff__isnull=False) & Q(section__in=Section.values)),
                name="handoffs_item_has_section",
            ),
            models.CheckConstraint(
                condition=(Q(ramp_plan__isnull=True) & Q(phase=""))
                | (Q(ramp_plan__isnull=False) & Q(phase__in=RampPhase.values)),
                name="handoffs_milestone_has_phase",
            ),
            models.CheckConstraint(
                condition=~Q(state="waived")
                | (Q(waived_by__isnull=False, waived_at__isnull=False) & ~Q(waived_reason="")),
                name="handoffs_waived_has_reason",
            ),
            models.CheckConstraint(condition=Q(state__in=TaskState.values), name="handoffs_task_state_known"),
            models.CheckConstraint(condition=Q(action__in=TaskAction.values), name="handoffs_task_action_known"),
            models.CheckConstraint(
                condition=~Q(state="done") | Q(done_at__isnull=False), name="handoffs_done_task_has_time"
            ),
            models.CheckConstraint(
                condition=~Q(state="done", side="shared")
                | Q(sales_done_at__isnull=False, delivery_done_at__isnull=False),
                name="handoffs_shared_task_needs_both",
            ),
            models.CheckConstraint(
                condition=~Q(side="shared")
                | Q(sales_done_by__isnull=True)
                | Q(delivery_done_by__isnull=True)
                | ~Q(sales_done_by=F("delivery_done_by")),
                name="handoffs_shared_task_needs_two_people",
            ),
        ]
        indexes = [
            models.Index(fields=["assignee", "due_on", "id"], condition=Q(state="open"), name="handoffs_tasks_waiting"),
            models.Index(
                fields=["assignee_role", "due_on", "id"],
                condition=Q(state="open", assignee__isnull=True),
                name="handoffs_tasks_unassigned",
            ),
            models.Index(
                fields=["opportunity"],
                condition=Q(state="open", trigger="won"),
                name="handoffs_tasks_of_handover",
            ),
            models.Index(fields=["handoff", "section", "position"], name="handoffs_items"),
            models.Index(fields=["ramp_plan", "due_on"], name="handoffs_milestones"),
            models.Index(
                fields=["opportunity", "due_on", "id"],
                include=["sales_done_at", "delivery_done_at"],
                condition=Q(state="open", side="shared"),
                name="handoffs_tasks_shared",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def scope(self) -> Scope:
        """That of its deal."""
        return self.opportunity.scope()

    def waits_for(self, side: Side) -> bool:
        """Whether this side still has to say done."""
        if self.state != TaskState.OPEN:
            return False
        if self.side == TaskSide.SHARED:
            done = self.sales_done_at if side == Side.SALES else self.delivery_done_at
            return done is None
        return self.side == side.value

    def is_overdue(self, today: dt.date) -> bool:
        """Whether its day has passed without it being done."""
        return self.state == TaskState.OPEN and self.due_on < today
