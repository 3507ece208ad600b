"""The filters that board, list, export and bulk edit share."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Q
from django.utils import timezone

from accounts.queries import organisation
from opportunities.models import Account, Opportunity, OpportunityQuerySet, StageKind
from opportunities.queries.rotting import rotting
from opportunities.queries.zones import ZONES

# The same expressions as the indexes, else PostgreSQL would not use them.
_DEAL_WORDS = SearchVector("name", "product", "external_id", config="simple")
_ACCOUNT_WORDS = SearchVector("name", config="simple")
_WORD = re.compile(r"\w+")
_MOST_WORDS = 8


@dataclass(frozen=True)
class DealFilter:
    """What to leave out; an empty field leaves out nothing."""

    pipeline_id: int | None = None
    stage_ids: tuple[int, ...] = ()
    kinds: tuple[str, ...] = ()
    temperatures: tuple[str, ...] = ()
    is_unforecasted: bool | None = None
    owner_id: int | None = None
    delivery_owner_id: int | None = None
    account_id: int | None = None
    service_line_id: int | None = None
    close_from: dt.date | None = None
    close_to: dt.date | None = None
    search: str = ""
    is_rotting: bool = False
    zone: str = ""  # a key of ``zones.ZONES``, as it is on a day
    zone_on: dt.date | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing but the pipeline is asked for."""
        return replace(self, pipeline_id=None) == DealFilter()

    def apply(self, deals: OpportunityQuerySet) -> OpportunityQuerySet:
        """The deals that match everything asked for. Rotting is asked of the present moment."""
        exact = {
            "pipeline_id": self.pipeline_id,
            "stage_id__in": self.stage_ids,
            "kind__in": self.kinds,
            "temperature__in": self.temperatures,
            "owner_id": self.owner_id,
            "delivery_owner_id": self.delivery_owner_id,
            "account_id": self.account_id,
            "service_line_id": self.service_line_id,
            "close_date__gte": self.close_from,
            "close_date__lte": self.close_to,
        }
        deals = deals.filter(**{name: value for name, value in exact.items() if value})
        if self.is_unforecasted is not None:
            deals = deals.filter(is_unforecasted=self.is_unforecasted)
        if self.is_rotting:
            deals = deals.filter(rotting(home=organisation(), now=timezone.now()))
        if self.zone and self.zone_on:
            deals = deals.filter(ZONES[self.zone].deals(self.zone_on))
        return matching(deals, self.search) if self.search else deals

    def kept_by(self) -> Q | None:
        """The filter on kept totals, or None when a part of it has no kept total."""
        unkept = (
            self.delivery_owner_id, self.account_id, self.close_from, self.close_to, self.search, self.is_rotting,
            self.zone,
        )  # fmt: skip
        if any(unkept) or self.is_unforecasted is not None:
            return None
        exact = {
            "stage_id__in": self.stage_ids,
            "kind__in": self.kinds,
            "temperature__in": self.temperatures,
            "owner_id": self.owner_id,
            "service_line_id": self.service_line_id,
        }
        return Q(**{name: value for name, value in exact.items() if value})

    def only_open(self) -> DealFilter:
        """The same, without closed deals."""
        return replace(self, kinds=(StageKind.OPEN,))


def matching(deals: OpportunityQuerySet, text: str) -> OpportunityQuerySet:
    """Deals whose name, product, external id or account begins with each of the words."""
    words = _WORD.findall(text.lower())[:_MOST_WORDS]
    if not words:
        return deals.none() if text.strip() else deals
    query = SearchQuery(" & ".join(f"{word}:*" for word in words), search_type="raw", config="simple")
    accounts = Account.objects.annotate(words=_ACCOUNT_WORDS).filter(words=query).order_by().values("pk")
    # A union, because PostgreSQL can't use two indexes of different tables for one "or".
    by_name = Opportunity.objects.annotate(words=_DEAL_WORDS).filter(words=query).order_by().values("pk")
    by_account = Opportunity.objects.filter(account__in=accounts).order_by().values("pk")
    return deals.filter(pk__in=by_name.union(by_account, all=True))


def matching_accounts(text: str) -> Q:
    """The filter for accounts whose name has words that begin like this."""
    words = _WORD.findall(text.lower())[:_MOST_WORDS]
    query = SearchQuery(" & ".join(f"{word}:*" for word in words), search_type="raw", config="simple")
    found = Account.objects.annotate(words=_ACCOUNT_WORDS).filter(words=query).order_by().values("pk")
    return Q(pk__in=found) if words else Q()
