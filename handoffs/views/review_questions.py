"""Settings: the questions of a set, edited in place; without script on pages of their own."""

from __future__ import annotations

import json

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import administrators_only
from accounts.forms.answers import accepted
from handoffs.models import Question, QuestionSet
from handoffs.playbook_forms import OrderForm
from handoffs.review_settings_forms import QuestionForm
from handoffs.services import question_sets as services
from handoffs.views.review_settings import question_set_or_404, questions_of
from opportunities.forms.pipelines import ShiftForm
from opportunities.services.merging import Collision
from opportunities.views.answers import Request, said, trigger


@administrators_only
@require_safe
def questions(request: Request, pk: int) -> HttpResponse:
    """The questions as they stand, after leaving a form."""
    return _answer(request, question_set_or_404(pk), focus=request.GET.get("from", ""))


@administrators_only
@require_POST
def order(request: Request, pk: int) -> HttpResponse:
    """The order as dragged."""
    question_set, form = question_set_or_404(pk), OrderForm(request.POST)
    if not form.is_valid():
        return said(request, _("That is no order of questions."), status=422, back=_back(question_set))
    try:
        services.order_questions(actor=request.user, question_set=question_set, **form.ids, now=timezone.now())
    except Collision:
        sentence = _("Somebody changed the questions in the meantime. This is how they stand now.")
        if not request.htmx:
            messages.error(request, sentence)
        return trigger(_answer(request, question_set), toast={"text": sentence, "kind": "error"})
    return _answer(request, question_set)


@administrators_only
@require_http_methods(["GET", "POST"])
def add(request: Request, pk: int) -> HttpResponse:
    """Add a question."""
    question_set, form = question_set_or_404(pk), QuestionForm(request.POST or None)

    def save() -> None:
        services.add_question(
            actor=request.user, question_set=question_set, values=form.cleaned_data, now=timezone.now()
        )  # fmt: skip

    if accepted(form, save):
        return _answer(request, question_set, focus="new-question")
    return _form(request, question_set, form)


@administrators_only
@require_http_methods(["GET", "POST"])
def change(request: Request, pk: int) -> HttpResponse:
    """Change a question; running reviews ask it as before."""
    question = _question(pk)
    form = QuestionForm(request.POST or None, question=question)

    def save() -> None:
        services.change_question(
            actor=request.user, question=question, wanted=form.wanted, base=form.base, now=timezone.now()
        )  # fmt: skip

    try:
        if accepted(form, save):
            return _answer(request, question.question_set, focus=f"question-{question.pk}")
    except Collision as collision:
        form.tell(collision)
    return _form(request, question.question_set, form, question)


@administrators_only
@require_POST
def shift(request: Request, pk: int) -> HttpResponse:
    """One step up or down."""
    question, form = _question(pk), ShiftForm(request.POST)
    if form.is_valid():
        services.shift_question(actor=request.user, question=question, by=form.cleaned_data["by"], now=timezone.now())
    answer = _answer(request, question.question_set)
    return trigger(answer, announce={"text": _place(question)}) if request.htmx else answer


@administrators_only
@require_POST
def archive(request: Request, pk: int) -> HttpResponse:
    """Leave a question out from now on; it can be brought back."""
    question = _question(pk)
    try:
        services.archive_question(actor=request.user, question=question, now=timezone.now())
    except ValidationError as error:
        return said(request, " ".join(error.messages), status=409, back=_back(question.question_set))
    sentence = _("“%(question)s” is left out from now on.") % {"question": question.text}
    if not request.htmx:
        messages.info(request, sentence)
        return redirect(_back(question.question_set))
    undo = {"url": reverse("review_settings:question_restore", args=[question.pk])}
    answer = _answer(request, question.question_set, focus="new-question")
    return trigger(answer, toast={"text": sentence, "undo": undo})


@administrators_only
@require_POST
def restore(request: Request, pk: int) -> HttpResponse:
    """Bring a question back."""
    question = _question(pk)
    try:
        services.restore_question(actor=request.user, question=question, now=timezone.now())
    except ValidationError as error:
        return said(request, " ".join(error.messages), status=409, back=_back(question.question_set))
    return _answer(request, question.question_set)


def _answer(request: Request, question_set: QuestionSet, *, focus: str = "") -> HttpResponse:
    """The list for htmx, wherever it was asked from; the page for others."""
    if not request.htmx:
        return redirect(_back(question_set))
    context = {"question_set": question_set, **questions_of(question_set)}
    response = render(request, "handoffs/reviews/settings/_questions.html", context)
    response.headers["HX-Retarget"] = "#questions"
    response.headers["HX-Reswap"] = "outerHTML"
    if focus:
        response.headers["HX-Trigger-After-Settle"] = json.dumps({"focus-in": {"id": focus}})
    return response


def _form(
    request: Request, question_set: QuestionSet, form: QuestionForm, question: Question | None = None
) -> HttpResponse:
    """The form in the place of its row, or on a page of its own."""
    template = "_question_form" if request.htmx else "question"
    context = {"question_set": question_set, "form": form, "question": question}
    return render(
        request, f"handoffs/reviews/settings/{template}.html", context, status=422 if form.is_bound else 200
    )  # fmt: skip


def _place(question: Question) -> str:
    """Where the question stands now, for people who can't see the list."""
    present = list(question.question_set.questions.filter(archived_at__isnull=True).values_list("pk", flat=True))
    if question.pk not in present:
        return _("“%(question)s” is left out.") % {"question": question.text}
    told = {"question": question.text, "place": present.index(question.pk) + 1, "count": len(present)}
    return _("“%(question)s” is now %(place)d of %(count)d.") % told


def _back(question_set: QuestionSet) -> str:
    return reverse("review_settings:detail", args=[question_set.pk])


def _question(pk: int) -> Question:
    return get_object_or_404(Question.objects.select_related("question_set__service_line"), pk=min(pk, 2**62))
