"""The client's own pages: confirm or change what was agreed, say how it goes, be left in peace."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from handoffs.client_door import Visit, gone, private, shown
from handoffs.client_forms import PulseForm, RisksForm, VersionForm, WordsForm
from handoffs.client_page_queries import Card, cards_of, risk_changes
from handoffs.models import ClientLink, LinkPurpose, Pulse, RiskProfile, Statement, Subject
from handoffs.services import client
from handoffs.services.client.answering import amended
from handoffs.services.client.pulse_answers import is_opted_out
from handoffs.text_differences import has_differences, word_differences

LOOKING = ("GET", "HEAD")


def _opens_mail(link: ClientLink, now: dt.datetime) -> bool:
    """Who was written to may stop it, also when the rest has expired."""
    return link.revoked_at is None


@private(*LOOKING)
def page(visit: Visit) -> HttpResponse:
    """What there is to confirm, or to rate; looking at it changes nothing."""
    if visit.link.purpose == LinkPurpose.PULSE:
        return _pulse_page(visit, PulseForm())
    return _confirm_page(visit)


@private(*LOOKING, "POST")
def confirm(visit: Visit, subject: str) -> HttpResponse:
    """The contact says yes to a version."""
    if visit.request.method != "POST":
        return _back(visit)
    form = VersionForm(visit.request.POST)
    if subject not in Subject.values or visit.link.purpose != LinkPurpose.CONFIRM:
        return gone(visit.language)
    if not form.is_valid():
        return _confirm_page(visit, problem=_("That could not be read. Please try again."), status=422)
    try:
        client.confirm(link=visit.link, subject=Subject(subject), number=form.cleaned_data["number"], now=visit.now)
    except client.StaleVersion as error:
        return _confirm_page(visit, problem=str(error), about=subject, status=409)
    except client.LinkGone:
        return gone(visit.language, why="rests")
    return _back(visit, subject)


@private(*LOOKING, "POST")
def change(visit: Visit, subject: str) -> HttpResponse:
    """The contact changes a version: edit, look at the difference, send."""
    card = _card(visit, subject)
    if card is None:
        return gone(visit.language)
    return _change_risks(visit, card) if card.is_risks else _change_words(visit, card)


@private(*LOOKING, "POST")
def rate(visit: Visit) -> HttpResponse:
    """The contact says how it goes; once."""
    if visit.link.purpose != LinkPurpose.PULSE:
        return gone(visit.language)
    if visit.request.method != "POST":
        return _back(visit)
    form = PulseForm(visit.request.POST)
    if not form.is_valid():
        return _pulse_page(visit, form, status=422)
    try:
        client.answer_pulse(link=visit.link, now=visit.now, **form.cleaned_data)
    except ValidationError as error:
        form.add_error(None, error)
        return _pulse_page(visit, form, status=422)
    except client.AnsweredAlready as error:
        return shown(visit, "rated", {"pulse": error.pulse, "problem": str(error)}, status=409)
    except client.LinkGone:
        return gone(visit.language, why="rests")
    return _back(visit)


@private(*LOOKING, "POST", opens=_opens_mail)
def mail(visit: Visit) -> HttpResponse:
    """No more mail, or mail again. Mail programs post here with one click; looking at it changes nothing."""
    if visit.request.method == "POST":
        say = client.opt_in if visit.request.POST.get("choice") == "in" else client.opt_out
        say(link=visit.link, now=visit.now)
        return HttpResponseRedirect(reverse("handoffs:client_mail", args=[visit.token]) + visit.suffix)
    return shown(visit, "mail", {"is_out": is_opted_out(visit.link.contact)})


def _confirm_page(visit: Visit, *, problem: str = "", about: str = "", status: int = 200) -> HttpResponse:
    cards = cards_of(visit.link)
    left = [card for card in cards if card.state == "open"]
    context = {"cards": cards, "left": left, "done": len(cards) - len(left), "problem": problem, "about": about}
    return shown(visit, "confirm", context, status=status)


def _pulse_page(visit: Visit, form: PulseForm, *, status: int = 200) -> HttpResponse:
    pulse = visit.link.pulse
    assert isinstance(pulse, Pulse)
    if pulse.answered_at is not None:
        return shown(visit, "rated", {"pulse": pulse})
    faces = [
        (1, "angry", _("Very unhappy")), (2, "frown", _("Unhappy")), (3, "meh", _("So-so")),
        (4, "smile", _("Happy")), (5, "laugh", _("Very happy")),
    ]  # fmt: skip
    return shown(visit, "pulse", {"form": form, "faces": faces, "numbers": range(11)}, status=status)


def _change_words(visit: Visit, card: Card) -> HttpResponse:
    newest = card.version
    assert isinstance(newest, Statement)
    if visit.request.method != "POST":
        form = WordsForm(initial={"text": newest.text, "number": newest.number})
        return _words(visit, card, form, newest.text)
    step = visit.request.POST.get("step", "look")
    form = WordsForm(visit.request.POST)
    if not form.is_valid():
        return _words(visit, card, form, str(form["text"].value() or ""), status=422)
    given = form.cleaned_data
    text = given["text"].replace("\r\n", "\n")
    if step == "edit":
        return _words(visit, card, form, text)
    if step == "look":
        pieces = word_differences(newest.text, text.strip())
        if not has_differences(pieces):
            form.add_error(None, _("Nothing is changed yet. Change what isn’t right, or say that it is."))
            return _words(visit, card, form, text, status=422)
        looked = {"card": card, "pieces": pieces, "text": text, "reason": given["reason"], "number": newest.number}
        stale = given["number"] != newest.number
        return shown(visit, "look", {**looked, "is_stale": stale}, status=409 if stale else 200)
    return _sent(visit, card, form, text=text, number=given["number"], reason=given["reason"])


def _change_risks(visit: Visit, card: Card) -> HttpResponse:
    newest = card.version
    assert isinstance(newest, RiskProfile)
    if visit.request.method != "POST":
        return _risks(visit, card, RisksForm(newest))
    step = visit.request.POST.get("step", "look")
    form = RisksForm(newest, visit.request.POST, more=step == "more")
    if not form.is_valid():
        return _risks(visit, card, form, status=422)
    if step in ("edit", "more"):
        return _risks(visit, card, form)
    given = form.cleaned_data
    if step != "look":
        return _sent(
            visit, card, form, number=given["number"], reason=given["reason"], risks=form.risks, further=form.further
        )
    try:
        entries = amended(newest, "", form.risks, form.further)
        changes = risk_changes(newest.items, entries) if isinstance(entries, list) else []
    except ValidationError as error:
        form.add_error(None, error.messages)
        return _risks(visit, card, form, status=422)
    if not changes:
        form.add_error(None, _("Nothing is changed yet. Change what isn’t right, or say that it is."))
        return _risks(visit, card, form, status=422)
    stale = given["number"] != newest.number
    looked = {"card": card, "changes": changes, "form": form, "reason": given["reason"], "number": newest.number}
    return shown(visit, "look", {**looked, "is_stale": stale}, status=409 if stale else 200)


def _sent(visit: Visit, card: Card, form: Any, **given: Any) -> HttpResponse:
    """Send what the contact changed; what they typed stays on the page when that doesn't work."""
    show = _risks if card.is_risks else _words
    kept = [] if card.is_risks else [given["text"]]
    try:
        client.amend(link=visit.link, subject=Subject(card.subject), now=visit.now, **given)
    except ValidationError as error:
        form.add_error(None, error.messages)
        return show(visit, card, form, *kept, status=422)
    except client.StaleVersion:
        fresh = _card(visit, card.subject) or card
        return show(visit, fresh, form, *kept, status=409, is_stale=True)
    except client.LinkGone:
        return gone(visit.language, why="rests")
    return _back(visit, card.subject)


def _words(
    visit: Visit, card: Card, form: WordsForm, text: str, *, status: int = 200, is_stale: bool = False
) -> HttpResponse:
    pieces = word_differences(text, card.version.text) if is_stale and isinstance(card.version, Statement) else []
    context = {"card": card, "form": form, "text": text, "is_stale": is_stale, "pieces": pieces}
    return shown(visit, "words", context, status=status)


def _risks(
    visit: Visit, card: Card, form: RisksForm, *, status: int = 200, is_stale: bool = False
) -> HttpResponse:  # fmt: skip
    return shown(visit, "risks", {"card": card, "form": form, "is_stale": is_stale}, status=status)


def _card(visit: Visit, subject: str) -> Card | None:
    if visit.link.purpose != LinkPurpose.CONFIRM:
        return None
    return next((card for card in cards_of(visit.link) if card.subject == subject), None)


def _back(visit: Visit, subject: str = "") -> HttpResponse:
    anchor = f"#{subject}" if subject else ""
    return HttpResponseRedirect(reverse("handoffs:client_page", args=[visit.token]) + visit.suffix + anchor)
