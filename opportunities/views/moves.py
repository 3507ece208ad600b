"""Moving a deal, by drag, menu, keys or plain form; all of them come here."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from opportunities.access import editable_opportunity, readable_opportunity
from opportunities.forms.deals import MoveForm
from opportunities.forms.filters import BoardFilterForm
from opportunities.models import Opportunity, Stage, StageChange
from opportunities.models.history import Source
from opportunities.queries.filters import DealFilter
from opportunities.services.moves import CannotUndo, GateNotMet, Move, move_to_stage, undo_move
from opportunities.services.policies import IllegalMove, ReasonNeeded, demand_of, legal_stages
from opportunities.services.versions import Stale
from opportunities.views.answers import Request, dialog, today_of, trigger
from opportunities.views.board import heads
from opportunities.views.cards import drawn_card, replacing


class OrderForm(forms.Form):
    """Where to, and what the person saw when they said so."""

    stage = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    version = forms.IntegerField(min_value=1, max_value=2**31 - 1, required=False)
    seen = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
    request_id = forms.UUIDField(required=False)


@dataclass(frozen=True)
class Order:
    """A move that somebody asked for."""

    deal: Opportunity
    stage: Stage
    version: int | None
    seen: int | None
    request_id: uuid.UUID


@login_required
@require_http_methods(["GET", "POST"])
def move(request: Request, pk: int) -> HttpResponse:
    """Move a deal. GET offers the stages; POST moves, or asks for what is missing (422)."""
    deal = editable_opportunity(request.user, pk)
    if request.method == "GET":
        return _offer(request, deal)
    form = OrderForm(request.POST)
    stage = _stage(form)
    if stage is None:
        return _refused(request, deal, _("That stage does not exist any more."), legal_stages(deal))
    given = form.cleaned_data
    order = Order(deal, stage, given.get("version"), given.get("seen"), given.get("request_id") or uuid.uuid4())
    return _carry_out(request, order)


@login_required
@require_POST
def undo(request: Request, pk: int, change: int) -> HttpResponse:
    """Take back one's own newest move."""
    deal = editable_opportunity(request.user, pk)
    made = StageChange.objects.select_related("from_stage").filter(opportunity=deal, pk=min(change, 2**62)).first()
    if made is None:
        raise Http404(_("There is no such move."))
    try:
        undone = undo_move(actor=request.user, change=made, now=timezone.now())
    except CannotUndo as error:
        return _refused(request, deal, str(error), [])
    sentence = _("“%(name)s” is back in %(stage)s") % {"name": deal.name, "stage": undone.opportunity.stage.name}
    return _moved(request, undone, sentence, came_from=made.to_stage_id, offers_undo=False)


def _carry_out(request: Request, order: Order) -> HttpResponse:
    form = _question(request, order, is_answered=True) if "answered" in request.POST else None
    if form is not None and not form.is_valid():
        return _ask(request, order, form)
    given = form.cleaned_data if form else {}
    try:
        moved = move_to_stage(
            actor=request.user, opportunity=order.deal, stage=order.stage, expected_version=order.version,
            now=timezone.now(), changes=form.changes if form else {}, reason=given.get("reason", ""),
            bypass=given.get("bypass", False), source=Source.BOARD, request_id=order.request_id,
            seen_stage_id=order.seen,
        )  # fmt: skip
    except (GateNotMet, ReasonNeeded, ValidationError) as error:
        return _ask(request, order, _with_error(request, order, form, error))
    except IllegalMove as error:
        return _refused(request, order.deal, str(error), list(error.legal))
    except Stale as error:
        return _refused(request, error.current, _stale_sentence(error.current), [])
    except PermissionDenied as error:
        return _refused(request, order.deal, str(error), [], status=403)
    sentence = _("“%(name)s” moved to %(stage)s") % {"name": order.deal.name, "stage": moved.opportunity.stage.name}
    return _moved(request, moved, sentence, came_from=order.deal.stage_id, offers_undo=moved.change is not None)


def _question(request: Request, order: Order, *, is_answered: bool) -> MoveForm:
    """The fields that the move asks for as the deal stands, empty or with what the person answered."""
    demand = demand_of(order.deal, order.stage)
    may_bypass = bool(demand.missing) and request.user.has_perm("opportunities.bypass_gate")
    return MoveForm(
        user=request.user, deal=order.deal, missing=demand.missing, asks_reason=demand.reason, may_bypass=may_bypass,
        data=request.POST if is_answered else None,
    )  # fmt: skip


