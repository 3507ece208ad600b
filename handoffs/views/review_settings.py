"""Settings: the sets of review questions, and who is told when an express review runs late."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import administrators_only
from accounts.forms.answers import accepted, status_of
from accounts.models import Role, ServiceLine
from handoffs.models import EscalationStep, QuestionSet
from handoffs.review_settings_forms import EscalationStepForm, NewQuestionSetForm, QuestionSetNameForm
from handoffs.services import question_sets as services
from opportunities.services.merging import Collision
from opportunities.views.answers import Request, said


@administrators_only
@require_safe
def home(request: Request) -> HttpResponse:
    """All sets, and the escalation chain."""
    return _home(request)


@administrators_only
@require_POST
def add(request: Request) -> HttpResponse:
    """Begin a set of questions."""
    form = NewQuestionSetForm(request.POST)
    made: list[QuestionSet] = []

    def save() -> None:
        made.append(services.create_question_set(actor=request.user, **form.cleaned_data, now=timezone.now()))

    if accepted(form, save):
        return redirect("review_settings:detail", made[0].pk)
    return _home(request, form=form)


@administrators_only
@require_safe
def detail(request: Request, pk: int) -> HttpResponse:
    """One set with its questions."""
    return _page(request, question_set_or_404(pk))


@administrators_only
@require_POST
def rename(request: Request, pk: int) -> HttpResponse:
    """Another name."""
    question_set = question_set_or_404(pk)
    form = QuestionSetNameForm(request.POST, present={"name": question_set.name})

    def save() -> None:
        services.rename_question_set(
            actor=request.user, question_set=question_set, name=form.cleaned_data["name"], seen=form.base.get("name"),
            now=timezone.now(),
        )  # fmt: skip

    try:
        if accepted(form, save):
            return redirect("review_settings:detail", pk)
    except Collision as collision:
        form.tell(collision)
    return _page(request, question_set, name_form=form)


@administrators_only
@require_POST
def copy(request: Request, pk: int) -> HttpResponse:
    """Questions of a service line's own, made of these."""
    question_set = question_set_or_404(pk)
    form = NewQuestionSetForm(request.POST, lines=_lines_without())
    made: list[QuestionSet] = []

    def save() -> None:
        given = {**form.cleaned_data, "like": question_set}
        made.append(services.create_question_set(actor=request.user, **given, now=timezone.now()))

    if accepted(form, save):
        messages.info(request, _("Copied. Change what is different, then put it to use."))
        return redirect("review_settings:detail", made[0].pk)
    return _page(request, question_set, copy_form=form)


@administrators_only
@require_POST
def activate(request: Request, pk: int) -> HttpResponse:
    """Put a set to use, or take it out of use."""
    question_set = question_set_or_404(pk)
    try:
        services.set_question_set_active(
            actor=request.user, question_set=question_set, is_active="retire" not in request.POST,
            is_replacing="replace" in request.POST, now=timezone.now(),
        )  # fmt: skip
    except services.AnotherSetInUse as error:
        return _page(request, question_set, rival=error.other)
    except ValidationError as error:
        return said(request, " ".join(error.messages), status=409, back=reverse("review_settings:detail", args=[pk]))
    return redirect("review_settings:detail", pk)


@administrators_only
@require_POST
def step_add(request: Request) -> HttpResponse:
    """Another role hears of a late express review."""
    form = EscalationStepForm(request.POST)
    if accepted(
        form,
        lambda: services.add_escalation_step(
            actor=request.user, hours=form.cleaned_data["hours"], role=Role(form.cleaned_data["role"]),
            now=timezone.now(),
        ),
    ):  # fmt: skip
        return _chain(request)
    return _home(request, new_step=form)


@administrators_only
@require_POST
def step_change(request: Request, pk: int) -> HttpResponse:
    """Other hours, or another role."""
    step = get_object_or_404(EscalationStep, pk=min(pk, 2**62))
    form = EscalationStepForm(request.POST, step=step)

    def save() -> None:
        services.change_escalation_step(
            actor=request.user, step=step, wanted=form.wanted, base=form.base, now=timezone.now()
        )  # fmt: skip

    try:
        if accepted(form, save):
            return _chain(request)
    except Collision as collision:
        form.tell(collision)
    except EscalationStep.DoesNotExist:
        return said(request, _("Somebody removed it."), status=409, back=reverse("review_settings:home"))
    return _home(request, changed_step=form)


