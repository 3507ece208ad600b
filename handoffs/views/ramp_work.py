"""Working on a ramp plan: milestones, health, contacts with the client, the end of the ramp and of the project."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from handoffs.models import Rag, RampPhase, RampPlan, Task, TaskSide, TouchpointKind
from handoffs.ramp_access import readable_plan, readable_touchpoint, workable_plan
from handoffs.ramp_forms import HealthForm, MilestoneForm, ReasonForm, TouchpointForm
from handoffs.services import ramp as services
from handoffs.services.ramp import DutiesOpen, StalePlan
from handoffs.views import ramp_pages as pages
from opportunities.models import Contact
from opportunities.views.answers import Request, today_of

_FORM = ["GET", "HEAD", "POST"]


@require_http_methods(_FORM)
@login_required
def health(request: Request, pk: int) -> HttpResponse:
    """How the project is doing, and why."""
    plan = workable_plan(request.user, pk)
    form = HealthForm(request.POST or None, plan=plan)
    if not form.is_valid():
        return pages.form_dialog(request, plan, "_health_form", form)
    given = form.cleaned_data
    try:
        services.report_health(
            actor=request.user, plan=plan, rag=Rag(given["rag"]), reason=given["reason"],
            expected_version=given["version"], now=timezone.now(),
        )  # fmt: skip
    except ValidationError as error:
        form.take(error)
        return pages.form_dialog(request, plan, "_health_form", form)
    except StalePlan as error:
        fresh = workable_plan(request.user, pk)
        form.see(fresh.version)
        return pages.form_dialog(request, fresh, "_health_form", form, stale=error)
    return pages.done(request, plan, _("Reported."))


@require_http_methods(_FORM)
@login_required
def milestone(request: Request, pk: int) -> HttpResponse:
    """Add a task to the plan."""
    plan = workable_plan(request.user, pk)
    tasks = list(Task.objects.filter(ramp_plan=plan, state__in=["open", "paused"]).order_by("due_on", "pk"))
    form = MilestoneForm(request.POST or None, tasks=tasks)
    if not form.is_valid():
        return pages.form_dialog(request, plan, "_milestone_form", form)
    given = form.cleaned_data
    try:
        task = services.add_milestone(
            actor=request.user, plan=plan, phase=RampPhase(given["phase"]), title=given["title"],
            side=TaskSide(given["side"]), offset_days=given["offset_days"], due_on=given["due_on"],
            evidence_wanted=given["evidence_wanted"], after=[given["after"]] if given["after"] else [],
            now=timezone.now(),
        )  # fmt: skip
    except ValidationError as error:
        form.take(error)
        return pages.form_dialog(request, plan, "_milestone_form", form)
    return pages.done(request, plan, _("Added: “%(title)s”") % {"title": task.title})


@require_http_methods(_FORM)
@login_required
def touchpoint(request: Request, pk: int) -> HttpResponse:
    """Log a contact with the client."""
    plan = workable_plan(request.user, pk)
    form = TouchpointForm(request.POST or None, people=_people(plan), today=today_of(request))
    if not form.is_valid():
        return pages.form_dialog(request, plan, "_touchpoint_form", form)
    given = form.cleaned_data
    try:
        services.log_touchpoint(
            actor=request.user, plan=plan, kind=TouchpointKind(given["kind"]), on=given["on"], note=given["note"],
            contacts=form.contacts, request_id=given["request_id"], now=timezone.now(),
        )  # fmt: skip
    except ValidationError as error:
        form.take(error)
        return pages.form_dialog(request, plan, "_touchpoint_form", form)
    return pages.done(request, plan, _("Logged."))


@require_POST
@login_required
def remove_touchpoint(request: Request, pk: int) -> HttpResponse:
    """Take an entry off the log."""
    entry = readable_touchpoint(request.user, pk)
    return _tried(
        request, entry.plan,
        lambda: services.remove_touchpoint(actor=request.user, touchpoint=entry, now=timezone.now()),
        _("Taken off the log."), undo=reverse("handoffs:restore_touchpoint", args=[pk]),
    )  # fmt: skip


@require_POST
@login_required
def restore_touchpoint(request: Request, pk: int) -> HttpResponse:
    """Bring a removed entry back."""
    entry = readable_touchpoint(request.user, pk)
    return _tried(
        request, entry.plan,
        lambda: services.restore_touchpoint(actor=request.user, touchpoint=entry, now=timezone.now()),
        _("Back on the log."),
    )  # fmt: skip


@require_http_methods(_FORM)
@login_required
def end(request: Request, pk: int) -> HttpResponse:
    """End the ramp by evidence; where something is missing, early, for those who may, with a reason."""
    plan = _endable(request, pk)
    form = ReasonForm(request.POST or None, initial={"version": plan.version})
    missing = services.missing_for_exit(plan)
    more: dict[str, Any] = {"missing": missing, "may_end_early": request.user.has_perm("handoffs.exit_early", plan)}
    if not form.is_valid():
        return pages.form_dialog(request, plan, "_exit_form", form, **more)
    try:
        services.exit_ramp(
            actor=request.user, plan=plan, reason=form.cleaned_data["reason"], early=request.POST.get("do") == "early",
            expected_version=form.cleaned_data["version"], now=timezone.now(),
        )  # fmt: skip
    except (ValidationError, services.ExitNotReady) as error:
        form.take(error if isinstance(error, ValidationError) else ValidationError(str(error)))
        return pages.form_dialog(request, plan, "_exit_form", form, **more)
    except StalePlan as error:
        fresh = _endable(request, pk)
        form.see(fresh.version)
        more["missing"] = services.missing_for_exit(fresh)
        return pages.form_dialog(request, fresh, "_exit_form", form, stale=error, **more)
    except pages.REFUSALS as error:
        return pages.refused(request, plan, error)
    return pages.done(
        request, plan, _("The ramp has ended; the project is in delivery."),
        undo=reverse("handoffs:ramp_resume", args=[pk]),
    )  # fmt: skip


@require_POST
@login_required
def resume(request: Request, pk: int) -> HttpResponse:
    """Let the ramp go on."""
    plan = _endable(request, pk)
    return _tried(
        request, plan, lambda: services.resume_ramp(actor=request.user, plan=plan, now=timezone.now()),
        _("The ramp goes on."),
    )  # fmt: skip


@require_http_methods(_FORM)
@login_required
def close(request: Request, pk: int) -> HttpResponse:
    """Close the project, having read what sales still owes."""
    plan = _endable(request, pk)
    form = ReasonForm(request.POST or None, initial={"version": plan.version})
    duties = list(services.sales_duties(plan))
    if not form.is_valid():
        return pages.form_dialog(request, plan, "_close_form", form, duties=duties)
    try:
        services.close_project(
            actor=request.user, plan=plan, despite_duties=request.POST.get("do") == "despite",
            expected_version=form.cleaned_data["version"], now=timezone.now(),
        )  # fmt: skip
    except DutiesOpen as error:
        form.take(ValidationError(str(error)))
        return pages.form_dialog(request, plan, "_close_form", form, duties=error.tasks)
    except StalePlan as error:
        fresh = _endable(request, pk)
        form.see(fresh.version)
        return pages.form_dialog(request, fresh, "_close_form", form, stale=error, duties=duties)
    except pages.REFUSALS as error:
        return pages.refused(request, plan, error)
    return pages.done(
        request, plan, _("The project is closed."), undo=reverse("handoffs:ramp_reopen", args=[pk])
    )  # fmt: skip


@require_POST
@login_required
def reopen(request: Request, pk: int) -> HttpResponse:
    """Open a closed project again."""
    plan = _endable(request, pk)
    return _tried(
        request, plan, lambda: services.reopen_project(actor=request.user, plan=plan, now=timezone.now()),
        _("The project is open again."),
    )  # fmt: skip


def _tried(
    request: Request, plan: RampPlan, change: Callable[[], Any], sentence: str, *, undo: str = ""
) -> HttpResponse:  # fmt: skip
    try:
        change()
    except pages.REFUSALS as error:
        return pages.refused(request, plan, error)
    return pages.done(request, plan, sentence, undo=undo)


def _endable(request: Request, pk: int) -> RampPlan:
    plan = readable_plan(request.user, pk)
    if not request.user.has_perm("handoffs.exit_ramp", plan):
        raise PermissionDenied(_("The project manager, or delivery on this deal, does this."))
    return plan


def _people(plan: RampPlan) -> list[Contact]:
    """Contacts of the deal, then the others of its client."""
    deal = plan.opportunity
    near = Q(opportunities=deal)
    if deal.account_id is not None:
        near |= Q(account_id=deal.account_id)
    own = set(deal.contacts.values_list("pk", flat=True))
    found = Contact.objects.filter(near).distinct().order_by("name")[:100]
    return sorted(found, key=lambda contact: contact.pk not in own)
