"""Playbooks: what is to be done when a signal comes, as data."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Role, ServiceLine
from handoffs.models.engagement import Trigger


class TaskSide(models.TextChoices):
    """Whose task it is; a shared one needs both."""

    SALES = "sales", _("Sales")
    DELIVERY = "delivery", _("Delivery")
    SHARED = "shared", _("One Team")


class Anchor(models.TextChoices):
    """What a due date is counted from."""

    TRIGGER = "trigger", _("the signal")
    CLOSE_DATE = "close_date", _("the close date")
    KICKOFF = "kickoff", _("the kick-off")


class TaskAction(models.TextChoices):
    """What a task is about, where it is more than saying done."""

    NONE = "", _("Nothing else")
    REVIEW = "review", _("Hold the deal review")
    EXPRESS_REVIEW = "express_review", _("Hold an express review")
    RISK_PROFILE = "risk_profile", _("Agree the risk profile")
    STAFFING = "staffing", _("State the staffing needs")
    RELATIONSHIPS = "relationships", _("Hand over the relationships")
    CONDITION = "condition", _("Settle a condition of the review")
    COMMITMENT = "commitment", _("Settle a promise")
    CLIENT_SCOPE = "client_scope", _("Client confirms the scope")
    CLIENT_CRITERIA = "client_criteria", _("Client confirms the success criteria")
    CLIENT_RISKS = "client_risks", _("Client confirms the risk profile")
    PULSE = "pulse", _("Client rates the start")


class Section(models.TextChoices):
    """The parts of a handoff's checklist."""

    RELATIONSHIP = "relationship", _("Relationship")
    SCOPE = "scope", _("Scope")
    SUCCESS_CRITERIA = "success_criteria", _("Success criteria")
    RISKS = "risks", _("Risks")
    COMMITMENTS = "commitments", _("Commitments")
    COMMERCIALS = "commercials", _("Commercials")
    STAFFING = "staffing", _("Staffing")
    START_UP = "start_up", _("Start-up")


class RampPhase(models.TextChoices):
    """The phases of a ramp plan, in their order; what stands under exit is an exit criterion."""

    INTERNAL_KICKOFF = "internal_kickoff", _("Internal kick-off")
    CLIENT_KICKOFF = "client_kickoff", _("Client kick-off")
    MOBILISE = "mobilise", _("Mobilise")
    FIRST_DELIVERY = "first_delivery", _("First delivery")
    HYPERCARE = "hypercare", _("Hypercare")
    EXIT = "exit", _("Exit criteria")


class Assignee(models.TextChoices):
    """Who gets the task: a person named on the deal, or somebody by role."""

    SALES_OWNER = "sales_owner", _("Sales owner")
    DELIVERY_OWNER = "delivery_owner", _("Delivery owner")
    SALES_MANAGER = Role.SALES_MANAGER.value, Role.SALES_MANAGER.label
    DELIVERY_MANAGER = Role.DELIVERY_MANAGER.value, Role.DELIVERY_MANAGER.label
    PROJECT_MANAGER = Role.PROJECT_MANAGER.value, Role.PROJECT_MANAGER.label
    RESOURCE_MANAGER = Role.RESOURCE_MANAGER.value, Role.RESOURCE_MANAGER.label


class Playbook(models.Model):
    """Tasks that a signal brings; for one service line, or for all that have none of their own."""

    key = models.SlugField(_("key"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80, unique=True)
    trigger = models.CharField(_("brought by"), max_length=16, choices=Trigger.choices)
    service_line = models.ForeignKey(
        ServiceLine, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("only for"),
    )  # fmt: skip
    is_active = models.BooleanField(_("active"), default=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["trigger", "name"]
        constraints = [
            models.CheckConstraint(condition=Q(trigger__in=Trigger.values), name="handoffs_trigger_known"),
            models.UniqueConstraint(
                fields=["trigger", "service_line"],
                condition=Q(is_active=True),
                nulls_distinct=False,
                name="handoffs_one_playbook_per_signal_and_line",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PlaybookTask(models.Model):
    """One task of a playbook."""

    playbook = models.ForeignKey(Playbook, on_delete=models.CASCADE, related_name="tasks")
    key = models.SlugField(_("key"), max_length=60)
    title = models.CharField(_("title"), max_length=200)
    help_text = models.CharField(_("what good looks like"), max_length=500, blank=True)
    side = models.CharField(_("side"), max_length=10, choices=TaskSide.choices)
    assignee = models.CharField(_("for"), max_length=24, choices=Assignee.choices)
    offset_days = models.SmallIntegerField(_("business days"), default=0)
    anchor = models.CharField(_("counted from"), max_length=12, choices=Anchor.choices, default=Anchor.TRIGGER)
    depends_on = models.ManyToManyField("self", symmetrical=False, blank=True, verbose_name=_("after"))
    # A list of {"field", "op", "value"} that must all hold, see conditions.py.
    conditions = models.JSONField(_("only when"), default=list, blank=True)
    evidence = models.CharField(_("evidence wanted"), max_length=200, blank=True)
    action = models.CharField(_("starts"), max_length=16, choices=TaskAction.choices, blank=True)
    # Where it stands on a handoff's checklist, or in a ramp plan.
    section = models.CharField(_("section"), max_length=20, choices=Section.choices, blank=True)
    phase = models.CharField(_("phase"), max_length=20, choices=RampPhase.choices, blank=True)
    is_required = models.BooleanField(_("required"), default=True)
    position = models.PositiveSmallIntegerField(default=0)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["playbook", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["playbook", "key"], name="handoffs_playbook_task_key_unique"),
            models.CheckConstraint(condition=Q(side__in=TaskSide.values), name="handoffs_template_side_known"),
            models.CheckConstraint(condition=Q(action__in=TaskAction.values), name="handoffs_template_action_known"),
            models.CheckConstraint(
                condition=Q(section__in=["", *Section.values]), name="handoffs_template_section_known"
            ),
            models.CheckConstraint(
                condition=Q(phase__in=["", *RampPhase.values]), name="handoffs_template_phase_known"
            ),
        ]

    def __str__(self) -> str:
        return self.title
