"""What a scenario supposes: added, changed, removed, tried from the horizon, and applied on purpose."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from opportunities.access import readable_opportunity
from opportunities.services.versions import Stale as StaleDeal
from opportunities.views.answers import Request, dialog, said, today_of
from staffing.access import plannable_change, plannable_scenario
from staffing.answers import accepted, attempt, planners_only, saved
from staffing.horizon_learning import learn
from staffing.horizon_queries import MOVED_BY, percent
from staffing.models import ChangeKind, Scenario, ScenarioChange
from staffing.scenario_forms import ApplyForm, AskForm, ChangeForm, TryForm
from staffing.scenario_views import page_of
from staffing.services import applying, scenarios
from staffing.services.checks import Stale
from staffing.states import IllegalTransition

REFUSALS: dict[type[Exception], int] = {IllegalTransition: 409, Stale: 409}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add(request: Request, pk: int, kind: str) -> HttpResponse:
    """Suppose something more, in the dialog."""
    scenario, kind = plannable_scenario(request.user, pk), _kind(kind)
    form = ChangeForm(request.POST if request.method == "POST" else None, user=request.user, kind=kind)
    try:
        if accepted(
            form,
            lambda: scenarios.add_change(
                actor=request.user, scenario=scenario, kind=kind, values=form.values, now=timezone.now()
            ),
        ):
            return saved(request, _("Supposed: %(what)s") % {"what": kind.label}, back=page_of(scenario))
    except IllegalTransition as error:
        return said(request, str(error), status=409, back=page_of(scenario))
    return _form(request, form, kind, scenario, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def change(request: Request, pk: int) -> HttpResponse:
    """Suppose it otherwise: in the dialog, or from the field in its row."""
    found = plannable_change(request.user, pk)
    kind = ChangeKind(found.kind)
    form = ChangeForm(request.POST if request.method == "POST" else None, user=request.user, kind=kind, change=found)

    def save() -> None:
        scenarios.change_change(
            actor=request.user, change=found, changes=form.values, now=timezone.now(),
            expected_version=form.cleaned_data["version"],
        )  # fmt: skip

    try:
        if accepted(form, save):
            return saved(request, _("Saved: %(what)s") % {"what": kind.label}, back=page_of(found.scenario))
    except IllegalTransition as error:
        return said(request, str(error), status=409, back=page_of(found.scenario))
    except scenarios.StaleScenario as error:
        now = plannable_change(request.user, pk)
        mine = ChangeForm({**request.POST.dict(), "version": now.version}, user=request.user, kind=kind, change=now)
        return _form(request, mine, kind, now.scenario, change=now, status=409, conflict=str(error))
    return _form(request, form, kind, found.scenario, change=found, status=422 if form.is_bound else 200)


@require_POST
@login_required
def remove(request: Request, pk: int) -> HttpResponse:
    """No longer suppose it."""
    found = plannable_change(request.user, pk)
    return attempt(
        request, lambda: scenarios.remove_change(actor=request.user, change=found, now=timezone.now()),
        _("No longer supposed: %(what)s") % {"what": found}, back=page_of(found.scenario),
        undo=reverse("staffing:restore_scenario_change", args=[pk]), refusals=REFUSALS,
    )  # fmt: skip


@require_POST
@login_required
def restore(request: Request, pk: int) -> HttpResponse:
    """Suppose it after all."""
    found = plannable_change(request.user, pk)
    return attempt(
        request, lambda: scenarios.restore_change(actor=request.user, change=found, now=timezone.now()),
        _("Supposed: %(what)s") % {"what": found}, back=page_of(found.scenario), refusals=REFUSALS,
    )  # fmt: skip


@planners_only
@require_POST
def try_out(request: Request) -> HttpResponse:
    """Lose or move a deal that drives a cell: in a scenario, which opens then."""
    form = TryForm(request.POST)
    if not form.is_valid():
        raise Http404(_("There is nothing like that to try."))
    deal = readable_opportunity(request.user, form.deal)
    chosen = form.cleaned_data["scenario"]
    scenario = plannable_scenario(request.user, chosen) if chosen else None
    values: dict[str, Any] = {"opportunity": deal}
    if form.kind == ChangeKind.SHIFT:
        values["weeks"] = MOVED_BY
    name, back = form.cleaned_data["name"] or _("What if"), reverse("staffing:horizon")
    try:
        made = scenarios.try_out(
            actor=request.user, scenario=scenario, name=name, kind=form.kind, values=values, now=timezone.now()
        )
    except ValidationError as error:
        return said(request, " ".join(error.messages), status=422, back=back)
    except IllegalTransition as error:
        return said(request, str(error), status=409, back=back)
    sentence = _("Supposed: %(what)s") % {"what": form.kind.label}
    return saved(request, sentence, back=page_of(made.scenario), leaves=True)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def apply(request: Request, pk: int) -> HttpResponse:
    """What making it true would do; and, once confirmed, doing it."""
    found = plannable_change(request.user, pk)
    back = page_of(found.scenario)
    seen = found.opportunity or found.person
    form = ApplyForm(
        request.POST if request.method == "POST" else None, change=found, seen=seen.version if seen else None
    )

    def save() -> None:
        applying.apply_change(
            actor=request.user, change=found, now=timezone.now(), people=form.people,
            expected_version=form.cleaned_data["version"], seen_version=form.cleaned_data["seen"],
        )  # fmt: skip

    try:
        effects = applying.effects_of(found, home=request.organisation, today=today_of(request))
        if accepted(form, save):
            return saved(request, _("Applied: %(what)s") % {"what": found}, back=back)
    except (Stale, StaleDeal) as error:
        now = plannable_change(request.user, pk)
        if now.is_pending:
            seen = now.opportunity or now.person
            again = {**request.POST.dict(), "version": now.version, "seen": seen.version if seen else ""}
            mine = ApplyForm(again, change=now)
            effects = applying.effects_of(now, home=request.organisation, today=today_of(request))
            return _preview(request, mine, now, effects, status=409, conflict=str(error))
        return said(request, str(error), status=409, back=back)
    except IllegalTransition as error:
        if request.method == "POST" and plannable_change(request.user, pk).applied_at is not None:
            # The same press twice.
            return saved(request, _("Applied: %(what)s") % {"what": found}, back=back)
        return said(request, str(error), status=409, back=back)
    except PermissionDenied as error:
        return said(request, str(error), status=403, back=back)
    return _preview(request, form, found, effects, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def ask(request: Request, pk: int) -> HttpResponse:
    """Ask the deal's people for what one may not do oneself, in a comment on the deal."""
    found = plannable_change(request.user, pk)
    back = page_of(found.scenario)
    if found.opportunity is None or found.kind in (ChangeKind.WIN, ChangeKind.LOSE):
        raise Http404(_("There is nobody to ask."))
    form = AskForm(request.POST if request.method == "POST" else None, body=_question(request, found))
    try:
        if accepted(
            form,
            lambda: applying.ask_owner(
                actor=request.user, change=found, body=form.cleaned_data["body"], now=timezone.now(),
                request_id=form.cleaned_data["request_id"],
            ),
        ):  # fmt: skip
            return saved(request, _("Asked on the deal: %(name)s") % {"name": found.opportunity.name}, back=back)
    except IllegalTransition as error:
        return said(request, str(error), status=409, back=back)
    context = {"form": form, "change": found, "page_title": _("Ask on the deal")}
    return dialog(request, "staffing/_scenario_ask.html", context, status=422 if form.is_bound else 200)


