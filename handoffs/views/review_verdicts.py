"""Verdicts of deal reviews: propose, sign, change, settle their conditions, go past them."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms.answers import accepted
from handoffs.access import answerable_review, readable_condition, readable_review
from handoffs.models import DealReview, ReviewDecision
from handoffs.review_forms import OverrideForm, SettleForm, SignForm, VerdictForm
from handoffs.review_queries import review_page
from handoffs.services import reviews as services
from handoffs.services.reviews import StaleReview
from handoffs.views import review_pages as pages
from opportunities.access import readable_opportunity
from opportunities.views.answers import Request, dialog


@require_http_methods(["GET", "POST"])
@login_required
def decide(request: Request, pk: int) -> HttpResponse:
    """Propose a verdict, or a further version of it."""
    review = answerable_review(request.user, pk)
    found = review_page(request.user, review, timezone.now())
    form = pages.verdict_form(found, request.POST or None)
    if not form.is_bound or form.is_arranging:
        if not found.may_decide:
            return redirect("handoffs:review", pk)
        return _form(request, review, form)
    if not form.is_valid():
        return _form(request, review, form, status=422)
    try:
        services.decide_review(
            actor=request.user, review=review, verdict=form.cleaned_data["verdict"],
            summary=form.cleaned_data["summary"], conditions=form.drafts, reason=form.cleaned_data["reason"],
            expected_version=form.cleaned_data["version"], now=timezone.now(),
        )  # fmt: skip
    except ValidationError as error:
        form.take(error)
        return _form(request, review, form, status=422)
    except StaleReview as error:
        form.see(error.current.version)
        return _form(request, readable_review(request.user, pk), form, status=409, met=_newest(review))
    except pages.REFUSALS as error:
        return pages.refused(request, review, error)
    said = _("Proposed. Both sides sign it now.")
    response = pages.done(request, readable_review(request.user, pk), said)
    if request.htmx:
        response.headers["HX-Retarget"] = "#review-work"
        response.headers["HX-Reswap"] = "outerHTML show:top"
    return response


@require_POST
@login_required
def sign(request: Request, pk: int) -> HttpResponse:
    """Sign the version that the person saw."""
    review, form = answerable_review(request.user, pk), SignForm(request.POST)
    if not form.is_valid():
        return pages.refused(request, review, ValidationError(_("Say which version you sign.")))
    try:
        decision = services.sign_decision(
            actor=request.user, review=review, number=form.cleaned_data["number"], now=timezone.now()
        )  # fmt: skip
    except pages.REFUSALS as error:
        return pages.refused(request, readable_review(request.user, pk), error)
    said = _("Signed. The review is agreed.") if decision.is_signed else _("Signed for your side.")
    return pages.done(request, readable_review(request.user, pk), said)


@require_http_methods(["GET", "POST"])
@login_required
def settle(request: Request, pk: int) -> HttpResponse:
    """Say what became of a condition."""
    condition = readable_condition(request.user, pk)
    review = condition.decision.review
    if not request.user.has_perm("handoffs.settle_condition", condition):
        raise PermissionDenied(_("The condition’s owner, or people of sales or delivery on this deal, settle it."))
    form = SettleForm(request.POST or None, initial={"note": condition.settled_note})
    status = 422 if form.is_bound else 200
    try:
        if accepted(
            form,
            lambda: services.settle_condition(
                actor=request.user, condition=condition, now=timezone.now(), **form.cleaned_data
            ),
        ):
            return pages.done(request, readable_review(request.user, review.pk), _("The condition is settled."))
    except StaleReview as error:
        form.add_error(None, _("There is a newer version of the verdict; settle the condition there."))
        status = pages.status_of(error)
    context = {"form": form, "condition": condition, "review": review, "deal": review.opportunity}
    context["page_title"] = _("Settle a condition")
    return dialog(request, "handoffs/reviews/_settle_form.html", context, status=status)


@require_http_methods(["GET", "POST"])
@login_required
def override(request: Request, pk: int) -> HttpResponse:
    """Let the deal be won without the agreed review."""
    opportunity = readable_opportunity(request.user, pk)
    if not request.user.has_perm("handoffs.override_review", opportunity):
        raise PermissionDenied(_("Only a sales manager can let a deal be won without its review."))
    form = OverrideForm(request.POST or None)
    made = []

    def save() -> None:
        made.append(
            services.override_review(
                actor=request.user, opportunity=opportunity, reason=form.cleaned_data["reason"], now=timezone.now()
            )
        )

    if accepted(form, save):
        return pages.done(request, made[0].review, _("The deal may be won without its review. It is counted."))
    context = {
        "form": form, "deal": opportunity, "page_title": _("Go past the review"), "verb": _("Go past the review"),
        "action": reverse("handoffs:review_override", args=[pk]),
    }  # fmt: skip
    return dialog(request, "opportunities/_action_form.html", context, status=422 if form.is_bound else 200)


def _form(
    request: Request, review: DealReview, form: VerdictForm, *, status: int = 200, met: ReviewDecision | None = None
) -> HttpResponse:
    """The form by itself for htmx, else on the page of the review."""
    if not request.htmx:
        return pages.page(request, review, verdict=form, status=status, met=met, is_deciding=True)
    found = review_page(request.user, review, timezone.now())
    context = {"form": form, "page": found, "review": review, "met": met, "is_amending": bool(found.decisions)}
    return render(request, "handoffs/reviews/_verdict_form.html", context, status=status)


def _newest(review: DealReview) -> ReviewDecision | None:
    return (
        review.decisions.order_by("-number").select_related("decided_by").prefetch_related("conditions__owner").first()
    )
