"""Count and money by stage, from the kept totals or counted from a filtered queryset."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Count, F, Q, Sum

from accounts.access import audience_of
from accounts.models import User
from accounts.queries import Rates
from opportunities.models import Opportunity, OpportunityQuerySet, StageTotal


@dataclass
class Total:
    """Deals and money in the base currency; deals in a currency without a rate are counted, not priced."""

    deals: int = 0
    amount: Decimal = Decimal(0)
    weighted: Decimal = Decimal(0)
    unpriced: int = 0
    without_rate: int = 0
    currencies: set[str] = field(default_factory=set)

    def add(self, other: Total) -> None:
        """Add another total to this one."""
        self.deals += other.deals
        self.amount += other.amount
        self.weighted += other.weighted
        self.unpriced += other.unpriced
        self.without_rate += other.without_rate
        self.currencies |= other.currencies


@dataclass(frozen=True)
class TotalKey:
    """What a total is kept by."""

    stage_id: int
    kind: str
    temperature: str


def kept_totals(
    user: User, *, rates: Rates, closed_since: dt.date | None, pipeline_id: int | None = None, filters: Q | None = None
) -> dict[TotalKey, Total]:
    """Totals of the deals that the person may see, by stage and temperature.

    Closed deals count from the month of ``closed_since``, or not at all where that is None. ``filters`` may name
    owner_id, team_id and service_line_id. Cost depends on the number of combinations, not of deals; two queries.
    """
    wanted, recent = Q(closed_month__isnull=True), Q(closed_on__isnull=True)
    if closed_since is not None:
        month = closed_since.replace(day=1)
        wanted, recent = wanted | Q(closed_month__gte=month), recent | Q(closed_on__gte=month)
    rows = StageTotal.objects.filter(wanted)
    if pipeline_id is not None:
        rows = rows.filter(pipeline_id=pipeline_id)
    if filters is not None:
        rows = rows.filter(filters)
    audience = audience_of(user)
    found: dict[TotalKey, Total] = {}
    if not (audience.sees_all or audience.serves_all_lines):
        by_place = Q(owner_id=user.pk) | Q(team_id__in=audience.team_ids)
        if audience.is_delivery:
            by_place |= Q(service_line_id__isnull=True) | Q(service_line_id__in=audience.service_line_ids)
        rows = rows.filter(by_place)
        # Deals that only the delivery owner's name makes visible are few, and not kept by that name.
        named = Opportunity.objects.current().filter(recent, delivery_owner=user)
        if pipeline_id is not None:
            named = named.filter(pipeline_id=pipeline_id)
        if filters is not None:
            named = named.filter(filters)
        _add_rows(found, _sums_of(named.exclude(_place(user))), rates)
    kept = (
        rows.values_list("stage_id", "kind", "temperature", "currency")
        .annotate(Sum("deals"), Sum("unpriced"), Sum("amount"), Sum("weighted"))
        .order_by()
    )
    _add_rows(found, kept, rates)
    return found


def counted_totals(deals: OpportunityQuerySet, *, rates: Rates) -> dict[TotalKey, Total]:
    """The same totals counted from a filtered queryset, for filters that no total is kept by."""
    found: dict[TotalKey, Total] = {}
    _add_rows(found, _sums_of(deals), rates)
    return found


def _place(user: User) -> Q:
    audience = audience_of(user)
    place = Q(owner=user) | Q(team_id__in=audience.team_ids)
    if audience.is_delivery:
        place |= Q(service_line__isnull=True) | Q(service_line_id__in=audience.service_line_ids)
    return place


_Row = tuple[int, str, str, str, int, int, Decimal | None, Decimal | None]


def _sums_of(deals: OpportunityQuerySet) -> Iterable[_Row]:
    return (
        deals.order_by()
        .values_list("stage_id", "kind", "temperature", "currency")
        .annotate(
            deals=Count("pk"),
            unpriced=Count("pk", filter=Q(amount__isnull=True)),
            money=Sum("amount"),
            weighted=Sum(F("amount") * F("probability") / Decimal(100)),
        )
    )


def _add_rows(found: dict[TotalKey, Total], rows: Iterable[_Row], rates: Rates) -> None:
    for stage_id, kind, temperature, currency, deals, unpriced, amount, weighted in rows:
        total = Total(deals=deals, unpriced=unpriced)
        converted = rates.convert(amount or Decimal(0), currency)
        if converted is None:
            total.without_rate = deals - unpriced
        else:
            total.amount = converted
            total.weighted = rates.convert(weighted or Decimal(0), currency) or Decimal(0)
            total.currencies = {currency} if deals - unpriced else set()
        found.setdefault(TotalKey(stage_id, kind, temperature), Total()).add(total)
