"""What if: the list of scenarios, and one of them against today."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from opportunities.views.answers import Request, dialog, today_of
from staffing.access import plannable_scenario
from staffing.answers import accepted, attempt, planners_only, saved, seers_only
from staffing.models import ChangeKind, Scenario
from staffing.scenario_forms import ScenarioForm
from staffing.scenario_queries import (
    change_lines,
    changes_of,
    compare,
    scenario_and_others,
    scenarios_list,
    versions_of,
)
from staffing.services import scenarios as services
from staffing.services.checks import Stale

WEEKS = (13, 26, 52)
DEFAULT_WEEKS = 26
MOST_LISTED = 200


@seers_only
@require_safe
def scenarios(request: Request) -> HttpResponse:
    """Those in use, and what was archived."""
    context = {
        "scenarios": scenarios_list()[:MOST_LISTED], "archived": scenarios_list(is_archived=True)[:MOST_LISTED],
        "now": timezone.now(), "may_plan": request.user.has_perm("staffing.plan"),
    }  # fmt: skip
    name = "staffing/_scenarios.html" if request.htmx else "staffing/scenarios.html"
    return render(request, name, context)


@require_safe
@login_required
def scenario(request: Request, pk: int) -> HttpResponse:
    """What it supposes, and the horizon with it against today's, and against another scenario's if one is chosen."""
    found, others = scenario_and_others(request.user, pk)
    weeks = _whole(request.GET.get("weeks", "")) or DEFAULT_WEEKS
    weeks = weeks if weeks in WEEKS else DEFAULT_WEEKS
    wanted = _whole(request.GET.get("with", ""))
    other = next((each for each in others if each.pk == wanted), None)
    chosen = [found, other] if other else [found]
    changes = changes_of(chosen, reader=request.user)
    versions = versions_of(
        request.organisation, today=today_of(request), weeks=weeks, scenarios=chosen, changes=changes
    )
    own = [each for each in changes if each.scenario_id == found.pk]
    lines = change_lines(request.user, own, versions[0].inputs)
    context = {
        "scenario": found, "other": other, "others": others, "weeks": weeks, "choices": WEEKS,
        "lines": [line for line in lines if line.change.is_pending],
        "applied": [line for line in lines if not line.change.is_pending],
        "comparison": compare(versions, every="every" in request.GET), "kinds": ChangeKind.choices,
        "may_plan": request.user.has_perm("staffing.plan") and found.archived_at is None,
        "may_restore": request.user.has_perm("staffing.plan") and found.archived_at is not None,
        "live_query": request.GET.urlencode(), "today": today_of(request),
    }  # fmt: skip
    template = "staffing/_scenario.html" if request.htmx else "staffing/scenario.html"
    return render(request, template, context)


@planners_only
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: Request) -> HttpResponse:
    """A new one, in the dialog; it opens with the question what it supposes."""
    form = ScenarioForm(request.POST if request.method == "POST" else None)
    made: list[Scenario] = []
    if accepted(
        form,
        lambda: made.append(services.make_scenario(actor=request.user, values=form.values, now=timezone.now())),
    ):
        return saved(request, _("Added: %(name)s") % {"name": made[0].name}, back=page_of(made[0]), leaves=True)
    return _form(request, form, None, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def change(request: Request, pk: int) -> HttpResponse:
    """Another name or note, in the dialog; a collision shows what stands now and keeps what was typed."""
    found = plannable_scenario(request.user, pk)
    form = ScenarioForm(request.POST if request.method == "POST" else None, scenario=found)

    def save() -> None:
        services.change_scenario(
            actor=request.user, scenario=found, changes=form.values,
            expected_version=form.cleaned_data["version"], now=timezone.now(),
        )  # fmt: skip

    try:
        if accepted(form, save):
            sentence = _("Saved: %(name)s") % {"name": form.values["name"]}
            return saved(request, sentence, back=page_of(found), leaves=True)
    except services.StaleScenario as error:
        now = plannable_scenario(request.user, pk)
        mine = ScenarioForm({**request.POST.dict(), "version": now.version}, scenario=now)
        return _form(request, mine, now, status=409, conflict=str(error), theirs=mine.differing(now))
    return _form(request, form, found, status=422 if form.is_bound else 200)


@require_POST
@login_required
def archive(request: Request, pk: int) -> HttpResponse:
    """Put it away."""
    found = plannable_scenario(request.user, pk)
    return attempt(
        request, lambda: services.archive_scenario(actor=request.user, scenario=found, now=timezone.now()),
        _("Archived: %(name)s") % {"name": found.name}, back=reverse("staffing:scenarios"),
        undo=reverse("staffing:restore_scenario", args=[pk]), refusals={Stale: 409},
    )  # fmt: skip


@require_POST
@login_required
def restore(request: Request, pk: int) -> HttpResponse:
    """Look at it again."""
    found = plannable_scenario(request.user, pk)
    return attempt(
        request, lambda: services.restore_scenario(actor=request.user, scenario=found, now=timezone.now()),
        _("Back: %(name)s") % {"name": found.name}, back=page_of(found),
    )  # fmt: skip


def page_of(scenario: Scenario) -> str:
    """Its address."""
    return reverse("staffing:scenario", args=[scenario.pk])


def _form(request: Request, form: ScenarioForm, scenario: Scenario | None, *, status: int, **more: Any) -> HttpResponse:
    title = _("Change the scenario") if scenario else _("New scenario")
    context = {"form": form, "scenario": scenario, "page_title": title, **more}
    return dialog(request, "staffing/_scenario_form.html", context, status=status)


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
