"""The opportunity, called deal in the interface."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.access import audience_of
from accounts.models import Region, ServiceLine, Team, User
from accounts.models.organisation import validate_currency
from events.audience import Scope
from opportunities.models.clients import Account, Contact
from opportunities.models.pipeline import ForecastCategory, Pipeline, Stage, StageKind, Temperature


class UnforecastedReason(models.TextChoices):
    """Why a deal counts as un-forecasted."""

    FIRST_SEEN_WARM = "first_seen_warm", _("first seen at warm or hotter")
    COLD_TO_HOT = "cold_to_hot", _("cold to hot in one step")
    STAGE_SKIPPED = "stage_skipped", _("a stage was skipped")
    NOT_IN_SNAPSHOT = "not_in_snapshot", _("absent from the last forecast snapshot")
    CLOSE_PULLED_IN = "close_pulled_in", _("close date pulled in")
    WON_WITHOUT_REVIEW = "won_without_review", _("won without a review")


class LossReason(models.TextChoices):
    """Why a deal was lost; no decision is its own reason."""

    COMPETITOR = "competitor", _("Lost to a competitor")
    PRICE = "price", _("Price")
    SCOPE = "scope", _("Scope did not fit")
    TIMING = "timing", _("Timing")
    CAPACITY = "capacity", _("We had nobody to deliver")
    NO_DECISION = "no_decision", _("No decision")
    WITHDRAWN = "withdrawn", _("We withdrew")
    UNKNOWN = "unknown", _("Not known")


class OpportunityQuerySet(models.QuerySet["Opportunity"]):
    """Filters for deals; every read goes through ``visible_to``."""

    def visible_to(self, user: User) -> OpportunityQuerySet:
        """Deals of the person's teams, on which they are named, or of the service lines they deliver."""
        audience = audience_of(user)
        if audience.sees_all or audience.serves_all_lines:
            return self
        allowed = Q(owner=user) | Q(delivery_owner=user) | Q(team_id__in=audience.team_ids)
        if audience.is_delivery:
            allowed |= Q(service_line__isnull=True) | Q(service_line_id__in=audience.service_line_ids)
        return self.filter(allowed)

    def current(self) -> OpportunityQuerySet:
        """Deals that were not archived."""
        return self.filter(archived_at__isnull=True)

    def open(self) -> OpportunityQuerySet:
        """Deals still being worked."""
        return self.current().filter(kind=StageKind.OPEN)

    def shared_zone(self) -> OpportunityQuerySet:
        """Open deals in the One Team zone: warm or hot."""
        return self.open().filter(temperature__in=[Temperature.WARM, Temperature.HOT])

    def with_people(self) -> OpportunityQuerySet:
        """Joins what a card or row shows."""
        return self.select_related("account", "stage", "pipeline", "owner", "delivery_owner", "service_line")


