"""The inbox of approvals, and deciding from it, from a handoff's page or from a mail."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from handoffs.approval_access import readable_step
from handoffs.approval_forms import CommentForm
from handoffs.approval_queries import decided_by, inbox_of, inbox_rows, row_of, why_cannot_decide
from handoffs.models import ApprovalStep, StepState
from handoffs.services.approvals import CannotDecide, decide_step
from handoffs.states import IllegalTransition
from handoffs.views.answers import CHANGED
from opportunities.views.answers import Request, dialog, trigger

PAGE_SIZE = 20
# What the page listens to, to go on with the next row.
DECIDED = "approval-decided"


@require_safe
@login_required
def inbox(request: Request) -> HttpResponse:
    """What waits for the person's approval; the list alone for htmx."""
    now = timezone.now()
    waiting = inbox_of(request.user, now)
    rows = inbox_rows(waiting[:PAGE_SIZE])
    context = {
        **_common(request), "rows": rows, "count": len(waiting), "tab": "waiting",
        "more": max(len(waiting) - PAGE_SIZE, 0),
    }  # fmt: skip
    template = "_inbox" if request.htmx else "inbox"
    return render(request, f"handoffs/approvals/{template}.html", context)


@require_safe
@login_required
def decided(request: Request) -> HttpResponse:
    """What the person decided, and what others did in their name."""
    steps = decided_by(request.user)
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        last = steps.filter(pk=int(before)).first()
        if last is not None and last.decided_at is not None:
            steps = steps.filter(decided_at__lte=last.decided_at).exclude(decided_at=last.decided_at, pk__gte=last.pk)
    page = list(steps[: PAGE_SIZE + 1])
    next_url = f"?before={page[PAGE_SIZE - 1].pk}" if len(page) > PAGE_SIZE else ""
    context = {**_common(request), "steps": page[:PAGE_SIZE], "next_url": next_url, "tab": "decided"}
    return render(request, "handoffs/approvals/decided.html", context)


@require_safe
@login_required
def detail(request: Request, pk: int) -> HttpResponse:
    """One approval by itself, as a mail leads to it; whoever can't decide it sees the handoff and why."""
    step = readable_step(request.user, pk)
    row = row_of(step, request.user, timezone.now())
    if row is None:
        refusal = why_cannot_decide(request.user, step, timezone.now())
        if refusal is not None:
            messages.info(request, refusal.sentence)
        return redirect("handoffs:handoff", step.submission.handoff_id)
    context = {**_common(request), "row": row, "is_alone": True}
    return render(request, "handoffs/approvals/detail.html", context)


