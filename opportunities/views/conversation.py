"""Comments on a deal."""

from __future__ import annotations

import uuid

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Case, When
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from opportunities.access import own_comment, readable_opportunity
from opportunities.forms.fields import TextField
from opportunities.models import Opportunity
from opportunities.queries.people import people_who_see
from opportunities.services.conversation import add_comment, edit_comment, remove_comment, restore_comment
from opportunities.views.answers import Request, dialog, done, trigger

_SUGGESTED = 8


class CommentForm(forms.Form):
    """What somebody says."""

    request_id = forms.UUIDField(widget=forms.HiddenInput, required=False)
    body = TextField(
        label=gettext_lazy("Comment"), max_length=10_000, is_multiline=True,
        error_messages={"required": gettext_lazy("Write something first.")},
    )  # fmt: skip


@login_required
@require_POST
def add(request: Request, pk: int) -> HttpResponse:
    """Say something about a deal; whoever may read it may."""
    deal = readable_opportunity(request.user, pk)
    form = CommentForm(request.POST, auto_id="comment_%s")
    if form.is_valid():
        try:
            add_comment(
                actor=request.user, opportunity=deal, body=form.cleaned_data["body"], now=timezone.now(),
                request_id=form.cleaned_data["request_id"],
            )  # fmt: skip
        except ValidationError as error:
            form.add_error("body", error.messages)
        else:
            return _composer(request, deal) if request.htmx else redirect(_place(deal))
    return _composer(request, deal, form)


@login_required
@require_http_methods(["GET", "POST"])
def edit(request: Request, pk: int, comment: int) -> HttpResponse:
    """Change one's own words."""
    deal = readable_opportunity(request.user, pk)
    said = own_comment(request.user, deal, comment)
    form = CommentForm(request.POST or None, initial={"body": said.body}, auto_id="edit_%s")
    if request.method == "POST" and form.is_valid():
        try:
            edit_comment(actor=request.user, comment=said, body=form.cleaned_data["body"], now=timezone.now())
        except ValidationError as error:
            form.add_error("body", error.messages)
        else:
            response = done(request, _("The comment is changed"), back=_place(deal))
            return trigger(response, **{"dialog:close": {}, "deal-changed": {}}) if request.htmx else response
    context = {"deal": deal, "form": form, "page_title": _("Edit comment"), "verb": _("Save"), "action": request.path}
    return dialog(request, "opportunities/_action_form.html", context, status=422 if form.is_bound else 200)


@login_required
@require_POST
def remove(request: Request, pk: int, comment: int) -> HttpResponse:
    """Take one's own words back."""
    deal = readable_opportunity(request.user, pk)
    said = own_comment(request.user, deal, comment)
    remove_comment(actor=request.user, comment=said, now=timezone.now())
    undo = reverse("opportunities:comment_restore", args=[pk, said.pk])
    response = done(request, _("The comment is gone"), back=_place(deal), undo=undo)
    return trigger(response, **{"deal-changed": {}}) if request.htmx else response


@login_required
@require_POST
def restore(request: Request, pk: int, comment: int) -> HttpResponse:
    """Undo a removal."""
    deal = readable_opportunity(request.user, pk)
    restore_comment(actor=request.user, comment=own_comment(request.user, deal, comment))
    response = done(request, _("The comment is back"), back=_place(deal))
    return trigger(response, **{"deal-changed": {}}) if request.htmx else response


@login_required
@require_GET
def people(request: Request, pk: int) -> HttpResponse:
    """Who may be mentioned: people who may see the deal, those whose name begins so first."""
    deal = readable_opportunity(request.user, pk)
    begins = request.GET.get("q", "")[:80].replace("\0", "")
    found = people_who_see(deal).exclude(pk=request.user.pk).filter(name__icontains=begins)
    nearest = Case(When(name__istartswith=begins, then=0), When(name__icontains=f" {begins}", then=1), default=2)
    found = found.order_by(nearest, "name")[:_SUGGESTED]
    return render(request, "opportunities/_mentions.html", {"people": found})


def _composer(request: Request, deal: Opportunity, form: CommentForm | None = None) -> HttpResponse:
    context = {"deal": deal, "request_id": uuid.uuid4(), "comment_form": form}
    if form is not None and not request.htmx:
        action = reverse("opportunities:comment", args=[deal.pk])
        page = {"deal": deal, "form": form, "page_title": _("Comment"), "verb": _("Comment"), "action": action}
        return dialog(request, "opportunities/_action_form.html", page, status=422)
    response = render(request, "opportunities/_composer.html", context, status=422 if form else 200)
    return response if form else trigger(response, **{"deal-changed": {}})


def _place(deal: Opportunity) -> str:
    return reverse("opportunities:detail", args=[deal.pk]) + "#timeline"
