"""Suggesting a team for all needs of a deal, and people for one need side by side."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from opportunities.access import readable_opportunity
from opportunities.models import Opportunity
from opportunities.views.answers import Request, dialog, said, today_of
from staffing.access import readable_need, require_planner
from staffing.answers import saved
from staffing.comparison import MOST_COMPARED, compared
from staffing.services.teams import Pick, book_team
from staffing.states import IllegalTransition
from staffing.suggestions import LABELS, WEIGHTS, planned_span
from staffing.teams import TeamPage, suggested_team


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def team(request: Request, pk: int) -> HttpResponse:
    """Who could do it all, in the dialog; those who are ticked are booked together or not at all."""
    deal = readable_opportunity(request.user, pk)
    require_planner(request.user)
    back = reverse("staffing:need_panel", args=[deal.pk])
    found = suggested_team(deal, home=request.organisation, today=today_of(request))
    if request.method != "POST":
        return _dialog(request, deal, found)
    if not found.places:
        return said(request, _("Somebody is booked for each need already."), status=409, back=back)
    ticked = set(request.POST.getlist("member"))
    picks = [
        Pick(place.need, member.candidate.person, member.hours, place.first_on, place.last_on)
        for place in found.places
        for member in place.members
        if _name(place.need.pk, member.candidate.person.pk, str(member.hours)) in ticked
    ]
    if len(picks) < len(ticked):
        return _dialog(
            request, deal, found, [_("Something has changed meanwhile. This is who is free now.")], status=409
        )
    try:
        made = book_team(actor=request.user, opportunity=deal, picks=picks, now=timezone.now())
    except ValidationError as error:
        return _dialog(request, deal, found, error.messages, status=422)
    except IllegalTransition as error:
        return _dialog(request, deal, found, [str(error)], status=409)
    sentence = ngettext("%(count)d booking made", "%(count)d bookings made", len(made)) % {"count": len(made)}
    return saved(request, sentence, back=back)


@require_safe
@login_required
def candidates(request: Request, pk: int) -> HttpResponse:
    """Up to ten people for a need side by side, the best first."""
    need = readable_need(request.user, pk)
    require_planner(request.user)
    first_on, last_on = planned_span(need, home=request.organisation, today=today_of(request))
    page = compared(need, first_on=first_on, last_on=last_on, standard=request.organisation.calendar)
    context = {
        "need": need, "deal": need.opportunity, "page": page, "first_on": first_on, "last_on": last_on,
        "weights": [(LABELS[part], weight) for part, weight in WEIGHTS.items()], "most": MOST_COMPARED,
    }  # fmt: skip
    return render(request, "staffing/candidates.html", context)


def _dialog(
    request: Request, deal: Opportunity, found: TeamPage, errors: Sequence[str] = (), *, status: int = 200
) -> HttpResponse:
    lines = [
        (place, [(_name(place.need.pk, one.candidate.person.pk, str(one.hours)), one) for one in place.members])
        for place in found.places
    ]
    context = {
        "deal": deal, "page": found, "lines": lines, "errors": errors, "page_title": _("Suggest a team"),
        "dialog_styles": ("css/needs.css",),
        "ticked": set(request.POST.getlist("member")) if errors else None, "today": today_of(request),
    }  # fmt: skip
    return dialog(request, "staffing/_team.html", context, status=status)


def _name(need: int, person: int, hours: str) -> str:
    """What a tick stands for: with the hours, so that what is booked is what was seen."""
    return f"{need}-{person}-{hours}"
