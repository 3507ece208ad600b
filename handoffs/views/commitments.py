"""The commitment ledger of a deal."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from handoffs.ledger_access import (
    answerable_commitment,
    changeable_commitment,
    kept_opportunity,
    settleable_commitment,
)
from handoffs.ledger_forms import CommitmentForm, SettleForm, StanceForm, VersionForm
from handoffs.ledger_queries import commitment_panel
from handoffs.models import Commitment, CommitmentOutcome, CommitmentSource, Stance
from handoffs.services import commitments as services
from handoffs.services.commitments import StaleCommitment
from handoffs.states import IllegalTransition
from handoffs.views.answers import Problem, unreadable
from handoffs.views.ledger import Part, answer, attempt, form_dialog, saved, shown
from opportunities.access import readable_opportunity
from opportunities.models import Opportunity
from opportunities.views.answers import Request, today_of

FORM = "_commitment_form.html"


@require_safe
@login_required
def panel(request: Request, pk: int) -> HttpResponse:
    """The promises of a deal: a fragment for the deal page, or a page of its own."""
    return _show(request, readable_opportunity(request.user, pk), None)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add(request: Request, pk: int) -> HttpResponse:
    """Note a promise, in the dialog."""
    opportunity = kept_opportunity(request.user, pk)
    if request.method != "POST":
        initial = {
            "promised_by": opportunity.owner or request.user, "promised_on": today_of(request),
            "source": CommitmentSource.MEETING,
        }  # fmt: skip
        return form_dialog(
            request, CommitmentForm(opportunity=opportunity, initial=initial), opportunity, template=FORM
        )
    form = CommitmentForm(request.POST, opportunity=opportunity)
    if form.is_valid():
        try:
            services.add_commitment(
                actor=request.user, opportunity=opportunity, values=form.changes, now=timezone.now()
            )
            return saved(request, PART, opportunity, _("The promise is noted; delivery is asked what it says to it."))
        except ValidationError as error:
            form.add_error(None, error)
        except IllegalTransition as error:
            return form_dialog(request, form, opportunity, template=FORM, status=409, conflict=str(error))
    return form_dialog(request, form, opportunity, template=FORM, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def change(request: Request, pk: int) -> HttpResponse:
    """Change a promise, in the dialog; a collision shows what stands now and keeps what was typed."""
    commitment = changeable_commitment(request.user, pk)
    opportunity = commitment.opportunity
    if request.method != "POST":
        form = CommitmentForm(opportunity=opportunity, commitment=commitment)
        return _change_form(request, form, commitment)
    form = CommitmentForm(request.POST, opportunity=opportunity, commitment=commitment)
    if not form.is_valid():
        return _change_form(request, form, commitment, status=422)
    try:
        changed = services.change_commitment(
            actor=request.user, commitment=commitment, changes=form.changes,
            expected_version=form.cleaned_data["version"], now=timezone.now(),
        )  # fmt: skip
    except ValidationError as error:
        form.add_error(None, error)
        return _change_form(request, form, commitment, status=422)
    except (StaleCommitment, IllegalTransition) as error:
        now = changeable_commitment(request.user, pk)
        mine = CommitmentForm({**request.POST.dict(), "version": now.version}, opportunity=opportunity, commitment=now)
        return _change_form(request, mine, now, status=409, conflict=str(error), theirs=mine.differing(now))
    is_asked_again = commitment.stance != Stance.PENDING and changed.stance == Stance.PENDING
    said = _("Changed: “%(text)s”") % {"text": _short(changed)}
    if is_asked_again:
        said = _("Changed. Delivery’s answer was to the promise as it stood, so it is asked again.")
    return saved(request, PART, opportunity, said)


@require_POST
@login_required
def stance(request: Request, pk: int) -> HttpResponse:
    """What delivery says to a promise."""
    commitment = answerable_commitment(request.user, pk)
    form = StanceForm(request.POST)
    given = request.POST.get("stance", "")
    if not form.is_valid():
        return _unreadable(request, commitment, form, given)
    note = form.cleaned_data["note"]
    labels = dict(Stance.choices)
    return attempt(
        request, PART, commitment, commitment.opportunity, form.cleaned_data["stance"],
        lambda: services.answer_commitment(
            actor=request.user, commitment=commitment, stance=form.cleaned_data["stance"], note=note,
            expected_version=form.cleaned_data["version"], now=timezone.now(),
        ),
        said=f"{labels[form.cleaned_data['stance']]}: “{_short(commitment)}”", text=note,
    )  # fmt: skip


@require_POST
@login_required
def settle(request: Request, pk: int) -> HttpResponse:
    """What became of a promise after the win."""
    commitment = settleable_commitment(request.user, pk)
    form = SettleForm(request.POST)
    given = request.POST.get("outcome", "")
    if not form.is_valid():
        return _unreadable(request, commitment, form, given)
    note = form.cleaned_data["note"]
    labels = dict(CommitmentOutcome.choices)
    return attempt(
        request, PART, commitment, commitment.opportunity, form.cleaned_data["outcome"],
        lambda: services.settle_commitment(
            actor=request.user, commitment=commitment, outcome=form.cleaned_data["outcome"], note=note,
            expected_version=form.cleaned_data["version"], now=timezone.now(),
        ),
        said=f"{labels[form.cleaned_data['outcome']]}: “{_short(commitment)}”", text=note,
    )  # fmt: skip


@require_POST
@login_required
def withdraw(request: Request, pk: int) -> HttpResponse:
    """Take a promise off the ledger that was entered by mistake."""
    commitment = changeable_commitment(request.user, pk)
    form = VersionForm(request.POST)
    if not form.is_valid():
        return _unreadable(request, commitment, form, "withdraw")
    return attempt(
        request, PART, commitment, commitment.opportunity, "withdraw",
        lambda: services.withdraw_commitment(
            actor=request.user, commitment=commitment, expected_version=form.cleaned_data["version"],
            now=timezone.now(),
        ),
        said=_("Withdrawn: “%(text)s”") % {"text": _short(commitment)},
        undo=reverse("handoffs:restore_commitment", args=[commitment.pk]),
    )  # fmt: skip


@require_POST
@login_required
def restore(request: Request, pk: int) -> HttpResponse:
    """Put a withdrawn promise back."""
    commitment = changeable_commitment(request.user, pk)
    return attempt(
        request, PART, commitment, commitment.opportunity, "restore",
        lambda: services.restore_commitment(actor=request.user, commitment=commitment, now=timezone.now()),
        said=_("On the ledger again: “%(text)s”") % {"text": _short(commitment)},
    )  # fmt: skip


def _show(request: Request, opportunity: Opportunity, problem: Problem | None) -> HttpResponse:
    found = commitment_panel(request.user, opportunity, today=today_of(request), is_page=not request.htmx)
    return shown(request, "commitments", {"panel": found, "deal": opportunity}, problem=problem)


PART = Part("commitment-panel", "handoffs:commitment_panel", _show)


def _change_form(
    request: Request, form: CommitmentForm, commitment: Commitment, *, status: int = 200, **more: Any
) -> HttpResponse:
    return form_dialog(
        request, form, commitment.opportunity, template=FORM, status=status, commitment=commitment, **more
    )


def _unreadable(request: Request, commitment: Commitment, form: Any, action: str) -> HttpResponse:
    problem = unreadable(form, commitment, action, field="note")
    return answer(request, PART, commitment.opportunity, problem=problem)


def _short(commitment: Commitment) -> str:
    return commitment.text if len(commitment.text) <= 60 else f"{commitment.text[:59]}…"
