"""How actions answer: the part of the page that asked, as it is now; without htmx a redirect or a page of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from handoffs.engagement_queries import engagement_row
from handoffs.models import Engagement, Task
from handoffs.queries import deal_panel, task_row
from handoffs.services.engagements import StaleEngagement
from handoffs.services.tasks import StaleTask
from handoffs.states import IllegalTransition
from opportunities.models import Opportunity
from opportunities.views.answers import Request, trigger

PANEL_ID = "deal-panel"
# What every open part that shows engagements or tasks listens to, besides the live stream.
CHANGED = "handoffs-changed"
REFUSALS = (StaleTask, StaleEngagement, IllegalTransition, PermissionDenied, ValidationError)
MOST_KEPT = 2000  # characters of what was typed, given back with a refusal


@dataclass(frozen=True)
class Problem:
    """Why nothing was changed; ``about`` is the DOM id it belongs to, ``text`` what the person had typed."""

    sentence: str
    about: str
    action: str
    text: str = ""
    status: int = 409


def dom_id(thing: Model) -> str:
    """The id of the element that shows the thing."""
    return f"{thing._meta.model_name}-{thing.pk}"


def refused(error: Exception, thing: Model, action: str, *, text: str = "") -> Problem:
    """The problem that a service found: 422 when the input can be mended, 403 without the right, else 409."""
    if isinstance(error, ValidationError):
        return Problem(" ".join(error.messages), dom_id(thing), action, text, 422)
    return Problem(str(error), dom_id(thing), action, text, 403 if isinstance(error, PermissionDenied) else 409)


def unreadable(form: forms.Form, thing: Model, action: str, *, field: str = "") -> Problem:
    """The problem that a form found, with what was typed."""
    sentences = [str(sentence) for sentences in form.errors.values() for sentence in sentences]
    typed = str(form.data.get(field, ""))[:MOST_KEPT] if field else ""
    return Problem(" ".join(sentences), dom_id(thing), action, typed, 422)


def attempt(
    request: Request, thing: Engagement | Task, action: str, change: Callable[[], Any], *,
    said: str = "", undo: str = "", text: str = "",
) -> HttpResponse:  # fmt: skip
    """Run one service call and answer with what came of it."""
    try:
        change()
    except REFUSALS as error:
        return answer(request, thing, problem=refused(error, thing, action, text=text))
    return answer(request, thing, said=said, undo=undo)


def answer(
    request: Request, thing: Engagement | Task | Opportunity, *, said: str = "", undo: str = "",
    problem: Problem | None = None,
) -> HttpResponse:  # fmt: skip
    """The part of the page that asked, as it is now."""
    opportunity = thing if isinstance(thing, Opportunity) else thing.opportunity
    if not request.htmx:
        return _plain(request, opportunity, said, problem)
    target = request.htmx.target
    if target == PANEL_ID:
        return _told(panel(request, opportunity, problem=problem), problem, said, undo)
    if target == dom_id(thing) and isinstance(thing, (Task, Engagement)):
        return _told(_row(request, thing, problem), problem, said, undo)
    response = HttpResponse(status=problem.status if problem else 204)
    response.headers["HX-Reswap"] = "none"
    if problem is not None:
        return trigger(response, toast={"text": problem.sentence, "kind": "error"})
    return _told(response, None, said, undo)


def panel(request: Request, opportunity: Opportunity, *, problem: Problem | None = None) -> HttpResponse:
    """The panel of a deal: a fragment, or a page of its own without htmx."""
    now = timezone.now()
    fresh = Opportunity.objects.with_people().select_related("team", "region").get(pk=opportunity.pk)
    found = deal_panel(request.user, fresh, today=request.organisation.today(now), now=now)
    template = "handoffs/_panel.html" if request.htmx else "handoffs/deal_panel.html"
    return render(request, template, {"panel": found, "problem": problem}, status=problem.status if problem else 200)


def back(request: Request, opportunity: Opportunity) -> str:
    """Where a plain form came from, else the deal's panel."""
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return reverse("handoffs:deal_panel", args=[opportunity.pk])


def _told(response: HttpResponse, problem: Problem | None, said: str, undo: str) -> HttpResponse:
    """Tell other parts of the page that something changed, and the person what."""
    if problem is not None:
        return response
    events: dict[str, Any] = {CHANGED: {}}
    if said:
        events["toast"] = {"text": said, "undo": {"url": undo}} if undo else {"text": said}
    return trigger(response, **events)


def _row(request: Request, thing: Engagement | Task, problem: Problem | None) -> HttpResponse:
    now = timezone.now()
    context: dict[str, Any] = {"problem": problem, "today": request.organisation.today(now), "now": now}
    if isinstance(thing, Task):
        template, context["line"] = "handoffs/_task_row.html", task_row(request.user, thing.pk)
    else:
        template, context["row"] = "handoffs/_engagement_row.html", engagement_row(request.user, thing.pk, now=now)
    return render(request, template, context, status=problem.status if problem else 200)


def _plain(request: Request, opportunity: Opportunity, said: str, problem: Problem | None) -> HttpResponse:
    if problem is not None:
        return panel(request, opportunity, problem=problem)
    if said:
        messages.info(request, said)
    return redirect(back(request, opportunity))
