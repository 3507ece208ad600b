"""People at clients: on an account, and their part in a deal."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from opportunities.access import editable_account, editable_opportunity, readable_contact
from opportunities.forms.clients import ContactForm
from opportunities.models import Account, Contact, Opportunity
from opportunities.services.clients import (
    StaleRecord,
    add_contact,
    link_contact,
    unlink_contact,
    update_contact,
)
from opportunities.views.answers import Request, dialog, done, said, trigger


@login_required
@require_http_methods(["GET", "POST"])
def new(request: Request, pk: int) -> HttpResponse:
    """Add a person at an account."""
    account = editable_account(request.user, pk)
    back = reverse("opportunities:account", args=[pk])
    return _add(request, account, back=back)


@login_required
@require_http_methods(["GET", "POST"])
def new_on_deal(request: Request, pk: int) -> HttpResponse:
    """Add a person at the deal's account, and name them as part of the deal."""
    deal = editable_opportunity(request.user, pk)
    if deal.account is None:
        raise Http404(_("The deal has no account yet."))
    return _add(request, deal.account, back=reverse("opportunities:detail", args=[pk]), deal=deal)


@login_required
@require_http_methods(["GET", "POST"])
def edit(request: Request, pk: int) -> HttpResponse:
    """Change a person at a client."""
    contact = readable_contact(request.user, pk)
    if not request.user.has_perm("opportunities.manage_accounts"):
        raise PermissionDenied(_("Sales keeps the contacts. Ask the owner of one of the deals."))
    back = reverse("opportunities:account", args=[contact.account_id])
    form = ContactForm(request.POST or None, contact=contact)
    if request.method == "POST" and form.is_valid():
        try:
            update_contact(
                actor=request.user, contact=contact, changes=form.values, now=timezone.now(),
                expected_version=form.cleaned_data["version"] or contact.version,
            )  # fmt: skip
        except StaleRecord as error:
            return _stale(request, error, form)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return _saved(request, _("“%(name)s” is saved") % {"name": form.cleaned_data["name"]}, back)
    return _ask(request, form, contact.name, request.path)


@login_required
@require_POST
def link(request: Request, pk: int) -> HttpResponse:
    """Name a person at the client as part of a deal."""
    deal = editable_opportunity(request.user, pk)
    key = request.POST.get("contact", "")
    back = reverse("opportunities:detail", args=[pk])
    if not (key.isascii() and key.isdigit() and len(key) < 19):
        return said(request, _("Choose a contact first."), status=422, back=back)
    contact = readable_contact(request.user, int(key))
    link_contact(actor=request.user, opportunity=deal, contact=contact, now=timezone.now())
    return _saved(request, _("“%(name)s” has a part in this deal now") % {"name": contact.name}, back)


@login_required
@require_POST
def unlink(request: Request, pk: int, contact: int) -> HttpResponse:
    """Take a person off a deal."""
    deal = editable_opportunity(request.user, pk)
    person = readable_contact(request.user, contact)
    unlink_contact(actor=request.user, opportunity=deal, contact=person, now=timezone.now())
    back = reverse("opportunities:detail", args=[pk])
    undo = reverse("opportunities:contact_relink", args=[pk, person.pk])
    response = done(request, _("“%(name)s” is off this deal") % {"name": person.name}, back=back, undo=undo)
    return trigger(response, **{"deal-changed": {}}) if request.htmx else response


@login_required
@require_POST
def relink(request: Request, pk: int, contact: int) -> HttpResponse:
    """Undo an unlinking."""
    deal = editable_opportunity(request.user, pk)
    person = readable_contact(request.user, contact)
    link_contact(actor=request.user, opportunity=deal, contact=person, now=timezone.now())
    sentence = _("“%(name)s” is back on this deal") % {"name": person.name}
    return _saved(request, sentence, reverse("opportunities:detail", args=[pk]))


def _add(request: Request, account: Account, *, back: str, deal: Opportunity | None = None) -> HttpResponse:
    form = ContactForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            contact = add_contact(actor=request.user, account=account, values=form.values, now=timezone.now())
        except ValidationError as error:
            form.add_error(None, error)
        else:
            if deal is not None:
                link_contact(actor=request.user, opportunity=deal, contact=contact, now=timezone.now())
            return _saved(request, _("“%(name)s” is added") % {"name": contact.name}, back)
    title = _("New contact at %(account)s") % {"account": account.name}
    return _ask(request, form, title, request.path)


def _ask(request: Request, form: ContactForm, title: str, action: str) -> HttpResponse:
    context = {"form": form, "page_title": title, "verb": _("Save"), "action": action}
    return dialog(request, "opportunities/_action_form.html", context, status=422 if form.is_bound else 200)


def _stale(request: Request, error: StaleRecord, form: ContactForm) -> HttpResponse:
    """The form with what was typed, made from the present version; who saves again means it."""
    assert isinstance(error.current, Contact)
    data = cast(QueryDict, form.data).copy()
    data["version"] = str(error.current.version)
    anew = ContactForm(data, contact=error.current)
    anew.is_valid()
    for name in ("name", "title", "email", "phone", "stakeholder_role"):
        theirs = getattr(error.current, name)
        if anew.cleaned_data.get(name) != theirs:
            anew.add_error(name, _("It says “%(theirs)s” now. Save again to have yours.") % {"theirs": theirs or "–"})
    context = {"form": anew, "page_title": error.current.name, "verb": _("Save"), "action": request.path}
    return dialog(request, "opportunities/_action_form.html", context, status=409)


def _saved(request: Request, sentence: str, back: str) -> HttpResponse:
    response = done(request, sentence, back=back)
    return trigger(response, **{"dialog:close": {}, "deal-changed": {}}) if request.htmx else response
