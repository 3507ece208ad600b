"""Who takes over: the project manager, and each stakeholder of the client."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models.people import DELIVERY_ROLES
from handoffs.handoff_access import possible_project_managers, readable_handoff, readable_transfer
from handoffs.handoff_forms import ProjectManagerForm, RelationshipForm
from handoffs.models import Handoff, RelationshipTransfer
from handoffs.services.handoff import (
    StaleHandoff,
    StaleRelationship,
    accept_relationship,
    change_relationship,
    name_project_manager,
)
from handoffs.views import handoff_pages as pages
from opportunities.queries.people import people_who_see
from opportunities.views.answers import Request, dialog


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def project_manager(request: Request, pk: int) -> HttpResponse:
    """Name who runs the project."""
    handoff = readable_handoff(request.user, pk)
    if not request.user.has_perm("handoffs.name_project_manager", handoff):
        raise PermissionDenied(_("The delivery owner, managers and resource managers name the project manager."))
    people = list(possible_project_managers(handoff.opportunity))
    form = ProjectManagerForm(request.POST if request.method == "POST" else None, handoff=handoff, people=people)
    conflict = ""
    if form.is_valid():
        person = form.cleaned_data["person"]
        try:
            name_project_manager(
                actor=request.user, handoff=handoff, person=person, expected_version=form.cleaned_data["version"],
                now=timezone.now(),
            )  # fmt: skip
        except ValidationError as error:
            form.take(error)
        except StaleHandoff as error:
            conflict = str(error)
            form.see(error.current.version)
        except pages.REFUSALS as error:
            return pages.refused(request, pk, error)
        else:
            said = _("%(name)s runs the project.") % {"name": person} if person else _("The project manager is open.")
            return pages.done(request, pk, said)
    status = 409 if conflict else 422 if form.is_bound else 200
    return _manager_form(request, handoff, form, conflict, status)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def relationship(request: Request, pk: int) -> HttpResponse:
    """Who knows a stakeholder now, who will, and when they were introduced."""
    transfer = readable_transfer(request.user, pk)
    if not request.user.has_perm("handoffs.change_relationship", transfer):
        raise PermissionDenied(_("People of sales or delivery on this deal keep its relationships."))
    form = _relationship_form(request, transfer)
    conflict: StaleRelationship | None = None
    if form.is_valid():
        try:
            change_relationship(
                actor=request.user, transfer=transfer, values=form.values,
                expected_version=form.cleaned_data["version"], now=timezone.now(),
            )  # fmt: skip
        except ValidationError as error:
            form.take(error)
        except StaleRelationship as error:
            conflict = error
            form.see(error.current.version)
        except pages.REFUSALS as error:
            return pages.refused(request, transfer.handoff_id, error)
        else:
            return pages.done(
                request, transfer.handoff_id, _("Noted for %(name)s.") % {"name": transfer.contact.name}
            )  # fmt: skip
    status = 409 if conflict else 422 if form.is_bound else 200
    context = {
        "form": form, "transfer": transfer, "deal": transfer.handoff.opportunity, "handoff": transfer.handoff,
        "conflict": str(conflict) if conflict else "", "theirs": form.differing(conflict.current) if conflict else (),
        "page_title": _("Hand over %(name)s") % {"name": transfer.contact.name},
        "back": f"{pages.address(transfer.handoff_id)}#relationship-{pk}",
    }  # fmt: skip
    return _in_place(request, "_relationship_form", context, f"relationship-{pk}", status)


@require_POST
@login_required
def take_over(request: Request, pk: int) -> HttpResponse:
    """The next owner takes a stakeholder over."""
    transfer = readable_transfer(request.user, pk)
    try:
        accept_relationship(actor=request.user, transfer=transfer, now=timezone.now())
    except PermissionDenied:
        raise
    except pages.REFUSALS as error:
        return pages.refused(request, transfer.handoff_id, error)
    return pages.done(request, transfer.handoff_id, _("You took over %(name)s.") % {"name": transfer.contact.name})


def _manager_form(
    request: Request, handoff: Handoff, form: ProjectManagerForm, conflict: str, status: int
) -> HttpResponse:  # fmt: skip
    context = {
        "form": form, "handoff": handoff, "deal": handoff.opportunity, "conflict": conflict,
        "theirs": handoff.project_manager, "page_title": _("Project manager"),
        "back": f"{pages.address(handoff.pk)}#project-manager",
    }  # fmt: skip
    return _in_place(request, "_manager_form", context, "project-manager", status)


def _relationship_form(request: Request, transfer: RelationshipTransfer) -> RelationshipForm:
    people = list(people_who_see(transfer.handoff.opportunity).order_by("name", "pk"))
    delivery = [person for person in people if DELIVERY_ROLES.intersection(person.roles)]
    data = request.POST if request.method == "POST" else None
    return RelationshipForm(data, transfer=transfer, people=people, delivery=delivery)


def _in_place(
    request: Request, template: str, context: dict[str, object], element: str, status: int
) -> HttpResponse:  # fmt: skip
    """A form where the thing stands on the page; without htmx on a page of its own."""
    name = f"handoffs/handoff/{template}.html"
    if not request.htmx:
        return dialog(request, name, context, status=status)
    response = render(request, name, {**context, "is_in_place": True}, status=status)
    response.headers["HX-Retarget"] = f"#{element}"
    response.headers["HX-Reswap"] = "innerHTML"
    return response
