"""Giving a deal what it lacks, in the list of what waits."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from opportunities.access import editable_opportunity
from opportunities.forms.deals import DealForm
from opportunities.models import Opportunity
from opportunities.services.editing import EditConflict, update_opportunity
from opportunities.services.versions import Stale
from opportunities.views.answers import Request, trigger

# What may be asked for, with the fields, and the same on the deal's own page.
ASKS = {
    "close_date": (("close_date",), "close"),
    "next_step": (("next_step", "next_step_on"), "next"),
    "owner": (("owner",), "owner"),
}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def tend(request: Request, pk: int, ask: str) -> HttpResponse:
    """A small form for one thing; without htmx, the page that edits it."""
    deal = editable_opportunity(request.user, pk)
    if ask not in ASKS:
        raise Http404(_("There is nothing of that name to edit."))
    names, group = ASKS[ask]
    if ask == "close_date" and deal.start_on:
        names = (*names, "start_on")  # a start that is named can't lie before the close date
    if not request.htmx:
        return redirect("opportunities:edit", deal.pk, group)
    if request.method != "POST":
        return _form(request, deal, ask, _deal_form(request, deal, names))
    form = _deal_form(request, deal, names, bound=True)
    if not form.is_valid():
        return _form(request, deal, ask, form, status=422)
    try:
        update_opportunity(
            actor=request.user, opportunity=deal, changes=form.changes, base=form.base,
            expected_version=form.cleaned_data["version"], now=timezone.now(),
        )  # fmt: skip
    except ValidationError as error:
        for name, sentences in error.message_dict.items():
            form.add_error(name if name in form.fields else None, sentences)
        return _form(request, deal, ask, form, status=422)
    except (EditConflict, Stale) as error:
        return _form(request, error.current, ask, _deal_form(request, error.current, names), 409, str(error))
    return trigger(HttpResponse(status=204), announce={"text": _("Saved")}, **{"deal-changed": {}})


def _deal_form(request: Request, deal: Opportunity, names: tuple[str, ...], *, bound: bool = False) -> DealForm:
    data = request.POST if bound else None
    return DealForm(user=request.user, deal=deal, names=names, data=data, auto_id=f"tend-{deal.pk}-%s")


def _form(
    request: Request, deal: Opportunity, ask: str, form: DealForm, status: int = 200, conflict: str = ""
) -> HttpResponse:
    context = {"deal": deal, "ask": ask, "form": form, "conflict": conflict}
    return render(request, "dashboards/_tend.html", context, status=status)
