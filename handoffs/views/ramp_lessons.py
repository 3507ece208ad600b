"""Lessons of a ramp, and what administrators make of them in the playbooks."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from handoffs.models import Lesson, LessonProposal, Playbook, PlaybookTask, Trigger
from handoffs.ramp_access import settleable_lesson, workable_plan
from handoffs.ramp_forms import LessonForm, ReasonForm
from handoffs.services import ramp as services
from handoffs.views import ramp_pages as pages
from opportunities.views.answers import Request

_TAUGHT = (Trigger.WON, Trigger.HANDOFF)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add(request: Request, pk: int) -> HttpResponse:
    """Note a lesson."""
    plan = workable_plan(request.user, pk)
    playbooks = list(Playbook.objects.filter(trigger__in=_TAUGHT, is_active=True))
    tasks = PlaybookTask.objects.filter(playbook__in=playbooks, archived_at__isnull=True)
    form = LessonForm(request.POST or None, playbooks=playbooks, tasks=list(tasks))
    if not form.is_valid():
        return pages.form_dialog(request, plan, "_lesson_form", form)
    given = form.cleaned_data
    try:
        services.add_lesson(
            actor=request.user, plan=plan, text=given["text"], proposal=LessonProposal(given["proposal"]),
            playbook=given["playbook"], playbook_task=given["playbook_task"], title=given["title"],
            request_id=given["request_id"], now=timezone.now(),
        )  # fmt: skip
    except ValidationError as error:
        form.take(error)
        return pages.form_dialog(request, plan, "_lesson_form", form)
    return pages.done(request, plan, _("Noted."))


@require_POST
@login_required
def adopt(request: Request, pk: int) -> HttpResponse:
    """Let a lesson change its playbook."""
    lesson = settleable_lesson(request.user, pk)
    try:
        services.adopt_lesson(actor=request.user, lesson=lesson, now=timezone.now())
    except pages.REFUSALS as error:
        return pages.refused(request, lesson.plan, error, to=_back(lesson))
    return pages.done(request, lesson.plan, _("Taken into the playbook."), to=_back(lesson))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def dismiss(request: Request, pk: int) -> HttpResponse:
    """Leave the playbooks as they are, and say why."""
    lesson = settleable_lesson(request.user, pk)
    form = ReasonForm(request.POST or None)
    if not form.is_valid():
        return pages.form_dialog(request, lesson.plan, "_dismiss_form", form, lesson=lesson)
    try:
        services.dismiss_lesson(
            actor=request.user, lesson=lesson, reason=form.cleaned_data["reason"], now=timezone.now()
        )
    except ValidationError as error:
        form.take(error)
        return pages.form_dialog(request, lesson.plan, "_dismiss_form", form, lesson=lesson)
    except pages.REFUSALS as error:
        return pages.refused(request, lesson.plan, error, to=_back(lesson))
    return pages.done(request, lesson.plan, _("Left aside."), to=_back(lesson))


def _back(lesson: Lesson) -> str:
    if lesson.playbook_id is None:
        return reverse("handoffs:ramp", args=[lesson.plan_id])
    return reverse("playbooks:detail", args=[lesson.playbook_id])
