"""The list of engagements: filtered, a page at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from accounts.models import User
from handoffs.models import Engagement, EngagementState, Task, TaskSide
from handoffs.queries import is_answer_late, open_counts

PAGE = 25


class BadCursor(ValueError):
    """The address of a page was cut or made up."""


@dataclass(frozen=True)
class EngagementFilter:
    """What the list of engagements shows; an empty field leaves out nothing."""

    states: tuple[str, ...] = ()
    delivery_owner_id: int | None = None
    service_line_id: int | None = None


@dataclass
class EngagementRow:
    """An engagement in a list, with how many tasks of each side are to be done."""

    engagement: Engagement
    is_late: bool
    may_answer: bool
    open_tasks: dict[str, int] = field(default_factory=dict)
    tasks: list[Task] = field(default_factory=list)

    @property
    def dom_id(self) -> str:
        """The id of the element that shows it."""
        return f"engagement-{self.engagement.pk}"


def engagement_row(user: User, pk: int, *, now: dt.datetime) -> EngagementRow:
    """One engagement with the tasks that it brings delivery, read again."""
    row = engagement_rows(user, [with_deal(Engagement.objects.filter(pk=pk)).get()], now=now)[0]
    if row.may_answer:
        row.tasks = list(row.engagement.tasks.open().exclude(side=TaskSide.SALES))
    return row


def engagement_rows(user: User, engagements: Iterable[Engagement], *, now: dt.datetime) -> list[EngagementRow]:
    """What a list shows of each; no query for those read by ``with_deal``."""
    return [
        EngagementRow(
            engagement=engagement,
            is_late=is_answer_late(engagement, now),
            may_answer=engagement.state == EngagementState.REQUESTED
            and user.has_perm("handoffs.answer_engagement", engagement),
        )
        for engagement in engagements
    ]


def engagements_page(
    user: User, *, wanted: EngagementFilter, now: dt.datetime, after: str = ""
) -> tuple[list[EngagementRow], str | None]:
    """Engagements that the person may see, newest request first, and the cursor after them. Raises BadCursor."""
    exact = {
        "state__in": wanted.states,
        "opportunity__delivery_owner_id": wanted.delivery_owner_id,
        "opportunity__service_line_id": wanted.service_line_id,
    }
    engagements = Engagement.objects.visible_to(user).filter(**{name: value for name, value in exact.items() if value})
    if after:
        engagements = engagements.filter(_beyond(after))
    found = list(with_deal(engagements).order_by("-requested_at", "-pk")[: PAGE + 1])
    rows = engagement_rows(user, found[:PAGE], now=now)
    counts = open_counts(row.engagement.opportunity_id for row in rows)
    for row in rows:
        row.open_tasks = counts.get(row.engagement.opportunity_id, {})
    last = found[PAGE - 1] if len(found) > PAGE else None
    return rows, f"{last.requested_at.isoformat()}~{last.pk}" if last else None


def with_deal(engagements: QuerySet[Engagement]) -> QuerySet[Engagement]:
    """Joins what a row shows."""
    return engagements.select_related(
        "opportunity__account", "opportunity__stage", "opportunity__owner", "opportunity__delivery_owner",
        "opportunity__service_line", "accepted_by",
    )  # fmt: skip


def _beyond(after: str) -> Q:
    moment, _separator, key = after.rpartition("~")
    try:
        at, number = dt.datetime.fromisoformat(moment), int(key)
    except ValueError as error:
        raise BadCursor(after) from error
    if at.tzinfo is None or not 0 < number < 2**63:
        raise BadCursor(after)
    return Q(requested_at__lt=at) | Q(requested_at=at, pk__lt=number)
