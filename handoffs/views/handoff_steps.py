"""The way of a handoff: handed in, taken back, opened for changes, taken on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from handoffs.handoff_access import readable_handoff
from handoffs.handoff_forms import ReasonForm, SubmitForm
from handoffs.models import Handoff
from handoffs.services.approvals import (
    NotReady,
    StaleHandoff,
    accept_handoff,
    recall_handoff,
    revise_handoff,
    submit_handoff,
)
from handoffs.views import handoff_pages as pages
from opportunities.views.answers import Request


@require_POST
@login_required
def submit(request: Request, pk: int) -> HttpResponse:
    """Hand it in for approval."""
    handoff = _submittable(request, pk)
    form = SubmitForm(request.POST, auto_id="submit-%s")
    if not form.is_valid():
        return _kept(request, handoff, submit_form=form)
    given = form.cleaned_data
    try:
        made = submit_handoff(
            actor=request.user, handoff=handoff, note=given["note"], expected_version=given["version"],
            now=timezone.now(),
        )  # fmt: skip
    except StaleHandoff as error:
        form.see(error.current.version)
        return _kept(request, readable_handoff(request.user, pk), str(error), 409, submit_form=form)
    except NotReady as error:
        return _kept(request, readable_handoff(request.user, pk), pages.sentence_of(error), 409, submit_form=form)
    except ValidationError as error:
        form.take(error)
        return _kept(request, handoff, submit_form=form)
    except pages.REFUSALS as error:
        return pages.refused(request, pk, error)
    return pages.done(request, pk, _("Submitted as version %(number)d.") % {"number": made.number})


@require_POST
@login_required
def recall(request: Request, pk: int) -> HttpResponse:
    """Take it back from its approvers."""
    handoff = readable_handoff(request.user, pk)
    if not handoff.submissions.filter(submitted_by=request.user).exists():
        handoff = _submittable(request, pk)
    return _with_reason(request, handoff, "recall", recall_handoff, _("The handoff is yours to change again."))


@require_POST
@login_required
def revise(request: Request, pk: int) -> HttpResponse:
    """Open an approved or rejected one for changes."""
    handoff = _submittable(request, pk)
    return _with_reason(request, handoff, "revise", revise_handoff, _("The handoff is open for changes."))


@require_POST
@login_required
def accept(request: Request, pk: int) -> HttpResponse:
    """The project manager takes it on."""
    handoff = readable_handoff(request.user, pk)
    try:
        accept_handoff(actor=request.user, handoff=handoff, now=timezone.now())
    except PermissionDenied:
        raise
    except pages.REFUSALS as error:
        return pages.refused(request, pk, error)
    return pages.done(request, pk, _("You took the project on. The ramp begins."))


def _submittable(request: Request, pk: int) -> Handoff:
    """The handoff, or 404; 403 for those who may only read it."""
    handoff = readable_handoff(request.user, pk)
    if not request.user.has_perm("handoffs.submit_handoff", handoff):
        raise PermissionDenied(_("The owners of the deal and their managers submit its handoff."))
    return handoff


def _with_reason(
    request: Request, handoff: Handoff, name: str, service: Callable[..., Any], said: str
) -> HttpResponse:  # fmt: skip
    form = ReasonForm(request.POST, auto_id=f"{name}-%s")
    forms: dict[str, Any] = {f"{name}_form": form}
    if not form.is_valid():
        return _kept(request, handoff, **forms)
    try:
        service(actor=request.user, handoff=handoff, reason=form.cleaned_data["reason"], now=timezone.now())
    except ValidationError as error:
        form.take(error)
        return _kept(request, handoff, **forms)
    except pages.REFUSALS as error:
        return pages.refused(request, handoff.pk, error)
    return pages.done(request, handoff.pk, said)


def _kept(
    request: Request, handoff: Handoff, problem: str = "", status: int = 422, **forms: Any
) -> HttpResponse:  # fmt: skip
    """The page with what was typed."""
    return pages.page(request, handoff, problem=problem, status=status, **forms)