@administrators_only
@require_POST
def step_remove(request: Request, pk: int) -> HttpResponse:
    """They no longer hear of late express reviews."""
    step = get_object_or_404(EscalationStep, pk=min(pk, 2**62))
    services.remove_escalation_step(actor=request.user, step=step, now=timezone.now())
    return _chain(request)


def question_set_or_404(pk: int) -> QuestionSet:
    """The set with its service line, or 404."""
    return get_object_or_404(QuestionSet.objects.select_related("service_line"), pk=min(pk, 2**62))


def _lines_without() -> list[ServiceLine]:
    """Service lines that have no questions of their own."""
    taken = QuestionSet.objects.filter(service_line__isnull=False).values("service_line")
    return list(ServiceLine.objects.filter(is_active=True).exclude(pk__in=taken))


def _chain(request: Request) -> HttpResponse:
    return _home(request) if request.htmx else redirect(reverse("review_settings:home") + "#chain")


def _home(
    request: Request,
    *,
    form: NewQuestionSetForm | None = None,
    new_step: EscalationStepForm | None = None,
    changed_step: EscalationStepForm | None = None,
) -> HttpResponse:
    active = Q(questions__archived_at__isnull=True)
    sets = QuestionSet.objects.select_related("service_line").annotate(
        asked=Count("questions", filter=active),
        express=Count("questions", filter=active & Q(questions__is_express=True)),
    )
    rows = sorted(sets, key=lambda each: (not each.is_active, each.service_line_id is not None, each.name.casefold()))
    steps = []
    for step in EscalationStep.objects.order_by("hours", "position"):
        is_this = changed_step is not None and changed_step.auto_id == f"step_{step.pk}_%s"
        steps.append((step, changed_step if is_this else EscalationStepForm(step=step), is_this))
    context = {
        "sets": rows, "form": form or NewQuestionSetForm(), "steps": steps, "organisation": request.organisation,
        "new_step": new_step or EscalationStepForm(),
        "is_covered": any(each.is_active and each.service_line_id is None for each in rows),
    }  # fmt: skip
    given = [each for each in (form, new_step, changed_step) if each is not None]
    is_about_chain = request.htmx and form is None
    template = "_chain" if is_about_chain else "home"
    return render(request, f"handoffs/reviews/settings/{template}.html", context, status=status_of(*given))


def _page(
    request: Request,
    question_set: QuestionSet,
    *,
    name_form: QuestionSetNameForm | None = None,
    copy_form: NewQuestionSetForm | None = None,
    rival: QuestionSet | None = None,
) -> HttpResponse:
    without = _lines_without()
    name_form = name_form or QuestionSetNameForm(present={"name": question_set.name})
    context = {
        "question_set": question_set, "name_form": name_form, "rival": rival, "without": without,
        "copy_form": copy_form or NewQuestionSetForm(lines=without, initial=_copy_of(question_set, without)),
        **questions_of(question_set),
    }  # fmt: skip
    status = 409 if rival else status_of(name_form, *([copy_form] if copy_form else []))
    return render(request, "handoffs/reviews/settings/question_set.html", context, status=status)


def questions_of(question_set: QuestionSet) -> dict[str, object]:
    """The questions in order, those left out, and how many are asked in a hurry."""
    everything = list(question_set.questions.all())
    asked = [each for each in everything if each.archived_at is None]
    return {
        "questions": asked,
        "archived": [each for each in everything if each.archived_at is not None],
        "express_count": sum(each.is_express for each in asked),
    }


def _copy_of(question_set: QuestionSet, lines: list[ServiceLine]) -> dict[str, object]:
    """A copy is proposed for the first service line without questions of its own."""
    line = lines[0] if lines else None
    return {"name": f"{question_set.name}: {line.name}" if line else f"{question_set.name} (2)", "service_line": line}
