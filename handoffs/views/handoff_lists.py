"""Handoffs: all that a person may see, one of them, and the panel on the page of its deal."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from handoffs.engagement_queries import BadCursor
from handoffs.handoff_access import readable_handoff
from handoffs.handoff_forms import WAITS, HandoffFilterForm
from handoffs.handoff_page import list_rows, waiting_for
from handoffs.handoff_queries import HandoffFilter
from handoffs.handoff_queries import handoff_list as listed
from handoffs.views import handoff_pages as pages
from opportunities.access import readable_opportunity
from opportunities.views.answers import Request


@require_safe
@login_required
def handoff_list(request: Request) -> HttpResponse:
    """Handoffs by state and service line, newest first; or those that wait for the reader."""
    form = HandoffFilterForm(request.GET)
    now = timezone.now()
    today = request.organisation.today(now)
    wanted = HandoffFilter(
        states=() if form.waits_for_me else form.states, service_line_id=form.line,
        among=waiting_for(request.user, now) if form.waits_for_me else None,
    )  # fmt: skip
    try:
        rows, after = listed(request.user, wanted=wanted, today=today, after=request.GET.get("after", ""))
    except BadCursor:
        raise BadRequest(_("That page doesn’t exist. Start again from the first one."))
    context = {
        "form": form, "rows": list_rows(rows), "next_query": form.query(after=after) if after else "", "now": now,
        "today": today, "live_query": request.GET.urlencode(), "tabs": _tabs(form),
    }  # fmt: skip
    template = "_list" if request.htmx else "handoffs"
    return render(request, f"handoffs/handoff/{template}.html", context)


@require_safe
@login_required
def detail(request: Request, pk: int) -> HttpResponse:
    """One handoff: checklist, people at the client, approvals."""
    return pages.page(request, readable_handoff(request.user, pk))


@require_safe
@login_required
def panel(request: Request, pk: int) -> HttpResponse:
    """The handoff of a deal: a fragment for the deal page, or a page of its own."""
    return pages.panel(request, readable_opportunity(request.user, pk))


def _tabs(form: HandoffFilterForm) -> list[dict[str, object]]:
    """The states and what waits for the reader, as links."""
    chosen = form.cleaned_data.get("state") or ""
    line = form.data.get("service_line", "")
    keep = f"&service_line={form.line}" if line and form.line else ""
    tabs: list[dict[str, object]] = [
        {"url": f"?waits={WAITS}{keep}", "label": _("Waits for me"), "icon": "hand", "is_current": form.waits_for_me}
    ]
    for value, label in form.fields["state"].choices:  # type: ignore[attr-defined]
        is_current = not form.waits_for_me and value == chosen
        tabs.append({"url": f"?state={value}{keep}", "label": label, "is_current": is_current})
    return tabs
