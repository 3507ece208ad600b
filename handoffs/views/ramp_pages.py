"""How ramp plans are drawn, and how actions on them answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from handoffs.models import RampPlan
from handoffs.ramp_forms import RampForm
from handoffs.ramp_queries import ramp_page
from handoffs.services.ramp import DutiesOpen, ExitNotReady, StalePlan
from handoffs.states import IllegalTransition
from handoffs.views.answers import CHANGED
from opportunities.views.answers import Request, dialog, said, today_of, trigger

REFUSALS = (StalePlan, IllegalTransition, ExitNotReady, DutiesOpen, ValidationError)


def page(request: Request, plan: RampPlan, *, status: int = 200) -> HttpResponse:
    """The plan: what changes on its page for htmx, else the whole page."""
    found = ramp_page(request.user, plan, today=today_of(request))
    context = {"page": found, "plan": plan, "deal": plan.opportunity, "today": found.today}
    template = "_ramp" if request.htmx else "ramp"
    return render(request, f"handoffs/ramp/{template}.html", context, status=status)


def form_dialog(
    request: Request, plan: RampPlan, template: str, form: RampForm, *, stale: StalePlan | None = None, **more: Any
) -> HttpResponse:
    """A form about the plan in the dialog, or on a page of its own; what was typed stays."""
    status = 409 if stale else 422 if form.is_bound and form.errors else 200
    context: Mapping[str, Any] = {
        "form": form, "plan": plan, "deal": plan.opportunity, "today": today_of(request), "stale": stale, **more
    }  # fmt: skip
    return dialog(request, f"handoffs/ramp/{template}.html", context, status=status)


def done(request: Request, plan: RampPlan, sentence: str, *, undo: str = "", to: str = "") -> HttpResponse:
    """It is done: the page and the dialog take note; without htmx back to the plan."""
    if not request.htmx:
        messages.info(request, sentence)
        return redirect(to or reverse("handoffs:ramp", args=[plan.pk]))
    toast: dict[str, Any] = {"text": sentence}
    if undo:
        toast["undo"] = {"url": undo}
    response = HttpResponse(status=204)
    return trigger(response, **{CHANGED: {}, "dialog:close": {}, "toast": toast})


def refused(request: Request, plan: RampPlan, error: Exception, *, to: str = "") -> HttpResponse:
    """Nothing changed, and why."""
    sentence = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
    status = 422 if isinstance(error, ValidationError) else 409
    return said(request, sentence, status=status, back=to or reverse("handoffs:ramp", args=[plan.pk]))
