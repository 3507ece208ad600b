"""Upcoming deals, with filters and pages."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dashboards.forms import UpcomingFilterForm
from dashboards.queries.upcoming import BadCursor, upcoming_page
from opportunities.views.answers import Request


@require_safe
@login_required
def upcoming(request: Request) -> HttpResponse:
    """Warm and hot deals by expected start."""
    form = UpcomingFilterForm(request.GET)
    now = timezone.now()
    today = request.organisation.today(now)
    try:
        rows, after = upcoming_page(
            request.user, home=request.organisation, today=today, wanted=form.wanted(),
            after=request.GET.get("after", ""),
        )  # fmt: skip
    except BadCursor:
        raise BadRequest(_("That page doesn’t exist. Start again from the first one."))
    context = {"form": form, "upcoming": rows, "next_query": form.query(after=after) if after else ""}
    context |= {"today": today, "now": now, "live_query": request.GET.urlencode()}
    template = "dashboards/_upcoming_list.html" if request.htmx else "dashboards/upcoming.html"
    return render(request, template, context)
