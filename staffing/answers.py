"""How pages of the staffing answer: parts of the page look again and a toast says what was done; or a redirect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import Form
from django.http import HttpResponse, HttpResponseRedirect

from opportunities.views.answers import Request, said, trigger

# What every part of a page that shows people or bookings listens to, besides the live stream.
CHANGED = "staffing-changed"


def seers_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Signed-out people are asked to sign in; those who don't see the staffing get 403."""
    return login_required(permission_required("staffing.see", raise_exception=True)(view))


def planners_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Signed-out people are asked to sign in; those who don't plan people get 403."""
    return login_required(permission_required("staffing.plan", raise_exception=True)(view))


def accepted(form: Form, service: Callable[[], Any]) -> bool:
    """Run the service on a valid form; what it refuses becomes the form's errors, at the field where it has it."""
    if not form.is_valid():
        return False
    try:
        service()
    except ValidationError as error:
        for name, sentences in (error.message_dict if hasattr(error, "error_dict") else {"": error.messages}).items():
            for sentence in sentences:
                form.add_error(name if name in form.fields else None, sentence)
        return False
    return True


def saved(request: Request, sentence: str, *, back: str, undo: str = "", leaves: bool = False) -> HttpResponse:
    """It is done. The dialog closes and the page looks again, or where it ``leaves``, the browser goes there."""
    if not request.htmx:
        messages.info(request, sentence)
        return HttpResponseRedirect(back)
    response = HttpResponse(status=204)
    if leaves:
        messages.info(request, sentence)
        response.headers["HX-Redirect"] = back
        return response
    toast: dict[str, Any] = {"text": sentence}
    if undo:
        toast["undo"] = {"url": undo}
    return trigger(response, **{CHANGED: {}, "dialog:close": {}, "toast": toast})


def attempt(
    request: Request, change: Callable[[], Any], sentence: str, *, back: str, undo: str = "",
    told: str = "", refusals: Mapping[type[Exception], int] | None = None,
) -> HttpResponse:  # fmt: skip
    """Run one service call that no form belongs to, and answer with what came of it.

    ``refusals``: further errors of the service, with the status to answer; ``told`` stands in for their sentence.
    """
    known: dict[type[Exception], int] = {ValidationError: 422, PermissionDenied: 403, **(refusals or {})}
    try:
        change()
    except tuple(known) as error:
        told = told or (" ".join(error.messages) if isinstance(error, ValidationError) else str(error))
        status = next(code for kind, code in known.items() if isinstance(error, kind))
        response = said(request, told, status=status, back=back)
        return trigger(response, **{CHANGED: {}}) if status == 409 and request.htmx else response
    return saved(request, sentence, back=back, undo=undo)
