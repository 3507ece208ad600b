"""Who may look after background work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from events.models import Delivery, DeliveryState

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


def given_up_deliveries(user: User | AnonymousUser) -> QuerySet[Delivery]:
    """What was given up, the oldest first. Raises PermissionDenied."""
    _require(user)
    return Delivery.objects.filter(state=DeliveryState.DEAD).select_related("event", "event__actor").order_by("id")


def repairable_delivery(user: User | AnonymousUser, pk: int) -> Delivery:
    """One delivery, in whatever state: a second press of a button is answered by the service.

    Raises PermissionDenied, Http404.
    """
    _require(user)
    return get_object_or_404(Delivery, pk=pk)


def _require(user: User | AnonymousUser) -> None:
    if not user.has_perm("events.repair"):
        raise PermissionDenied(_("Only administrators look after background work."))
