"""The page where administrators look after background work that was given up."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from events import access, services
from events.forms import DiscardForm

if TYPE_CHECKING:
    from accounts.models import User

PAGE_SIZE = 25


@require_safe
@login_required
def deliveries(request: HttpRequest) -> HttpResponse:
    """What was given up, with what can be done about it."""
    page = Paginator(access.given_up_deliveries(request.user), PAGE_SIZE).get_page(request.GET.get("page"))
    name = "_deliveries" if request.htmx else "deliveries"  # type: ignore[attr-defined]
    return render(request, f"events/{name}.html", {"page": page})


@require_POST
@login_required
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Try one again."""
    delivery = access.repairable_delivery(request.user, pk)
    try:
        services.retry_delivery(actor=cast("User", request.user), delivery=delivery, now=timezone.now())
    except services.NotGivenUp as refusal:
        messages.info(request, str(refusal))
    else:
        messages.info(request, _("It is tried again now."))
    return redirect("events:deliveries")


@require_POST
@login_required
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave one undone, with a reason."""
    delivery = access.repairable_delivery(request.user, pk)
    form = DiscardForm(request.POST)
    if not form.is_valid():
        page = Paginator(access.given_up_deliveries(request.user), PAGE_SIZE).get_page(1)
        return render(
            request, "events/deliveries.html", {"page": page, "refused": delivery.pk, "form": form}, status=422
        )
    try:
        services.discard_delivery(
            actor=cast("User", request.user), delivery=delivery, reason=form.cleaned_data["reason"], now=timezone.now()
        )
    except services.NotGivenUp as refusal:
        messages.info(request, str(refusal))
    else:
        messages.info(request, _("It stays undone; the reason is kept."))
    return redirect("events:deliveries")
