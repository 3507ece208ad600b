"""The append-only timeline, and one row per reaction that is still owed."""

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from events.audience import Audience
from events.names import text_of


class EventQuerySet(models.QuerySet["Event"]):
    """Filters for timelines and feeds."""

    def visible_to(self, audience: Audience) -> "EventQuerySet":
        """The events that this person may learn of."""
        if audience.sees_all:
            return self
        allowed = (
            Q(opportunity_id__isnull=True) | Q(user_ids__contains=[audience.user_id]) | Q(team_id__in=audience.team_ids)
        )
        if audience.is_delivery:
            if audience.serves_all_lines:
                return self
            allowed |= Q(service_line_id__isnull=True) | Q(service_line_id__in=audience.service_line_ids)
        return self.filter(allowed)


class Event(models.Model):
    """One thing that happened. Rows are never changed or deleted; a trigger sees to it."""

    name = models.CharField(max_length=64)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=models.functions.Now())
    # The writing transaction: readers that must not miss a row wait until all older ones have ended.
    transaction_id = models.BigIntegerField(
        db_default=Cast(Cast(models.Func(function="pg_current_xact_id"), models.TextField()), models.BigIntegerField()),
        editable=False,
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    subject_kind = models.CharField(max_length=64)
    subject_id = models.BigIntegerField()
    # Plain numbers, not foreign keys: this app knows nothing of deals, teams and service lines.
    opportunity_id = models.BigIntegerField(null=True)
    team_id = models.BigIntegerField(null=True)
    service_line_id = models.BigIntegerField(null=True)
    user_ids = ArrayField(models.BigIntegerField(), default=list)
    data = models.JSONField(default=dict)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["opportunity_id", "-id"], name="events_of_opportunity"),
            models.Index(fields=["subject_kind", "subject_id", "-id"], name="events_of_subject"),
            models.Index(fields=["transaction_id", "id"], name="events_in_order_of_commit"),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.name}"

    @property
    def text(self) -> str:
        """The sentence people read."""
        return text_of(self.name, self.data)

    @property
    def topics(self) -> list[str]:
        """What an open page may be showing that this event changes."""
        topics = [self.name.partition(".")[0], f"{self.subject_kind}:{self.subject_id}"]
        if self.opportunity_id:
            topics += ["deals", f"opportunity:{self.opportunity_id}"]
        return list(dict.fromkeys(topics))


class DeliveryState(models.TextChoices):
    """Where one reaction stands."""

    PENDING = "pending", _("waiting")
    PUBLISHED = "published", _("on its way")
    DONE = "done", _("done")
    DEAD = "dead", _("given up")
    DISCARDED = "discarded", _("discarded")


class Delivery(models.Model):
    """One event owed to one handler. Done is written in the same transaction as the effect."""

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    handler = models.CharField(max_length=128)
    state = models.CharField(max_length=16, choices=DeliveryState.choices, default=DeliveryState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    # When the relay may (again) ring for this row: the backoff of a failure, or the end of a lease.
    due_at = models.DateTimeField(db_default=models.functions.Now())
    last_error = models.TextField(default="", blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    discarded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    discard_reason = models.CharField(max_length=500, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "handler"], name="events_one_delivery_per_handler"),
            models.CheckConstraint(condition=Q(state__in=DeliveryState.values), name="events_delivery_state_known"),
            models.CheckConstraint(
                condition=~Q(state="discarded") | ~Q(discard_reason=""), name="events_discard_has_reason"
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at", "id"],
                condition=Q(state__in=["pending", "published"]),
                name="events_delivery_due",
            ),
            # The oldest delivery that is still owed is asked for on every page.
            models.Index(fields=["id"], condition=Q(state__in=["pending", "published"]), name="events_delivery_open"),
            models.Index(fields=["id"], condition=Q(state="dead"), name="events_delivery_dead"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} → {self.handler} ({self.state})"

    @property
    def title(self) -> str:
        """What was to be done, in words: the name of the handler."""
        return self.handler.rpartition(".")[2].replace("_", " ").capitalize()


def subject_kind_of(subject: models.Model) -> str:
    """The name under which events speak of a model, such as ``opportunity``."""
    return str(subject._meta.model_name)


EventData = dict[str, Any]
