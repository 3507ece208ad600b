"""The home page: the two circles, what waits for the reader, and what their role needs first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import Organisation, ServiceLine, User
from accounts.queries import Rates, rates
from dashboards import layout
from dashboards.queries import zones as venn
from dashboards.queries.coowned import reviews_ahead
from dashboards.queries.hygiene import breaches
from dashboards.queries.needs import Needs, needs_of
from dashboards.queries.ramping import plans_ramping
from dashboards.queries.stages import open_by_stage, stage_lines
from dashboards.queries.upcoming import outlook, upcoming_page
from dashboards.queries.zones import Zones, alone_count, zone_totals
from opportunities.access import can_sell
from opportunities.queries.totals import Total
from opportunities.views.answers import Request

# Upcoming deals on the home page; the rest is a page of its own.
BRIEF = 8
# Things that wait, before the reader asks for the rest.
FIRST = 10


class Home:
    """What one request reads, each at most once."""

    def __init__(self, request: Request) -> None:
        self.user: User = request.user
        self.organisation: Organisation = request.organisation
        self.now: dt.datetime = timezone.now()
        self.today: dt.date = self.organisation.today(self.now)
        self.shows_all = "all" in request.GET

    @cached_property
    def rates(self) -> Rates:
        """Today's rates."""
        return rates(on=self.today, base=self.organisation.base_currency)

    @cached_property
    def zones(self) -> Zones:
        """The zones as this person sees them."""
        return zone_totals(self.user, rates=self.rates, today=self.today)

    @cached_property
    def needs(self) -> Needs:
        """What waits for this person."""
        return needs_of(self.user, home=self.organisation, now=self.now)

    @property
    def common(self) -> dict[str, Any]:
        """What every section needs."""
        return {"today": self.today, "now": self.now, "currency": self.organisation.base_currency}


@require_safe
@login_required
def home(request: Request) -> HttpResponse:
    """The page with all sections of the reader's roles."""
    page = Home(request)
    names = layout.sections_of(request.user)
    context = (
        page.common
        | _zones(page)
        | {"sections": [(name, _instead(name, names)) for name in names], "sees_whole": layout.sees_whole(request.user)}
    )
    for name in names:
        if not layout.is_later(name, names):
            context |= SECTIONS[name](page)
    context |= {"needs": page.needs, "may_add": bool(can_sell(request.user))}
    return render(request, "dashboards/home.html", context)


@require_safe
@login_required
def section(request: Request, name: str) -> HttpResponse:
    """One section, for a page that was told of a change."""
    if name not in SECTIONS:
        raise Http404(_("There is no such part of the page."))
    page = Home(request)
    context = page.common | SECTIONS[name](page) | {"sees_whole": layout.sees_whole(request.user), "is_fragment": True}
    return render(request, f"dashboards/_{name}.html", context)


def _instead(name: str, names: list[str]) -> str:
    """The page that shows the same as a section that is fetched later; nothing for the others."""
    return reverse(layout.LATER[name]) if layout.is_later(name, names) else ""


def _zones(page: Home) -> dict[str, Any]:
    zones = page.zones
    return {
        "zones": {
            "sales": _zone(page, venn.SALES, zones.sales, _("open and cold")),
            "shared": _zone(page, venn.ONE_TEAM, zones.one_team, _("warm, hot, or being handed over")),
            "delivery": _zone(page, venn.DELIVERY, zones.delivery, _("won in the last months")),
        },
        "totals": zones,
        "rates": page.rates,
        "alone": alone_count(page.user),
        "alone_url": zone_url(venn.ALONE),
        "most_counted": venn.MOST_COUNTED,
    }


def _zone(page: Home, key: str, total: Total, note: str) -> dict[str, Any]:
    """What the Venn shows of a zone."""
    currency = page.organisation.base_currency
    shown = {"count": total.deals, "amount": total.amount, "currency": currency, "url": zone_url(key), "note": note}
    return {**shown, "needs": page.needs.count_in(key)}


def zone_url(key: str) -> str:
    """The list of the deals in a zone."""
    return f"{reverse('opportunities:list')}?{urlencode({'zone': key})}"


def _needs(page: Home) -> dict[str, Any]:
    most = None if page.shows_all else FIRST
    hidden = 0 if page.shows_all else max(0, page.needs.count - FIRST)
    return {"needs": page.needs, "groups": page.needs.first(most), "hidden": hidden, "shows_all": page.shows_all}


def _stages(page: Home) -> dict[str, Any]:
    is_own = page.user.side == "sales" and not page.user.has_role(*_TEAM_ROLES)
    totals = page.zones.by_stage
    if is_own:
        totals = open_by_stage(page.user, rates=page.rates)
    return {"stages": stage_lines(totals), "stages_are_own": is_own}


def _hygiene(page: Home) -> dict[str, Any]:
    found = breaches(page.user, home=page.organisation, now=page.now)
    return {"breaches": found, "most_counted": venn.MOST_COUNTED}


def _upcoming(page: Home) -> dict[str, Any]:
    rows, after = upcoming_page(page.user, home=page.organisation, today=page.today, size=BRIEF)
    return {"upcoming": rows, "has_more": after is not None}


def _outlook(page: Home) -> dict[str, Any]:
    lines = ServiceLine.objects.filter(is_active=True)
    return {"outlook": outlook(page.user, home=page.organisation, today=page.today, lines=lines)}


def _reviews(page: Home) -> dict[str, Any]:
    rows, has_more = reviews_ahead(page.user, now=page.now, most=BRIEF)
    return {"coowned": rows, "has_more_reviews": has_more}


def _ramps(page: Home) -> dict[str, Any]:
    rows, has_more = plans_ramping(page.user, today=page.today, most=BRIEF)
    return {"ramping": rows, "has_more_plans": has_more}


def _totals(page: Home) -> dict[str, Any]:
    return _zones(page)


_TEAM_ROLES = tuple(role for role, names in layout.SECTIONS.items() if layout.HYGIENE in names)
SECTIONS: dict[str, Callable[[Home], dict[str, Any]]] = {
    "zones": _zones,
    layout.NEEDS: _needs,
    layout.STAGES: _stages,
    layout.HYGIENE: _hygiene,
    layout.UPCOMING: _upcoming,
    layout.OUTLOOK: _outlook,
    layout.REVIEWS: _reviews,
    layout.RAMPS: _ramps,
    layout.TOTALS: _totals,
}
