"""Working on tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from handoffs.access import workable_task
from handoffs.forms import AnswerForm, ChangeTaskForm, CompleteForm
from handoffs.models import Task
from handoffs.queries import people_for
from handoffs.services import tasks as services
from handoffs.services.tasks import StaleTask
from handoffs.states import IllegalTransition
from handoffs.views.answers import CHANGED, answer, attempt, back, unreadable
from opportunities.views.answers import Request, dialog, trigger


@require_POST
@login_required
def complete(request: Request, pk: int) -> HttpResponse:
    """Say done for one's own side."""
    task = workable_task(request.user, pk)
    form = CompleteForm(request.POST)
    if not form.is_valid():
        return answer(request, task, problem=unreadable(form, task, "complete", field="evidence"))
    evidence = form.cleaned_data["evidence"]
    return attempt(
        request, task, "complete",
        lambda: services.complete_task(
            actor=request.user, task=task, evidence=evidence, expected_version=form.cleaned_data["version"],
            now=timezone.now(),
        ),
        said=_("Done: “%(title)s”") % {"title": task.title}, text=evidence,
        undo=reverse("handoffs:reopen_task", args=[task.pk]),
    )  # fmt: skip


@require_POST
@login_required
def reopen(request: Request, pk: int) -> HttpResponse:
    """Take a done back."""
    task = workable_task(request.user, pk)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return answer(request, task, problem=unreadable(form, task, "reopen"))
    return attempt(
        request, task, "reopen",
        lambda: services.reopen_task(
            actor=request.user, task=task, expected_version=form.cleaned_data["version"], now=timezone.now()
        ),
        said=_("Open again: “%(title)s”") % {"title": task.title},
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def change(request: Request, pk: int) -> HttpResponse:
    """Title, due date and person of a task, in the dialog."""
    task = workable_task(request.user, pk)
    people = people_for(task.opportunity, task.side)
    if request.method != "POST":
        return _form(request, task, ChangeTaskForm(task=task, people=people))
    form = ChangeTaskForm(request.POST, task=task, people=people)
    if not form.is_valid():
        return _form(request, task, form, status=422)
    try:
        services.change_task(
            actor=request.user, task=task, changes=form.changes, expected_version=form.cleaned_data["version"],
            now=timezone.now(),
        )  # fmt: skip
    except ValidationError as error:
        form.add_error(None, error)
        return _form(request, task, form, status=422)
    except (StaleTask, IllegalTransition) as error:
        fresh = workable_task(request.user, pk)
        mine = ChangeTaskForm({**request.POST.dict(), "version": fresh.version}, task=fresh, people=people)
        return _form(request, fresh, mine, status=409, conflict=str(error), theirs=mine.differing(fresh))
    if not request.htmx:
        return redirect(back(request, task.opportunity))
    response = HttpResponse(status=204)
    events = {CHANGED: {}, "dialog:close": {}, "toast": {"text": _("Changed: “%(title)s”") % {"title": task.title}}}
    return trigger(response, **events)


def _form(
    request: Request, task: Task, form: ChangeTaskForm, *, status: int = 200, conflict: str = "",
    theirs: Sequence[tuple[str, Any]] = (),
) -> HttpResponse:  # fmt: skip
    context = {"form": form, "task": task, "conflict": conflict, "theirs": theirs}
    return dialog(request, "handoffs/_task_form.html", context, status=status)