class Opportunity(models.Model):
    """A possible sale being worked. Its stage is written by ``services.moves`` only."""

    name = models.CharField(_("name"), max_length=200)
    account = models.ForeignKey(
        Account, null=True, blank=True, on_delete=models.PROTECT, related_name="opportunities",
        verbose_name=_("account"),
    )  # fmt: skip
    contacts = models.ManyToManyField(Contact, blank=True, related_name="opportunities", verbose_name=_("contacts"))
    pipeline = models.ForeignKey(
        Pipeline, on_delete=models.PROTECT, related_name="+", verbose_name=_("pipeline"), db_index=False
    )
    stage = models.ForeignKey(
        Stage, on_delete=models.PROTECT, related_name="+", verbose_name=_("stage"), db_index=False
    )
    # Copied from the stage, so that lists and totals need no join; kept right by the service that moves.
    kind = models.CharField(max_length=8, choices=StageKind.choices, default=StageKind.OPEN)
    stage_entered_at = models.DateTimeField()
    temperature = models.CharField(_("temperature"), max_length=8, choices=Temperature.choices)
    temperature_override = models.CharField(max_length=8, choices=Temperature.choices, blank=True)
    temperature_reason = models.CharField(max_length=500, blank=True)
    probability = models.PositiveSmallIntegerField(_("probability in %"))
    forecast_category = models.CharField(_("forecast category"), max_length=16, choices=ForecastCategory.choices)
    amount = models.DecimalField(_("amount"), max_digits=15, decimal_places=2, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, validators=[validate_currency])
    close_date = models.DateField(_("close date"), null=True, blank=True)
    push_count = models.PositiveSmallIntegerField(_("times pushed"), default=0)
    start_on = models.DateField(_("expected start"), null=True, blank=True)
    closed_on = models.DateField(_("closed on"), null=True, blank=True)
    next_step = models.CharField(_("next step"), max_length=300, blank=True)
    next_step_on = models.DateField(_("next step on"), null=True, blank=True)
    description = models.TextField(_("what it is about"), blank=True, max_length=20_000)
    owner = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("sales owner")
    )
    delivery_owner = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("delivery owner"),
    )  # fmt: skip
    team = models.ForeignKey(
        Team,
        null=True,
        blank=True,
        db_index=False,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("sales team"),
    )
    service_line = models.ForeignKey(
        ServiceLine, null=True, blank=True, db_index=False, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("service line"),
    )  # fmt: skip
    region = models.ForeignKey(
        Region,
        null=True,
        blank=True,
        db_index=False,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("region"),
    )
    product = models.CharField(_("product"), max_length=120, blank=True)
    is_unforecasted = models.BooleanField(_("un-forecasted"), default=False)
    unforecasted_reasons = ArrayField(
        models.CharField(max_length=24, choices=UnforecastedReason.choices), default=list, blank=True
    )
    unforecasted_at = models.DateTimeField(null=True, blank=True)
    snoozed_until = models.DateField(_("snoozed until"), null=True, blank=True)
    snooze_reason = models.CharField(max_length=300, blank=True)
    loss_reason = models.CharField(_("loss reason"), max_length=16, choices=LossReason.choices, blank=True)
    loss_note = models.CharField(_("what happened"), max_length=1000, blank=True)
    source = models.CharField(_("source"), max_length=40, default="manual")
    external_id = models.CharField(_("external id"), max_length=120, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    objects = OpportunityQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["external_id"], condition=~Q(external_id=""), name="opportunities_external_id_unique"
            ),
            models.CheckConstraint(condition=Q(probability__lte=100), name="opportunities_probability_percent"),
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | Q(amount__gte=0), name="opportunities_amount_not_negative"
            ),
            models.CheckConstraint(condition=Q(kind__in=StageKind.values), name="opportunities_kind_known"),
            models.CheckConstraint(
                condition=Q(temperature__in=Temperature.values), name="opportunities_temperature_known"
            ),
            models.CheckConstraint(
                condition=~Q(kind="lost") | ~Q(loss_reason=""), name="opportunities_lost_has_reason"
            ),
            models.CheckConstraint(
                condition=Q(kind="open", closed_on__isnull=True) | (~Q(kind="open") & Q(closed_on__isnull=False)),
                name="opportunities_closed_on_when_closed",
            ),
            models.CheckConstraint(
                condition=Q(is_unforecasted=False) | Q(unforecasted_at__isnull=False),
                name="opportunities_unforecasted_since",
            ),
        ]
        indexes = [
            # Board columns and lists by close date; the filter keeps archived deals out of the index.
            models.Index(
                "stage", F("close_date").asc(nulls_last=True), "id",
                condition=Q(archived_at__isnull=True), name="opportunities_board",
            ),
            models.Index(
                "stage", F("closed_on").desc(), F("id").desc(),
                condition=Q(archived_at__isnull=True, closed_on__isnull=False), name="opportunities_closed",
            ),
            models.Index(
                F("amount").desc(nulls_last=True), F("id").desc(),
                condition=Q(archived_at__isnull=True), name="opportunities_by_amount",
            ),
            models.Index(
                F("close_date").asc(nulls_last=True), "id",
                condition=Q(archived_at__isnull=True, kind="open"), name="opportunities_open",
            ),
            models.Index(
                "owner", F("close_date").asc(nulls_last=True), "id",
                condition=Q(archived_at__isnull=True, kind="open"), name="opportunities_owner_open",
            ),
            models.Index(
                "team", F("close_date").asc(nulls_last=True), "id",
                condition=Q(archived_at__isnull=True, kind="open"), name="opportunities_team_open",
            ),
            models.Index(
                F("start_on").asc(nulls_last=True), "id",
                condition=Q(archived_at__isnull=True, kind="open", temperature__in=["warm", "hot"]),
                name="opportunities_upcoming",
            ),
            # Deals without a named start are expected some days after their close date.
            models.Index(
                F("close_date").asc(nulls_last=True), "id",
                condition=Q(
                    archived_at__isnull=True, kind="open", temperature__in=["warm", "hot"], start_on__isnull=True
                ),
                name="opportunities_upcoming_undated",
            ),
            models.Index(
                "id",
                condition=Q(
                    archived_at__isnull=True, kind="open", temperature__in=["warm", "hot"],
                    delivery_owner__isnull=True,
                ),
                name="opportunities_no_delivery",
            ),
            models.Index(
                "id",
                condition=Q(
                    archived_at__isnull=True, kind="open", temperature__in=["warm", "hot"], is_unforecasted=True
                ),
                name="opportunities_surprises",
            ),
            models.Index(F("updated_at").desc(), F("id").desc(), name="opportunities_recent"),
            GinIndex(
                SearchVector("name", "product", "external_id", config="simple"), name="opportunities_search"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        """Whether it is still being worked."""
        return self.kind == StageKind.OPEN

    @property
    def is_shared(self) -> bool:
        """Whether sales and delivery own it together: open, and warm or hot."""
        return self.is_open and self.temperature != Temperature.COLD

    @property
    def weighted_amount(self) -> Decimal | None:
        """Amount × probability, in the deal's currency."""
        if self.amount is None:
            return None
        return (self.amount * self.probability / 100).quantize(Decimal("0.01"))

    @property
    def unforecasted_labels(self) -> list[str]:
        """Why it is un-forecasted, in words."""
        return [str(UnforecastedReason(reason).label) for reason in self.unforecasted_reasons]

    def is_snoozed(self, today: dt.date) -> bool:
        """Whether somebody asked for quiet until a later day."""
        return self.snoozed_until is not None and self.snoozed_until > today

    def scope(self) -> Scope:
        """Where it belongs, for events."""
        named = (self.owner_id, self.delivery_owner_id)
        return Scope(
            opportunity_id=self.pk,
            team_id=self.team_id,
            service_line_id=self.service_line_id,
            user_ids=tuple(user for user in named if user is not None),
        )
