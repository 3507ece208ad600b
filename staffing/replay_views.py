"""The replay of the horizon: what it said before each win, and how well past weeks were foreseen."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from opportunities.services.export import csv_lines
from opportunities.views.answers import Request, today_of
from staffing.models.needs import MOST_WEEKS
from staffing.replay_pictures import draw_back_test
from staffing.replay_queries import (
    DEFAULT_LEAD,
    DEFAULT_PERIOD,
    LEADS,
    LISTED,
    PERIODS,
    Replay,
    replay_of,
    weeks_table,
    wins_table,
)


@require_safe
@login_required
def replay(request: Request) -> HttpResponse:
    """Foreseen against came by week, figures, and the wins with what was seen 8, 4 and 2 weeks before."""
    chosen = _chosen(request)
    page = _found(request, chosen)
    is_whole = "every" in request.GET
    context = {
        "page": page, **chosen, "leads": LEADS, "periods": PERIODS,
        "picture": draw_back_test(page.test, page.chosen.row) if page.has_figures else None,
        "lines": page.lines if is_whole else page.lines[:LISTED], "is_whole": is_whole or len(page.lines) <= LISTED,
    }  # fmt: skip
    return render(request, "staffing/_replay.html" if request.htmx else "staffing/replay.html", context)


@require_safe
@login_required
def export(request: Request, table: str) -> StreamingHttpResponse:
    """The weeks by role, or the wins that the reader may see, as CSV."""
    page = _found(request, _chosen(request))
    rows = weeks_table(page) if table == "weeks" else wins_table(page)
    response = StreamingHttpResponse(csv_lines(rows), content_type="text/csv; charset=utf-8")
    name = f"replay-{table}-{today_of(request).isoformat()}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _found(request: Request, chosen: dict[str, Any]) -> Replay:
    if not request.user.has_perm("staffing.see"):
        raise PermissionDenied(_("The horizon is for delivery, executives and administrators."))
    try:
        return replay_of(request.user, request.organisation, today=today_of(request), **chosen)
    except LookupError as error:
        raise Http404(_("There is no such role.")) from error


def _chosen(request: Request) -> dict[str, Any]:
    """What is asked for; nonsense is taken for nothing."""
    lead, weeks = _number(request, "lead"), _number(request, "weeks")
    return {
        "lead": lead if lead in LEADS else DEFAULT_LEAD, "weeks": min(weeks or DEFAULT_PERIOD, MOST_WEEKS),
        "role": _number(request, "role"), "line": _number(request, "line"),
    }  # fmt: skip


def _number(request: Request, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
