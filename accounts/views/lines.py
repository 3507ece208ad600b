"""Settings: service lines and regions."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import administrators_only
from accounts.forms.answers import accepted, status_of
from accounts.forms.organisation import RegionForm, ServiceLineChangeForm, ServiceLineForm
from accounts.models import Region, ServiceLine, User
from accounts.services import organisation as services


@administrators_only
@require_safe
def lines(request: HttpRequest) -> HttpResponse:
    """Service lines and regions."""
    return _page(request, ServiceLineForm(prefix="line"), RegionForm(prefix="region"))


@administrators_only
@require_POST
def line_add(request: HttpRequest) -> HttpResponse:
    """Add a service line."""
    actor = cast(User, request.user)
    form = ServiceLineForm(request.POST, prefix="line")
    if accepted(form, lambda: services.add_service_line(actor=actor, **form.cleaned_data, now=timezone.now())):
        return redirect("accounts:lines")
    return _page(request, form, RegionForm(prefix="region"))


@administrators_only
@require_http_methods(["GET", "POST"])
def line_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename a service line, or offer it no longer."""
    actor, line = cast(User, request.user), get_object_or_404(ServiceLine, pk=pk)
    form = ServiceLineChangeForm(request.POST or None, initial={"name": line.name, "is_active": line.is_active})
    if request.method == "POST" and accepted(
        form,
        lambda: services.change_service_line(actor=actor, service_line=line, **form.cleaned_data, now=timezone.now()),
    ):
        return redirect("accounts:lines")
    context = {"form": form, "title": line.name, "subtitle": _("Service line")}
    return render(request, "accounts/simple_form.html", context, status=status_of(form))


@administrators_only
@require_POST
def region_add(request: HttpRequest) -> HttpResponse:
    """Add a region."""
    actor = cast(User, request.user)
    form = RegionForm(request.POST, prefix="region")
    if accepted(form, lambda: services.add_region(actor=actor, **form.cleaned_data, now=timezone.now())):
        return redirect("accounts:lines")
    return _page(request, ServiceLineForm(prefix="line"), form)


@administrators_only
@require_http_methods(["GET", "POST"])
def region_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename a region."""
    actor, region = cast(User, request.user), get_object_or_404(Region, pk=pk)
    form = RegionForm(request.POST or None, initial={"name": region.name})
    if request.method == "POST" and accepted(
        form,
        lambda: services.change_region(actor=actor, region=region, **form.cleaned_data, now=timezone.now()),
    ):
        return redirect("accounts:lines")
    context = {
        "form": form,
        "title": region.name,
        "subtitle": _("Region"),
        "delete_url": reverse("accounts:region_remove", args=[pk]),
    }
    return render(request, "accounts/simple_form.html", context, status=status_of(form))


@administrators_only
@require_POST
def region_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a region that nothing uses."""
    region = get_object_or_404(Region, pk=pk)
    try:
        services.remove_region(actor=cast(User, request.user), region=region, now=timezone.now())
    except ValidationError as error:
        messages.error(request, error.messages[0])
    return redirect("accounts:lines")


def _page(request: HttpRequest, line_form: ServiceLineForm, region_form: RegionForm) -> HttpResponse:
    context = {
        "line_form": line_form,
        "region_form": region_form,
        "lines": ServiceLine.objects.all(),
        "regions": Region.objects.all(),
    }
    return render(request, "accounts/lines.html", context, status=status_of(line_form, region_form))
