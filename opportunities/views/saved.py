"""Saved views of the deal list."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from opportunities.access import own_view
from opportunities.forms.lists import ViewForm
from opportunities.models import SavedView
from opportunities.services.views import change_view, delete_view, save_view
from opportunities.views.answers import Request, dialog


@login_required
@require_http_methods(["GET", "POST"])
def new(request: Request) -> HttpResponse:
    """Keep the list as it is shown under a name."""
    form = ViewForm(request.POST or None, initial={"query": _plain(request.GET)}, auto_id="view_%s")
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            view = save_view(
                actor=request.user, name=given["name"], query=_plain(QueryDict(given["query"])),
                is_shared=given["is_shared"],
            )  # fmt: skip
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return _show(request, view, _("The view “%(name)s” is kept") % {"name": view.name})
    return dialog(
        request, "opportunities/_view_form.html",
        {"form": form, "page_title": _("Keep this view"), "action": reverse("opportunities:view_new")},
        status=422 if form.is_bound else 200,
    )  # fmt: skip


@login_required
@require_http_methods(["GET", "POST"])
def change(request: Request, pk: int) -> HttpResponse:
    """Rename or share one's own view, or give it the present filter."""
    view = own_view(request.user, pk)
    initial = {"name": view.name, "is_shared": view.is_shared, "query": view.query}
    form = ViewForm(request.POST or None, initial=initial, auto_id="view_%s")
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            view = change_view(
                actor=request.user, view=view, name=given["name"], is_shared=given["is_shared"],
                query=_plain(QueryDict(given["query"])) if "query" in request.POST else None,
            )  # fmt: skip
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return _show(request, view, _("The view “%(name)s” is kept") % {"name": view.name})
    return dialog(
        request, "opportunities/_view_form.html",
        {"form": form, "view": view, "page_title": view.name, "action": request.path},
        status=422 if form.is_bound else 200,
    )  # fmt: skip


@login_required
@require_POST
def delete(request: Request, pk: int) -> HttpResponse:
    """Forget one's own view."""
    view = own_view(request.user, pk)
    delete_view(actor=request.user, view=view)
    messages.info(request, _("The view “%(name)s” is gone") % {"name": view.name})
    return redirect("opportunities:list")


def _show(request: Request, view: SavedView, sentence: str) -> HttpResponse:
    address = f"{reverse('opportunities:list')}?view={view.pk}"
    if request.htmx:
        response = HttpResponse()
        response.headers["HX-Redirect"] = address
        return response
    return redirect(address)


def _plain(query: QueryDict) -> str:
    """The filter without the place in its pages."""
    kept = query.copy()
    for name in ("after", "before", "view"):
        kept.pop(name, None)
    return kept.urlencode()
