"""Settings: the tasks of a playbook, edited in place; without script on pages of their own."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import administrators_only
from accounts.forms.answers import accepted
from handoffs.models import Playbook, PlaybookTask
from handoffs.playbook_forms import PlaybookTaskForm
from handoffs.playbook_places import in_order
from handoffs.services import playbook_editing as services
from handoffs.views.playbooks import playbook_or_404, tasks_answer
from opportunities.forms.pipelines import ShiftForm
from opportunities.services.merging import Collision
from opportunities.views.answers import Request, said, trigger


@administrators_only
@require_http_methods(["GET", "POST"])
def add(request: Request, pk: int) -> HttpResponse:
    """Add a task."""
    playbook = playbook_or_404(pk)
    form = PlaybookTaskForm(request.POST or None, trigger=playbook.trigger, others=_others(playbook))
    if accepted(
        form,
        lambda: services.add_task(actor=request.user, playbook=playbook, values=form.wanted, now=timezone.now()),
    ):
        return tasks_answer(request, playbook, focus="new-task")
    return _form_answer(request, playbook, form)


@administrators_only
@require_http_methods(["GET", "POST"])
def change(request: Request, pk: int) -> HttpResponse:
    """Change a task; deals that have it already keep theirs."""
    task = _task(pk)
    form = PlaybookTaskForm(
        request.POST or None, trigger=task.playbook.trigger, others=_others(task.playbook), task=task
    )

    def save() -> None:
        services.change_task(
            actor=request.user, task=task, wanted=form.wanted, base=form.base, now=timezone.now()
        )  # fmt: skip

    try:
        if accepted(form, save):
            return tasks_answer(request, task.playbook, focus=f"task-{task.pk}")
    except Collision as collision:
        form.tell(collision)
    return _form_answer(request, task.playbook, form, task)


@administrators_only
@require_POST
def shift(request: Request, pk: int) -> HttpResponse:
    """One step up or down."""
    task, form = _task(pk), ShiftForm(request.POST)
    if form.is_valid():
        services.shift_task(actor=request.user, task=task, by=form.cleaned_data["by"], now=timezone.now())
    answer = tasks_answer(request, task.playbook)
    return trigger(answer, announce={"text": _place(task)}) if request.htmx else answer


@administrators_only
@require_POST
def archive(request: Request, pk: int) -> HttpResponse:
    """Leave a task out from now on; it can be brought back."""
    task = _task(pk)
    try:
        services.archive_task(actor=request.user, task=task, now=timezone.now())
    except ValidationError as error:
        return said(request, " ".join(error.messages), status=409, back=_back(task))
    sentence = _("“%(title)s” is left out from now on.") % {"title": task.title}
    if not request.htmx:
        messages.info(request, sentence)
        return redirect(_back(task))
    undo = {"url": reverse("playbooks:task_restore", args=[task.pk])}
    return trigger(tasks_answer(request, task.playbook, focus="new-task"), toast={"text": sentence, "undo": undo})


@administrators_only
@require_POST
def restore(request: Request, pk: int) -> HttpResponse:
    """Bring a task back."""
    task = _task(pk)
    try:
        services.restore_task(actor=request.user, task=task, now=timezone.now())
    except ValidationError as error:
        return said(request, " ".join(error.messages), status=409, back=_back(task))
    return tasks_answer(request, task.playbook)


def _form_answer(
    request: Request, playbook: Playbook, form: PlaybookTaskForm, task: PlaybookTask | None = None
) -> HttpResponse:
    """The form in the place of its row, or on a page of its own."""
    template = "_task_form" if request.htmx else "task"
    context = {"playbook": playbook, "form": form, "task": task}
    return render(
        request, f"handoffs/playbooks/{template}.html", context, status=422 if form.is_bound else 200
    )  # fmt: skip


def _others(playbook: Playbook) -> list[PlaybookTask]:
    return in_order(playbook.tasks.filter(archived_at__isnull=True), playbook.trigger)


def _place(task: PlaybookTask) -> str:
    """Where the task stands now, for people who can't see the list."""
    order = [each.pk for each in _others(task.playbook)]
    if task.pk not in order:
        return _("“%(title)s” is left out.") % {"title": task.title}
    told = {"title": task.title, "place": order.index(task.pk) + 1, "count": len(order)}
    return _("“%(title)s” is now %(place)d of %(count)d.") % told


def _back(task: PlaybookTask) -> str:
    return reverse("playbooks:detail", args=[task.playbook_id])


def _task(pk: int) -> PlaybookTask:
    found = PlaybookTask.objects.select_related("playbook__service_line").prefetch_related("depends_on")
    return get_object_or_404(found, pk=min(pk, 2**62))
