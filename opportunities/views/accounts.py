"""Client organisations."""

from __future__ import annotations

from typing import cast
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from opportunities.access import editable_account, readable_account
from opportunities.forms.clients import AccountForm
from opportunities.models import Account, Contact, Opportunity
from opportunities.queries.accounts import AccountPage, account_page
from opportunities.queries.filters import matching_accounts
from opportunities.services.clients import StaleRecord, add_account, update_account
from opportunities.views.answers import Request, rates_of, today_of

_SHOWN_DEALS = 50


@login_required
@require_GET
def account_list(request: Request) -> HttpResponse:
    """Accounts by name, with their open deals."""
    text = request.GET.get("q", "")[:200].replace("\0", "")
    page: AccountPage = account_page(
        request.user, search=text, after=request.GET.get("after", ""), before=request.GET.get("before", "")
    )
    context = {
        "page": page,
        "previous_url": f"?{urlencode({'q': text, 'before': page.before})}" if page.before else "",
        "next_url": f"?{urlencode({'q': text, 'after': page.after})}" if page.after else "",
        "q": text, "may_add": request.user.has_perm("opportunities.manage_accounts"),
        "today": today_of(request),
    }  # fmt: skip
    return render(request, "opportunities/accounts.html", context)


@login_required
@require_GET
def account(request: Request, pk: int) -> HttpResponse:
    """One account: its family, the people there, its deals."""
    found = readable_account(request.user, pk)
    today = today_of(request)
    deals = Opportunity.objects.current().visible_to(request.user).filter(account=found).with_people()
    context = {
        "account": found,
        "children": Account.objects.visible_to(request.user).filter(parent=found).order_by("name")[:_SHOWN_DEALS],
        "parent": Account.objects.visible_to(request.user).filter(pk=found.parent_id).first()
        if found.parent_id
        else None,
        "contacts": Contact.objects.filter(account=found).order_by("name")[:200],
        "open_deals": deals.open().order_by("close_date", "pk")[:_SHOWN_DEALS],
        "closed_deals": deals.exclude(kind="open").order_by("-closed_on", "-pk")[:10],
        "rates": rates_of(request),
        "today": today,
        "may_edit": request.user.has_perm("opportunities.manage_accounts"),
        "may_add": request.user.has_perm("opportunities.add"),
    }
    return render(request, "opportunities/account.html", context)


@login_required
@permission_required("opportunities.manage_accounts", raise_exception=True)
@require_http_methods(["GET", "POST"])
def new(request: Request) -> HttpResponse:
    """Add an account."""
    form = AccountForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            made = add_account(actor=request.user, values=form.values, now=timezone.now())
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.info(request, _("“%(name)s” is added") % {"name": made.name})
            return redirect("opportunities:account", made.pk)
    return _form_page(request, form, _("New account"), reverse("opportunities:accounts"))


@login_required
@require_http_methods(["GET", "POST"])
def edit(request: Request, pk: int) -> HttpResponse:
    """Change an account."""
    found = editable_account(request.user, pk)
    form = AccountForm(request.POST or None, user=request.user, account=found)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            update_account(
                actor=request.user, account=found, changes=form.values, now=timezone.now(),
                expected_version=form.cleaned_data["version"] or found.version,
            )  # fmt: skip
        except StaleRecord as error:
            form, status = _seen_anew(request, form, error), 409
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.info(request, _("“%(name)s” is saved") % {"name": form.cleaned_data["name"]})
            return redirect("opportunities:account", pk)
    return _form_page(request, form, found.name, reverse("opportunities:account", args=[pk]), status=status)


@login_required
@require_GET
def names(request: Request) -> HttpResponse:
    """Options for an input that takes an account's name."""
    text = request.GET.get("q", "")[:100].replace("\0", "")
    found = Account.objects.visible_to(request.user).filter(matching_accounts(text)).order_by("name")[:10]
    return render(request, "opportunities/_account_names.html", {"accounts": found})


def _seen_anew(request: Request, form: AccountForm, error: StaleRecord) -> AccountForm:
    """The form with what was typed, made from the present version; who saves again means it."""
    assert isinstance(error.current, Account)
    data = cast(QueryDict, form.data).copy()
    data["version"] = str(error.current.version)
    anew = AccountForm(data, user=request.user, account=error.current)
    anew.is_valid()
    for name in anew.fields:
        theirs = getattr(error.current, name)
        if name != "version" and anew.cleaned_data.get(name) != theirs:
            anew.add_error(name, _("It says “%(theirs)s” now. Save again to have yours.") % {"theirs": theirs or "–"})
    anew.add_error(None, str(error))
    return anew


def _form_page(request: Request, form: AccountForm, title: str, back: str, *, status: int = 200) -> HttpResponse:
    status = 422 if form.is_bound and status == 200 else status
    return render(
        request, "opportunities/account_form.html", {"form": form, "title": title, "back": back}, status=status
    )
