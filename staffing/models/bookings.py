"""Who is planned for what: softly while a deal is open, hard once it is won."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from events.audience import Scope
from opportunities.models import Opportunity
from staffing.models.needs import MOST_NEEDED, StaffingNeed
from staffing.models.people import Person, WorkRole, sees_staffing


class BookingKind(models.TextChoices):
    """Soft: planned for a deal that may still be lost. Hard: agreed."""

    SOFT = "soft", _("Soft")
    HARD = "hard", _("Hard")


class BookingQuerySet(models.QuerySet["Booking"]):
    """Filters for bookings."""

    def visible_to(self, user: User) -> BookingQuerySet:
        """All for those who see staffing; for others those of their deals, and their own."""
        if sees_staffing(user):
            return self
        return self.filter(Q(opportunity__in=Opportunity.objects.visible_to(user)) | Q(person__user_id=user.pk))

    def live(self) -> BookingQuerySet:
        """Those that were not released."""
        return self.filter(released_at__isnull=True)

    def touching(self, since: dt.date, until: dt.date) -> BookingQuerySet:
        """Those with a day among these."""
        return self.filter(first_on__lte=until, last_on__gte=since)


class Booking(models.Model):
    """Hours a week of a person, or of a role while nobody is named, from a day to a day, both included.

    A deal's booking is soft until the win; work of our own (``title``, no deal) is always hard. Weeks that it touches
    only in part count by their working days.
    """

    role = models.ForeignKey(WorkRole, on_delete=models.PROTECT, related_name="+", verbose_name=_("role"))
    person = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="bookings", verbose_name=_("person")
    )
    opportunity = models.ForeignKey(
        Opportunity, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("deal")
    )
    need = models.ForeignKey(
        StaffingNeed, null=True, blank=True, on_delete=models.PROTECT, related_name="bookings", verbose_name=_("need")
    )
    title = models.CharField(_("what for"), max_length=120, blank=True)
    kind = models.CharField(_("kind"), max_length=8, choices=BookingKind.choices)
    hours_per_week = models.DecimalField(
        _("hours a week"), max_digits=4, decimal_places=1,
        validators=[MinValueValidator(Decimal("0.5")), MaxValueValidator(MOST_NEEDED)],
    )  # fmt: skip
    first_on = models.DateField(_("first day"))
    last_on = models.DateField(_("last day"))
    note = models.CharField(_("note"), max_length=300, blank=True)
    external_id = models.CharField(_("external id"), max_length=120, blank=True)
    # Monday of the week in which the deal's work was expected to start when these days were chosen: a soft booking
    # moves with the deal by the weeks from here.
    planned_from = models.DateField(null=True, blank=True)
    request_id = models.UUIDField(null=True, blank=True)
    booked_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # Released bookings are kept: those that a loss released come back when the deal does.
    released_at = models.DateTimeField(null=True, blank=True)
    released_with_deal = models.BooleanField(default=False)
    hardened_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    objects = BookingQuerySet.as_manager()

    class Meta:
        ordering = ["first_on", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["external_id"], condition=~Q(external_id=""), name="staffing_booking_external_id_unique"
            ),
            models.CheckConstraint(condition=Q(kind__in=BookingKind.values), name="staffing_booking_kind_known"),
            models.CheckConstraint(condition=Q(last_on__gte=F("first_on")), name="staffing_booking_ends_after_start"),
            models.CheckConstraint(
                condition=Q(hours_per_week__gt=0, hours_per_week__lte=MOST_NEEDED),
                name="staffing_booking_hours_in_range",
            ),
            models.CheckConstraint(
                condition=Q(opportunity__isnull=False) | ~Q(title=""), name="staffing_booking_is_for_something"
            ),
            models.CheckConstraint(
                condition=Q(opportunity__isnull=False) | Q(kind="hard"), name="staffing_soft_booking_has_deal"
            ),
            models.CheckConstraint(
                condition=Q(need__isnull=True) | Q(opportunity__isnull=False), name="staffing_booked_need_has_deal"
            ),
            models.CheckConstraint(
                condition=Q(released_with_deal=False) | Q(released_at__isnull=False),
                name="staffing_released_with_deal_is_released",
            ),
            models.UniqueConstraint(fields=["booked_by", "request_id"], name="staffing_booking_request_once"),
            # One booking per person, need and first day: a repeated request books once.
            models.UniqueConstraint(
                fields=["need", "person", "first_on"],
                condition=Q(need__isnull=False, person__isnull=False, released_at__isnull=True),
                name="staffing_need_booked_once_per_person",
            ),
        ]
        indexes = [
            models.Index("person", "last_on", condition=Q(released_at__isnull=True), name="staffing_booked_people"),
            models.Index("role", "last_on", condition=Q(released_at__isnull=True), name="staffing_booked_roles"),
            models.Index("opportunity", condition=Q(opportunity__isnull=False), name="staffing_booked_deals"),
        ]

    def __str__(self) -> str:
        return self.title or str(self.opportunity)

    @property
    def is_live(self) -> bool:
        """Whether it counts."""
        return self.released_at is None

    def scope(self) -> Scope:
        """That of its deal; of no deal where it has none."""
        return self.opportunity.scope() if self.opportunity is not None else Scope()
