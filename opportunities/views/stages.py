"""Settings: one stage, its meaning and its gate."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import administrators_only
from accounts.forms.answers import accepted, status_of
from opportunities.forms.pipelines import ArchiveForm, NewStageForm, ShiftForm, StageForm
from opportunities.models import Pipeline, Stage
from opportunities.queries.pipelines import gate_sentence, open_deals_in
from opportunities.services import stages as services
from opportunities.services.merging import Collision
from opportunities.services.pipelines import DealsInTheWay
from opportunities.services.policies import IllegalMove
from opportunities.services.redefinition import Effect, effect_of
from opportunities.views.answers import Request, trigger
from opportunities.views.pipelines import pipeline_page, stages_answer


@administrators_only
@require_POST
def add(request: Request, pk: int) -> HttpResponse:
    """Add a stage to a pipeline."""
    pipeline = get_object_or_404(Pipeline, pk=min(pk, 2**62))
    form = NewStageForm(request.POST)
    if accepted(
        form,
        lambda: services.add_stage(actor=request.user, pipeline=pipeline, values=form.cleaned_data, now=timezone.now()),
    ):
        return redirect("pipelines:detail", pk)
    return pipeline_page(request, pipeline, stage_form=form)


@administrators_only
@require_http_methods(["GET", "POST"])
def detail(request: Request, pk: int) -> HttpResponse:
    """Everything about a stage. What would change for its open deals is shown before it is saved."""
    stage = _stage(pk)
    if request.method == "GET":
        return _page(request, stage)
    form = StageForm(request.POST, stage=stage, is_used=services.was_used(stage))
    effect = effect_of(stage, form.wanted) if form.is_valid() and stage.is_open else Effect(None)
    if effect.touches_deals and "confirmed" not in request.POST:
        return _page(request, stage, form, effect=effect)
    if _save(request, stage, form):
        if effect.touches_deals:
            messages.info(request, _("Saved. Its open deals follow in the background."))
        return redirect("pipelines:detail", stage.pipeline_id)
    return _page(request, stage, form)


@administrators_only
@require_POST
def shift(request: Request, pk: int) -> HttpResponse:
    """One step forward or back."""
    stage, form = _stage(pk), ShiftForm(request.POST)
    if form.is_valid():
        services.shift_stage(actor=request.user, stage=stage, by=form.cleaned_data["by"], now=timezone.now())
    answer = stages_answer(request, stage.pipeline)
    return trigger(answer, announce={"text": _place(stage)}) if request.htmx else answer


@administrators_only
@require_POST
def archive(request: Request, pk: int) -> HttpResponse:
    """Take a stage out of use, moving its deals along."""
    stage = _stage(pk)
    form = ArchiveForm(request.POST, stage=stage)
    if not form.is_valid():
        return _page(request, stage, archive_form=form)
    try:
        moved = services.archive_stage(actor=request.user, stage=stage, **form.cleaned_data, now=timezone.now())
    except (ValidationError, DealsInTheWay, IllegalMove) as error:
        form.add_error(None, error if isinstance(error, ValidationError) else str(error))
        return _page(request, stage, archive_form=form)
    if moved:
        sentence = ngettext("%(count)d deal was moved along.", "%(count)d deals were moved along.", moved)
        messages.info(request, sentence % {"count": moved})
    return redirect("pipelines:detail", stage.pipeline_id)


@administrators_only
@require_POST
def restore(request: Request, pk: int) -> HttpResponse:
    """Bring an archived stage back."""
    stage = _stage(pk)
    try:
        services.restore_stage(actor=request.user, stage=stage, now=timezone.now())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("pipelines:detail", stage.pipeline_id)


def _place(stage: Stage) -> str:
    """Where the stage stands now, for people who can't see the list."""
    kin = Stage.objects.active().filter(pipeline=stage.pipeline_id, kind=stage.kind).order_by("position")
    order = list(kin.values_list("pk", flat=True))
    if stage.pk not in order:
        return _("%(stage)s is out of use.") % {"stage": stage.name}
    told = {"stage": stage.name, "place": order.index(stage.pk) + 1, "count": len(order)}
    return _("%(stage)s is now %(place)d of %(count)d.") % told


def _save(request: Request, stage: Stage, form: StageForm) -> bool:
    try:
        return accepted(
            form,
            lambda: services.change_stage(
                actor=request.user, stage=stage, wanted=form.wanted, base=form.base, demanded=form.demanded,
                demanded_base=form.demanded_base, now=timezone.now(),
            ),
        )  # fmt: skip
    except Collision as collision:
        form.tell(collision)
        return False


def _page(
    request: Request,
    stage: Stage,
    form: StageForm | None = None,
    *,
    archive_form: ArchiveForm | None = None,
    effect: Effect | None = None,
) -> HttpResponse:
    form = form or StageForm(stage=stage, is_used=services.was_used(stage))
    archive_form = archive_form or ArchiveForm(stage=stage)
    deals = open_deals_in(stage)
    context = {
        "stage": stage, "form": form, "archive_form": archive_form, "effect": effect,
        "is_used": "kind" not in form.fields, "gate": gate_sentence(stage),
        "deals": deals, "too_many": deals > services.MAX_MOVED_ALONG,
        "deals_url": f"{reverse('opportunities:list')}?stage={stage.pk}",
    }  # fmt: skip
    status = 200 if effect else status_of(form, archive_form)
    return render(request, "opportunities/settings/stage.html", context, status=status)


def _stage(pk: int) -> Stage:
    return get_object_or_404(Stage.objects.select_related("pipeline").prefetch_related("criteria"), pk=min(pk, 2**62))
