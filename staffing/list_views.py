"""The roles and skills to choose from; planners keep them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_stubs_ext import StrOrPromise

from opportunities.views.answers import Request, dialog
from staffing.answers import accepted, attempt, planners_only, saved
from staffing.models import Skill, WorkRole
from staffing.people_forms import NameForm
from staffing.people_queries import roles_with_counts, skills_with_counts
from staffing.services import lists as services


@dataclass(frozen=True)
class Kind:
    """Roles or skills: what they are, and the services that keep them."""

    key: str
    model: type[WorkRole] | type[Skill]
    save: Callable[..., Any]
    archive: Callable[..., Any]
    restore: Callable[..., Any]
    add_title: StrOrPromise
    change_title: StrOrPromise


KINDS = {
    kind.key: kind
    for kind in (
        Kind(
            "role", WorkRole, services.save_role, services.archive_role, services.restore_role,
            gettext_lazy("Add a role"), gettext_lazy("Rename the role"),
        ),
        Kind(
            "skill", Skill, services.save_skill, services.archive_skill, services.restore_skill,
            gettext_lazy("Add a skill"), gettext_lazy("Rename the skill"),
        ),
    )
}  # fmt: skip


@planners_only
@require_safe
def settings(request: Request) -> HttpResponse:
    """Roles and skills, and how many people have each."""
    roles = [(role, role.people_now) for role in roles_with_counts()]  # type: ignore[attr-defined]
    context = {"lists": [_list("role", roles), _list("skill", skills_with_counts())]}
    template = "staffing/_skills.html" if request.htmx else "staffing/skills.html"
    return render(request, template, context)


@planners_only
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: Request, kind: str) -> HttpResponse:
    """A further one, in the dialog."""
    return _edit(request, _kind(kind), None)


@planners_only
@require_http_methods(["GET", "HEAD", "POST"])
def rename(request: Request, kind: str, pk: int) -> HttpResponse:
    """Another name, in the dialog."""
    return _edit(request, _kind(kind), _one(kind, pk))


@planners_only
@require_POST
def archive(request: Request, kind: str, pk: int) -> HttpResponse:
    """Offer it no longer; whoever has it keeps it."""
    thing, found = _one(kind, pk), _kind(kind)
    return attempt(
        request, lambda: found.archive(actor=request.user, now=timezone.now(), **{kind: thing}),
        _("%(name)s is offered no longer.") % {"name": thing.name}, back=reverse("staffing:settings"),
        undo=reverse("staffing:restore_listed", args=[kind, pk]),
    )  # fmt: skip


@planners_only
@require_POST
def restore(request: Request, kind: str, pk: int) -> HttpResponse:
    """Offer it again."""
    thing, found = _one(kind, pk), _kind(kind)
    return attempt(
        request, lambda: found.restore(actor=request.user, now=timezone.now(), **{kind: thing}),
        _("%(name)s is offered again.") % {"name": thing.name}, back=reverse("staffing:settings"),
    )  # fmt: skip


def _edit(request: Request, kind: Kind, thing: WorkRole | Skill | None) -> HttpResponse:
    form = NameForm(request.POST if request.method == "POST" else None, initial={"name": thing.name if thing else ""})

    def save() -> None:
        kind.save(actor=request.user, name=form.cleaned_data["name"], now=timezone.now(), **{kind.key: thing})

    if accepted(form, save):
        sentence = _("Saved: %(name)s") % {"name": form.cleaned_data["name"]}
        return saved(request, sentence, back=reverse("staffing:settings"))
    title = kind.change_title if thing else kind.add_title
    context = {"form": form, "kind": kind.key, "thing": thing, "title": title, "page_title": title}
    return dialog(request, "staffing/_skill_form.html", context, status=422 if form.is_bound else 200)


def _list(kind: str, rows: list[tuple[Any, int]]) -> dict[str, Any]:
    return {
        "kind": kind,
        "current": [row for row in rows if row[0].archived_at is None],
        "archived": [thing for thing, _count in rows if thing.archived_at is not None],
    }


def _kind(key: str) -> Kind:
    if key not in KINDS:
        raise Http404(_("There is no such list."))
    return KINDS[key]


def _one(key: str, pk: int) -> WorkRole | Skill:
    found = _kind(key).model.objects.filter(pk=pk if 0 < pk < 2**63 else 0).first()
    if found is None:
        raise Http404(_("It is not on the list."))
    return found
