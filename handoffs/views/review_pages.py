"""How deal reviews are drawn, and how actions on them answer: the part that asked, a redirect, or the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.models import User
from handoffs.access import may_arrange
from handoffs.models import DealReview, ReviewDecision, ReviewState
from handoffs.review_forms import AnswersForm, VerdictForm
from handoffs.review_queries import DecisionDiff, ReviewPage, decision_diff, review_page, review_panel
from handoffs.services.reviews import StaleReview
from handoffs.states import IllegalTransition
from handoffs.views.answers import CHANGED
from opportunities.models import Opportunity
from opportunities.queries.people import people_who_see
from opportunities.views.answers import Request, trigger
from staffing.earliest_queries import early_promise

PANEL_ID = "review-panel"
# What the page of a review listens to: something was done in the dialog.
REVIEW_CHANGED = "review-changed"
REFUSALS = (StaleReview, IllegalTransition, PermissionDenied, ValidationError)


def status_of(error: Exception) -> int:
    """422 when the input can be mended, 403 without the right, else 409."""
    if isinstance(error, ValidationError):
        return 422
    return 403 if isinstance(error, PermissionDenied) else 409


def sentence_of(error: Exception) -> str:
    """What to say about a refusal."""
    return " ".join(error.messages) if isinstance(error, ValidationError) else str(error)


def done(request: Request, review: DealReview, said: str = "") -> HttpResponse:
    """Something changed: the part that asked, as it is now; without htmx back to where the form was."""
    if not request.htmx:
        if said:
            messages.info(request, said)
        return redirect(back(request, review))
    events: dict[str, Any] = {CHANGED: {}, "toast": {"text": said}} if said else {CHANGED: {}}
    if request.htmx.target == "dialog-body":
        return trigger(HttpResponse(status=204), **events, **{"dialog:close": {}, REVIEW_CHANGED: {}})
    if request.htmx.target == PANEL_ID:
        return trigger(panel(request, review.opportunity), **events)
    return trigger(page(request, review), **events)


def refused(request: Request, review: DealReview, error: Exception) -> HttpResponse:
    """Nothing changed, and why."""
    if request.htmx.target == PANEL_ID:
        return panel(request, review.opportunity, problem=sentence_of(error), status=status_of(error))
    return page(request, review, problem=sentence_of(error), status=status_of(error))


def page(
    request: Request,
    review: DealReview,
    *,
    problem: str = "",
    status: int = 200,
    answers: AnswersForm | None = None,
    verdict: VerdictForm | None = None,
    **more: Any,
) -> HttpResponse:
    """The review: what changes on its page for htmx, else the whole page."""
    now = timezone.now()
    found = review_page(request.user, review, now)
    if answers is None and found.may_answer:
        answers = answers_form(found)
    if verdict is None and found.may_decide and not found.decisions:
        verdict = verdict_form(found)
    context = {
        "page": found, "review": review, "deal": review.opportunity, "problem": problem, "now": now,
        "today": request.organisation.today(now), "form": answers or verdict, "answers": answers, "verdict": verdict,
        "versions": versions(found), "settleable": _settleable(request.user, review.opportunity, found.decision),
        "told": _told(found), "meeting_is_over": _is_over(review, found),
        "differing": [line for line in found.gaps if line.gap], "alike": [line for line in found.gaps if not line.gap],
        "promise": early_promise(review.opportunity), **more,
    }  # fmt: skip
    template = "_review" if request.htmx else "review"
    return render(request, f"handoffs/reviews/{template}.html", context, status=status)


def panel(request: Request, opportunity: Opportunity, *, problem: str = "", status: int = 200) -> HttpResponse:
    """The panel of a deal: a fragment, or a page of its own."""
    now = timezone.now()
    found = review_panel(request.user, opportunity, now)
    context = {
        "panel": found, "review": found.review, "deal": opportunity, "problem": problem, "now": now,
        "today": request.organisation.today(now),
        "settleable": _settleable(request.user, opportunity, found.decision),
    }  # fmt: skip
    template = "_panel" if request.htmx else "panel"
    return render(request, f"handoffs/reviews/{template}.html", context, status=status)


def answers_form(found: ReviewPage, data: Any = None) -> AnswersForm:
    """The questions as the reader's side has answered them so far."""
    own = {line.question.pk: line.mine for line in found.questions if line.mine is not None}
    return AnswersForm(data, questions=[line.question for line in found.questions], own=own)


def verdict_form(found: ReviewPage, data: Any = None) -> VerdictForm:
    """A first verdict, or a further version that begins with the one before."""
    newest = found.decision
    initial = {"verdict": newest.verdict, "summary": newest.summary} if newest else {}
    return VerdictForm(
        data, version=found.review.version, people=list(people_who_see(found.review.opportunity)),
        conditions=newest.conditions.all() if newest else (), initial=initial,
    )  # fmt: skip


def versions(found: ReviewPage) -> Sequence[DecisionDiff]:
    """What each version after the first changed, the newest first."""
    pairs = zip(found.decisions, found.decisions[1:], strict=False)
    return [decision_diff(old, new) for new, old in pairs]


def back(request: Request, review: DealReview) -> str:
    """Where a plain form came from, else the review."""
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return reverse("handoffs:review", args=[review.pk])


def _settleable(user: User, opportunity: Opportunity, decision: ReviewDecision | None) -> set[int]:
    """Conditions that the person may settle: all where they may arrange the review, else their own."""
    conditions = decision.conditions.all() if decision is not None else ()
    if may_arrange(user, opportunity):
        return {each.pk for each in conditions}
    return {each.pk for each in conditions if each.owner_id == user.pk}


def _told(found: ReviewPage) -> list[dict[str, Any]]:
    """Who was told when the clock had run out. One query where anybody was."""
    keys = {key for each in found.escalations for key in each.told}
    people = User.objects.in_bulk(keys) if keys else {}
    return [{"step": each, "people": [people[key] for key in each.told if key in people]} for each in found.escalations]


def _is_over(review: DealReview, found: ReviewPage) -> bool:
    is_settled = review.state in (ReviewState.AGREED, ReviewState.CANCELLED)
    return review.starts_at is not None and (review.starts_at <= found.now or is_settled)
