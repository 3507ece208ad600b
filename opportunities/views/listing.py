"""The deal list, its export, and the same change to many rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpResponse, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.queries import Rates
from opportunities.forms.filters import ListFilterForm
from opportunities.forms.lists import BulkForm
from opportunities.models import Account, SavedView, Stage, StageKind
from opportunities.queries.filters import DealFilter
from opportunities.queries.listing import (
    COLUMNS,
    USUAL,
    BadCursor,
    ColumnKind,
    Order,
    deal_page,
    in_order,
    listed,
)
from opportunities.queries.totals import Total, counted_totals, kept_totals
from opportunities.queries.zones import ZONES
from opportunities.services.bulk import MOST, BulkResult, TooMany, bulk_edit
from opportunities.services.export import MOST_XLSX, csv_lines, exported_rows, xlsx_file
from opportunities.views.answers import Request, dialog, rates_of, said, today_of
from opportunities.views.rows import drawn_rows

# What an address may carry besides filters.
# Filters behind “More”.
_MORE = ("pipeline", "stage", "delivery_owner", "service_line", "close_from", "close_to")
_PLACES = ("after", "before", "view", "csrfmiddlewaretoken")


@dataclass(frozen=True)
class Heading:
    """A column's head: where a click sorts to, and how it is sorted now."""

    column: ColumnKind
    url: str
    direction: str


@dataclass(frozen=True)
class Chosen:
    """What the address asks for."""

    form: ListFilterForm
    wanted: DealFilter
    order: Order
    columns: list[ColumnKind]
    views: list[SavedView]
    view: SavedView | None
    query: QueryDict
    rates: Rates

    def url(self, **changes: str) -> str:
        """The list's address with some parts changed; an empty value takes a part away."""
        query = self.query.copy()
        for name in ("after", "before"):
            query.pop(name, None)
        for name, value in changes.items():
            query.pop(name, None)
            if value:
                query[name] = value
        return f"?{query.urlencode()}"


@login_required
@require_GET
def deal_list(request: Request) -> HttpResponse:
    """Deals with filters, order, chosen columns and saved views."""
    chosen = _chosen(request)
    deals = listed(request.user, chosen.wanted)
    try:
        page = deal_page(deals, chosen.order, after=request.GET.get("after", ""), before=request.GET.get("before", ""))
    except BadCursor:
        # A page of another order, or a made-up one: the first page serves.
        page = deal_page(deals, chosen.order)
    today = today_of(request)
    context = {
        **_surroundings(request, chosen),
        "page": page,
        "rows": drawn_rows(page.deals, chosen.columns, user=request.user, today=today),
        "total": _total(request, chosen),
        "rates": chosen.rates,
        "today": today,
        "previous_url": chosen.url(before=page.before) if page.before else "",
        "next_url": chosen.url(after=page.after) if page.after else "",
        "headings": _headings(chosen),
    }
    template = "opportunities/_list.html" if request.htmx and not request.htmx.boosted else "opportunities/list.html"
    return render(request, template, context)


@login_required
@require_GET
def export(request: Request, kind: str) -> HttpResponseBase:
    """The filtered list as a file; only what the person may see."""
    chosen = _chosen(request)
    deals = in_order(listed(request.user, chosen.wanted), chosen.order)
    name = f"deals-{today_of(request).isoformat()}.{kind}"
    if kind == "csv":
        response: HttpResponseBase = StreamingHttpResponse(
            csv_lines(exported_rows(deals, chosen.columns)), content_type="text/csv; charset=utf-8"
        )
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response
    if deals[MOST_XLSX : MOST_XLSX + 1].exists():
        sentence = _("These are more than %(most)s deals. Take the CSV file, or narrow the list down first.")
        return said(request, sentence % {"most": f"{MOST_XLSX:,}"}, status=422, back=reverse("opportunities:list"))
    file = xlsx_file(exported_rows(deals, chosen.columns), title=_("Deals"))
    return FileResponse(file, as_attachment=True, filename=name)


@login_required
@require_POST
def bulk(request: Request) -> HttpResponse:
    """Change many deals; the answer names the rows that were left alone and why."""
    ids = _wanted_ids(request)
    stages = _stages()
    form = BulkForm(request.POST, user=request.user, stages=stages)
    back = reverse("opportunities:list")
    if not ids:
        return said(request, _("Choose some deals first."), status=422, back=back)
    if len(ids) > MOST:
        sentence = _("Up to %(most)d deals can be changed at once. Narrow the list down first.") % {"most": MOST}
        return said(request, sentence, status=422, back=back)
    if not form.is_valid():
        return dialog(request, "opportunities/_bulk_form.html", {"form": form, "ids": ids}, status=422)
    try:
        result = bulk_edit(
            actor=request.user, deal_ids=ids, now=timezone.now(), changes=form.changes,
            stage=form.cleaned_data["stage"], reason=form.cleaned_data["reason"],
        )  # fmt: skip
    except TooMany as error:
        return said(request, str(error), status=422, back=back)
    return _bulk_result(request, result)


