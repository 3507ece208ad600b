"""Who can deliver: roles, skills, people with their weeks, and when they are away."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Region, User, WorkingCalendar
from accounts.models.people import ALL_SEEING_ROLES, DELIVERY_ROLES
from events.audience import Scope

# Nobody is planned for more than this in a week.
MOST_HOURS = Decimal(80)
LEAST_PROFICIENCY, MOST_PROFICIENCY = 1, 5


def sees_staffing(user: User) -> bool:
    """Delivery, executives and administrators see people and bookings; others see what concerns their deals."""
    return user.is_active and bool((DELIVERY_ROLES | ALL_SEEING_ROLES).intersection(user.roles))


class WorkRole(models.Model):
    """What somebody does on a project, and what a deal needs: architect, engineer, project manager."""

    name = models.CharField(_("name"), max_length=80)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    archived_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["position", "name", "id"]
        constraints = [models.UniqueConstraint(Lower("name"), name="staffing_role_name_unique")]

    def __str__(self) -> str:
        return self.name

    def scope(self) -> Scope:
        """That of no deal."""
        return Scope()


class Skill(models.Model):
    """Something that a person can do more or less well."""

    name = models.CharField(_("name"), max_length=80)
    archived_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(Lower("name"), name="staffing_skill_name_unique")]

    def __str__(self) -> str:
        return self.name

    def scope(self) -> Scope:
        """That of no deal."""
        return Scope()


class PersonQuerySet(models.QuerySet["Person"]):
    """Filters for people."""

    def visible_to(self, user: User) -> PersonQuerySet:
        """Everybody for those who see staffing, themselves for others."""
        return self if sees_staffing(user) else self.filter(user_id=user.pk)

    def current(self) -> PersonQuerySet:
        """Those who were not archived."""
        return self.filter(archived_at__isnull=True)

    def employed(self, since: dt.date, until: dt.date) -> PersonQuerySet:
        """Those who work here on some day of these."""
        return self.current().filter(
            Q(joins_on__isnull=True) | Q(joins_on__lte=until), Q(leaves_on__isnull=True) | Q(leaves_on__gte=since)
        )


class Person(models.Model):
    """Somebody who delivers, with or without a login; ``weekly_hours`` of a week without holidays and time off."""

    name = models.CharField(_("name"), max_length=120)
    user = models.OneToOneField(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("login")
    )
    role = models.ForeignKey(WorkRole, on_delete=models.PROTECT, related_name="people", verbose_name=_("role"))
    weekly_hours = models.DecimalField(
        _("hours a week"), max_digits=4, decimal_places=1, default=Decimal(40),
        validators=[MinValueValidator(0), MaxValueValidator(MOST_HOURS)],
    )  # fmt: skip
    calendar = models.ForeignKey(
        WorkingCalendar, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("working calendar"),
    )  # fmt: skip
    region = models.ForeignKey(
        Region, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("region")
    )
    joins_on = models.DateField(_("joins on"), null=True, blank=True)
    leaves_on = models.DateField(_("leaves on"), null=True, blank=True)
    external_id = models.CharField(_("external id"), max_length=120, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    objects = PersonQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["external_id"], condition=~Q(external_id=""), name="staffing_person_external_id_unique"
            ),
            models.CheckConstraint(
                condition=Q(weekly_hours__gte=0, weekly_hours__lte=MOST_HOURS), name="staffing_person_hours_in_range"
            ),
            models.CheckConstraint(
                condition=Q(joins_on__isnull=True) | Q(leaves_on__isnull=True) | Q(leaves_on__gte=F("joins_on")),
                name="staffing_person_leaves_after_joining",
            ),
        ]
        indexes = [
            models.Index("role", "name", "id", condition=Q(archived_at__isnull=True), name="staffing_people_by_role")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def working_calendar(self) -> WorkingCalendar | None:
        """Their own, else that of their region; None where the organisation's holds."""
        return self.calendar or (self.region.calendar if self.region is not None else None)

    def scope(self) -> Scope:
        """That of no deal: events about people say no more than their names."""
        return Scope()


class PersonSkill(models.Model):
    """How well somebody can do something: proficiency 1 (has begun) to 5 (teaches it)."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="skills")
    skill = models.ForeignKey(Skill, on_delete=models.PROTECT, related_name="+")
    proficiency = models.PositiveSmallIntegerField(
        _("proficiency"), validators=[MinValueValidator(LEAST_PROFICIENCY), MaxValueValidator(MOST_PROFICIENCY)]
    )

    class Meta:
        ordering = ["-proficiency", "skill__name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["person", "skill"], name="staffing_skill_once_per_person"),
            models.CheckConstraint(
                condition=Q(proficiency__range=(LEAST_PROFICIENCY, MOST_PROFICIENCY)),
                name="staffing_proficiency_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.skill} {self.proficiency}"


class TimeOff(models.Model):
    """Days on which somebody works only ``hours_per_day``, mostly none; where several overlap, the fewest count."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="time_off")
    first_on = models.DateField(_("first day"))
    last_on = models.DateField(_("last day"))
    hours_per_day = models.DecimalField(
        _("hours still worked a day"), max_digits=3, decimal_places=1, default=Decimal(0),
        validators=[MinValueValidator(0), MaxValueValidator(24)],
    )  # fmt: skip
    note = models.CharField(_("note"), max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["first_on", "id"]
        verbose_name_plural = "time off"
        constraints = [
            models.CheckConstraint(condition=Q(last_on__gte=F("first_on")), name="staffing_time_off_ends_after_start"),
            models.CheckConstraint(
                condition=Q(hours_per_day__gte=0, hours_per_day__lte=24), name="staffing_time_off_hours_in_range"
            ),
        ]
        indexes = [models.Index("person", "last_on", name="staffing_time_off_by_person")]

    def __str__(self) -> str:
        return f"{self.first_on} – {self.last_on}"
