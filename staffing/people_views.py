"""People: the list, one person week by week, and what planners keep about them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from opportunities.views.answers import Request, dialog, today_of
from staffing.access import plannable_person, readable_person
from staffing.answers import accepted, attempt, planners_only, saved, seers_only
from staffing.models import Person, Skill, TimeOff
from staffing.people_forms import PeopleFilterForm, PersonForm, SkillsForm, TimeOffForm
from staffing.people_queries import people_page, person_weeks, with_parts
from staffing.services import people as services

REMOVED, MOST_REMOVED = "removed_time_off", 5


@seers_only
@require_safe
def people(request: Request) -> HttpResponse:
    """Everybody who delivers, by role, skill and name."""
    form = PeopleFilterForm(request.GET)
    wanted = form.wanted()
    page = people_page(
        wanted, page=request.GET.get("page", ""), today=today_of(request), standard=request.organisation.calendar
    )
    context = {
        "form": form, "page": page, "query": form.query(), "wanted": wanted, "live_query": request.GET.urlencode(),
        "may_plan": request.user.has_perm("staffing.plan"),
    }  # fmt: skip
    return render(request, _template(request, "people"), context)


@require_safe
@login_required
def person(request: Request, pk: int) -> HttpResponse:
    """One person week by week, with skills and time off."""
    today = today_of(request)
    found = with_parts(readable_person(request.user, pk), today)
    context = {
        "person": found, "today": today, "may_plan": request.user.has_perm("staffing.plan"),
        "may_see": request.user.has_perm("staffing.see"),
        "weeks": person_weeks(request.user, found, since=today, standard=request.organisation.calendar),
    }  # fmt: skip
    return render(request, _template(request, "person"), context)


@planners_only
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: Request) -> HttpResponse:
    """Add somebody, in the dialog."""
    form = PersonForm(request.POST if request.method == "POST" else None)
    made: list[Person] = []
    if accepted(
        form,
        lambda: made.append(services.add_person(actor=request.user, values=form.values, now=timezone.now())),
    ):
        sentence = _("%(name)s can be planned now.") % {"name": made[0].name}
        return saved(request, sentence, back=_page_of(made[0]), leaves=True)
    return _person_form(request, form, None, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def change(request: Request, pk: int) -> HttpResponse:
    """Change who somebody is or how much they work; a collision shows what stands now and keeps what was typed."""
    found = plannable_person(request.user, pk)
    form = PersonForm(request.POST if request.method == "POST" else None, person=found)

    def save() -> None:
        services.change_person(
            actor=request.user, person=found, changes=form.values, expected_version=form.cleaned_data["version"],
            now=timezone.now(),
        )  # fmt: skip

    try:
        if accepted(form, save):
            return saved(request, _("Saved: %(name)s") % {"name": form.values["name"]}, back=_page_of(found))
    except services.StalePerson as error:
        now = plannable_person(request.user, pk)
        mine = PersonForm({**request.POST.dict(), "version": now.version}, person=now)
        return _person_form(request, mine, now, status=409, conflict=str(error), theirs=mine.differing(now))
    return _person_form(request, form, found, status=422 if form.is_bound else 200)


@require_POST
@login_required
def archive(request: Request, pk: int) -> HttpResponse:
    """Plan them no longer."""
    found = plannable_person(request.user, pk)
    return attempt(
        request, lambda: services.archive_person(actor=request.user, person=found, now=timezone.now()),
        _("%(name)s is archived.") % {"name": found.name}, back=_page_of(found),
        undo=reverse("staffing:restore_person", args=[found.pk]),
    )  # fmt: skip


@require_POST
@login_required
def restore(request: Request, pk: int) -> HttpResponse:
    """Plan them again."""
    found = plannable_person(request.user, pk)
    return attempt(
        request, lambda: services.restore_person(actor=request.user, person=found, now=timezone.now()),
        _("%(name)s can be planned again.") % {"name": found.name}, back=_page_of(found),
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def skills(request: Request, pk: int) -> HttpResponse:
    """How well they can do what, in the dialog."""
    found = with_parts(plannable_person(request.user, pk), today_of(request))
    own = [each.skill for each in found.skills.all()]
    offered = sorted({*Skill.objects.filter(archived_at__isnull=True), *own}, key=lambda skill: skill.name.lower())
    form = SkillsForm(request.POST if request.method == "POST" else None, person=found, skills=offered)
    context: dict[str, Any] = {"person": found, "form": form, "page_title": found.name}

    def save() -> None:
        services.set_skills(
            actor=request.user, person=found, skills=form.values, expected_version=form.cleaned_data["version"],
            now=timezone.now(),
        )  # fmt: skip

    status = 422 if form.is_bound else 200
    try:
        if accepted(form, save):
            return saved(request, _("Saved: skills of %(name)s") % {"name": found.name}, back=_page_of(found))
    except services.StalePerson as error:
        now = plannable_person(request.user, pk)
        again = {**request.POST.dict(), "version": now.version}
        context |= {"conflict": str(error), "form": SkillsForm(again, person=now, skills=offered)}
        status = 409
    return dialog(request, "staffing/_person_skills_form.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add_time_off(request: Request, pk: int) -> HttpResponse:
    """They are away, or work less, on some days."""
    found = plannable_person(request.user, pk)
    form = TimeOffForm(request.POST if request.method == "POST" else None)
    if accepted(
        form,
        lambda: services.add_time_off(actor=request.user, person=found, now=timezone.now(), **form.cleaned_data),
    ):
        return saved(request, _("Saved: time off of %(name)s") % {"name": found.name}, back=_page_of(found))
    context = {"person": found, "form": form, "page_title": found.name}
    return dialog(request, "staffing/_person_time_off_form.html", context, status=422 if form.is_bound else 200)


@require_POST
@login_required
def remove_time_off(request: Request, pk: int, time_off_pk: int) -> HttpResponse:
    """They are here after all."""
    found = plannable_person(request.user, pk)
    time_off = TimeOff.objects.filter(person=found, pk=time_off_pk).first()
    if time_off is None:
        raise Http404(_("There is no such time off."))
    kept = {
        "first_on": time_off.first_on.isoformat(), "last_on": time_off.last_on.isoformat(),
        "hours_per_day": str(time_off.hours_per_day), "note": time_off.note,
    }  # fmt: skip
    # For undo, out of addresses and logs.
    removed = {**request.session.get(REMOVED, {}), str(time_off.pk): kept}
    request.session[REMOVED] = dict(list(removed.items())[-MOST_REMOVED:])
    return attempt(
        request, lambda: services.remove_time_off(actor=request.user, time_off=time_off, now=timezone.now()),
        _("%(name)s is here on these days after all.") % {"name": found.name}, back=_page_of(found),
        undo=reverse("staffing:restore_time_off", args=[found.pk, time_off.pk]),
    )  # fmt: skip


@require_POST
@login_required
def restore_time_off(request: Request, pk: int, time_off_pk: int) -> HttpResponse:
    """Bring back what this person removed a moment ago."""
    found = plannable_person(request.user, pk)
    form = TimeOffForm(request.session.get(REMOVED, {}).get(str(time_off_pk), {}))
    if not form.is_valid():
        raise Http404(_("There is no such time off."))
    return attempt(
        request,
        lambda: services.add_time_off(actor=request.user, person=found, now=timezone.now(), **form.cleaned_data),
        _("Saved: time off of %(name)s") % {"name": found.name}, back=_page_of(found),
    )  # fmt: skip


def _template(request: Request, name: str) -> str:
    return f"staffing/_{name}.html" if request.htmx else f"staffing/{name}.html"


def _page_of(person: Person) -> str:
    return reverse("staffing:person", args=[person.pk])


def _person_form(
    request: Request, form: PersonForm, person: Person | None, *, status: int, **more: Any
) -> HttpResponse:
    title = person.name if person else _("Add a person")
    context = {"form": form, "person": person, "page_title": title, **more}
    return dialog(request, "staffing/_person_form.html", context, status=status)
