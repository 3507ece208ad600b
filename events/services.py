"""What administrators do about deliveries that were given up."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from events import names
from events.deliveries import told
from events.models import Delivery, DeliveryState
from events.recording import record

if TYPE_CHECKING:
    from accounts.models import User


class NotGivenUp(Exception):
    """The delivery is not (or no longer) given up: somebody was quicker, or it is still being tried."""


class ReasonMissing(Exception):
    """Discarding costs a reason."""


def retry_delivery(*, actor: User, delivery: Delivery, now: dt.datetime) -> Delivery:
    """Try again from the first attempt, at once. Raises NotGivenUp."""
    with transaction.atomic(durable=True):
        current = _given_up(delivery)
        record(names.DELIVERY_RETRIED, actor=actor, about=current, now=now, data=told(current))
        current.state = DeliveryState.PENDING
        current.attempts = 0
        current.due_at = now
        current.save(update_fields=["state", "attempts", "due_at"])
    return current


def discard_delivery(*, actor: User, delivery: Delivery, reason: str, now: dt.datetime) -> Delivery:
    """Leave it undone for good, and say why. Raises ReasonMissing, NotGivenUp."""
    if not reason.strip():
        raise ReasonMissing(_("Say why this may stay undone."))
    with transaction.atomic(durable=True):
        current = _given_up(delivery)
        current.state = DeliveryState.DISCARDED
        current.discarded_by = actor
        current.discard_reason = reason.strip()
        current.save(update_fields=["state", "discarded_by", "discard_reason"])
        data = {**told(current), "reason": current.discard_reason}
        record(names.DELIVERY_DISCARDED, actor=actor, about=current, now=now, data=data)
    return current


def _given_up(delivery: Delivery) -> Delivery:
    current = Delivery.objects.select_for_update().get(pk=delivery.pk)
    if current.state != DeliveryState.DEAD:
        raise NotGivenUp(_("This was already dealt with."))
    return current