@login_required
@require_POST
def bulk_form(request: Request) -> HttpResponse:
    """The question what to change, for the deals that were ticked."""
    ids = _wanted_ids(request)
    if not ids:
        return said(request, _("Choose some deals first."), status=422, back=reverse("opportunities:list"))
    if len(ids) > MOST:
        sentence = _("Up to %(most)d deals can be changed at once. Narrow the list down first.") % {"most": MOST}
        return said(request, sentence, status=422, back=reverse("opportunities:list"))
    form = BulkForm(user=request.user, stages=_stages())
    return dialog(request, "opportunities/_bulk_form.html", {"form": form, "ids": ids})


def _bulk_result(request: Request, result: BulkResult) -> HttpResponse:
    response = dialog(request, "opportunities/_bulk_result.html", {"result": result})
    response.headers["HX-Trigger-After-Settle"] = "deals-changed"
    return response


def _wanted_ids(request: Request) -> list[int]:
    """The rows that were ticked, or all that match the filter (one more than allowed tells that it is too many)."""
    if request.POST.get("all") == "1":
        query = QueryDict(request.POST.get("query", "")[:4000])
        wanted = _filter_form(request, query).wanted()
        return list(listed(request.user, wanted).order_by("pk").values_list("pk", flat=True)[: MOST + 1])
    given = [int(key) for key in request.POST.getlist("ids") if key.isascii() and key.isdigit() and len(key) < 19]
    return list(dict.fromkeys(given))


def _chosen(request: Request) -> Chosen:
    query = request.GET.copy()
    views = list(SavedView.objects.visible_to(request.user).select_related("owner"))
    view = next((each for each in views if str(each.pk) == query.get("view")), None)
    if view is not None and set(query) <= {"view", "after", "before"}:
        query = _query_of(view, query)
    form = _filter_form(request, query)
    keys = [key for key in query.getlist("columns") if key in COLUMNS] or list(USUAL)
    columns = [COLUMNS[key] for key in dict.fromkeys(["name", *keys])]
    order = Order.parse(query.get("sort", ""))
    return Chosen(form, form.wanted(), order, columns, views, view, query, rates_of(request))


def _query_of(view: SavedView, query: QueryDict) -> QueryDict:
    """What a view asks for, at the place in its pages that the address names."""
    asked = QueryDict(view.query, mutable=True)
    asked["view"] = str(view.pk)
    for name in ("after", "before"):
        if name in query:
            asked[name] = str(query[name])
    return asked


def _filter_form(request: Request, query: QueryDict) -> ListFilterForm:
    stages = _stages()
    pipelines = list({stage.pipeline_id: stage.pipeline for stage in stages if stage.pipeline.is_active}.values())
    return ListFilterForm(query, user=request.user, pipelines=pipelines, stages=stages)


def _stages() -> list[Stage]:
    return list(Stage.objects.active().select_related("pipeline").order_by("pipeline__position", "position"))


def _headings(chosen: Chosen) -> list[Heading]:
    headings = []
    for column in chosen.columns:
        now = chosen.order if chosen.order.key == column.key else None
        next_order = now.reversed() if now else Order(column.key, is_descending=column.is_figure)
        direction = ("descending" if now.is_descending else "ascending") if now else ""
        headings.append(Heading(column, chosen.url(sort=str(next_order)) if column.sort else "", direction))
    return headings


def _surroundings(request: Request, chosen: Chosen) -> dict[str, Any]:
    shown: Sequence[str] = [column.key for column in chosen.columns]
    kept = chosen.query.copy()
    for name in _PLACES:
        kept.pop(name, None)
    return {
        "form": chosen.form,
        "wanted": chosen.wanted,
        "columns": chosen.columns,
        "all_columns": [(column, column.key in shown) for column in COLUMNS.values() if column.key != "name"],
        "views": chosen.views,
        "view": chosen.view,
        "is_own_view": chosen.view is not None and chosen.view.owner_id == request.user.pk,
        "query": kept.urlencode(),
        "is_changed": chosen.view is not None and kept.urlencode() != QueryDict(chosen.view.query).urlencode(),
        "order": chosen.order,
        "most": MOST,
        "more_filters": sum(bool(chosen.form.cleaned_data.get(name)) for name in _MORE),
        "is_filtered": bool(set(kept) - {"sort", "columns"}),
        "account": _account(request, chosen),
        "without_account": chosen.url(account=""),
        "zone": ZONES.get(chosen.wanted.zone),
        "without_zone": chosen.url(zone=""),
        "may_add": request.user.has_perm("opportunities.add"),
    }


def _account(request: Request, chosen: Chosen) -> Account | None:
    """The account that the list is narrowed down to."""
    pk = chosen.wanted.account_id
    return Account.objects.visible_to(request.user).filter(pk=pk).first() if pk else None


def _total(request: Request, chosen: Chosen) -> Total:
    """Count and money of the whole list, not of the page."""
    kept = chosen.wanted.kept_by()
    if kept is None:
        parts = counted_totals(listed(request.user, chosen.wanted), rates=chosen.rates)
    else:
        parts = kept_totals(
            request.user,
            rates=chosen.rates,
            closed_since=None if chosen.wanted.kinds == (StageKind.OPEN,) else dt.date.min,
            pipeline_id=chosen.wanted.pipeline_id,
            filters=kept,
        )
    total = Total()
    for part in parts.values():
        total.add(part)
    return total
