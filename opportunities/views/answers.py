"""How views answer: fragments for htmx, whole pages and redirects without it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django_htmx.middleware import HtmxDetails

from accounts.models import Organisation, User
from accounts.queries import Rates, rates


class Request(HttpRequest):
    """A request of somebody who is signed in, as views here see it."""

    user: User
    htmx: HtmxDetails
    organisation: Organisation


def today_of(request: Request) -> dt.date:
    """Today where the organisation is."""
    return request.organisation.today(timezone.now())


def rates_of(request: Request) -> Rates:
    """Today's rates into the organisation's currency. One query."""
    return rates(on=today_of(request), base=request.organisation.base_currency)


def trigger(response: HttpResponse, **events: Any) -> HttpResponse:
    """Have the page dispatch events, with what they carry."""
    present = json.loads(response.headers.get("HX-Trigger", "{}"))
    response.headers["HX-Trigger"] = json.dumps({**present, **events})
    return response


def dialog(request: Request, template: str, context: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    """A fragment in the page's dialog, or the same on a page of its own."""
    if not request.htmx:
        return render(
            request, "opportunities/dialog_page.html", {**context, "dialog_template": template}, status=status
        )
    response = render(request, template, dict(context), status=status)
    response.headers["HX-Retarget"] = "#dialog-body"
    response.headers["HX-Reswap"] = "innerHTML"
    return response


def said(request: Request, sentence: str, *, status: int, back: str) -> HttpResponse:
    """Nothing was changed, and why: a toast, or a message on the page that comes back."""
    if not request.htmx:
        messages.error(request, sentence)
        return HttpResponseRedirect(back)
    response = HttpResponse(status=status)
    response.headers["HX-Reswap"] = "none"
    return trigger(response, toast={"text": sentence, "kind": "error"})


def done(request: Request, sentence: str, *, back: str, undo: str | None = None) -> HttpResponse:
    """It is done: an empty answer with a toast, or a redirect with a message."""
    if not request.htmx:
        messages.info(request, sentence)
        return HttpResponseRedirect(back)
    toast: dict[str, Any] = {"text": sentence}
    if undo:
        toast["undo"] = {"url": undo}
    return trigger(HttpResponse(), toast=toast)
