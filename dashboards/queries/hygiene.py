"""How well open deals are kept: counts of what is missing or late, each with the list behind it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import CharField, Q, Value
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrPromise

from accounts.models import User
from dashboards.queries.zones import MOST_COUNTED
from opportunities.models import Opportunity, StageKind
from opportunities.queries.zones import Zone

# From so many pushes on, a close date is a hope.
MANY_PUSHES = 3


def _open(condition: Q) -> Q:
    return Q(kind=StageKind.OPEN) & condition


BREACHES: Mapping[str, Zone] = {
    "past_close": Zone(_("Past the close date"), lambda today: _open(Q(close_date__lt=today))),
    "no_next_step": Zone(_("Without a next step"), lambda _today: _open(Q(next_step=""))),
    "late_step": Zone(_("Next step overdue"), lambda today: _open(~Q(next_step="") & Q(next_step_on__lt=today))),
    "pushed": Zone(_("Pushed three times or more"), lambda _today: _open(Q(push_count__gte=MANY_PUSHES))),
    "unowned": Zone(_("Without an owner"), lambda _today: _open(Q(owner__isnull=True))),
}
ICONS: Mapping[str, str] = {
    "past_close": "calendar-x",
    "no_next_step": "footprints",
    "late_step": "calendar-clock",
    "pushed": "chevrons-right",
    "unowned": "user-round-x",
}


@dataclass(frozen=True)
class Breach:
    """How many deals have one thing missing; ``deals`` is at most one more than ``MOST_COUNTED``."""

    key: str
    label: StrPromise
    icon: str
    deals: int


def breaches(user: User, *, today: dt.date) -> list[Breach]:
    """Counts over the open deals that the person may see, without those put to sleep. One query."""
    awake = Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=today)
    seen = Opportunity.objects.open().visible_to(user).filter(awake).order_by()
    first, *rest = [
        seen.filter(zone.deals(today))
        .annotate(breach=Value(key, output_field=CharField()))
        .values_list("breach", flat=True)[: MOST_COUNTED + 1]
        for key, zone in BREACHES.items()
    ]
    counts = Counter(first.union(*rest, all=True))
    return [Breach(key, zone.label, ICONS[key], counts[key]) for key, zone in BREACHES.items()]
