"""Answers when something is refused, missing or broken: a page, a line for a fragment, or JSON for the API."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django_htmx.http import reswap, trigger_client_event

RETRY_SECONDS = 5


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 for what can't be read."""
    return _answer(request, 400, "bad_request", _("That request could not be read. Nothing was changed."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403 with the sentence of the exception, where it has one."""
    told = str(exception) or _("This needs a right you don’t have. An administrator can give it to you.")
    return _answer(request, 403, "forbidden", told, {"exception": str(exception)})


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404, the same whether a thing is missing or not shared."""
    return _answer(request, 404, "not_found", _("That is no longer here, or isn’t shared with you."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form from before somebody signed in or out."""
    told = _("Not saved: you signed in or out since this page was opened. Try again.")
    return _answer(request, 403, "csrf", told, template="403_csrf.html")


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or 503 while the database can't be reached. Reads nothing from the database, not even who asks."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        told = _("OneTeam can’t reach its database. Try again in a moment.")
        return _plain(request, 503, "unavailable", told, {"Retry-After": str(RETRY_SECONDS)})
    return _plain(request, 500, "error", _("Something went wrong on our side. Nothing was saved."))


def _answer(
    request: HttpRequest, status: int, code: str, told: str, context: dict[str, str] | None = None, template: str = ""
) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse({"code": code, "detail": told}, status=status)
    if request.headers.get("HX-Request"):
        # A page in the place of a fragment would wreck what is shown and lose what was typed.
        response = reswap(HttpResponse(told, status=status), "none")
        return trigger_client_event(response, "toast", {"text": told, "kind": "error"})
    return render(request, template or f"{status}.html", context, status=status)


def _plain(
    request: HttpRequest, status: int, code: str, told: str, headers: dict[str, str] | None = None
) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse({"code": code, "detail": told}, status=status, headers=headers)
    return HttpResponse(render_to_string(f"{status}.html"), status=status, headers=headers)


def _wants_json(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")
