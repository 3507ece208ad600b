"""How well open deals are kept: counts of what is missing or late, each with the list behind it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import CharField, Q, Value
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrPromise

from accounts.models import Organisation, User
from dashboards.queries.zones import MOST_COUNTED
from opportunities.models import Opportunity, StageKind
from opportunities.queries.rotting import rotting
from opportunities.queries.zones import Zone

# From so many pushes on, a close date is a hope.
MANY_PUSHES = 3
ROTTING = "rotting"


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
    ROTTING: "hourglass",
}


@dataclass(frozen=True)
class Breach:
    """How many deals have one thing missing, and where they are listed; at most one more than ``MOST_COUNTED``."""

    key: str
    label: StrPromise
    icon: str
    deals: int
    url: str


def breaches(user: User, *, home: Organisation, now: dt.datetime) -> list[Breach]:
    """Counts over the open deals that the person may see, without those put to sleep. Three queries."""
    today = home.today(now)
    awake = Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=today)
    seen = Opportunity.objects.open().visible_to(user).filter(awake).order_by()
    wanted = {key: zone.deals(today) for key, zone in BREACHES.items()} | {ROTTING: rotting(home=home, now=now)}
    first, *rest = [
        seen.filter(condition)
        .annotate(breach=Value(key, output_field=CharField()))
        .values_list("breach", flat=True)[: MOST_COUNTED + 1]
        for key, condition in wanted.items()
    ]
    counts = Counter(first.union(*rest, all=True))
    found = [Breach(key, zone.label, ICONS[key], counts[key], _list(zone=key)) for key, zone in BREACHES.items()]
    # The list has a filter of its own for these, which needs the calendar.
    return [*found, Breach(ROTTING, _("Standing still"), ICONS[ROTTING], counts[ROTTING], _list(rotting="on"))]


def _list(**filters: str) -> str:
    return f"{reverse('opportunities:list')}?{urlencode(filters)}"
