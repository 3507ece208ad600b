"""Sends the first visitor to the set-up page, and gives every request its person's time zone."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from accounts.models import Organisation, User

GetResponse = Callable[[HttpRequest], HttpResponseBase]

# Reachable before there is an organisation.
_ALWAYS = ("/welcome/", "/healthz", "/readyz")


class FirstRunMiddleware:
    """Until the organisation is set up, every page is the set-up page."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        # Set-up is never undone, so one look that finds it done is enough for this process.
        self.is_set_up = False

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not self.is_set_up and not request.path.startswith((*_ALWAYS, settings.STATIC_URL)):
            self.is_set_up = Organisation.objects.exists()
            if not self.is_set_up:
                return redirect("accounts:welcome")
        return self.get_response(request)


class PersonMiddleware:
    """Times in the person's time zone, else the organisation's; `request.organisation`, read when first used."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        organisation = SimpleLazyObject(Organisation.objects.select_related("calendar").filter(pk=1).first)
        request.organisation = organisation  # type: ignore[attr-defined]
        if isinstance(request.user, User):
            name = request.user.time_zone or (organisation.time_zone if organisation else settings.TIME_ZONE)
            with timezone.override(zoneinfo.ZoneInfo(name)):
                return self.get_response(request)
        return _signed_out(request, self.get_response(request))


def _signed_out(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """A fragment's request from a page whose session has ended: a plain 401, so that the page keeps what was typed.

    Followed as usual, the redirect would put the sign-in page where the fragment belongs.
    """
    location = response.headers.get("Location", "")
    if request.headers.get("HX-Request") and location.startswith(resolve_url(settings.LOGIN_URL)):
        return HttpResponse(status=401)
    return response
