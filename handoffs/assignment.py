"""Who is asked: the delivery owner by rule, and people by role."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.models import Role, Side, Team, User
from handoffs.models import Assignee, Handoff
from opportunities.models import Opportunity


def propose_delivery_owner(opportunity: Opportunity, *, is_fast_lane: bool = False) -> User | None:
    """The delivery person to ask in: service line first, then region, then the lightest load.

    Delivery managers are asked before project managers. In the fast lane the one on call comes first. Load is the
    number of open warm and hot deals owned. Equal loads go to the lower key, so the answer is stable.
    """
    if is_fast_lane:
        on_call = _serving_teams(opportunity).filter(on_call__is_active=True).select_related("on_call")
        team = on_call.order_by("pk").first()
        if team is not None:
            return team.on_call
    for role in (Role.DELIVERY_MANAGER, Role.PROJECT_MANAGER):
        found = delivery_candidates(opportunity, [role]).first()
        if found is not None:
            return found
    return None


def assignee_for(opportunity: Opportunity, assignee: str) -> User | None:
    """The person a task goes to, or None when nobody fits (then all of the role see it)."""
    if assignee == Assignee.SALES_OWNER:
        return opportunity.owner
    if assignee == Assignee.DELIVERY_OWNER:
        return opportunity.delivery_owner
    if assignee == Assignee.SALES_MANAGER:
        team = opportunity.team
        if team is None:
            return None
        near = Q(teams=team) | Q(teams=team.parent_id) if team.parent_id else Q(teams=team)
        managers = User.objects.filter(near, is_active=True, roles__contains=[Role.SALES_MANAGER])
        return managers.order_by("pk").first()
    if assignee == Assignee.PROJECT_MANAGER:
        named = Handoff.objects.filter(opportunity=opportunity).select_related("project_manager").first()
        if named is not None:
            # Until one is named, all project managers see it.
            return named.project_manager
    return delivery_candidates(opportunity, [Role(assignee)]).first()


def delivery_candidates(opportunity: Opportunity, roles: Iterable[Role]) -> QuerySet[User]:
    """Active people of these roles who may deliver the deal, best first."""
    teams = _serving_teams(opportunity).filter(members=OuterRef("pk"))
    load = (
        Opportunity.objects.shared_zone()
        .filter(delivery_owner=OuterRef("pk"))
        .order_by()
        .values("delivery_owner")
        .annotate(deals=Count("pk"))
        .values("deals")
    )
    return (
        User.objects.filter(Exists(teams), is_active=True, roles__overlap=list(roles))
        .annotate(
            is_near=Exists(teams.filter(region=opportunity.region_id, region__isnull=False)),
            load=Coalesce(Subquery(load, output_field=IntegerField()), 0),
        )
        .order_by("-is_near", "load", "pk")
    )


def _serving_teams(opportunity: Opportunity) -> QuerySet[Team]:
    """Delivery teams that serve the deal's service line; a team without lines serves all."""
    teams = Team.objects.filter(side=Side.DELIVERY)
    if opportunity.service_line_id is None:
        return teams
    serves = Team.service_lines.through.objects.filter(team_id=OuterRef("pk"))
    return teams.filter(Exists(serves.filter(serviceline_id=opportunity.service_line_id)) | ~Exists(serves))