@require_safe
@login_required
def actions(request: Request, pk: int) -> HttpResponse:
    """The three answers of a row again, after somebody thought better of a refusal."""
    step = readable_step(request.user, pk)
    if not request.htmx:
        return redirect("handoffs:approval", pk)
    return render(
        request, "handoffs/approvals/_act.html", {"step": step, "deal": step.submission.handoff.opportunity}
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@login_required
def approve(request: Request, pk: int) -> HttpResponse:
    """Approve, with words or without."""
    return _decide(request, pk, StepState.APPROVED)


@require_http_methods(["GET", "POST"])
@login_required
def request_changes(request: Request, pk: int) -> HttpResponse:
    """Send the handoff back, and say what has to change."""
    return _decide(request, pk, StepState.CHANGES_REQUESTED)


@require_http_methods(["GET", "POST"])
@login_required
def reject(request: Request, pk: int) -> HttpResponse:
    """Refuse the handoff, and say why."""
    return _decide(request, pk, StepState.REJECTED)


def _decide(request: Request, pk: int, decision: StepState) -> HttpResponse:
    step = readable_step(request.user, pk)
    form = CommentForm(request.POST) if request.method == "POST" else CommentForm()
    refusal = why_cannot_decide(request.user, step, timezone.now())
    # Whoever decided it sends the same again at times; what they get then, the service says.
    if refusal is not None and (request.method == "GET" or refusal.is_personal):
        return _refused(request, step, refusal)
    if request.method == "GET":
        return _form(request, step, decision, form)
    if not form.is_valid():
        return _form(request, step, decision, form, status=422)
    try:
        decide_step(
            actor=request.user, step=step, decision=decision, comment=form.cleaned_data["comment"], now=timezone.now()
        )
    except ValidationError as error:
        form.add_error(None, error)
        return _form(request, step, decision, form, status=422)
    except (CannotDecide, IllegalTransition) as error:
        return _refused(request, readable_step(request.user, pk), error)
    return _done(request, step, decision)


def _done(request: Request, step: ApprovalStep, decision: StepState) -> HttpResponse:
    deal = step.submission.handoff.opportunity
    said = {
        StepState.APPROVED: _("Approved: %(deal)s"),
        StepState.CHANGES_REQUESTED: _("Changes asked for: %(deal)s"),
        StepState.REJECTED: _("Rejected: %(deal)s"),
    }[decision] % {"deal": deal.name}
    if not request.htmx:
        messages.info(request, said)
        return redirect(_back(request))
    if request.htmx.target == "dialog-body":
        events: dict[str, Any] = {CHANGED: {}, "toast": {"text": said}, "dialog:close": {}}
        return trigger(HttpResponse(status=204), **events)
    response = HttpResponse()
    response.headers["HX-Retarget"] = f"#approval-{step.pk}"
    response.headers["HX-Reswap"] = "delete"
    return trigger(response, **{DECIDED: {"step": step.pk}, "toast": {"text": said}})


def _refused(request: Request, step: ApprovalStep, error: Exception) -> HttpResponse:
    """Nothing was changed, and why: in place of the row, or as a message on the handoff."""
    is_personal = isinstance(error, CannotDecide) and error.is_personal
    if is_personal and not request.htmx:
        raise PermissionDenied(str(error))
    status = 403 if is_personal else 409
    if not request.htmx:
        messages.error(request, str(error))
        return redirect("handoffs:handoff", step.submission.handoff_id)
    context = {"step": step, "deal": step.submission.handoff.opportunity, "sentence": str(error)}
    if request.htmx.target == "dialog-body":
        return dialog(request, "handoffs/approvals/_refused_dialog.html", context, status=status)
    response = render(request, "handoffs/approvals/_refused.html", context, status=status)
    response.headers["HX-Retarget"] = f"#approval-{step.pk}"
    response.headers["HX-Reswap"] = "outerHTML"
    return trigger(response, announce={"text": str(error)})


def _form(
    request: Request, step: ApprovalStep, decision: StepState, form: CommentForm, *, status: int = 200
) -> HttpResponse:
    """The form for the words: in its row, in the dialog, or on a page of its own."""
    is_refusal = decision != StepState.APPROVED
    title, verb, label = {
        StepState.APPROVED: (_("Approve the handoff"), _("Approve"), _("Comment, if you like")),
        StepState.CHANGES_REQUESTED: (_("Request changes"), _("Request changes"), _("What has to change?")),
        StepState.REJECTED: (_("Reject the handoff"), _("Reject"), _("Why?")),
    }[decision]
    form.fields["comment"].label = label
    form.fields["comment"].widget.attrs |= {"autofocus": True} | ({"required": True} if is_refusal else {})
    context = {
        "form": form, "step": step, "deal": step.submission.handoff.opportunity, "page_title": title, "verb": verb,
        "is_refusal": is_refusal, "is_rejection": decision == StepState.REJECTED,
        "action": reverse(f"handoffs:approval_{_ADDRESS[decision]}", args=[step.pk]), "next": _back(request),
    }  # fmt: skip
    if request.htmx.target == f"approval-{step.pk}-act":
        form.auto_id = f"approval_{step.pk}_%s"
        return render(request, "handoffs/approvals/_row_form.html", context, status=status)
    return dialog(request, "handoffs/approvals/_decide_form.html", context, status=status)


_ADDRESS = {
    StepState.APPROVED: "approve",
    StepState.CHANGES_REQUESTED: "request_changes",
    StepState.REJECTED: "reject",
}


def _common(request: Request) -> dict[str, Any]:
    now = timezone.now()
    return {"now": now, "today": request.organisation.today(now)}


def _back(request: Request) -> str:
    wanted = request.POST.get("next", "") or request.GET.get("next", "")
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else reverse("handoffs:approvals")