def _question(request: Request, change: ScenarioChange) -> str:
    """What is asked, with the owner mentioned; empty where there is nothing to ask for."""
    try:
        effects = applying.effects_of(change, home=request.organisation, today=today_of(request))
    except IllegalTransition:
        return ""
    owner = change.opportunity.owner if change.opportunity else None
    mention = f"@{owner.name} " if owner else ""
    if change.kind == ChangeKind.CHANCE:
        return mention + _("Would %(percent)d %% be a fair chance for this deal? We plan people by it.") % {
            "percent": change.percent
        }
    start = next(each.after for each in effects if each.field == "start_on")
    weeks = abs(change.weeks or 0)
    later = (change.weeks or 0) > 0
    how = (
        ngettext("%d week later", "%d weeks later", weeks)
        if later
        else ngettext("%d week earlier", "%d weeks earlier", weeks)
    )
    return mention + _("Could the work start %(how)s, on %(day)s? It would fit the people we have better.") % {
        "how": how % weeks, "day": date_format(start, "j M Y"),
    }  # fmt: skip


def _preview(
    request: Request, form: ApplyForm, change: ScenarioChange, effects: list[applying.Effect], *, status: int,
    **more: Any,
) -> HttpResponse:  # fmt: skip
    share = None
    if change.kind == ChangeKind.CHANCE and change.opportunity is not None:
        known = learn().shares.get(change.opportunity.stage_id)
        share = percent(known.chance) if known else None
    context = {
        "form": form, "change": change, "effects": effects, "share": share, "page_title": _("Apply"),
        "may_apply": applying.may_apply(request.user, change), **more,
    }  # fmt: skip
    return dialog(request, "staffing/_scenario_apply.html", context, status=status)


def _form(
    request: Request, form: ChangeForm, kind: ChangeKind, scenario: Scenario, *, status: int,
    change: ScenarioChange | None = None, **more: Any,
) -> HttpResponse:  # fmt: skip
    context = {"form": form, "kind": kind, "scenario": scenario, "change": change, "page_title": kind.label, **more}
    return dialog(request, "staffing/_scenario_change_form.html", context, status=status)


def _kind(text: str) -> ChangeKind:
    if text not in ChangeKind.values:
        raise Http404(_("Nothing like that can be supposed."))
    return ChangeKind(text)
