"""Adding a deal, and editing one in place or on a page."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from opportunities.access import editable_opportunity, sales_team_of
from opportunities.forms.deals import ALL_FIELDS, GROUPS, DealForm, NewDealForm
from opportunities.models import Account, Opportunity, Pipeline, Stage, StageKind
from opportunities.services.clients import add_account
from opportunities.services.editing import EditConflict, create_opportunity, update_opportunity
from opportunities.services.versions import Stale
from opportunities.views.answers import Request, dialog, trigger
from opportunities.views.deal import base_context


@dataclass(frozen=True)
class Clash:
    """One field that two people changed."""

    name: str
    label: str
    base: Any
    theirs: Any
    field: Any


@login_required
@require_http_methods(["GET", "POST"])
def edit(request: Request, pk: int, group: str = "all") -> HttpResponse:
    """Edit some fields of a deal: a form in place of the value, or a page."""
    deal = editable_opportunity(request.user, pk)
    names = _names(group)
    if request.method == "GET":
        if request.htmx and request.GET.get("cancel"):
            return render(request, "opportunities/_fact.html", {**base_context(request, deal), "group": group})
        return _form(request, deal, group, DealForm(user=request.user, deal=deal, names=names, auto_id=f"{group}_%s"))
    form = DealForm(user=request.user, deal=deal, names=names, data=request.POST, auto_id=f"{group}_%s")
    if not form.is_valid():
        return _form(request, deal, group, form)
    # In a merge, what is theirs stays.
    changes = {name: value for name, value in form.changes.items() if request.POST.get(f"take-{name}") != "theirs"}
    try:
        after = update_opportunity(
            actor=request.user, opportunity=deal, changes=changes, base=form.base,
            expected_version=form.cleaned_data["version"], now=timezone.now(),
        )  # fmt: skip
    except ValidationError as error:
        for name, sentences in error.message_dict.items():
            form.add_error(name if name in form.fields else None, sentences)
        return _form(request, deal, group, form)
    except (EditConflict, Stale) as error:
        fields = error.fields if isinstance(error, EditConflict) else {}
        return _merge(request, error.current, group, form, fields)
    return _saved(request, after, group)


@login_required
@permission_required("opportunities.add", raise_exception=True)
@require_http_methods(["GET", "POST"])
def new(request: Request) -> HttpResponse:
    """Add a deal with the few fields that make one."""
    stages = list(
        Stage.objects.active().filter(kind=StageKind.OPEN, pipeline__is_active=True)
        .select_related("pipeline").order_by("pipeline__position", "position")
    )  # fmt: skip
    if request.method == "GET":
        form = NewDealForm(user=request.user, stages=stages, initial=_initial(request, stages))
        return _new_page(request, form)
    form = NewDealForm(user=request.user, stages=stages, data=request.POST)
    if not form.is_valid():
        return _new_page(request, form, status=422)
    try:
        deal = _create(request, form)
    except ValidationError as error:
        for name, sentences in error.message_dict.items():
            form.add_error(name if name in form.fields else None, sentences)
        return _new_page(request, form, status=422)
    messages.info(request, _("“%(name)s” is in %(stage)s") % {"name": deal.name, "stage": deal.stage.name})
    return redirect("opportunities:detail", deal.pk)


def _create(request: Request, form: NewDealForm) -> Opportunity:
    values, now = form.values, timezone.now()
    with transaction.atomic():
        account = values.get("account")
        if account is not None and account.pk is None:
            values["account"] = _added_account(request, account.name)
        return create_opportunity(
            actor=request.user, stage=form.cleaned_data["stage"], values=values, now=now,
            request_id=form.cleaned_data["request_id"],
        )  # fmt: skip


def _added_account(request: Request, name: str) -> Account:
    """The account that comes with the deal; an identical request may have added it a moment ago."""
    team = sales_team_of(request.user)
    try:
        return add_account(actor=request.user, values={"name": name, "team": team}, now=timezone.now())
    except ValidationError as error:
        known = Account.objects.visible_to(request.user).filter(name__iexact=name).first()
        if known is None:
            raise ValidationError({"account": error.messages}) from error
        return known


def _initial(request: Request, stages: list[Stage]) -> dict[str, Any]:
    key = request.GET.get("pipeline", "")
    first = next((stage for stage in stages if stage.pipeline.key == key), stages[0] if stages else None)
    account = request.GET.get("account", "")
    return {
        "request_id": uuid.uuid4(),
        "owner": request.user.pk,
        "stage": first.pk if first else None,
        "currency": request.organisation.base_currency,
        "account": int(account) if account.isascii() and account.isdigit() and len(account) < 19 else "",
    }


def _new_page(request: Request, form: NewDealForm, *, status: int = 200) -> HttpResponse:
    pipelines = Pipeline.objects.filter(is_active=True)
    return render(request, "opportunities/new.html", {"form": form, "pipelines": pipelines}, status=status)


def _names(group: str) -> tuple[str, ...]:
    if group == "all":
        return ALL_FIELDS
    if group not in GROUPS:
        raise Http404(_("There is nothing of that name to edit."))
    return GROUPS[group]


def _form(request: Request, deal: Opportunity, group: str, form: DealForm) -> HttpResponse:
    context = {**base_context(request, deal), "form": form, "group": group}
    status = 422 if form.is_bound else 200
    if request.htmx and group != "all":
        return render(request, "opportunities/_fact_form.html", context, status=status)
    return render(request, "opportunities/edit.html", context, status=status)


def _saved(request: Request, deal: Opportunity, group: str) -> HttpResponse:
    if not request.htmx:
        messages.info(request, _("“%(name)s” is saved") % {"name": deal.name})
        return redirect("opportunities:detail", deal.pk)
    if group == "all" or "merge" in request.POST:
        return trigger(HttpResponse(), **{"dialog:close": {}, "deal-changed": {}})
    deal = editable_opportunity(request.user, deal.pk)
    response = render(request, "opportunities/_fact.html", {**base_context(request, deal), "group": group})
    return trigger(response, announce={"text": _("Saved")}, **{"deal-changed": {}})


def _merge(request: Request, current: Opportunity, group: str, form: DealForm, fields: Any) -> HttpResponse:
    """Theirs, yours and what both started from; what was typed is kept."""
    clashes = [
        Clash(name, str(form.fields[name].label), base, theirs, form[name])
        for name, (base, theirs, _yours) in fields.items()
    ]
    theirs = DealForm(user=request.user, deal=current, names=[clash.name for clash in clashes])
    hidden = [(name, form.data.get(name, "")) for name in form.names if name not in fields]
    context = {
        **base_context(request, current),
        "group": group,
        "form": form,
        "clashes": clashes,
        "others": hidden,
        # What the person sees now is theirs; the next save is made from that.
        "base_values": theirs.base_values(),
        "kept_base": [(f"base-{name}", form.data.get(f"base-{name}", "")) for name, _value in hidden],
        "action": reverse("opportunities:edit", args=[current.pk, group]),
        "who": _who_changed(current),
    }
    return dialog(request, "opportunities/_merge.html", context, status=409)


def _who_changed(deal: Opportunity) -> str:
    from events import names
    from events.models import Event

    newest = (
        Event.objects.filter(opportunity_id=deal.pk, name=names.OPPORTUNITY_CHANGED)
        .select_related("actor").order_by("-pk").first()
    )  # fmt: skip
    return newest.actor.name if newest and newest.actor else _("Somebody")
