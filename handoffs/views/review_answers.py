"""Answering the questions of a deal review, each side apart."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from handoffs.access import answerable_review, readable_review
from handoffs.models import DealReview
from handoffs.review_forms import AnswersForm
from handoffs.review_queries import ReviewPage, review_page
from handoffs.services import reviews as services
from handoffs.views import review_pages as pages
from opportunities.views.answers import Request


@require_http_methods(["GET", "POST"])
@login_required
def answer(request: Request, pk: int) -> HttpResponse:
    """Keep a draft, or hand in."""
    if request.method == "GET":
        return redirect("handoffs:review", readable_review(request.user, pk).pk)
    review = answerable_review(request.user, pk)
    found = review_page(request.user, review, timezone.now())
    form = pages.answers_form(found, request.POST)
    if not form.is_valid() or form.tell_clashes(_names(found)):
        return pages.page(request, review, answers=form, status=422)
    try:
        _save(request.user, review, form)
    except ValidationError as error:
        return _refused(request, review, form, error)
    except pages.REFUSALS as error:
        return pages.refused(request, review, error)
    said = _("Handed in.") if form.is_handing_in else _("Kept as a draft.")
    return pages.done(request, readable_review(request.user, pk), said)


@require_POST
@login_required
def take_back(request: Request, pk: int) -> HttpResponse:
    """Make the side's answers a draft again."""
    review = answerable_review(request.user, pk)
    try:
        services.take_back_answers(actor=request.user, review=review, now=timezone.now())
    except pages.REFUSALS as error:
        return pages.refused(request, review, error)
    return pages.done(request, readable_review(request.user, pk), _("Your side’s answers are a draft again."))


def _save(actor: User, review: DealReview, form: AnswersForm) -> None:
    services.save_answers(
        actor=actor, review=review, answers=form.changed, hand_in=form.is_handing_in, now=timezone.now()
    )  # fmt: skip


def _refused(request: Request, review: DealReview, form: AnswersForm, error: ValidationError) -> HttpResponse:
    """What is missing, at its place; what was typed is kept as a draft all the same."""
    if form.is_handing_in:
        services.save_answers(
            actor=request.user, review=review, answers=form.changed, hand_in=False, now=timezone.now()
        )  # fmt: skip
    if not hasattr(error, "error_dict"):
        return pages.refused(request, review, error)
    for name, sentences in error.message_dict.items():
        form.add_error(name if name in form.fields else None, sentences)
    form.accept_as_seen()
    return pages.page(request, review, answers=form, status=422)


def _names(found: ReviewPage) -> dict[int, str]:
    return {line.question.pk: str(line.mine.by) for line in found.questions if line.mine is not None}
