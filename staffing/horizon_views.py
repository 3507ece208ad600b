"""The horizon, what stands behind one of its cells, and the earliest safe start of a deal."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from opportunities.access import readable_opportunity
from opportunities.views.answers import Request, dialog, today_of
from staffing.earliest_queries import earliest_panel, early_promise
from staffing.horizon_queries import DEFAULT_WEEKS, MOVED_BY, WEEKS, cell_page, horizon_of, horizon_page
from staffing.models.needs import MOST_WEEKS
from staffing.scenario_queries import choices_for
from staffing.shortages import shortages as shortages_of


@require_safe
@login_required
def horizon(request: Request) -> HttpResponse:
    """Chances of overload by role and week, and how demand lies against capacity."""
    _require_reader(request)
    weeks = _weeks(request)
    inputs, found = horizon_of(request.organisation, today=today_of(request), weeks=weeks)
    role = _number(request.GET.get("role", ""))
    page = horizon_page(inputs, found, role=role, every="every" in request.GET)
    context = {"page": page, "weeks": weeks, "choices": WEEKS, "role": role, "today": today_of(request)}
    return render(request, "staffing/_horizon.html" if request.htmx else "staffing/horizon.html", context)


@require_safe
@login_required
def cell(request: Request, role: int) -> HttpResponse:
    """The deals behind one role in one week, this one unless another is named: in the dialog, or a page of its own."""
    _require_reader(request)
    weeks = _weeks(request)
    inputs, found = horizon_of(request.organisation, today=today_of(request), weeks=weeks)
    try:
        on = dt.date.fromisoformat(request.GET.get("week") or inputs.monday.isoformat())
        page = cell_page(request.user, inputs, found, role=role, on=on)
    except (LookupError, ValueError) as error:
        raise Http404(_("The horizon has no such role or week.")) from error
    context = {"page": page, "moved_by": MOVED_BY, "page_title": page.role.name, "weeks": weeks}
    context |= {"may_plan": request.user.has_perm("staffing.plan"), "scenarios": choices_for(request.user)}
    context["dialog_styles"] = ("css/horizon.css",)
    return dialog(request, "staffing/_horizon_cell.html", context)


@require_safe
@login_required
def shortages(request: Request) -> HttpResponse:
    """Which roles are short, from when, of how many, and because of which deals."""
    _require_reader(request)
    weeks, today = _weeks(request), today_of(request)
    inputs, found = horizon_of(request.organisation, today=today, weeks=weeks)
    lines = shortages_of(request.user, inputs, found)
    context = {"shortages": lines, "inputs": inputs, "weeks": weeks, "moved_by": MOVED_BY, "today": today}
    return render(request, "staffing/shortages.html", context)


@require_safe
@login_required
def earliest(request: Request, pk: int) -> HttpResponse:
    """When the deal can start safely: a fragment for the deal page, or a page of its own."""
    deal = readable_opportunity(request.user, pk)
    today = today_of(request)
    panel = earliest_panel(deal, home=request.organisation, today=today)
    template = "staffing/_earliest.html" if request.htmx else "staffing/earliest.html"
    return render(request, template, {"panel": panel, "promise": early_promise(deal), "deal": deal, "today": today})


def _require_reader(request: Request) -> None:
    if not request.user.has_perm("staffing.see"):
        raise PermissionDenied(_("The horizon is for delivery, executives and administrators."))


def _weeks(request: Request) -> int:
    return min(_number(request.GET.get("weeks", "")) or DEFAULT_WEEKS, MOST_WEEKS)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
