"""Settings: pipelines, their order and their policies."""

from __future__ import annotations

from urllib.parse import urlencode

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
from opportunities.forms.pipelines import NewPipelineForm, NewStageForm, OrderForm, PipelineForm, ShiftForm
from opportunities.models import Pipeline
from opportunities.queries.pipelines import course_of, pipelines_listed
from opportunities.services import pipelines as services
from opportunities.services import stages
from opportunities.services.merging import Collision
from opportunities.views.answers import Request, said, trigger


@administrators_only
@require_safe
def pipeline_list(request: Request) -> HttpResponse:
    """All pipelines."""
    return _list_page(request, NewPipelineForm())


@administrators_only
@require_POST
def add(request: Request) -> HttpResponse:
    """Add a pipeline."""
    form = NewPipelineForm(request.POST)
    if accepted(form, lambda: services.create_pipeline(actor=request.user, **form.cleaned_data, now=timezone.now())):
        return redirect("pipelines:list")
    return _list_page(request, form)


@administrators_only
@require_POST
def shift(request: Request, pk: int) -> HttpResponse:
    """One step up or down the list."""
    pipeline, form = _pipeline(pk), ShiftForm(request.POST)
    if form.is_valid():
        services.shift_pipeline(actor=request.user, pipeline=pipeline, by=form.cleaned_data["by"], now=timezone.now())
    return redirect("pipelines:list")


@administrators_only
@require_safe
def detail(request: Request, pk: int) -> HttpResponse:
    """One pipeline with its stages, gates and policies."""
    pipeline = _pipeline(pk)
    return pipeline_page(request, pipeline)


@administrators_only
@require_POST
def change(request: Request, pk: int) -> HttpResponse:
    """Name and policies."""
    pipeline = _pipeline(pk)
    form = PipelineForm(request.POST, pipeline=pipeline)

    def save() -> None:
        services.change_pipeline(
            actor=request.user, pipeline=pipeline, wanted=form.wanted, base=form.base, now=timezone.now()
        )

    try:
        if accepted(form, save):
            return redirect("pipelines:detail", pk)
    except Collision as collision:
        form.tell(collision)
    return pipeline_page(request, pipeline, form=form)


@administrators_only
@require_POST
def activate(request: Request, pk: int) -> HttpResponse:
    """Take a pipeline out of use or back into it."""
    pipeline, back = _pipeline(pk), reverse("pipelines:detail", args=[pk])
    try:
        services.set_pipeline_active(
            actor=request.user, pipeline=pipeline, is_active="retire" not in request.POST, now=timezone.now()
        )
    except (ValidationError, services.DealsInTheWay) as error:
        return said(request, " ".join(getattr(error, "messages", [str(error)])), status=409, back=back)
    return redirect(back)


@administrators_only
@require_POST
def order(request: Request, pk: int) -> HttpResponse:
    """The order of the stages as dragged; answers with the stages as they stand now."""
    pipeline, form = _pipeline(pk), OrderForm(request.POST)
    if not form.is_valid():
        return said(request, _("That is no order of stages."), status=422, back=reverse("pipelines:detail", args=[pk]))
    try:
        stages.order_stages(actor=request.user, pipeline=pipeline, **form.cleaned_data, now=timezone.now())
    except Collision:
        sentence = _("Somebody changed the stages in the meantime. This is how they stand now.")
        if not request.htmx:
            messages.error(request, sentence)
        return trigger(stages_answer(request, pipeline), toast={"text": sentence, "kind": "error"})
    return stages_answer(request, pipeline)


def pipeline_page(
    request: Request, pipeline: Pipeline, *, form: PipelineForm | None = None, stage_form: NewStageForm | None = None
) -> HttpResponse:
    """The page of one pipeline, with forms that were refused if there are any."""
    form = form or PipelineForm(pipeline=pipeline)
    stage_form = stage_form or NewStageForm()
    context = {
        "pipeline": pipeline, "course": course_of(pipeline), "form": form, "stage_form": stage_form,
        "deals_url": f"{reverse('opportunities:list')}?{urlencode({'pipeline': pipeline.pk})}",
    }  # fmt: skip
    return render(request, "opportunities/settings/pipeline.html", context, status=status_of(form, stage_form))


def stages_answer(request: Request, pipeline: Pipeline) -> HttpResponse:
    """The list of stages for htmx, the page for others."""
    if not request.htmx:
        return redirect("pipelines:detail", pipeline.pk)
    context = {"pipeline": pipeline, "course": course_of(pipeline)}
    return render(request, "opportunities/settings/_stages.html", context)


def _list_page(request: Request, form: NewPipelineForm) -> HttpResponse:
    context = {"pipelines": pipelines_listed(), "form": form}
    return render(request, "opportunities/settings/pipelines.html", context, status=status_of(form))


def _pipeline(pk: int) -> Pipeline:
    return get_object_or_404(Pipeline, pk=min(pk, 2**62))
