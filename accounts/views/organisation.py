"""Settings: where they start, the organisation and its money."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import queries
from accounts.access import administrators_only
from accounts.forms.answers import accepted, status_of
from accounts.forms.fields import CURRENCIES
from accounts.forms.organisation import OrganisationForm, RateForm
from accounts.models import CurrencyRate, User
from accounts.services import organisation as services

# Group, then icon, name of the URL, title and text of each tile; pages of other apps show once they exist.
TILES = (
    (
        gettext_lazy("Organisation"),
        (
            ("building-2", "accounts:organisation", gettext_lazy("Organisation"),
             gettext_lazy("Name, currency, time zone, thresholds")),
            ("calendar-days", "accounts:calendar", gettext_lazy("Working calendar"),
             gettext_lazy("Working days, public holidays, exceptions")),
            ("coins", "accounts:rates", gettext_lazy("Currency rates"),
             gettext_lazy("What other currencies are worth, and since when")),
            ("layers", "accounts:lines", gettext_lazy("Service lines and regions"),
             gettext_lazy("What you sell and deliver, and where")),
        ),
    ),
    (
        gettext_lazy("People"),
        (
            ("user", "accounts:people", gettext_lazy("People"), gettext_lazy("Who signs in, their roles and teams")),
            ("users", "accounts:teams", gettext_lazy("Teams"), gettext_lazy("Who shares deals, and who is on call")),
            ("tags", "staffing:settings", gettext_lazy("Roles and skills"),
             gettext_lazy("What people do on projects, and what they can do")),
        ),
    ),
    (
        gettext_lazy("How deals move"),
        (
            ("milestone", "pipelines:list", gettext_lazy("Pipelines and gates"),
             gettext_lazy("Stages, what they mean, what they ask for")),
            ("list-checks", "playbooks:list", gettext_lazy("Playbooks"),
             gettext_lazy("Tasks for warm, hot, un-forecasted and won deals")),
            ("messages-square", "review_settings:home", gettext_lazy("Deal reviews"),
             gettext_lazy("What both sides are asked, and who hears when it runs late")),
            ("stamp", "approval_settings:home", gettext_lazy("Approvals"),
             gettext_lazy("Who approves the handoff of which deal, and in which order")),
            ("users-round", "staffing:templates", gettext_lazy("Usual needs"),
             gettext_lazy("What deals of a service line usually take, by role and week")),
        ),
    ),
    (
        gettext_lazy("Behind the scenes"),
        (
            ("send", "events:deliveries", gettext_lazy("Background work"),
             gettext_lazy("What was given up, to retry or to discard")),
        ),
    ),
)  # fmt: skip


@administrators_only
@require_safe
def settings_home(request: HttpRequest) -> HttpResponse:
    """Every page of the settings."""
    groups = [
        (heading, [(icon, url, title, text) for icon, name, title, text in tiles if (url := _url(name))])
        for heading, tiles in TILES
    ]
    return render(request, "accounts/settings.html", {"groups": [group for group in groups if group[1]]})


def _url(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


@administrators_only
@require_http_methods(["GET", "POST"])
def organisation(request: HttpRequest) -> HttpResponse:
    """Name, money, time and thresholds."""
    actor, current = cast(User, request.user), queries.organisation()
    initial = {name: getattr(current, name) for name in OrganisationForm.base_fields}
    form = OrganisationForm(request.POST or None, initial=initial)
    if request.method == "POST" and accepted(
        form,
        lambda: services.change_organisation(
            actor=actor, organisation=current, details=form.details, now=timezone.now()
        ),
    ):
        messages.info(request, _("Organisation saved."))
        return redirect("accounts:organisation")
    context = {"form": form, "currencies": CURRENCIES}
    return render(request, "accounts/organisation.html", context, status=status_of(form))


@administrators_only
@require_http_methods(["GET", "POST"])
def rates(request: HttpRequest) -> HttpResponse:
    """What other currencies are worth, with their dates."""
    actor, current = cast(User, request.user), queries.organisation()
    form = RateForm(request.POST or None, initial={"on": current.today(timezone.now())})
    if request.method == "POST" and accepted(
        form, lambda: services.add_rate(actor=actor, **form.cleaned_data, now=timezone.now())
    ):
        return redirect("accounts:rates")
    context = {
        "form": form,
        "rates": CurrencyRate.objects.all(),
        "base": current.base_currency,
        "currencies": CURRENCIES,
    }
    return render(request, "accounts/rates.html", context, status=status_of(form))


@administrators_only
@require_POST
def rate_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back a rate."""
    rate = get_object_or_404(CurrencyRate, pk=pk)
    services.remove_rate(actor=cast(User, request.user), rate=rate, now=timezone.now())
    return redirect("accounts:rates")
