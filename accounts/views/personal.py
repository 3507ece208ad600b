"""The first run, and what everybody changes about themselves."""

from __future__ import annotations

from typing import cast

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language_from_request
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from accounts.devices import device_name
from accounts.forms.answers import status_of
from accounts.forms.fields import CURRENCIES, country_codes
from accounts.forms.people import AppearanceForm, ProfileForm, WelcomeForm
from accounts.models import Organisation, User
from accounts.services import people, setup


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def welcome(request: HttpRequest) -> HttpResponse:
    """The first run: make the organisation and sign its administrator in."""
    if Organisation.objects.exists():
        return redirect("dashboards:home")
    form = WelcomeForm(request.POST or None, initial={"country": _country_of_browser(request)})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            person = setup.set_up_organisation(
                name=values["name"],
                base_currency=values["base_currency"],
                country=values["country"],
                time_zone=values["time_zone"],
                administrator=form.administrator,
                now=timezone.now(),
            )
        except setup.AlreadySetUp as error:
            messages.info(request, str(error))
            return redirect(settings.LOGIN_URL)
        login(request, person, backend="allauth.account.auth_backends.AuthenticationBackend")
        return redirect("dashboards:home")
    return render(request, "accounts/welcome.html", {"form": form, "currencies": CURRENCIES}, status=status_of(form))


def _country_of_browser(request: HttpRequest) -> str:
    """The region of the browser's first language, as in “de-AT”; a guess to start from."""
    wanted = request.headers.get("Accept-Language", get_language_from_request(request)).split(",")[0]
    region = wanted.split(";")[0].strip().rpartition("-")[2].upper()
    return region if region in country_codes() else ""


@login_required
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Name, time zone, appearance, password and sessions."""
    person = cast(User, request.user)
    initial = {"name": person.name, "time_zone": person.time_zone}
    form = ProfileForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        people.change_profile(actor=person, **form.cleaned_data, now=timezone.now())
        messages.info(request, _("Profile saved."))
        return redirect("accounts:profile")
    sessions = sorted(UserSession.objects.purge_and_list(person), key=lambda session: session.created_at, reverse=True)
    context = {
        "form": form,
        "sessions": [
            {
                "session": session,
                "device": device_name(session.user_agent) or _("Unknown device"),
                "is_this": session.session_key == request.session.session_key,
            }
            for session in sessions
        ],
    }
    return render(request, "accounts/profile.html", context, status=status_of(form))


@login_required
@require_POST
def appearance(request: HttpRequest) -> HttpResponse:
    """Choose light, dark or as the device; a fragment's request gets the event that switches the page."""
    form = AppearanceForm(request.POST)
    if not form.is_valid():
        return HttpResponse(_("Choose light, dark or as the device."), status=422)
    theme = form.cleaned_data["theme"]
    people.change_appearance(actor=cast(User, request.user), theme=theme)
    if request.headers.get("HX-Request"):
        return trigger_client_event(HttpResponse(status=204), "theme", {"theme": theme})
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if is_ours else "accounts:profile")


@login_required
@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign out on another device."""
    person = cast(User, request.user)
    session = get_object_or_404(UserSession, pk=pk, user=person)
    people.end_session(actor=person, session=session)
    messages.info(request, _("Signed out on that device."))
    return redirect("accounts:profile")
