"""The two circles: which deals are Sales', which are shared, which are Delivery's. Defined here and nowhere else.

**Sales**: open deals that are cold.
**One Team**: open deals that are warm or hot, and won deals of which a task of the "won" playbook is still open.
**Delivery**: other deals won since the start of the month three months ago, the period that the board shows too.

A deal is in at most one zone; lost deals and earlier wins are in none. One side acts **alone** on an open warm or hot
deal without a sales owner, without a delivery owner, or on which delivery has not accepted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import BooleanField, Case, Count, Exists, OuterRef, Q, Sum, Value, When
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.queries import Rates
from handoffs.models import Engagement, EngagementState, RampPlan
from opportunities.models import Opportunity, StageKind, Temperature
from opportunities.queries.board import closed_since
from opportunities.queries.totals import Total, kept_totals
from opportunities.queries.zones import Zone

SALES, ONE_TEAM, DELIVERY, ALONE = "sales", "one_team", "delivery", "alone"
# Counting stops here; more reads as “99+”.
MOST_COUNTED = 99
_SHARED = Q(kind=StageKind.OPEN, temperature__in=[Temperature.WARM, Temperature.HOT])


def _handover() -> Exists:
    """Whether the project does not stand yet: its ramp has not ended."""
    return Exists(RampPlan.objects.ramping().filter(opportunity=OuterRef("pk")))


def _asked() -> Exists:
    """Whether delivery still has to answer."""
    return Exists(Engagement.objects.filter(opportunity=OuterRef("pk"), state=EngagementState.REQUESTED))


def _answered() -> Exists:
    """Whether delivery has accepted, or has done its part."""
    answered = [EngagementState.ACCEPTED, EngagementState.ACTIVE, EngagementState.DONE]
    return Exists(Engagement.objects.filter(opportunity=OuterRef("pk"), state__in=answered, accepted_at__isnull=False))


def in_sales(_today: dt.date) -> Q:
    """Open and cold."""
    return Q(kind=StageKind.OPEN, temperature=Temperature.COLD)


def in_one_team(_today: dt.date) -> Q:
    """Open and warm or hot, or won while the project does not stand yet."""
    return _SHARED | Q(kind=StageKind.WON) & Q(_handover())


def in_delivery(today: dt.date) -> Q:
    """Won lately, and the project stands."""
    return Q(kind=StageKind.WON, closed_on__gte=closed_since(today)) & ~Q(_handover())


def alone(_today: dt.date) -> Q:
    """Shared, and one side is missing."""
    missing = Q(owner__isnull=True) | Q(delivery_owner__isnull=True) | Q(_asked()) | ~Q(_answered())
    return _SHARED & missing


ZONES: Mapping[str, Zone] = {
    SALES: Zone(_("Sales"), in_sales),
    ONE_TEAM: Zone(_("One Team"), in_one_team),
    DELIVERY: Zone(_("Delivery"), in_delivery),
    ALONE: Zone(_("One side acts alone"), alone),
}


def zone_of(deal: Opportunity) -> str:
    """The zone of a deal that has work waiting: an open task or an unanswered request."""
    if deal.kind == StageKind.OPEN and deal.temperature == Temperature.COLD:
        return SALES
    return ONE_TEAM


@dataclass
class Zones:
    """Count and money of each zone, in the base currency, and by stage."""

    sales: Total = field(default_factory=Total)
    one_team: Total = field(default_factory=Total)
    delivery: Total = field(default_factory=Total)
    open: Total = field(default_factory=Total)
    won: Total = field(default_factory=Total)
    handovers: int = 0
    by_stage: dict[int, Total] = field(default_factory=dict)

    @property
    def without_rate(self) -> int:
        """Deals that are counted but not priced, because their currency has no rate."""
        return self.open.without_rate + self.won.without_rate


def zone_totals(user: User, *, rates: Rates, today: dt.date, filters: Q | None = None) -> Zones:
    """The zones as this person sees them; ``filters`` may name owner_id, team_id and service_line_id.

    Three queries: kept totals, corrected by the deals that are being handed over, which an index knows.
    """
    since = closed_since(today)
    zones = Zones()
    for key, part in kept_totals(user, rates=rates, closed_since=since, filters=filters).items():
        if key.kind == StageKind.LOST:
            continue
        if key.kind == StageKind.WON:
            zones.won.add(part)
            zones.delivery.add(part)
        else:
            zones.open.add(part)
            (zones.sales if key.temperature == Temperature.COLD else zones.one_team).add(part)
        zones.by_stage.setdefault(key.stage_id, Total()).add(part)
    for is_recent, part in _handed_over(user, since=since, rates=rates, filters=filters):
        zones.one_team.add(part)
        zones.handovers += part.deals
        if is_recent:
            zones.delivery.add(_negative(part))
    return zones


def alone_count(user: User, *, filters: Q | None = None) -> int:
    """How many shared deals one side acts alone on, at most one more than ``MOST_COUNTED``.

    Each way of being alone has an index that knows the deals, so none looks through all of them. A deal that turned
    warm a moment ago counts once delivery has been asked.
    """
    seen = Opportunity.objects.shared_zone().visible_to(user)
    if filters is not None:
        seen = seen.filter(filters)
    asked = Engagement.objects.filter(state=EngagementState.REQUESTED, paused_at__isnull=True)
    declined = Engagement.objects.filter(state=EngagementState.DECLINED)
    ways = [
        seen.filter(pk__in=asked.values("opportunity_id")),
        seen.filter(~Q(_answered()), pk__in=declined.values("opportunity_id")),
        seen.filter(delivery_owner__isnull=True),
        seen.filter(owner__isnull=True),
    ]
    first, *rest = [way.order_by().values_list("pk")[: MOST_COUNTED + 1] for way in ways]
    return min(len(set(first.union(*rest, all=True))), MOST_COUNTED + 1)


def _handed_over(user: User, *, since: dt.date, rates: Rates, filters: Q | None) -> list[tuple[bool, Total]]:
    """Won deals whose handover is not done, apart by whether they were won in the period of the zones."""
    deals = Opportunity.objects.current().filter(_handover(), kind=StageKind.WON).visible_to(user)
    if filters is not None:
        deals = deals.filter(filters)
    rows = (
        deals.order_by()
        .annotate(
            is_recent=Case(
                When(closed_on__gte=since, then=Value(True)), default=Value(False), output_field=BooleanField()
            )
        )
        .values_list("is_recent", "currency")
        .annotate(deals=Count("pk"), unpriced=Count("pk", filter=Q(amount__isnull=True)), money=Sum("amount"))
    )
    return [(is_recent, _total(rates, currency, *counts)) for is_recent, currency, *counts in rows]


def _total(rates: Rates, currency: str, deals: int, unpriced: int, money: Decimal | None) -> Total:
    amount = rates.convert(money or Decimal(0), currency)
    if amount is None:
        return Total(deals=deals, unpriced=unpriced, without_rate=deals - unpriced)
    return Total(deals=deals, unpriced=unpriced, amount=amount, weighted=amount, currencies={currency})


def _negative(total: Total) -> Total:
    return Total(-total.deals, -total.amount, -total.weighted, -total.unpriced, -total.without_rate)
