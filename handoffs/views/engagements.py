"""Answering requests for delivery's involvement, and the list of them."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models.people import DELIVERY_ROLES
from handoffs.access import answerable_engagement
from handoffs.assignment import delivery_candidates
from handoffs.engagement_queries import BadCursor, engagements_page
from handoffs.forms import AnswerForm, DeclineForm, EngagementFilterForm, ReassignForm
from handoffs.queries import MOST_CANDIDATES
from handoffs.services import engagements as services
from handoffs.views.answers import answer, attempt, unreadable
from opportunities.views.answers import Request


@require_safe
@login_required
def engagement_list(request: Request) -> HttpResponse:
    """Engagements by state, owner and service line, newest request first."""
    form = EngagementFilterForm(request.GET, user=request.user)
    now = timezone.now()
    try:
        rows, after = engagements_page(request.user, wanted=form.wanted(), after=request.GET.get("after", ""), now=now)
    except BadCursor:
        raise BadRequest(_("That page doesn’t exist. Start again from the first one."))
    context = {"form": form, "rows": rows, "next_query": form.query(after=after) if after else "", "now": now}
    context |= {"today": request.organisation.today(now), "live_query": request.GET.urlencode()}
    template = "handoffs/_engagements.html" if request.htmx else "handoffs/engagements.html"
    return render(request, template, context)


@require_POST
@login_required
def accept(request: Request, pk: int) -> HttpResponse:
    """Delivery says yes."""
    engagement = answerable_engagement(request.user, pk)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return answer(request, engagement, problem=unreadable(form, engagement, "accept"))
    return attempt(
        request, engagement, "accept",
        lambda: services.accept_engagement(
            actor=request.user, engagement=engagement, expected_version=form.cleaned_data["version"],
            now=timezone.now(),
        ),
        said=_("You accepted “%(deal)s”.") % {"deal": engagement.opportunity.name},
    )  # fmt: skip


@require_POST
@login_required
def decline(request: Request, pk: int) -> HttpResponse:
    """Delivery says no, and why."""
    engagement = answerable_engagement(request.user, pk)
    form = DeclineForm(request.POST)
    if not form.is_valid():
        return answer(request, engagement, problem=unreadable(form, engagement, "decline", field="reason"))
    reason = form.cleaned_data["reason"]
    return attempt(
        request, engagement, "decline",
        lambda: services.decline_engagement(
            actor=request.user, engagement=engagement, reason=reason,
            expected_version=form.cleaned_data["version"], now=timezone.now(),
        ),
        said=_("You declined “%(deal)s”.") % {"deal": engagement.opportunity.name}, text=reason,
    )  # fmt: skip


@require_POST
@login_required
def reassign(request: Request, pk: int) -> HttpResponse:
    """Somebody else answers for delivery."""
    engagement = answerable_engagement(request.user, pk)
    candidates = delivery_candidates(engagement.opportunity, list(DELIVERY_ROLES))[:MOST_CANDIDATES]
    form = ReassignForm(request.POST, candidates=candidates)
    if not form.is_valid():
        return answer(request, engagement, problem=unreadable(form, engagement, "reassign"))
    owner = form.cleaned_data["delivery_owner"]
    return attempt(
        request, engagement, "reassign",
        lambda: services.reassign_engagement(
            actor=request.user, engagement=engagement, delivery_owner=owner,
            expected_version=form.cleaned_data["version"], now=timezone.now(),
        ),
        said=_("%(name)s answers for delivery now.") % {"name": owner},
    )  # fmt: skip


@require_POST
@login_required
def complete(request: Request, pk: int) -> HttpResponse:
    """Delivery has done its part before the win."""
    engagement = answerable_engagement(request.user, pk)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return answer(request, engagement, problem=unreadable(form, engagement, "complete"))
    return attempt(
        request, engagement, "complete",
        lambda: services.complete_engagement(
            actor=request.user, engagement=engagement, expected_version=form.cleaned_data["version"],
            now=timezone.now(),
        ),
        said=_("The engagement is complete."),
    )  # fmt: skip
