"""Tasks on a deal."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Side, User
from events.audience import Scope
from handoffs.models.engagement import Engagement, Trigger
from handoffs.models.playbook import Anchor, Assignee, PlaybookTask, TaskAction, TaskSide
from opportunities.models import Opportunity


class TaskState(models.TextChoices):
    """Where a task stands."""

    OPEN = "open", _("Open")
    PAUSED = "paused", _("Paused")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")


class TaskQuerySet(models.QuerySet["Task"]):
    """Filters for tasks."""

    def visible_to(self, user: User) -> TaskQuerySet:
        """Tasks on deals that the person may see."""
        return self.filter(opportunity__in=Opportunity.objects.visible_to(user))

    def open(self) -> TaskQuerySet:
        """Tasks that can be done now."""
        return self.filter(state=TaskState.OPEN)


class Task(models.Model):
    """Something one side, or both, must do for a deal. A shared task is done when both sides say so."""

    opportunity = models.ForeignKey(Opportunity, on_delete=models.PROTECT, related_name="tasks")
    engagement = models.ForeignKey(Engagement, on_delete=models.PROTECT, related_name="tasks", db_index=False)
    template = models.ForeignKey(PlaybookTask, on_delete=models.PROTECT, related_name="+")
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
