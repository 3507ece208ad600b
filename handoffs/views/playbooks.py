"""Settings: playbooks."""

from __future__ import annotations

import datetime as dt
import json

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import administrators_only
from accounts.forms.answers import accepted, status_of
from accounts.models import ServiceLine
from handoffs.models import Playbook
from handoffs.playbook_forms import CopyForm, NewPlaybookForm, OrderForm, PlaybookNameForm, PreviewForm
from handoffs.playbook_queries import Example, grouped, lines_without, preview, signals, task_lines
from handoffs.ramp_queries.lessons import open_proposals
from handoffs.services import playbook_editing as services
from opportunities.services.merging import Collision
from opportunities.views.answers import Request, said, trigger

# The example deal closes about as far ahead as deals usually do when they turn warm.
EXAMPLE_DAYS = 42
CHANGED = "playbook-changed"


@administrators_only
@require_safe
def playbook_list(request: Request) -> HttpResponse:
    """All playbooks by the signal that they answer."""
    return _list_page(request, NewPlaybookForm())


@administrators_only
@require_POST
def add(request: Request) -> HttpResponse:
    """Begin a playbook."""
    form = NewPlaybookForm(request.POST)
    made: list[Playbook] = []

    def save() -> None:
        made.append(services.create_playbook(actor=request.user, **form.cleaned_data, now=timezone.now()))

    if accepted(form, save):
        return redirect("playbooks:detail", made[0].pk)
    return _list_page(request, form)


@administrators_only
@require_safe
def detail(request: Request, pk: int) -> HttpResponse:
    """One playbook: its tasks, and what they would be for a deal."""
    return _page(request, playbook_or_404(pk))


@administrators_only
@require_POST
def rename(request: Request, pk: int) -> HttpResponse:
    """Another name."""
    playbook = playbook_or_404(pk)
    form = PlaybookNameForm(request.POST, present={"name": playbook.name})

    def save() -> None:
        services.rename_playbook(
            actor=request.user, playbook=playbook, name=form.cleaned_data["name"], seen=form.base.get("name"),
            now=timezone.now(),
        )  # fmt: skip

    try:
        if accepted(form, save):
            return redirect("playbooks:detail", pk)
    except Collision as collision:
        form.tell(collision)
    return _page(request, playbook, name_form=form)


@administrators_only
@require_POST
def copy(request: Request, pk: int) -> HttpResponse:
    """A playbook of a service line's own, made of this one."""
    playbook = playbook_or_404(pk)
    form = CopyForm(request.POST, lines=lines_without(playbook))
    made: list[Playbook] = []

    def save() -> None:
        made.append(
            services.copy_playbook(actor=request.user, playbook=playbook, **form.cleaned_data, now=timezone.now())
        )

    if accepted(form, save):
        messages.info(request, _("Copied. Change what is different, then put it to use."))
        return redirect("playbooks:detail", made[0].pk)
    return _page(request, playbook, copy_form=form)


@administrators_only
@require_POST
def activate(request: Request, pk: int) -> HttpResponse:
    """Put a playbook to use, or take it out of use."""
    playbook = playbook_or_404(pk)
    try:
        services.set_playbook_active(
            actor=request.user, playbook=playbook, is_active="retire" not in request.POST,
            is_replacing="replace" in request.POST, now=timezone.now(),
        )  # fmt: skip
    except services.AnotherInUse as error:
        return _page(request, playbook, rival=error.other)
    except ValidationError as error:
        return said(request, " ".join(error.messages), status=409, back=reverse("playbooks:detail", args=[pk]))
    return redirect("playbooks:detail", pk)


@administrators_only
@require_safe
def example(request: Request, pk: int) -> HttpResponse:
    """What the playbook would bring to an example deal."""
    playbook = playbook_or_404(pk)
    return render(request, "handoffs/playbooks/_preview.html", _preview_context(request, playbook))


@administrators_only
@require_safe
def tasks(request: Request, pk: int) -> HttpResponse:
    """The tasks as they stand, after leaving a form."""
    return tasks_answer(request, playbook_or_404(pk), focus=request.GET.get("from", ""))


