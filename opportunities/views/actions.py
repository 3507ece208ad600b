"""What can be done with a deal as a whole: override its temperature, snooze, lose, reopen, archive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from opportunities.access import archived_opportunity, editable_opportunity
from opportunities.forms.deals import LoseForm, ReopenForm, SnoozeForm, TemperatureForm
from opportunities.models import Opportunity
from opportunities.models.history import Source
from opportunities.services import archiving, closing
from opportunities.services.moves import GateNotMet, set_temperature
from opportunities.services.policies import IllegalMove, ReasonNeeded
from opportunities.services.versions import Stale
from opportunities.views.answers import Request, dialog, done, said, trigger

Act = Callable[[dict[str, Any]], str]


@login_required
@require_http_methods(["GET", "POST"])
def temperature(request: Request, pk: int) -> HttpResponse:
    """Say that a deal is warmer or colder than its stage, and why."""
    deal = editable_opportunity(request.user, pk)
    initial = {"temperature": deal.temperature_override, "reason": deal.temperature_reason}

    def act(given: dict[str, Any]) -> str:
        after = set_temperature(
            actor=request.user, opportunity=deal, temperature=given["temperature"], reason=given["reason"],
            expected_version=given["version"], now=timezone.now(),
        )  # fmt: skip
        return _("“%(name)s” is %(temperature)s now") % {
            "name": after.name, "temperature": str(after.get_temperature_display()).lower(),
        }  # fmt: skip

    return _answer(request, deal, TemperatureForm, initial, _("Temperature"), act, _("Save"))


@login_required
@require_http_methods(["GET", "POST"])
def snooze(request: Request, pk: int) -> HttpResponse:
    """Keep quiet about a deal until a day."""
    deal = editable_opportunity(request.user, pk)
    initial = {"until": deal.snoozed_until, "reason": deal.snooze_reason}

    def act(given: dict[str, Any]) -> str:
        closing.snooze(
            actor=request.user, opportunity=deal, until=given["until"], reason=given["reason"],
            expected_version=given["version"], now=timezone.now(),
        )  # fmt: skip
        return _("Quiet until %(day)s") % {"day": given["until"]} if given["until"] else _("The deal is awake again")

    return _answer(request, deal, SnoozeForm, initial, _("Snooze"), act, _("Save"))


@login_required
@require_http_methods(["GET", "POST"])
def lose(request: Request, pk: int) -> HttpResponse:
    """Close a deal as lost, with its reason."""
    deal = editable_opportunity(request.user, pk)

    def act(given: dict[str, Any]) -> str:
        closing.lose(
            actor=request.user, opportunity=deal, loss_reason=given["loss_reason"], loss_note=given["loss_note"],
            expected_version=given["version"], now=timezone.now(), source=Source.FORM,
        )  # fmt: skip
        return _("“%(name)s” is closed as lost") % {"name": deal.name}

    return _answer(request, deal, LoseForm, {}, _("Close as lost"), act, _("Close as lost"))


@login_required
@require_http_methods(["GET", "POST"])
def reopen(request: Request, pk: int) -> HttpResponse:
    """Take a closed deal up again."""
    deal = editable_opportunity(request.user, pk)

    def act(given: dict[str, Any]) -> str:
        moved = closing.reopen(
            actor=request.user, opportunity=deal, reason=given["reason"], expected_version=given["version"],
            now=timezone.now(), source=Source.FORM,
        )  # fmt: skip
        return _("“%(name)s” is open again, in %(stage)s") % {"name": deal.name, "stage": moved.opportunity.stage.name}

    return _answer(request, deal, ReopenForm, {}, _("Take it up again"), act, _("Reopen"))


@login_required
@require_POST
def archive(request: Request, pk: int) -> HttpResponse:
    """Put a deal away; the toast or message brings it back."""
    deal = editable_opportunity(request.user, pk)
    version = request.POST.get("version", "")
    seen = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else deal.version
    try:
        archiving.archive(actor=request.user, opportunity=deal, expected_version=seen, now=timezone.now())
    except Stale as error:
        return said(request, str(error), status=409, back=reverse("opportunities:detail", args=[pk]))
    return redirect("opportunities:archived", pk)


@login_required
@require_safe
def archived(request: Request, pk: int) -> HttpResponse:
    """An archived deal: that it is, and the way back."""
    deal = archived_opportunity(request.user, pk)
    return dialog(request, "opportunities/_archived.html", {"deal": deal, "page_title": deal.name})


@login_required
@require_POST
def restore(request: Request, pk: int) -> HttpResponse:
    """Bring an archived deal back."""
    deal = archived_opportunity(request.user, pk)
    archiving.restore(actor=request.user, opportunity=deal, now=timezone.now())
    return redirect("opportunities:detail", pk)


def _answer(
    request: Request,
    deal: Opportunity,
    form_class: type[forms.Form],
    initial: dict[str, Any],
    title: str,
    act: Act,
    verb: str,
) -> HttpResponse:
    """Ask in a dialog or on a page, do it, and say so; what is refused stands at its field."""
    context = {"deal": deal, "page_title": title, "verb": verb, "action": request.path}
    if request.method == "GET":
        form = form_class(initial={"version": deal.version, **initial}, auto_id="act_%s")
        return dialog(request, "opportunities/_action_form.html", {**context, "form": form})
    form = form_class(request.POST, auto_id="act_%s")
    if form.is_valid():
        try:
            sentence = act(form.cleaned_data)
        except (IllegalMove, Stale) as error:
            # Asked anew from the deal as it is; what was typed stays.
            form = _seen_anew(form, form_class, error)
            form.add_error(None, str(error))
            return dialog(request, "opportunities/_action_form.html", {**context, "form": form}, status=409)
        except (GateNotMet, ReasonNeeded, ValidationError) as error:
            _add(form, error)
        else:
            return _did(request, deal, sentence)
    return dialog(request, "opportunities/_action_form.html", {**context, "form": form}, status=422)


def _seen_anew(form: forms.Form, form_class: type[forms.Form], error: Exception) -> forms.Form:
    if not isinstance(error, Stale):
        return form
    data = cast(QueryDict, form.data).copy()
    data["version"] = str(error.current.version)
    anew = form_class(data, auto_id="act_%s")
    anew.is_valid()
    return anew


def _add(form: forms.Form, error: Exception) -> None:
    if isinstance(error, ValidationError):
        problems = error.message_dict if hasattr(error, "error_dict") else {"__all__": error.messages}
    elif isinstance(error, GateNotMet):
        problems = {item.field or "__all__": [item.sentence] for item in error.missing}
    else:
        problems = {"reason": [str(error)]}
    for name, sentences in problems.items():
        form.add_error(name if name in form.fields else None, sentences)


def _did(request: Request, deal: Opportunity, sentence: str) -> HttpResponse:
    response = done(request, sentence, back=reverse("opportunities:detail", args=[deal.pk]))
    return trigger(response, **{"dialog:close": {}, "deal-changed": {}}) if request.htmx else response
