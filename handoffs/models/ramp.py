"""From the win to a project that stands: the ramp plan, its health, contacts with the client, lessons."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Side, User
from events.audience import Scope
from handoffs.models.handoff import Handoff
from handoffs.models.playbook import Playbook, PlaybookTask
from opportunities.models import Contact, Opportunity


class ProjectState(models.TextChoices):
    """Where the project stands."""

    PLANNED = "planned", _("Planned")
    RAMPING = "ramping", _("Ramping")
    IN_DELIVERY = "in_delivery", _("In delivery")
    CLOSED = "closed", _("Closed")


class Rag(models.TextChoices):
    """Health as a traffic light, always with its word."""

    GREEN = "green", _("Green")
    AMBER = "amber", _("Amber")
    RED = "red", _("Red")


class RampPlanQuerySet(models.QuerySet["RampPlan"]):
    """Filters for ramp plans."""

    def visible_to(self, user: User) -> RampPlanQuerySet:
        """Plans of deals that the person may see."""
        return self.filter(opportunity__in=Opportunity.objects.visible_to(user))

    def live(self) -> RampPlanQuerySet:
        """Leaves out those that rest because their deal was reopened."""
        return self.filter(shelved_at__isnull=True)

    def ramping(self) -> RampPlanQuerySet:
        """Live ones whose ramp has not ended."""
        return self.live().filter(state__in=[ProjectState.PLANNED, ProjectState.RAMPING])

    def ended_early(self) -> RampPlanQuerySet:
        """Those whose ramp ended although exit criteria were open."""
        return self.filter(exited_at__isnull=False).exclude(exit_missing=[])


class RampPlan(models.Model):
    """The start of one project; its milestones, duties and exit criteria are tasks. One per deal.

    Planned until the project manager accepts the handoff, then ramping until the exit, then in delivery until
    it closes.
    """

    opportunity = models.OneToOneField(Opportunity, on_delete=models.PROTECT, related_name="ramp_plan")
    handoff = models.OneToOneField(Handoff, on_delete=models.PROTECT, related_name="ramp_plan")
    state = models.CharField(max_length=12, choices=ProjectState.choices, default=ProjectState.PLANNED)
    # The kick-off with the client; offsets are counted from it.
    kickoff_on = models.DateField(_("kick-off"))
    # The newest of the health reports; green until somebody says otherwise.
    rag = models.CharField(_("health"), max_length=6, choices=Rag.choices, default=Rag.GREEN)
    exited_at = models.DateTimeField(null=True, blank=True)
    exited_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # Given where the ramp ended although criteria were open: which, and why.
    exit_reason = models.CharField(max_length=500, blank=True)
    exit_missing = models.JSONField(default=list, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    shelved_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    objects = RampPlanQuerySet.as_manager()

    class Meta:
        ordering = ["kickoff_on", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ProjectState.values), name="handoffs_project_state_known"),
            models.CheckConstraint(condition=Q(rag__in=Rag.values), name="handoffs_rag_known"),
            models.CheckConstraint(
                condition=Q(state__in=["planned", "ramping"]) | Q(exited_at__isnull=False),
                name="handoffs_exit_has_time",
            ),
            models.CheckConstraint(
                condition=Q(exit_missing=[]) | ~Q(exit_reason=""), name="handoffs_early_exit_has_reason"
            ),
        ]
        indexes = [
            models.Index(
                fields=["kickoff_on", "id"],
                condition=Q(state__in=["planned", "ramping"], shelved_at__isnull=True),
                name="handoffs_plans_ramping",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.opportunity_id}: {self.state}"

    @property
    def is_ramping(self) -> bool:
        """Whether its ramp has not ended; sales has duties until then."""
        return self.state in (ProjectState.PLANNED, ProjectState.RAMPING) and self.shelved_at is None

    def scope(self) -> Scope:
        """That of its deal."""
        return self.opportunity.scope()


class HealthReport(models.Model):
    """What somebody said of a plan's health, and why. Rows are only added."""

    plan = models.ForeignKey(RampPlan, on_delete=models.PROTECT, related_name="health_reports")
    rag = models.CharField(_("health"), max_length=6, choices=Rag.choices)
    reason = models.CharField(_("why"), max_length=500)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(rag__in=Rag.values), name="handoffs_reported_rag_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="handoffs_health_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id}: {self.rag}"


class TouchpointKind(models.TextChoices):
    """How somebody spoke with the client."""

    CALL = "call", _("Call")
    MEETING = "meeting", _("Meeting")
    VISIT = "visit", _("Visit")
    EMAIL = "email", _("E-mail")


class Touchpoint(models.Model):
    """A contact with the client during the ramp."""

    plan = models.ForeignKey(RampPlan, on_delete=models.PROTECT, related_name="touchpoints")
    kind = models.CharField(_("how"), max_length=8, choices=TouchpointKind.choices)
    on = models.DateField(_("when"))
    side = models.CharField(max_length=10, choices=Side.choices, blank=True)
    contacts = models.ManyToManyField(Contact, blank=True, related_name="+", verbose_name=_("with"))
    note = models.CharField(_("what was said"), max_length=1000)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    request_id = models.UUIDField(unique=True)
    created_at = models.DateTimeField(db_default=Now())
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-on", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=TouchpointKind.values), name="handoffs_touchpoint_kind_known"),
        ]

    def __str__(self) -> str:
        return self.note


class LessonProposal(models.TextChoices):
    """What a lesson proposes for the playbooks."""

    NONE = "", _("Nothing; just to know")
    ADD = "add", _("Add a task")
    REWORD = "reword", _("Reword a task")
    LEAVE_OUT = "leave_out", _("Leave a task out")


class LessonState(models.TextChoices):
    """What became of a lesson."""

    OPEN = "open", _("Open")
    ADOPTED = "adopted", _("Adopted")
    DISMISSED = "dismissed", _("Dismissed")


class Lesson(models.Model):
    """What was learned from a start, and what it would change in a playbook."""

    plan = models.ForeignKey(RampPlan, on_delete=models.PROTECT, related_name="lessons")
    text = models.CharField(_("what we learned"), max_length=1000)
    proposal = models.CharField(_("it proposes to"), max_length=10, choices=LessonProposal.choices, blank=True)
    playbook = models.ForeignKey(
        Playbook, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("playbook")
    )
    playbook_task = models.ForeignKey(
        PlaybookTask, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("task")
    )
    title = models.CharField(_("title of the task"), max_length=200, blank=True)
    state = models.CharField(max_length=10, choices=LessonState.choices, default=LessonState.OPEN)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    settled_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_note = models.CharField(max_length=500, blank=True)
    request_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=LessonState.values), name="handoffs_lesson_state_known"),
            models.CheckConstraint(condition=Q(proposal__in=LessonProposal.values), name="handoffs_proposal_known"),
            models.CheckConstraint(
                condition=Q(state="open") | Q(settled_by__isnull=False, settled_at__isnull=False),
                name="handoffs_settled_lesson_has_person",
            ),
            models.CheckConstraint(
                condition=~Q(state="dismissed") | ~Q(settled_note=""), name="handoffs_dismissed_lesson_has_reason"
            ),
        ]

    def __str__(self) -> str:
        return self.text
