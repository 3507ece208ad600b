"""The board."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.models import User
from accounts.queries import Rates
from events.tail import Position
from opportunities.forms.filters import BoardFilterForm
from opportunities.models import Pipeline, Stage
from opportunities.queries.board import (
    BadCursor,
    Column,
    board_columns,
    cards_among,
    changes_since,
    closed_since,
    column_page,
    position_now,
    stage_totals,
)
from opportunities.queries.filters import DealFilter
from opportunities.queries.totals import Total
from opportunities.views.answers import Request, rates_of, today_of
from opportunities.views.cards import rendered_card


@dataclass(frozen=True)
class Head:
    """A column's header."""

    stage: Stage
    total: Total
    rates: Rates
    today: dt.date

    @property
    def closed_since(self) -> dt.date | None:
        """From when closed deals are shown, for a column of closed deals."""
        return None if self.stage.is_open else closed_since(self.today)


@dataclass(frozen=True)
class Lane:
    """A column as the page shows it."""

    stage: Stage
    head: Head | None
    cards: list[SafeString]
    more_url: str | None


@login_required
@require_GET
def board(request: Request, key: str = "") -> HttpResponse:
    """A pipeline's board; without a key the first one's."""
    position = position_now()
    pipelines = list(Pipeline.objects.filter(is_active=True))
    pipeline = next((each for each in pipelines if each.key == key or not key), None)
    if pipeline is None:
        raise Http404(_("There is no such pipeline."))
    today = today_of(request)
    form = BoardFilterForm(request.GET, user=request.user)
    wanted = form.wanted(pipeline)
    rates = rates_of(request)
    stages = list(pipeline.stages.active().order_by("position"))
    columns = board_columns(request.user, pipeline=pipeline, stages=stages, wanted=wanted, rates=rates, today=today)
    query = _query(request)
    lanes = [
        _lane(column, Head(column.stage, column.total, rates, today), request.user, today, query) for column in columns
    ]
    context = {
        "pipeline": pipeline,
        "pipelines": pipelines,
        "form": form,
        "lanes": lanes,
        "stages": stages,
        "total": _sum(column for column in columns if column.stage.is_open),
        "rates": rates,
        "today": today,
        "wanted": wanted,
        "query": query,
        "position": position,
        "may_add": request.user.has_perm("opportunities.add"),
    }
    template = "opportunities/_board.html" if request.htmx and not request.htmx.boosted else "opportunities/board.html"
    return render(request, template, context)


@login_required
@require_GET
def column(request: Request, key: str, stage: int) -> HttpResponse:
    """The next cards of one column."""
    place = get_object_or_404(
        Stage.objects.active().select_related("pipeline"), pipeline__key=key, pk=min(stage, 2**62)
    )
    today = today_of(request)
    wanted = BoardFilterForm(request.GET, user=request.user).wanted(place.pipeline)
    try:
        deals, after = column_page(
            request.user, stage=place, wanted=wanted, today=today, after=request.GET.get("after", "")
        )
    except BadCursor as error:
        raise Http404(_("This page of the board does not exist.")) from error
    lane = _lane(Column(place, Total(), deals, after), None, request.user, today, _query(request))
    return render(request, "opportunities/_column_page.html", {"lane": lane})


@login_required
@require_GET
def changes(request: Request, key: str) -> HttpResponse:
    """What an open board needs to become current: headers, and the cards of deals that have changed.

    ``since`` is the position that the board was at, ``shown`` the deals whose cards it has.
    """
    pipeline = get_object_or_404(Pipeline, key=key)
    position = Position.parse(request.GET.get("since", ""))
    found = changes_since(position) if position else None
    if found is None or found.deal_ids is None:
        return HttpResponse(status=205)  # too much has changed: the board fetches itself anew
    today = today_of(request)
    wanted = BoardFilterForm(request.GET, user=request.user).wanted(pipeline)
    deals = cards_among(request.user, found.deal_ids, pipeline=pipeline, wanted=wanted, today=today)
    gone = _numbers(request.GET.get("shown", "")) & found.deal_ids - {deal.pk for deal in deals}
    context = {
        "position": found.position,
        "cards": [rendered_card(deal, user=request.user, today=today) for deal in deals],
        "gone": sorted(gone),
        "heads": heads(request, pipeline, wanted=wanted, today=today),
    }
    return render(request, "opportunities/_changes.html", context)


def heads(
    request: Request, pipeline: Pipeline, *, wanted: DealFilter, today: dt.date, stage_ids: Iterable[int] | None = None
) -> list[Head]:
    """The headers of some columns, or of all, with their totals as they are now."""
    rates = rates_of(request)
    totals = stage_totals(request.user, pipeline=pipeline, wanted=wanted, rates=rates, today=today)
    stages = pipeline.stages.active().order_by("position")
    if stage_ids is not None:
        stages = stages.filter(pk__in=stage_ids)
    return [Head(stage, totals.get(stage.pk, Total()), rates, today) for stage in stages]


def _lane(column: Column, head: Head | None, user: User, today: dt.date, query: str) -> Lane:
    more = None
    if column.after:
        address = reverse("opportunities:column", args=[column.stage.pipeline.key, column.stage.pk])
        more = f"{address}?{urlencode({'after': column.after})}{'&' + query if query else ''}"
    return Lane(
        stage=column.stage,
        head=head,
        cards=[rendered_card(deal, user=user, today=today) for deal in column.deals],
        more_url=more,
    )


def _query(request: Request) -> str:
    """The board's filters as they stand in the address."""
    kept = request.GET.copy()
    for name in ("after", "since", "shown"):
        kept.pop(name, None)
    return kept.urlencode()


def _sum(columns: Iterable[Column]) -> Total:
    total = Total()
    for each in columns:
        total.add(each.total)
    return total


def _numbers(text: str) -> frozenset[int]:
    parts = text.split(",")[:5000]
    return frozenset(int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 19)
