"""Settings: people, what they may do, and their way in."""

from __future__ import annotations

from typing import Any, cast

from allauth.account import app_settings as sign_in
from allauth.account.utils import user_pk_to_url_str
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import administrators_only
from accounts.forms.answers import accepted, status_of
from accounts.forms.people import PersonForm
from accounts.models import User
from accounts.services import people

PEOPLE_PER_PAGE = 50


@administrators_only
@require_safe
def person_list(request: HttpRequest) -> HttpResponse:
    """Everybody, the active ones first; `q` looks for a part of the name or address."""
    wanted = request.GET.get("q", "").replace("\0", "").strip()[:100]
    persons = User.objects.prefetch_related("teams").order_by("-is_active", "name", "pk")
    if wanted:
        persons = persons.filter(Q(name__icontains=wanted) | Q(email__icontains=wanted))
    page = Paginator(persons, PEOPLE_PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "wanted": wanted, "query": urlencode({"q": wanted}) if wanted else ""}
    return render(request, "accounts/person_list.html", context)


@administrators_only
@require_http_methods(["GET", "POST"])
def person_add(request: HttpRequest) -> HttpResponse:
    """Add somebody; the next page has the link with which they choose a password."""
    actor = cast(User, request.user)
    form = PersonForm(request.POST or None)
    if request.method == "POST" and accepted(
        form, lambda: people.add_person(actor=actor, details=form.details, now=timezone.now())
    ):
        return redirect("accounts:person", User.objects.get(email__iexact=form.cleaned_data["email"]).pk)
    return render(request, "accounts/person_add.html", {"form": form}, status=status_of(form))


@administrators_only
@require_http_methods(["GET", "POST"])
def person_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Look at somebody, and change them."""
    actor, person = cast(User, request.user), get_object_or_404(User, pk=pk)
    form = PersonForm(request.POST or None, initial=_initial(person))
    if request.method == "POST" and accepted(
        form, lambda: people.change_person(actor=actor, person=person, details=form.details, now=timezone.now())
    ):
        messages.info(request, _("%(name)s saved.") % {"name": form.cleaned_data["name"]})
        return redirect("accounts:people")
    # Who never had a password needs a way in; for the others it is made on demand.
    link = _password_link(request, person) if person.is_active and not person.has_usable_password() else ""
    context = {"person": person, "form": form, "link": link}
    return render(request, "accounts/person_detail.html", context, status=status_of(form))


@administrators_only
@require_POST
def person_link(request: HttpRequest, pk: int) -> HttpResponse:
    """A link with which somebody chooses a new password."""
    person = get_object_or_404(User, pk=pk, is_active=True)
    people.make_password_link(actor=cast(User, request.user), person=person, now=timezone.now())
    form = PersonForm(initial=_initial(person))
    context = {"person": person, "form": form, "link": _password_link(request, person)}
    return render(request, "accounts/person_detail.html", context)


@administrators_only
@require_POST
def person_deactivate(request: HttpRequest, pk: int) -> HttpResponse:
    """Close the door for somebody."""
    person = get_object_or_404(User, pk=pk)
    try:
        people.deactivate_person(actor=cast(User, request.user), person=person, now=timezone.now())
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("accounts:person", pk)
    messages.info(request, _("%(name)s can’t sign in any more.") % {"name": person})
    return redirect("accounts:people")


@administrators_only
@require_POST
def person_reactivate(request: HttpRequest, pk: int) -> HttpResponse:
    """Let somebody in again."""
    person = get_object_or_404(User, pk=pk)
    people.reactivate_person(actor=cast(User, request.user), person=person, now=timezone.now())
    messages.info(request, _("%(name)s can sign in again.") % {"name": person})
    return redirect("accounts:person", pk)


def _initial(person: User) -> dict[str, Any]:
    return {"name": person.name, "email": person.email, "roles": person.roles, "teams": person.teams.all()}


def _password_link(request: HttpRequest, person: User) -> str:
    token = sign_in.PASSWORD_RESET_TOKEN_GENERATOR().make_token(person)
    key = {"uidb36": user_pk_to_url_str(person), "key": token}
    return request.build_absolute_uri(reverse("account_reset_password_from_key", kwargs=key))
