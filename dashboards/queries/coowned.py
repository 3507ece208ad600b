"""What both owners of a deal hold together, side by side: its review, and what each of them still owes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_stubs_ext import StrPromise

from accounts.models import Role, Side, User
from handoffs.models import DealReview, ReviewCondition, TaskSide
from handoffs.queries import open_counts
from handoffs.review_queries import is_review_late, open_points
from opportunities.models import Opportunity

_OWED: Mapping[str, StrPromise] = {
    "answer": gettext_lazy("answer the questions"),
    "decide": gettext_lazy("decide together"),
    "sign": gettext_lazy("sign the verdict"),
}
OVERSEEING = (Role.SALES_MANAGER, Role.DELIVERY_MANAGER, Role.EXECUTIVE, Role.ADMINISTRATOR)


@dataclass(frozen=True)
class Half:
    """One side of a deal: who owns it there, and what that side still owes."""

    side: Side
    owner: User | None
    points: Sequence[str]


@dataclass(frozen=True)
class CoOwned:
    """A deal's running review with both sides' open points."""

    review: DealReview
    halves: Sequence[Half]
    is_late: bool

    @property
    def deal(self) -> Opportunity:
        """The deal that is reviewed."""
        return self.review.opportunity


def reviews_ahead(user: User, *, now: dt.datetime, most: int) -> tuple[list[CoOwned], bool]:
    """The first reviews that wait, by meeting or else by due time, and whether there are more. Five queries.

    Those who own deals see their own; managers, and those who own none, all that they may see.
    """
    running = DealReview.objects.running().filter(
        paused_at__isnull=True, opportunity__in=Opportunity.objects.open().visible_to(user)
    )
    if not user.has_role(*OVERSEEING):
        running = running.filter(Q(opportunity__owner=user) | Q(opportunity__delivery_owner=user))
    deal = ("opportunity__account", "opportunity__owner", "opportunity__delivery_owner", "opportunity__stage")
    found = list(running.select_related(*deal).order_by(Coalesce("starts_at", "due_at"), "pk")[: most + 1])
    shown = found[:most]
    points = open_points([review.opportunity for review in shown])
    tasks = open_counts(review.opportunity_id for review in shown)
    rows = []
    for review in shown:
        point, counts = points[review.opportunity_id], tasks.get(review.opportunity_id, {})
        halves = [_half(side, review, point.by_side[side.value], point.conditions, counts) for side in Side]
        rows.append(CoOwned(review, halves, is_review_late(review, now)))
    return rows, len(found) > most


def _half(
    side: Side, review: DealReview, owed: Sequence[str], conditions: Sequence[ReviewCondition],
    tasks: Mapping[str, int],
) -> Half:  # fmt: skip
    deal = review.opportunity
    owner = deal.owner if side == Side.SALES else deal.delivery_owner
    points = [str(_OWED[act]) for act in owed]
    own = sum(owner is not None and condition.owner_id == owner.pk for condition in conditions)
    if own:
        points.append(ngettext("%(n)d open condition", "%(n)d open conditions", own) % {"n": own})
    waiting = tasks.get(side.value, 0)
    if waiting:
        points.append(ngettext("%(n)d open task", "%(n)d open tasks", waiting) % {"n": waiting})
    shared = tasks.get(TaskSide.SHARED, 0)
    if shared:
        points.append(
            ngettext("%(n)d task with the other side", "%(n)d tasks with the other side", shared) % {"n": shared}
        )
    if owner is None:
        points.insert(0, _("nobody is named"))
    return Half(side, owner, points)
