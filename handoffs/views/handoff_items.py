"""Items of a handoff's checklist: done with evidence, left out with a reason, added by hand."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from handoffs.access import readable_task, workable_task
from handoffs.handoff_access import workable_handoff
from handoffs.handoff_forms import AddItemForm, EvidenceForm, WaiveForm
from handoffs.models import Task, TaskState
from handoffs.services.handoff import add_item, waive_item
from handoffs.services.tasks import StaleTask, complete_task
from handoffs.views import handoff_pages as pages
from opportunities.services.files import add_file
from opportunities.views.answers import Request, dialog


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def item(request: Request, pk: int) -> HttpResponse:
    """Say done, with what shows it."""
    task = _item(workable_task(request.user, pk))
    if request.method != "POST":
        return _evidence(request, task, EvidenceForm(task=task))
    form = EvidenceForm(request.POST, request.FILES, task=task)
    if not form.is_valid():
        return _evidence(request, task, form, status=422)
    try:
        after = _complete(request, task, form)
    except ValidationError as error:
        form.take(error, {"attachment": "file"})
        return _evidence(request, task, form, status=422)
    except StaleTask as error:
        form.see(error.current.version)
        return _evidence(request, workable_task(request.user, pk), form, status=409, conflict=str(error))
    except pages.REFUSALS as error:
        return pages.refused(request, _key(task), error)
    said = _("Done: “%(title)s”") if after.state == TaskState.DONE else _("Done for your side: “%(title)s”")
    undo = reverse("handoffs:reopen_task", args=[task.pk])
    return pages.done(request, _key(task), said % {"title": task.title}, undo=undo)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def waive(request: Request, pk: int) -> HttpResponse:
    """Leave an item out, and say why."""
    task = _item(readable_task(request.user, pk))
    if not request.user.has_perm("handoffs.waive_item", task):
        raise PermissionDenied(_("The managers of both sides and the project manager can waive an item."))
    form = WaiveForm(request.POST if request.method == "POST" else None, initial={"version": task.version})
    conflict = ""
    if form.is_valid():
        try:
            waive_item(
                actor=request.user, task=task, reason=form.cleaned_data["reason"],
                expected_version=form.cleaned_data["version"], now=timezone.now(),
            )  # fmt: skip
        except ValidationError as error:
            form.take(error)
        except StaleTask as error:
            conflict = str(error)
            form.see(error.current.version)
        except pages.REFUSALS as error:
            return pages.refused(request, _key(task), error)
        else:
            undo = reverse("handoffs:reopen_task", args=[task.pk])
            return pages.done(request, _key(task), _("Left out: “%(title)s”") % {"title": task.title}, undo=undo)
    status = 409 if conflict else 422 if form.is_bound else 200
    context = {"form": form, "task": task, "deal": task.opportunity, "conflict": conflict, **_back(task)}
    context["page_title"] = _("Leave it out")
    return dialog(request, "handoffs/handoff/_waive_form.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add(request: Request, pk: int) -> HttpResponse:
    """Add an item of one's own."""
    handoff = workable_handoff(request.user, pk)
    form = AddItemForm(request.POST if request.method == "POST" else None, initial=_chosen(request))
    if form.is_valid():
        given = form.cleaned_data
        try:
            made = add_item(
                actor=request.user, handoff=handoff, section=given["section"], title=given["title"],
                side=given["side"], is_required=given["is_required"], now=timezone.now(),
            )  # fmt: skip
        except ValidationError as error:
            form.take(error)
        except pages.REFUSALS as error:
            return pages.refused(request, pk, error)
        else:
            return pages.done(request, pk, _("Added: “%(title)s”") % {"title": made.title})
    context = {"form": form, "handoff": handoff, "deal": handoff.opportunity, "back": pages.address(pk)}
    context["page_title"] = _("Add an item")
    return dialog(request, "handoffs/handoff/_item_form.html", context, status=422 if form.is_bound else 200)


def _complete(request: Request, task: Task, form: EvidenceForm) -> Task:
    """Done and its file in one transaction: a file that shows nothing would stay on the deal for ever."""
    given, now = form.cleaned_data, timezone.now()
    attachment = None
    is_kept = False
    try:
        with transaction.atomic():
            if given["file"] is not None:
                attachment = add_file(actor=request.user, opportunity=task.opportunity, upload=given["file"], now=now)
            after = complete_task(
                actor=request.user, task=task, evidence=given["evidence"], link=given["link"], attachment=attachment,
                expected_version=given["version"], now=now,
            )  # fmt: skip
            is_kept = attachment is None or after.evidence_file_id == attachment.pk
            transaction.set_rollback(not is_kept)
    finally:
        if attachment is not None and not is_kept:
            attachment.file.delete(save=False)
    return after


def _evidence(
    request: Request, task: Task, form: EvidenceForm, *, status: int = 200, conflict: str = ""
) -> HttpResponse:  # fmt: skip
    context = {"form": form, "task": task, "deal": task.opportunity, "conflict": conflict, **_back(task)}
    context["page_title"] = _("Done, and what shows it")
    return dialog(request, "handoffs/handoff/_evidence_form.html", context, status=status)


def _item(task: Task) -> Task:
    if task.handoff_id is None:
        raise Http404(_("There is no such item."))
    return task


def _key(task: Task) -> int:
    return task.handoff_id or 0


def _back(task: Task) -> dict[str, Any]:
    return {"back": f"{pages.address(task.handoff_id)}#task-{task.pk}"}


def _chosen(request: Request) -> dict[str, str]:
    """The section in which the button was pressed."""
    return {"section": request.GET["section"]} if request.GET.get("section") else {}
