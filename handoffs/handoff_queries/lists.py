"""Handoffs of many deals."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Q

from accounts.models import User
from handoffs.engagement_queries import BadCursor
from handoffs.models import Handoff, Task, TaskState

PAGE = 25


@dataclass(frozen=True)
class HandoffFilter:
    """What the list shows; an empty field leaves out nothing. ``among`` narrows it further."""

    states: tuple[str, ...] = ()
    project_manager_id: int | None = None
    service_line_id: int | None = None
    mine: bool = False
    among: Q | None = None


@dataclass(frozen=True)
class HandoffRow:
    """A handoff in a list, with how far its checklist has come."""

    handoff: Handoff
    done: int
    total: int
    overdue: int

    @property
    def dom_id(self) -> str:
        """The id of the element that shows it."""
        return f"handoff-{self.handoff.pk}"


def handoff_list(
    user: User, *, wanted: HandoffFilter | None = None, today: dt.date, after: str = "", size: int = PAGE
) -> tuple[list[HandoffRow], str | None]:
    """Live handoffs that the person may see, newest first, and the cursor after them. Two queries. Raises BadCursor."""
    wanted = wanted or HandoffFilter()
    exact = {
        "state__in": wanted.states,
        "project_manager_id": wanted.project_manager_id,
        "opportunity__service_line_id": wanted.service_line_id,
    }
    found = (
        Handoff.objects.visible_to(user)
        .live()
        .filter(opportunity__archived_at__isnull=True, **{name: value for name, value in exact.items() if value})
        .select_related(
            "opportunity__account", "opportunity__owner", "opportunity__delivery_owner", "opportunity__service_line",
            "opportunity__stage", "project_manager", "ramp_plan",
        )
    )  # fmt: skip
    if wanted.mine:
        found = found.filter(Q(opportunity__owner=user) | Q(opportunity__delivery_owner=user) | Q(project_manager=user))
    if wanted.among is not None:
        found = found.filter(wanted.among)
    if after:
        found = found.filter(_beyond(after))
    handoffs = list(found.order_by("-opened_at", "-pk")[: size + 1])
    last = handoffs[size - 1] if len(handoffs) > size else None
    return _rows(handoffs[:size], today), f"{last.opened_at.isoformat()}~{last.pk}" if last else None


def _rows(handoffs: list[Handoff], today: dt.date) -> list[HandoffRow]:
    closed = Q(state__in=[TaskState.DONE, TaskState.WAIVED])
    counts = {
        handoff: numbers
        for handoff, *numbers in Task.objects.filter(handoff__in=handoffs)
        .exclude(state=TaskState.CANCELLED)
        .order_by()
        .values_list("handoff")
        .annotate(
            done=Count("pk", filter=closed),
            total=Count("pk"),
            overdue=Count("pk", filter=Q(state=TaskState.OPEN, due_on__lt=today)),
        )
    }
    return [HandoffRow(handoff, *counts.get(handoff.pk, (0, 0, 0))) for handoff in handoffs]


def _beyond(after: str) -> Q:
    moment, _separator, key = after.rpartition("~")
    try:
        at, number = dt.datetime.fromisoformat(moment), int(key)
    except ValueError as error:
        raise BadCursor(after) from error
    if at.tzinfo is None or not 0 < number < 2**63:
        raise BadCursor(after)
    return Q(opened_at__lt=at) | Q(opened_at=at, pk__lt=number)
