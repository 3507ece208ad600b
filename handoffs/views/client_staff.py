"""What we write to a client and what the client said, on the deal page and on a page of its own."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from handoffs.client_access import asking_plan, readable_amendment, revocable_link, spoken_opportunity
from handoffs.client_forms import AskForm, StatementForm
from handoffs.client_queries import client_panel
from handoffs.models import ClientVoice, Subject
from handoffs.services import client
from handoffs.services.client.adopting import take_over as adopt
from handoffs.services.client.pulses import asked_contacts
from handoffs.services.client.statements import WRITTEN
from handoffs.text_differences import word_differences
from handoffs.views.answers import Problem
from handoffs.views.ledger import Part, attempt, saved
from opportunities.access import readable_opportunity
from opportunities.models import Opportunity
from opportunities.views.answers import Request, dialog

LOOKING = ["GET", "HEAD", "POST"]


@require_safe
@login_required
def panel(request: Request, pk: int) -> HttpResponse:
    """Statements, links, answers and pulses of a deal: a fragment for the deal page, or a page of its own."""
    return _show(request, readable_opportunity(request.user, pk), None)


@require_http_methods(LOOKING)
@login_required
def write(request: Request, pk: int, subject: str) -> HttpResponse:
    """Write the next version of scope or success criteria; a collision shows what stands now, and keeps the text."""
    opportunity = spoken_opportunity(request.user, pk)
    if subject not in WRITTEN:
        raise Http404(_("There is no such text."))
    newest = client.newest_statement(opportunity, subject)
    number, text = (newest.number, newest.text) if newest else (0, "")
    if request.method != "POST":
        form = StatementForm(initial={"text": text, "number": number})
        return _written(request, form, opportunity, subject, number)
    form = StatementForm(request.POST)
    if not form.is_valid():
        return _written(request, form, opportunity, subject, number, status=422)
    given = form.cleaned_data
    try:
        statement = client.write_statement(
            actor=request.user, opportunity=opportunity, subject=Subject(subject), text=given["text"],
            reason=given["reason"], expected_number=given["number"], now=timezone.now(),
        )  # fmt: skip
    except ValidationError as error:
        form.add_error(None, error.messages)
        return _written(request, form, opportunity, subject, number, status=422)
    except client.Resting as error:
        return _written(request, form, opportunity, subject, number, status=409, conflict=str(error))
    except client.StaleStatement as error:
        mine = StatementForm(initial={**given, "number": number})
        pieces = word_differences(text, given["text"])
        return _written(
            request, mine, opportunity, subject, number, status=409, conflict=str(error), pieces=pieces
        )  # fmt: skip
    said = _("Version %(number)d is written. Ask the client to confirm it.") % {"number": statement.number}
    return saved(request, PART, opportunity, said)


@require_http_methods(LOOKING)
@login_required
def ask(request: Request, pk: int) -> HttpResponse:
    """Ask a contact to confirm: by mail, or with a link that is shown once."""
    opportunity = spoken_opportunity(request.user, pk)
    if request.method != "POST":
        return _asked(request, _ask_form(opportunity), opportunity)
    form = AskForm(opportunity, request.POST)
    if not form.is_valid():
        return _asked(request, form, opportunity, status=422)
    given = form.cleaned_data
    try:
        _link, token = client.ask_client(
            actor=request.user, opportunity=opportunity, contact=given["contact"], language=given["language"],
            send=given["how"] == "mail", now=timezone.now(),
        )  # fmt: skip
    except ValidationError as error:
        form.add_error(None, error.messages)
        return _asked(request, form, opportunity, status=422)
    except client.Resting as error:
        return _asked(request, form, opportunity, status=409, conflict=str(error))
    return _handed_over(request, opportunity, given["contact"].name, token)


@require_http_methods(LOOKING)
@login_required
def pulse(request: Request, pk: int) -> HttpResponse:
    """Ask a contact now how it goes: by mail, or with a link that is shown once."""
    plan = asking_plan(request.user, pk)
    opportunity = plan.opportunity
    if request.method != "POST":
        return _asked(request, _ask_form(opportunity), opportunity, is_pulse=True)
    form = AskForm(opportunity, request.POST)
    if not form.is_valid():
        return _asked(request, form, opportunity, is_pulse=True, status=422)
    given = form.cleaned_data
    try:
        _pulse, token = client.send_pulse(
            actor=request.user, plan=plan, contact=given["contact"], language=given["language"],
            send=given["how"] == "mail", now=timezone.now(),
        )  # fmt: skip
    except ValidationError as error:
        form.add_error(None, error.messages)
        return _asked(request, form, opportunity, is_pulse=True, status=422)
    except client.Resting as error:
        return _asked(request, form, opportunity, is_pulse=True, status=409, conflict=str(error))
    return _handed_over(request, opportunity, given["contact"].name, token)


@require_POST
@login_required
def revoke(request: Request, pk: int) -> HttpResponse:
    """Take a private link back."""
    link = revocable_link(request.user, pk)
    return attempt(
        request, PART, link, link.opportunity, "revoke",
        lambda: client.revoke_link(actor=request.user, link=link, now=timezone.now()),
        said=_("The link of %(name)s no longer opens.") % {"name": link.contact.name},
    )  # fmt: skip


@require_POST
@login_required
def take_over(request: Request, pk: int) -> HttpResponse:
    """Take what the client amended in the risk profile into the register."""
    profile = readable_amendment(request.user, pk)
    return attempt(
        request, PART, profile, profile.opportunity, "take_over",
        lambda: adopt(actor=request.user, profile=profile, now=timezone.now()),
        said=_("The register is as the client rated it."),
    )  # fmt: skip


def _show(request: Request, opportunity: Opportunity, problem: Problem | None) -> HttpResponse:
    context = {"panel": client_panel(request.user, opportunity, now=timezone.now()), "deal": opportunity}
    template = "handoffs/client/_panel.html" if request.htmx else "handoffs/client/panel.html"
    status = problem.status if problem else 200
    return render(request, template, {**context, "problem": problem}, status=status)


PART = Part("client-panel", "handoffs:client_panel", _show)


def _ask_form(opportunity: Opportunity) -> AskForm:
    """The form with the likeliest contact and the language that is known."""
    likely = next(iter(asked_contacts(opportunity)), None)
    voice = ClientVoice.objects.filter(contact=likely).first() if likely else None
    initial = {"contact": likely, "language": voice.language if voice else "en"}
    return AskForm(opportunity, initial=initial)


def _written(
    request: Request, form: StatementForm, opportunity: Opportunity, subject: str, number: int, *, status: int = 200,
    **more: Any,
) -> HttpResponse:  # fmt: skip
    context = {"form": form, "deal": opportunity, "subject": Subject(subject), "number": number, **more}
    return dialog(request, "handoffs/client/_write.html", context, status=status)


def _asked(
    request: Request, form: AskForm, opportunity: Opportunity, *, is_pulse: bool = False, status: int = 200, **more: Any
) -> HttpResponse:
    shown = [] if is_pulse else client_panel(request.user, opportunity, now=timezone.now()).subjects
    context = {"form": form, "deal": opportunity, "is_pulse": is_pulse, "subjects": shown, **more}
    return dialog(request, "handoffs/client/_ask.html", context, status=status)


def _handed_over(request: Request, opportunity: Opportunity, name: str, token: str) -> HttpResponse:
    """The mail is on its way, or here is the link, this once."""
    if not token:
        return saved(request, PART, opportunity, _("A mail with the link goes to %(name)s.") % {"name": name})
    url = settings.ONETEAM_URL + reverse("handoffs:client_page", args=[token])
    response = dialog(request, "handoffs/client/_link.html", {"deal": opportunity, "url": url, "name": name})
    response.headers["Cache-Control"] = "no-store, private"
    return response
