"""Settings: teams."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import administrators_only
from accounts.forms.answers import accepted, status_of
from accounts.forms.people import TeamForm
from accounts.models import Side, Team, User
from accounts.services import teams


@administrators_only
@require_safe
def team_list(request: HttpRequest) -> HttpResponse:
    """All teams, by side."""
    members = Prefetch("members", queryset=User.objects.filter(is_active=True))
    rows = Team.objects.select_related("parent", "region", "on_call").prefetch_related(members, "service_lines")
    sides = [(side, [team for team in rows if team.side == side]) for side in Side]
    return render(request, "accounts/team_list.html", {"sides": sides, "has_teams": bool(rows)})


@administrators_only
@require_http_methods(["GET", "POST"])
def team_add(request: HttpRequest) -> HttpResponse:
    """Add a team."""
    actor = cast(User, request.user)
    form = TeamForm(request.POST or None)
    if request.method == "POST" and accepted(
        form, lambda: teams.create_team(actor=actor, details=form.details, now=timezone.now())
    ):
        messages.info(request, _("%(name)s added.") % {"name": form.cleaned_data["name"]})
        return redirect("accounts:teams")
    return render(request, "accounts/team_form.html", {"form": form}, status=status_of(form))


@administrators_only
@require_http_methods(["GET", "POST"])
def team_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Look at a team, and change it."""
    actor, team = cast(User, request.user), get_object_or_404(Team, pk=pk)
    initial = {
        "name": team.name, "side": team.side, "parent": team.parent_id, "region": team.region_id,
        "service_lines": team.service_lines.all(), "members": team.members.all(), "on_call": team.on_call_id,
    }  # fmt: skip
    form = TeamForm(request.POST or None, initial=initial, team=team)
    if request.method == "POST" and accepted(
        form, lambda: teams.change_team(actor=actor, team=team, details=form.details, now=timezone.now())
    ):
        messages.info(request, _("%(name)s saved.") % {"name": form.cleaned_data["name"]})
        return redirect("accounts:teams")
    context = {"form": form, "team": get_object_or_404(Team, pk=pk)}
    return render(request, "accounts/team_form.html", context, status=status_of(form))


@administrators_only
@require_POST
def team_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a team that nothing hangs on."""
    team = get_object_or_404(Team, pk=pk)
    try:
        teams.delete_team(actor=cast(User, request.user), team=team, now=timezone.now())
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("accounts:team", pk)
    messages.info(request, _("%(name)s deleted.") % {"name": team})
    return redirect("accounts:teams")
