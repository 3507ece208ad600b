"""What was fixed towards the client before delivery came in."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from handoffs.services.exposure import exposure_of, rows_of
from handoffs.views.ledger import shown
from opportunities.access import readable_opportunity
from opportunities.views.answers import Request, today_of
from staffing.earliest_queries import early_promise


@require_safe
@login_required
def panel(request: Request, pk: int) -> HttpResponse:
    """The exposure of a deal: a fragment for the deal page, or a page of its own with the rows that say so."""
    deal = readable_opportunity(request.user, pk)
    found = exposure_of(deal, now=timezone.now())
    context = {
        "exposure": found,
        "rows": rows_of(found),
        "deal": deal,
        "today": today_of(request),
        "promise": early_promise(deal),
    }
    return shown(request, "exposure", context)
