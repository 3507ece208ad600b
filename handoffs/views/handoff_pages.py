"""How handoffs are drawn, and how actions on them answer: the part that asked, a redirect, or the page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from handoffs.handoff_access import readable_handoff
from handoffs.handoff_forms import ReasonForm, SubmitForm
from handoffs.handoff_page import blockers_in_words, handoff_page
from handoffs.handoff_queries import checklist_of
from handoffs.models import Handoff
from handoffs.services.approvals import NotReady
from handoffs.services.handoff import StaleHandoff, StaleRelationship
from handoffs.services.tasks import StaleTask
from handoffs.states import IllegalTransition
from handoffs.views.answers import CHANGED
from opportunities.models import Opportunity
from opportunities.views.answers import Request, trigger

PAGE_ID = "handoff-page"
# What the page of a handoff listens to: something was done in the dialog, or with a task.
HANDOFF_CHANGED = "handoff-changed"
STALE = (StaleHandoff, StaleRelationship, StaleTask)
REFUSALS = (*STALE, IllegalTransition, PermissionDenied, ValidationError)


def status_of(error: Exception) -> int:
    """422 when the input can be mended, 403 without the right, else 409."""
    if isinstance(error, NotReady):
        return 409
    if isinstance(error, ValidationError):
        return 422
    return 403 if isinstance(error, PermissionDenied) else 409


def sentence_of(error: Exception) -> str:
    """What to say about a refusal."""
    return " ".join(error.messages) if isinstance(error, ValidationError) else str(error)


def address(handoff_id: int | None) -> str:
    """The page of a handoff."""
    return reverse("handoffs:handoff", args=[handoff_id])


def done(request: Request, handoff_id: int, said: str, *, undo: str = "") -> HttpResponse:
    """Something changed: the page as it is now, or the dialog closes; without htmx back to the page."""
    if not request.htmx:
        messages.info(request, said)
        return redirect(address(handoff_id))
    toast: dict[str, Any] = {"text": said, "undo": {"url": undo}} if undo else {"text": said}
    if request.htmx.target == "dialog-body":
        return trigger(HttpResponse(status=204), toast=toast, **{"dialog:close": {}, HANDOFF_CHANGED: {}, CHANGED: {}})
    response = page(request, readable_handoff(request.user, handoff_id))
    return trigger(response, toast=toast, **{"dialog:close": {}})


def refused(request: Request, handoff_id: int, error: Exception) -> HttpResponse:
    """Nothing was changed: the page as it is now, and why."""
    handoff = readable_handoff(request.user, handoff_id)
    response = page(request, handoff, problem=sentence_of(error), status=status_of(error))
    if request.htmx:
        response.headers["HX-Retarget"] = f"#{PAGE_ID}"
        response.headers["HX-Reswap"] = "outerHTML"
    return response


def page(
    request: Request, handoff: Handoff, *, problem: str = "", status: int = 200, **forms: Any
) -> HttpResponse:  # fmt: skip
    """The handoff: what changes on its page for htmx, else the whole page. ``forms`` are those that were refused."""
    now = timezone.now()
    context = {
        "page": handoff_page(request.user, handoff, now), "handoff": handoff, "deal": handoff.opportunity,
        "plan": handoff.ramp_plan, "problem": problem, "today": request.organisation.today(now), "now": now,
        "submit_form": SubmitForm(initial={"version": handoff.version}, auto_id="submit-%s"),
        "recall_form": ReasonForm(auto_id="recall-%s"), "revise_form": ReasonForm(auto_id="revise-%s"), **forms,
    }  # fmt: skip
    context["trail"] = context["page"].trail
    context["blockers_in_words"] = blockers_in_words(len(context["page"].checklist.blockers))
    template = "_page" if request.htmx else "handoff"
    return render(request, f"handoffs/handoff/{template}.html", context, status=status)


def panel(request: Request, opportunity: Opportunity) -> HttpResponse:
    """The handoff on the page of its deal, or nothing; a page of its own without htmx."""
    found = live_handoff(request.user, opportunity)
    if found is None and request.htmx:
        return HttpResponse()
    now = timezone.now()
    context: dict[str, Any] = {"deal": opportunity, "handoff": found, "now": now}
    if found is not None:
        checklist = checklist_of(found)
        context |= {
            "checklist": checklist, "plan": found.ramp_plan, "today": request.organisation.today(now),
            "blockers_in_words": blockers_in_words(len(checklist.blockers)),
        }  # fmt: skip
    template = "_panel" if request.htmx else "panel"
    return render(request, f"handoffs/handoff/{template}.html", context)


def live_handoff(user: User, opportunity: Opportunity) -> Handoff | None:
    """The deal's handoff unless it rests; one query."""
    found = (
        Handoff.objects.live()
        .filter(opportunity=opportunity)
        .select_related("project_manager", "accepted_by", "ramp_plan")
        .first()
    )
    if found is not None:
        found.opportunity = opportunity
    return found
