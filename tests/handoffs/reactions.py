"""Deals that move, and what follows, at times that the test chooses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.module_loading import import_string

from accounts.models import User
from events.models import Delivery, DeliveryState
from handoffs.models import Engagement, Task
from opportunities.models import Opportunity, StageChange
from opportunities.models.history import Source
from opportunities.services.moves import Move, move_to_stage, undo_move
from tests import factories

# A Monday morning, so that offsets in business days are easy to read.
MONDAY = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)
TUESDAY = MONDAY + dt.timedelta(days=1)
FRIDAY = MONDAY + dt.timedelta(days=4)
NEXT_MONDAY = MONDAY + dt.timedelta(days=7)


def owed() -> list[Delivery]:
    """Reactions that have not run, oldest event first."""
    waiting = Delivery.objects.filter(state__in=[DeliveryState.PENDING, DeliveryState.PUBLISHED])
    return list(waiting.select_related("event").order_by("event_id", "pk"))


def run(deliveries: Iterable[Delivery], now: dt.datetime = MONDAY) -> None:
    """Run the handlers in the given order, each in a transaction of its own; a delivery may come twice."""
    for delivery in deliveries:
        with transaction.atomic():
            import_string(delivery.handler)(event=delivery.event, now=now)
            Delivery.objects.filter(pk=delivery.pk).update(state=DeliveryState.DONE, done_at=now)


def react(now: dt.datetime = MONDAY) -> None:
    """Run everything that is owed, and what that brings about."""
    while deliveries := owed():
        run(deliveries, now)


def deal(at: str = "qualified", *, now: dt.datetime = MONDAY, **values: Any) -> Opportunity:
    """A deal as the factories make it, with everything that follows from it."""
    made = factories.deal(at, now=now, **values)
    react(now)
    return fresh(made)


def move(
    opportunity: Opportunity, to: str, *, now: dt.datetime = MONDAY, by: User | None = None, reacts: bool = True
) -> Move:
    """Move a deal through the service, with everything that follows unless told otherwise."""
    changes = {"loss_reason": "price"} if to == "lost" else {}
    moved = move_to_stage(
        actor=by or opportunity.owner or factories.alice(), opportunity=opportunity, stage=factories.stage(to),
        expected_version=None, now=now, changes=changes, reason="Because", source=Source.FORM,
    )  # fmt: skip
    if reacts:
        react(now)
    return moved


def undo(change: StageChange | None, *, reacts: bool = True) -> None:
    """Take a move back at once; how long ago it was is judged by the database's clock."""
    assert change is not None
    assert change.by is not None
    undo_move(actor=change.by, change=change, now=change.recorded_at)
    if reacts:
        react()


def fresh(opportunity: Opportunity) -> Opportunity:
    """The deal as it stands."""
    return Opportunity.objects.select_related("owner", "delivery_owner", "stage").get(pk=opportunity.pk)


def engagement_of(opportunity: Opportunity) -> Engagement:
    """The deal's only engagement."""
    return Engagement.objects.select_related("opportunity").get(opportunity=opportunity)


def states(opportunity: Opportunity) -> dict[str, str]:
    """State of each task by the key of its template."""
    return dict(Task.objects.filter(opportunity=opportunity).values_list("template__key", "state"))


def dues(opportunity: Opportunity) -> dict[str, dt.date]:
    """Due date of each task by the key of its template."""
    return dict(Task.objects.filter(opportunity=opportunity).values_list("template__key", "due_on"))


def task_of(opportunity: Opportunity, key: str) -> Task:
    """A task of the deal by the key of its template."""
    return Task.objects.select_related("opportunity", "engagement").get(opportunity=opportunity, template__key=key)
