"""Who may own a deal, and who may see it."""

from __future__ import annotations

from django.db import connection
from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.models.people import ALL_SEEING_ROLES, DELIVERY_ROLES, SALES_ROLES
from opportunities.models import Opportunity

# The teams whose people see a deal of a sales team, and of a service line: the team itself and those above it.
_SEEING_TEAMS = """
with recursive near as (
    select id, parent_id, side from accounts_team where id = %(team)s
    union
    select t.id, t.parent_id, t.side from accounts_team t
    where t.side = 'delivery' and (
        not exists (select from accounts_team_service_lines l where l.team_id = t.id)
        or exists (select from accounts_team_service_lines l where l.team_id = t.id and l.serviceline_id = %(line)s)
    )
    union
    select t.id, t.parent_id, near.side from accounts_team t join near on near.parent_id = t.id
)
select coalesce(array_agg(id) filter (where side = 'sales'), '{}'),
       coalesce(array_agg(id) filter (where side = 'delivery'), '{}')
from near
"""


def possible_delivery_owners() -> QuerySet[User]:
    """Delivery people who may own a deal on their side."""
    return User.objects.filter(is_active=True, roles__overlap=list(DELIVERY_ROLES))


def salespeople() -> QuerySet[User]:
    """Everybody who sells."""
    return User.objects.filter(is_active=True, roles__overlap=list(SALES_ROLES))


def people_who_see(opportunity: Opportunity) -> QuerySet[User]:
    """Everybody who may see the deal: the reverse of ``OpportunityQuerySet.visible_to``. Two queries."""
    with connection.cursor() as cursor:
        cursor.execute(_SEEING_TEAMS, {"team": opportunity.team_id, "line": opportunity.service_line_id})
        sales_teams, delivery_teams = cursor.fetchone()
    is_delivery = Q(roles__overlap=list(DELIVERY_ROLES))
    allowed = (
        Q(roles__overlap=list(ALL_SEEING_ROLES))
        | Q(pk__in=[pk for pk in (opportunity.owner_id, opportunity.delivery_owner_id) if pk])
        | Q(pk__in=User.teams.through.objects.filter(team__in=sales_teams).values("user"))
        | is_delivery & Q(pk__in=User.teams.through.objects.filter(team__in=delivery_teams).values("user"))
    )
    if opportunity.service_line_id is None:
        allowed |= is_delivery
    return User.objects.filter(allowed, is_active=True)
