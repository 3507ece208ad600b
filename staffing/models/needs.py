"""What a deal needs, in roles and hours rather than money, and where such needs come from."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import ServiceLine, User
from events.audience import Scope
from opportunities.models import Opportunity
from staffing.models.people import LEAST_PROFICIENCY, MOST_PROFICIENCY, Skill, WorkRole

# In a week, of one need: five people full time.
MOST_NEEDED = Decimal(400)
# In weeks from the start of the work, and in weeks of one need.
MOST_OFFSET, MOST_WEEKS = 104, 104


class NeedState(models.TextChoices):
    """How far a need is staffed: asked, somebody named softly, booked hard, and the work has begun with it."""

    OPEN = "open", _("Open")
    PROPOSED = "proposed", _("Proposed")
    BOOKED = "booked", _("Booked")
    FILLED = "filled", _("Filled")
    CANCELLED = "cancelled", _("Cancelled")


class NeedShape(models.Model):
    """How much of which role, from when after the start of the work, and for how long."""

    role = models.ForeignKey(WorkRole, on_delete=models.PROTECT, related_name="+", verbose_name=_("role"))
    hours_per_week = models.DecimalField(
        _("hours a week"), max_digits=4, decimal_places=1,
        validators=[MinValueValidator(Decimal("0.5")), MaxValueValidator(MOST_NEEDED)],
    )  # fmt: skip
    offset_weeks = models.PositiveSmallIntegerField(
        _("weeks after the start"), default=0, validators=[MaxValueValidator(MOST_OFFSET)]
    )
    weeks = models.PositiveSmallIntegerField(
        _("for weeks"), validators=[MinValueValidator(1), MaxValueValidator(MOST_WEEKS)]
    )

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(hours_per_week__gt=0, hours_per_week__lte=MOST_NEEDED),
                name="%(app_label)s_%(class)s_hours_in_range",
            ),
            models.CheckConstraint(
                condition=Q(weeks__range=(1, MOST_WEEKS), offset_weeks__lte=MOST_OFFSET),
                name="%(app_label)s_%(class)s_weeks_in_range",
            ),
        ]

    @property
    def total_hours(self) -> Decimal:
        """Over all its weeks."""
        return self.hours_per_week * self.weeks


class NeedTemplate(NeedShape):
    """A need that deals of a service line usually have; without one, deals whose line has none of its own."""

    service_line = models.ForeignKey(
        ServiceLine, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("service line")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    archived_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta(NeedShape.Meta):
        ordering = ["service_line", "position", "id"]

    def __str__(self) -> str:
        return f"{self.role}: {self.hours_per_week} × {self.weeks}"

    def scope(self) -> Scope:
        """That of no deal."""
        return Scope()


class StaffingNeedQuerySet(models.QuerySet["StaffingNeed"]):
    """Filters for needs."""

    def visible_to(self, user: User) -> StaffingNeedQuerySet:
        """Needs of deals that the person may see."""
        return self.filter(opportunity__in=Opportunity.objects.visible_to(user))

    def live(self) -> StaffingNeedQuerySet:
        """Those that were not cancelled."""
        return self.exclude(state=NeedState.CANCELLED)


class StaffingNeed(NeedShape):
    """Effort that a deal asks for. Its weeks count from the expected start of the work."""

    opportunity = models.ForeignKey(Opportunity, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(_("state"), max_length=12, choices=NeedState.choices, default=NeedState.OPEN)
    note = models.CharField(_("note"), max_length=300, blank=True)
    template = models.ForeignKey(NeedTemplate, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    added_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    cancelled_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    objects = StaffingNeedQuerySet.as_manager()

    class Meta(NeedShape.Meta):
        ordering = ["offset_weeks", "role__position", "id"]
        constraints = [
            *NeedShape.Meta.constraints,
            models.CheckConstraint(condition=Q(state__in=NeedState.values), name="staffing_need_state_known"),
            models.CheckConstraint(
                condition=Q(state="cancelled", cancelled_at__isnull=False)
                | (~Q(state="cancelled") & Q(cancelled_at__isnull=True)),
                name="staffing_need_cancelled_has_time",
            ),
            # Templates come once, also when two people ask for them at the same moment.
            models.UniqueConstraint(
                fields=["opportunity", "template"], condition=Q(template__isnull=False) & ~Q(state="cancelled"),
                name="staffing_need_once_per_template",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index("opportunity", condition=~Q(state="cancelled"), name="staffing_needs_live"),
            models.Index("role", "opportunity", condition=~Q(state="cancelled"), name="staffing_needs_by_role"),
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.hours_per_week} × {self.weeks}"

    def starts_on(self, work_starts_on: dt.date) -> dt.date:
        """Monday of its first week, for work that starts on this day."""
        return work_starts_on - dt.timedelta(days=work_starts_on.weekday()) + dt.timedelta(weeks=self.offset_weeks)

    def scope(self) -> Scope:
        """That of its deal."""
        return self.opportunity.scope()


class NeedSkill(models.Model):
    """A skill that whoever fills the need should have, at least this well."""

    need = models.ForeignKey(StaffingNeed, on_delete=models.CASCADE, related_name="skills")
    skill = models.ForeignKey(Skill, on_delete=models.PROTECT, related_name="+")
    proficiency = models.PositiveSmallIntegerField(_("at least"), default=3)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["need", "skill"], name="staffing_skill_once_per_need"),
            models.CheckConstraint(
                condition=Q(proficiency__range=(LEAST_PROFICIENCY, MOST_PROFICIENCY)),
                name="staffing_need_proficiency_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.skill} {self.proficiency}"