def _with_error(request: Request, order: Order, form: MoveForm | None, error: Exception) -> MoveForm:
    """The form to ask with; what was typed is kept, and each error stands at its field."""
    if form is None:
        form = _question(request, order, is_answered=isinstance(error, ValidationError))
        if not form.is_bound:
            return form
        form.is_valid()
    if isinstance(error, ValidationError):
        problems = error.message_dict if hasattr(error, "error_dict") else {"__all__": error.messages}
    elif isinstance(error, GateNotMet):
        problems = {item.field or "__all__": [item.sentence] for item in error.missing}
    else:
        problems = {"reason": [str(error)]}
    for name, sentences in problems.items():
        form.add_error(name if name in form.fields else None, sentences)
    return form


def _ask(request: Request, order: Order, form: MoveForm) -> HttpResponse:
    context = {"deal": order.deal, "stage": order.stage, "order": order, "form": form}
    return dialog(request, "opportunities/_move_form.html", context, status=422)


def _offer(request: Request, deal: Opportunity) -> HttpResponse:
    context = {"deal": deal, "stages": legal_stages(deal), "request_id": uuid.uuid4()}
    return dialog(request, "opportunities/_move_menu.html", context)


def _moved(request: Request, move: Move, sentence: str, *, came_from: int, offers_undo: bool) -> HttpResponse:
    deal = readable_opportunity(request.user, move.opportunity.pk)
    undo_url = reverse("opportunities:undo", args=[deal.pk, move.change.pk]) if move.change and offers_undo else None
    if not request.htmx:
        messages.info(request, sentence)
        return redirect("opportunities:detail", deal.pk)
    response = _fragments(request, deal, stages={came_from, deal.stage_id})
    toast = {"text": sentence, **({"undo": {"url": undo_url}} if undo_url else {})}
    return trigger(response, toast=toast, moved={"deal": deal.pk}, **{"dialog:close": {}})


def _refused(
    request: Request, deal: Opportunity, sentence: str, legal: list[Stage], *, status: int = 409
) -> HttpResponse:
    """Nothing was moved; the card as it is, why, and where it may go."""
    if legal:
        names = ", ".join(stage.name for stage in legal)
        sentence = _("%(why)s It can go to: %(stages)s.") % {"why": sentence, "stages": names}
    if not request.htmx:
        messages.error(request, sentence)
        return redirect("opportunities:detail", deal.pk)
    shown = readable_opportunity(request.user, deal.pk)
    response = _fragments(request, shown, stages={shown.stage_id}, status=status)
    return trigger(response, toast={"text": sentence, "kind": "error"}, **{"dialog:close": {}})


def _fragments(request: Request, deal: Opportunity, *, stages: set[int], status: int = 200) -> HttpResponse:
    """The card and the headers concerned, for whichever of them the page shows; nothing for a page without a board."""
    asking = urlsplit(request.htmx.current_url or "").path
    if asking and not asking.startswith(reverse("opportunities:board")):
        return HttpResponse(status=status, headers={"HX-Reswap": "none"})
    today = today_of(request)
    context = {
        "card": replacing(drawn_card(deal, user=request.user, today=today)),
        "heads": heads(request, deal.pipeline, wanted=_board_filter(request, deal), today=today, stage_ids=stages),
        "today": today,
    }
    response = render(request, "opportunities/_moved.html", context, status=status)
    response.headers["HX-Reswap"] = "none"
    return response


def _board_filter(request: Request, deal: Opportunity) -> DealFilter:
    """The filters of the board from which the move came, so that its headers stay true."""
    query = urlsplit(request.htmx.current_url or "").query
    if not query:
        return DealFilter(pipeline_id=deal.pipeline_id)
    return BoardFilterForm(QueryDict(query), user=request.user).wanted(deal.pipeline)


def _stale_sentence(deal: Opportunity) -> str:
    newest = deal.stage_changes.order_by("-number").select_related("by").first()
    who = newest.by.name if newest and newest.by else _("Somebody")
    words = {"who": who, "stage": deal.stage.name}
    return _("%(who)s moved this deal to %(stage)s in the meantime. It stays there; look at it and try again.") % words


def _stage(form: OrderForm) -> Stage | None:
    if not form.is_valid():
        return None
    return Stage.objects.filter(pk=form.cleaned_data["stage"]).select_related("pipeline").first()
