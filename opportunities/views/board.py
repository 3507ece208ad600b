"""The board."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.queries import Rates
from events.tail import Position
from opportunities.forms.filters import BoardFilterForm
from opportunities.models import Pipeline, Stage
from opportunities.queries.board import (
    BadCursor,
    Column,
    board_columns,
    briefs_among,
    changes_since,
    closed_since,
    column_page,
    position_now,
    stage_totals,
)
from opportunities.queries.filters import DealFilter
from opportunities.queries.totals import Total
from opportunities.views.answers import Request, rates_of, today_of
from opportunities.views.cards import drawn_cards


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
    every = Stage.objects.active().filter(pipeline__is_active=True).select_related("pipeline")
    every = every.order_by("pipeline__position", "pipeline__name", "position")
    pipelines = list({stage.pipeline_id: stage.pipeline for stage in every}.values())
    pipeline = next((each for each in pipelines if each.key == key or not key), None)
    if pipeline is None:
        raise Http404(_("There is no such pipeline."))
    stages = [stage for stage in every if stage.pipeline_id == pipeline.pk]
    today = today_of(request)
    form = BoardFilterForm(request.GET, user=request.user)
    wanted = form.wanted(pipeline)
    rates = rates_of(request)
    columns = board_columns(request.user, pipeline=pipeline, stages=stages, wanted=wanted, rates=rates, today=today)
    query = _query(request)
    lanes = _lanes(columns, [Head(each.stage, each.total, rates, today) for each in columns], request, query)
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
    lane = _lanes([Column(place, Total(), deals, after)], [None], request, _query(request))[0]
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
    deals = briefs_among(request.user, found.deal_ids, pipeline=pipeline, wanted=wanted, today=today)
    gone = _numbers(request.GET.get("shown", "")) & found.deal_ids - {deal.pk for deal in deals}
    context = {
        "position": found.position,
        "cards": drawn_cards(deals, user=request.user, today=today),
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


def _lanes(columns: Sequence[Column], heads: Sequence[Head | None], request: Request, query: str) -> list[Lane]:
    """The columns with their cards drawn, all of them at once."""
    briefs = [deal for column in columns for deal in column.deals]
    cards = iter(drawn_cards(briefs, user=request.user, today=today_of(request)))
    return [
        Lane(column.stage, head, list(islice(cards, len(column.deals))), _more_url(column, query))
        for column, head in zip(columns, heads, strict=True)
    ]


def _more_url(column: Column, query: str) -> str | None:
    if not column.after:
        return None
    address = reverse("opportunities:column", args=[column.stage.pipeline.key, column.stage.pk])
    return f"{address}?{urlencode({'after': column.after})}{'&' + query if query else ''}"


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
