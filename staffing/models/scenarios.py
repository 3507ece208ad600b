"""What if: named scenarios, each some changes to how things stand today."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from events.audience import Scope
from opportunities.models import Opportunity
from staffing.models.people import MOST_HOURS, Person, WorkRole

MOST_SHIFTED = 52  # weeks, earlier or later
MOST_JOINING = 50  # people of one change


class ChangeKind(models.TextChoices):
    """What a change supposes."""

    WIN = "win", _("A deal is won")
    LOSE = "lose", _("A deal is lost")
    SHIFT = "shift", _("A deal starts at another time")
    CHANCE = "chance", _("A deal has another chance")
    JOIN = "join", _("People join")
    LEAVE = "leave", _("Somebody leaves or is away")


# Of a deal one of these can be supposed at a time; a shift goes together with each.
OUTCOMES = (ChangeKind.WIN, ChangeKind.LOSE, ChangeKind.CHANCE)
# What is decided elsewhere: in the deal, with all that a win or a loss asks for.
NEVER_APPLIED = (ChangeKind.WIN, ChangeKind.LOSE)
# Columns that a kind needs, and those that it may have; it has no others.
NEEDED: dict[ChangeKind, tuple[str, ...]] = {
    ChangeKind.WIN: ("opportunity",),
    ChangeKind.LOSE: ("opportunity",),
    ChangeKind.SHIFT: ("opportunity", "weeks"),
    ChangeKind.CHANCE: ("opportunity", "percent"),
    ChangeKind.JOIN: ("role", "people", "hours_per_week", "from_on"),
    ChangeKind.LEAVE: ("person", "from_on"),
}
POSSIBLE: dict[ChangeKind, tuple[str, ...]] = {
    **NEEDED,
    ChangeKind.JOIN: (*NEEDED[ChangeKind.JOIN], "until_on"),
    ChangeKind.LEAVE: (*NEEDED[ChangeKind.LEAVE], "until_on"),
}
COLUMNS = ("opportunity", "person", "role", "weeks", "percent", "people", "hours_per_week", "from_on", "until_on")


class ScenarioQuerySet(models.QuerySet["Scenario"]):
    """Filters for scenarios."""

    def current(self) -> ScenarioQuerySet:
        """Those that were not archived."""
        return self.filter(archived_at__isnull=True)


class Scenario(models.Model):
    """Changes to today's truth that somebody wants to see the horizon with; nothing else knows of them."""

    name = models.CharField(_("name"), max_length=80)
    note = models.CharField(_("note"), max_length=300, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    archived_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    objects = ScenarioQuerySet.as_manager()

    class Meta:
        ordering = ["-updated_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="staffing_scenario_has_a_name"),
            models.UniqueConstraint(
                Lower("name"), condition=Q(archived_at__isnull=True), name="staffing_scenario_name_unique"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def scope(self) -> Scope:
        """That of no deal."""
        return Scope()


class ScenarioChangeQuerySet(models.QuerySet["ScenarioChange"]):
    """Filters for changes of scenarios."""

    def live(self) -> ScenarioChangeQuerySet:
        """Those that were not removed."""
        return self.filter(removed_at__isnull=True)


def _columns_of(kind: ChangeKind) -> Q:
    """That a row of the kind has what it needs and nothing else."""
    given = Q(**{f"{name}__isnull": False for name in NEEDED[kind]})
    return ~Q(kind=kind.value) | given & Q(
        **{f"{name}__isnull": True for name in COLUMNS if name not in POSSIBLE[kind]}
    )


def _in(kinds: Iterable[ChangeKind]) -> Q:
    return Q(kind__in=[kind.value for kind in kinds])


_PENDING = Q(removed_at__isnull=True, applied_at__isnull=True)


class ScenarioChange(models.Model):
    """One supposition. ``from_on`` is the first day of joining people, or the first on which somebody isn't there.

    ``until_on`` is the last such day; without it they stay, or don't come back. ``weeks`` go later, or earlier below
    zero. Once applied it is part of today's truth: it changes nothing any more, and ``did`` says what it did, each
    field with its values before and after.
    """

    scenario = models.ForeignKey(Scenario, on_delete=models.PROTECT, related_name="changes")
    kind = models.CharField(_("kind"), max_length=8, choices=ChangeKind.choices)
    opportunity = models.ForeignKey(
        Opportunity, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("deal")
    )
    person = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("person")
    )
    role = models.ForeignKey(
        WorkRole, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("role")
    )
    weeks = models.SmallIntegerField(
        _("weeks later"), null=True, blank=True,
        validators=[MinValueValidator(-MOST_SHIFTED), MaxValueValidator(MOST_SHIFTED)],
    )  # fmt: skip
    percent = models.PositiveSmallIntegerField(
        _("chance in %"), null=True, blank=True, validators=[MaxValueValidator(100)]
    )
    people = models.PositiveSmallIntegerField(
        _("how many"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(MOST_JOINING)]
    )
    hours_per_week = models.DecimalField(
        _("hours a week"), max_digits=4, decimal_places=1, null=True, blank=True,
        validators=[MinValueValidator(Decimal("0.5")), MaxValueValidator(MOST_HOURS)],
    )  # fmt: skip
    from_on = models.DateField(_("from"), null=True, blank=True)
    until_on = models.DateField(_("until"), null=True, blank=True)
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    removed_at = models.DateTimeField(null=True, blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    applied_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    did = models.JSONField(default=dict, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    objects = ScenarioChangeQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=ChangeKind.values), name="staffing_change_kind_known"),
            *(
                models.CheckConstraint(condition=_columns_of(kind), name=f"staffing_change_{kind.value}_columns")
                for kind in ChangeKind
            ),
            models.CheckConstraint(
                condition=Q(weeks__isnull=True) | (Q(weeks__range=(-MOST_SHIFTED, MOST_SHIFTED)) & ~Q(weeks=0)),
                name="staffing_change_weeks_in_range",
            ),
            models.CheckConstraint(
                condition=Q(percent__isnull=True) | Q(percent__lte=100), name="staffing_change_percent_in_range"
            ),
            models.CheckConstraint(
                condition=Q(people__isnull=True) | Q(people__range=(1, MOST_JOINING)),
                name="staffing_change_people_in_range",
            ),
            models.CheckConstraint(
                condition=Q(hours_per_week__isnull=True) | Q(hours_per_week__gt=0, hours_per_week__lte=MOST_HOURS),
                name="staffing_change_hours_in_range",
            ),
            models.CheckConstraint(
                condition=Q(until_on__isnull=True) | Q(until_on__gte=F("from_on")),
                name="staffing_change_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(applied_at__isnull=True, applied_by__isnull=True)
                | Q(applied_at__isnull=False, applied_by__isnull=False, removed_at__isnull=True),
                name="staffing_change_applied_by_somebody",
            ),
            models.CheckConstraint(
                condition=~_in(NEVER_APPLIED) | Q(applied_at__isnull=True), name="staffing_change_never_closes_deals"
            ),
            # What was applied or removed makes room for another.
            models.UniqueConstraint(
                fields=["scenario", "opportunity"], condition=_PENDING & _in(OUTCOMES),
                name="staffing_change_one_outcome_per_deal",
            ),
            models.UniqueConstraint(
                fields=["scenario", "opportunity"], condition=_PENDING & _in([ChangeKind.SHIFT]),
                name="staffing_change_one_shift_per_deal",
            ),
            models.UniqueConstraint(
                fields=["scenario", "person"], condition=_PENDING & Q(person__isnull=False),
                name="staffing_change_once_per_person",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(self.get_kind_display())

    @property
    def is_pending(self) -> bool:
        """Whether it still supposes something."""
        return self.removed_at is None and self.applied_at is None

    @property
    def weeks_earlier(self) -> int:
        """By how many weeks it starts earlier."""
        return -(self.weeks or 0)
