"""Deal reviews: the panel of a deal, the page of a review, and the calendar of all."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from handoffs import access
from handoffs.models import Trigger
from handoffs.review_calendar import WHO, agenda
from handoffs.review_forms import AskForm
from handoffs.services import reviews as services
from handoffs.views import review_pages as pages
from opportunities.access import readable_opportunity
from opportunities.views.answers import Request, said


@require_safe
@login_required
def panel(request: Request, pk: int) -> HttpResponse:
    """The review of a deal: a fragment for the deal page, or a page of its own."""
    return pages.panel(request, readable_opportunity(request.user, pk))


@require_POST
@login_required
def ask(request: Request, pk: int) -> HttpResponse:
    """Ask both sides to review the deal."""
    opportunity = readable_opportunity(request.user, pk)
    if not request.user.has_perm("handoffs.request_review", opportunity):
        raise PermissionDenied(_("People of sales or delivery on this deal ask for its review."))
    form = AskForm(request.POST)
    form.is_valid()
    try:
        review = services.request_review(
            actor=request.user, opportunity=opportunity, is_express=form.cleaned_data["is_express"],
            trigger=Trigger.ASKED, now=timezone.now(),
        )  # fmt: skip
    except pages.REFUSALS as error:
        if request.htmx.target == pages.PANEL_ID:
            return pages.panel(
                request, opportunity, problem=pages.sentence_of(error), status=pages.status_of(error)
            )  # fmt: skip
        return said(
            request, pages.sentence_of(error), status=pages.status_of(error),
            back=reverse("handoffs:review_panel", args=[pk]),
        )  # fmt: skip
    return pages.done(request, review, _("Both sides are asked."))


@require_safe
@login_required
def detail(request: Request, pk: int) -> HttpResponse:
    """One review: answers, gaps, verdict, meeting."""
    return pages.page(request, access.readable_review(request.user, pk))


@require_safe
@login_required
def calendar(request: Request) -> HttpResponse:
    """Reviews ahead by day, those without a meeting by when they are due, and what is late."""
    wanted = request.GET.get("who", "")
    who = wanted if wanted in WHO else _usual(request)
    now = timezone.now()
    context = {
        "agenda": agenda(request.user, who=who, now=now), "now": now, "today": timezone.localtime(now).date(),
        "who": who,
    }  # fmt: skip
    template = "_calendar" if request.htmx else "calendar"
    return render(request, f"handoffs/reviews/{template}.html", context)


def _usual(request: Request) -> str:
    """People above or beside both sides own no deals, so they see all; the others their own."""
    return "mine" if request.user.side else "all"
