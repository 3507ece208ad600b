"""What deals of a service line usually need: the list that planners and administrators keep."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import ServiceLine
from opportunities.views.answers import Request, dialog
from staffing.answers import accepted, attempt, planners_only, saved
from staffing.models import NeedTemplate
from staffing.needs_forms import TemplateForm
from staffing.needs_queries import templates_by_line
from staffing.services import lists as services


@planners_only
@require_safe
def templates(request: Request) -> HttpResponse:
    """By service line, and what was archived."""
    context = {"groups": templates_by_line(is_archived=False), "archived": templates_by_line(is_archived=True)}
    name = "staffing/_templates.html" if request.htmx else "staffing/templates.html"
    return render(request, name, context)


@planners_only
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: Request) -> HttpResponse:
    """A further one, in the dialog."""
    wanted = request.GET.get("line", "")
    line = ServiceLine.objects.filter(pk=int(wanted)).first() if wanted.isdecimal() and len(wanted) < 10 else None
    return _edit(request, None, line)


@planners_only
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: Request, pk: int) -> HttpResponse:
    """Other hours or weeks, in the dialog; a collision shows what stands now and keeps what was typed."""
    return _edit(request, _one(pk), None)


@planners_only
@require_POST
def archive(request: Request, pk: int) -> HttpResponse:
    """Deals don't usually need it any more; those that asked for it keep it."""
    template = _one(pk)
    return attempt(
        request, lambda: services.archive_template(actor=request.user, template=template, now=timezone.now()),
        _("Archived: %(role)s") % {"role": template.role}, back=reverse("staffing:templates"),
        undo=reverse("staffing:restore_template", args=[pk]),
    )  # fmt: skip


@planners_only
@require_POST
def restore(request: Request, pk: int) -> HttpResponse:
    """They need it after all."""
    template = _one(pk)
    return attempt(
        request, lambda: services.restore_template(actor=request.user, template=template, now=timezone.now()),
        _("Usual again: %(role)s") % {"role": template.role}, back=reverse("staffing:templates"),
    )  # fmt: skip


def _edit(request: Request, template: NeedTemplate | None, line: ServiceLine | None) -> HttpResponse:
    form = TemplateForm(request.POST if request.method == "POST" else None, template=template, line=line)
    title = _("Change a usual need") if template else _("Add a usual need")
    context: dict[str, Any] = {"form": form, "template": template, "page_title": title}
    status = 422 if form.is_bound else 200

    def save() -> None:
        services.save_template(
            actor=request.user, template=template, values=form.values, now=timezone.now(),
            expected_version=form.cleaned_data["version"],
        )  # fmt: skip

    try:
        if accepted(form, save):
            sentence = _("Saved: %(role)s") % {"role": form.values["role"]}
            return saved(request, sentence, back=reverse("staffing:templates"))
    except services.StaleEntry as error:
        now = _one(template.pk if template else 0)
        mine = TemplateForm({**request.POST.dict(), "version": now.version}, template=now)
        context |= {"form": mine, "template": now, "conflict": str(error), "theirs": mine.differing(now)}
        status = 409
    return dialog(request, "staffing/_template_form.html", context, status=status)


def _one(pk: int) -> NeedTemplate:
    found = NeedTemplate.objects.filter(pk=pk if 0 < pk < 2**63 else 0).select_related("role", "service_line").first()
    if found is None:
        raise Http404(_("It is not on the list."))
    return found
