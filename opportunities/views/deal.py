"""The page of one deal."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.calendars import BusinessDays
from opportunities.access import readable_opportunity
from opportunities.models import Opportunity, StageChange
from opportunities.panels import panel_scripts, panel_styles, panels_of
from opportunities.queries.deal import (
    KINDS,
    files_of,
    last_open_stage,
    linkable_contacts,
    linked_contacts,
    stage_history,
    timeline,
)
from opportunities.queries.notice import LostNotice, notice_lost
from opportunities.services.files import may_remove
from opportunities.services.policies import legal_stages
from opportunities.views.answers import Request, today_of


@login_required
@require_GET
def detail(request: Request, pk: int) -> HttpResponse:
    """Everything about one deal."""
    deal = readable_opportunity(request.user, pk)
    context = {**base_context(request, deal), "panels": panels_of(deal)}
    context |= {"panel_styles": panel_styles(), "panel_scripts": panel_scripts()}
    for build in _SECTIONS.values():
        context |= build(request, deal)
    return render(request, "opportunities/deal.html", context)


@login_required
@require_GET
def section(request: Request, pk: int, name: str) -> HttpResponse:
    """One part of the page, for a screen that was told of a change."""
    if name not in _SECTIONS:
        raise Http404(_("There is no such part of the page."))
    deal = readable_opportunity(request.user, pk)
    context = base_context(request, deal) | _SECTIONS[name](request, deal)
    return render(request, f"opportunities/_deal_{name}.html", context)


def base_context(request: Request, deal: Opportunity) -> dict[str, Any]:
    """What every part of the page needs."""
    return {
        "deal": deal,
        "may_edit": request.user.has_perm("opportunities.edit", deal),
        "today": today_of(request),
    }


def _head(request: Request, deal: Opportunity) -> dict[str, Any]:
    stages = list(deal.pipeline.stages.active().order_by("position"))
    legal = {stage.pk for stage in legal_stages(deal)}
    today = today_of(request)
    return {
        "path": [(stage, stage.pk in legal, _place(stage.position, deal)) for stage in stages],
        "request_id": uuid.uuid4(),
        "days_in_stage": max((today - timezone.localdate(deal.stage_entered_at)).days, 0),
        "is_snoozed": deal.is_snoozed(today),
    }


def _place(position: int, deal: Opportunity) -> str:
    """Whether a stage of the path was passed, is the present one, or lies ahead."""
    if position == deal.stage.position:
        return "now"
    return "past" if deal.is_open and position < deal.stage.position else "ahead"


def _people(request: Request, deal: Opportunity) -> dict[str, Any]:
    return {"contacts": linked_contacts(deal), "linkable": linkable_contacts(deal, request.user)}


def _files(request: Request, deal: Opportunity) -> dict[str, Any]:
    return {"files": [(file, may_remove(request.user, file)) for file in files_of(deal)]}


def _history(request: Request, deal: Opportunity) -> dict[str, Any]:
    history = stage_history(deal, now=timezone.now())
    lost = _notice_lost(request, deal, [stay.change for stay in history])
    return {
        "history": [(stay, lost.get(stay.change.pk)) for stay in history],
        "last_open_stage": last_open_stage(history),
        "notice_lost": sum(each.days for each in lost.values()),
    }


def _notice_lost(request: Request, deal: Opportunity, changes: list[StageChange]) -> dict[int, LostNotice]:
    """What the deal's steps cost delivery; most deals skip nothing and are written down in time, and need no query."""
    if not any(change.skipped or change.at < change.recorded_at for change in changes[:-1]):
        return {}
    home, stages = request.organisation, list(deal.pipeline.stages.active())
    return notice_lost(changes, stages, home=home, days=BusinessDays(home.calendar))


def _timeline(request: Request, deal: Opportunity) -> dict[str, Any]:
    kind = request.GET.get("kind", "")
    before = request.GET.get("before", "")
    key = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    chips = [
        ("", _("All")), ("comments", _("Comments")), ("stages", _("Stages")), ("changes", _("Changes")),
        ("files", _("Files")), ("delivery", _("Delivery")), ("client", _("Client")),
    ]  # fmt: skip
    return {
        "timeline": timeline(deal, request.user, kind=kind, before=key),
        "kind": kind if kind in KINDS else "",
        "is_next_page": key is not None,
        "chips": chips,
        "now": timezone.now(),
    }


_SECTIONS: dict[str, Callable[[Request, Opportunity], dict[str, Any]]] = {
    "head": _head,
    "facts": lambda request, deal: {},
    "people": _people,
    "files": _files,
    "history": _history,
    "timeline": _timeline,
}