@administrators_only
@require_POST
def order(request: Request, pk: int) -> HttpResponse:
    """The order of the tasks as dragged."""
    playbook, form = playbook_or_404(pk), OrderForm(request.POST)
    if not form.is_valid():
        return said(request, _("That is no order of tasks."), status=422, back=reverse("playbooks:detail", args=[pk]))
    try:
        services.order_tasks(actor=request.user, playbook=playbook, **form.ids, now=timezone.now())
    except Collision:
        sentence = _("Somebody changed the tasks in the meantime. This is how they stand now.")
        if not request.htmx:
            messages.error(request, sentence)
        return trigger(tasks_answer(request, playbook), toast={"text": sentence, "kind": "error"})
    return tasks_answer(request, playbook)


def tasks_answer(request: Request, playbook: Playbook, *, focus: str = "") -> HttpResponse:
    """The list of tasks for htmx, wherever it was asked from; the page for others.

    ``focus`` is the id of the element in which the keyboard goes on.
    """
    if not request.htmx:
        return redirect("playbooks:detail", playbook.pk)
    lines, archived = task_lines(playbook)
    context = {
        "playbook": playbook, "lines": lines, "archived": archived, "groups": grouped(lines, playbook.trigger),
    }  # fmt: skip
    response = render(request, "handoffs/playbooks/_tasks.html", context)
    response.headers["HX-Retarget"] = "#tasks"
    response.headers["HX-Reswap"] = "outerHTML"
    if focus:
        response.headers["HX-Trigger-After-Settle"] = json.dumps({"focus-in": {"id": focus}})
    return trigger(response, **{CHANGED: True})


def playbook_or_404(pk: int) -> Playbook:
    """The playbook with its service line, or 404."""
    return get_object_or_404(Playbook.objects.select_related("service_line"), pk=min(pk, 2**62))


def _page(
    request: Request,
    playbook: Playbook,
    *,
    name_form: PlaybookNameForm | None = None,
    copy_form: CopyForm | None = None,
    rival: Playbook | None = None,
) -> HttpResponse:
    without = lines_without(playbook)
    lines, archived = task_lines(playbook)
    name_form = name_form or PlaybookNameForm(present={"name": playbook.name})
    context = {
        "playbook": playbook, "lines": lines, "archived": archived, "groups": grouped(lines, playbook.trigger),
        "name_form": name_form, "rival": rival,
        "copy_form": copy_form or CopyForm(lines=without, initial=_copy_of(playbook, without)), "without": without,
        "lessons": open_proposals(playbook), **_preview_context(request, playbook),
    }  # fmt: skip
    status = 409 if rival else status_of(name_form, *([copy_form] if copy_form else []))
    return render(request, "handoffs/playbooks/playbook.html", context, status=status)


def _copy_of(playbook: Playbook, lines: list[ServiceLine]) -> dict[str, object]:
    """A copy is proposed for the first service line without a playbook of its own."""
    line = lines[0] if lines else None
    return {"name": f"{playbook.name}: {line.name}" if line else f"{playbook.name} (2)", "service_line": line}


def _preview_context(request: Request, playbook: Playbook) -> dict[str, object]:
    today = request.organisation.today(timezone.now())
    form = PreviewForm(request.GET, trigger=playbook.trigger, day=today + dt.timedelta(days=EXAMPLE_DAYS))
    if form.is_bound and form.is_valid():
        imagined = Example(form.cleaned_data["day"], form.cleaned_data["amount"])
    else:
        imagined = Example(today + dt.timedelta(days=EXAMPLE_DAYS))
    foreseen = preview(playbook, imagined, today=today, home=request.organisation)
    return {"preview_form": form, "preview": foreseen, "today": today, "playbook": playbook}


def _list_page(request: Request, form: NewPlaybookForm) -> HttpResponse:
    return render(
        request, "handoffs/playbooks/playbooks.html",
        {"signals": signals(), "form": form, "lessons": open_proposals()}, status=status_of(form),
    )  # fmt: skip
