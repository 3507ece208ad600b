"""How actions on promises and risks answer: their panel as it is now, or without htmx a redirect or a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model
from django.http import HttpResponse
from django.shortcuts import redirect, render

from handoffs.services.commitments import StaleCommitment
from handoffs.services.risk_profiles import StaleProfile
from handoffs.services.risks import StaleRaidItem
from handoffs.states import IllegalTransition
from handoffs.views.answers import CHANGED, Problem, refused
from opportunities.models import Opportunity
from opportunities.views.answers import Request, dialog, trigger

Stale = (StaleCommitment, StaleRaidItem, StaleProfile)
REFUSALS = (*Stale, IllegalTransition, PermissionDenied, ValidationError)


@dataclass(frozen=True)
class Part:
    """A panel: the id of its element, the name of its address, and what shows it."""

    dom_id: str
    url_name: str
    show: Callable[[Request, Opportunity, Problem | None], HttpResponse]


def fresh(opportunity: Opportunity) -> Opportunity:
    """The deal as it stands after an action."""
    return Opportunity.objects.with_people().select_related("team", "region").get(pk=opportunity.pk)


def shown(request: Request, name: str, context: Mapping[str, Any], *, problem: Problem | None = None) -> HttpResponse:
    """The panel as a fragment, or the page that is made of it."""
    template = f"handoffs/ledger/_{name}.html" if request.htmx else f"handoffs/ledger/{name}.html"
    status = problem.status if problem else 200
    return render(request, template, {**context, "problem": problem}, status=status)


def attempt(
    request: Request,
    part: Part,
    thing: Model,
    opportunity: Opportunity,
    action: str,
    change: Callable[[], Any],
    *,
    said: str = "",
    undo: str = "",
    text: str = "",
) -> HttpResponse:
    """Run one service call and answer with what came of it."""
    try:
        change()
    except REFUSALS as error:
        return answer(request, part, opportunity, problem=refused(error, thing, action, text=text))
    return answer(request, part, opportunity, said=said, undo=undo)


def answer(
    request: Request,
    part: Part,
    opportunity: Opportunity,
    *,
    said: str = "",
    undo: str = "",
    problem: Problem | None = None,
) -> HttpResponse:
    """The panel when it asked; a toast for others; without htmx its page."""
    if not request.htmx:
        if problem is not None:
            return part.show(request, fresh(opportunity), problem)
        messages.info(request, said)
        return redirect(part.url_name, opportunity.pk)
    if request.htmx.target == part.dom_id:
        response = part.show(request, fresh(opportunity), problem)
        return response if problem else _told(response, said, undo)
    response = HttpResponse(status=problem.status if problem else 204)
    response.headers["HX-Reswap"] = "none"
    if problem is not None:
        return trigger(response, toast={"text": problem.sentence, "kind": "error"})
    return _told(response, said, undo)


def saved(request: Request, part: Part, opportunity: Opportunity, said: str) -> HttpResponse:
    """A dialog was saved: it closes, and every part of the page that shows the deal looks again."""
    if not request.htmx:
        messages.info(request, said)
        return redirect(part.url_name, opportunity.pk)
    return trigger(HttpResponse(status=204), **{CHANGED: {}, "dialog:close": {}, "toast": {"text": said}})


def form_dialog(
    request: Request, form: Any, opportunity: Opportunity, *, template: str, status: int = 200, **more: Any
) -> HttpResponse:
    """A form of the ledger in the dialog, or on a page of its own."""
    context = {"form": form, "deal": opportunity, **more}
    return dialog(request, f"handoffs/ledger/{template}", context, status=status)


def _told(response: HttpResponse, said: str, undo: str) -> HttpResponse:
    events: dict[str, Any] = {CHANGED: {}}
    if said:
        events["toast"] = {"text": said, "undo": {"url": undo}} if undo else {"text": said}
    return trigger(response, **events)
