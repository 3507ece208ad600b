"""How well deals are kept: what is missing on them, what that cost delivery, and who went past a gate."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards.queries.exceptions import DAYS, exceptions
from dashboards.queries.hygiene import breaches
from dashboards.queries.zones import MOST_COUNTED
from opportunities.queries.notice import notice_lost_since
from opportunities.views.answers import Request

MOST_SHOWN = 50


@require_safe
@login_required
def hygiene(request: Request) -> HttpResponse:
    """The page, for the deals that the reader may see."""
    home, now = request.organisation, timezone.now()
    lost = notice_lost_since(request.user, now - dt.timedelta(days=DAYS), home=home)
    context = {
        "breaches": breaches(request.user, home=home, now=now),
        "most_counted": MOST_COUNTED,
        "notice": lost[:MOST_SHOWN],
        "notice_days": sum(each.days for each in lost),
        "notice_more": max(len(lost) - MOST_SHOWN, 0),
        "exceptions": exceptions(request.user, now=now),
        "days": DAYS,
        "today": home.today(now),
    }
    return render(request, "dashboards/hygiene.html", context)
