"""The panel that the deal page embeds, and what it asks about."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from handoffs.forms import DatesForm
from handoffs.queries import moved_tasks
from handoffs.services import engagements
from handoffs.views.answers import Problem, answer, panel
from opportunities.access import readable_opportunity
from opportunities.views.answers import Request


@require_safe
@login_required
def deal_panel(request: Request, pk: int) -> HttpResponse:
    """Engagement and tasks of a deal: a fragment for the deal page, or a page of its own."""
    return panel(request, readable_opportunity(request.user, pk))


@require_POST
@login_required
def ask_in(request: Request, pk: int) -> HttpResponse:
    """Ask delivery in by hand."""
    opportunity = readable_opportunity(request.user, pk)
    if not request.user.has_perm("handoffs.ask_in"):
        raise PermissionDenied(_("Sales or a delivery manager asks delivery in."))
    try:
        engagements.ask_in(actor=request.user, opportunity=opportunity, now=timezone.now())
    except ValidationError as error:
        problem = Problem(" ".join(error.messages), f"opportunity-{pk}", "ask_in", status=409)
        return answer(request, opportunity, problem=problem)
    return answer(request, opportunity, said=_("Delivery is asked in."))


@require_safe
@login_required
def reschedule_preview(request: Request, pk: int) -> HttpResponse:
    """What a new close date or start would move, for a form that is not saved yet. Saves nothing."""
    opportunity = readable_opportunity(request.user, pk)
    form = DatesForm(request.GET)
    form.is_valid()
    for name in ("close_date", "start_on"):
        if name in request.GET and name in form.cleaned_data:
            setattr(opportunity, name, form.cleaned_data[name])
    now = timezone.now()
    context = {
        "moves": moved_tasks(opportunity, now=now),
        "problem": " ".join(str(error) for errors in form.errors.values() for error in errors),
        "today": request.organisation.today(now),
    }
    return render(request, "handoffs/_reschedule.html", context)
