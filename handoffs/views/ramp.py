"""Ramp plans: the list, a plan, the panel of a deal, and moving the kick-off."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from handoffs.models import RampPlan
from handoffs.ramp_access import readable_plan, workable_plan
from handoffs.ramp_forms import KickoffForm, PlanFilterForm
from handoffs.ramp_queries import BadCursor, plans_page, ramp_panel
from handoffs.services import ramp as services
from handoffs.services.ramp import Preview, StalePlan
from handoffs.views import ramp_pages as pages
from opportunities.access import readable_opportunity
from opportunities.views.answers import Request, today_of


@require_safe
@login_required
def plan_list(request: Request) -> HttpResponse:
    """Plans by kick-off, the earliest first."""
    form = PlanFilterForm(request.GET, owns_deals=request.user.side is not None)
    today = today_of(request)
    try:
        rows, after = plans_page(request.user, wanted=form.wanted(), today=today, after=request.GET.get("after", ""))
    except BadCursor:
        raise BadRequest(_("That page doesn’t exist. Start again from the first one."))
    context = {
        "form": form, "rows": rows, "today": today, "next_query": form.query(after=after) if after else "",
        "live_query": request.GET.urlencode(), "is_filtered": bool(request.GET),
    }  # fmt: skip
    template = "_plans" if request.htmx else "plans"
    return render(request, f"handoffs/ramp/{template}.html", context)


@require_safe
@login_required
def detail(request: Request, pk: int) -> HttpResponse:
    """One plan."""
    return pages.page(request, readable_plan(request.user, pk))


@require_safe
@login_required
def panel(request: Request, pk: int) -> HttpResponse:
    """The plan of a deal in short: a fragment for the deal page, or a page of its own."""
    deal = readable_opportunity(request.user, pk)
    today = today_of(request)
    context = {"panel": ramp_panel(deal, today=today), "deal": deal, "today": today}
    template = "_panel" if request.htmx else "panel"
    return render(request, f"handoffs/ramp/{template}.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def kickoff(request: Request, pk: int) -> HttpResponse:
    """Another day for the kick-off: first what would move and what can't, then the move."""
    plan = workable_plan(request.user, pk)
    form = KickoffForm(request.POST or None, plan=plan)
    if not form.is_bound or not form.is_valid():
        return pages.form_dialog(request, plan, "_kickoff_form", form)
    now, day = timezone.now(), form.cleaned_data["kickoff_on"]
    try:
        preview = services.preview_kickoff(plan, day, now)
        if request.POST.get("do") != "move" or form.cleaned_data["previewed"] != day:
            return _previewed(request, form, plan, preview)
        moved = services.move_kickoff(
            actor=request.user, plan=plan, kickoff_on=day, reason=form.cleaned_data["reason"],
            expected_version=form.cleaned_data["version"], now=now,
        )  # fmt: skip
    except ValidationError as error:
        form.take(error)
        return pages.form_dialog(request, plan, "_kickoff_form", form)
    except StalePlan as error:
        fresh = workable_plan(request.user, pk)
        form.see(fresh.version)
        again = services.preview_kickoff(fresh, day, now)
        return pages.form_dialog(request, fresh, "_kickoff_form", form, stale=error, preview=again)
    if moved.version == plan.version:
        return pages.done(request, plan, _("The kick-off is on that day already."))
    return pages.done(
        request, plan,
        _("The kick-off is on %(day)s now.") % {"day": date_format(moved.kickoff_on, "D j M Y")},
        undo=reverse("handoffs:ramp_kickoff_undo", args=[pk]),
    )  # fmt: skip


def _previewed(request: Request, form: KickoffForm, plan: RampPlan, preview: Preview) -> HttpResponse:
    form.show(form.cleaned_data["kickoff_on"])
    return pages.form_dialog(request, plan, "_kickoff_form", form, preview=preview)


@require_POST
@login_required
def undo_kickoff(request: Request, pk: int) -> HttpResponse:
    """Take the last move back."""
    plan = workable_plan(request.user, pk)
    try:
        back = services.undo_kickoff(actor=request.user, plan=plan, now=timezone.now())
    except pages.REFUSALS as error:
        return pages.refused(request, plan, error)
    return pages.done(
        request, plan, _("The kick-off is back on %(day)s.") % {"day": date_format(back.kickoff_on, "D j M Y")}
    )
