"""What a person may see and do, derived from roles and teams."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import rules
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpResponse
from django.utils.translation import gettext as _

from accounts.models import Role, User
from accounts.models.people import ALL_SEEING_ROLES, DELIVERY_ROLES
from events.audience import Audience

_TEAMS = """
with recursive mine as (
    select t.id, t.side from accounts_team t join accounts_team_members m on m.team_id = t.id where m.user_id = %s
    union
    select t.id, t.side from accounts_team t join mine on t.parent_id = mine.id
)
select coalesce(array_agg(distinct mine.id) filter (where mine.side = 'sales'), '{}'),
       coalesce(array_agg(distinct l.serviceline_id) filter (where l.serviceline_id is not null), '{}'),
       coalesce(bool_or(mine.side = 'delivery' and l.team_id is null), false)
from mine left join accounts_team_service_lines l on l.team_id = mine.id and mine.side = 'delivery'
"""


def audience_of(user: User) -> Audience:
    """What this person may see; one query, remembered on the user object for the request."""
    known: Audience | None = getattr(user, "_audience", None)
    if known is None:
        known = _audience(user)
        user._audience = known  # type: ignore[attr-defined]
    return known


def _audience(user: User) -> Audience:
    if not user.is_active or ALL_SEEING_ROLES.intersection(user.roles):
        return _from_teams(user, [], [], False)
    with connection.cursor() as cursor:
        cursor.execute(_TEAMS, [user.pk])
        return _from_teams(user, *cursor.fetchone())


def _from_teams(user: User, teams: list[int], lines: list[int], serves_all: bool) -> Audience:
    if not user.is_active:
        return Audience(user_id=user.pk)
    if ALL_SEEING_ROLES.intersection(user.roles):
        return Audience(user_id=user.pk, sees_all=True)
    is_delivery = bool(DELIVERY_ROLES.intersection(user.roles))
    return Audience(
        user_id=user.pk,
        team_ids=frozenset(teams),
        is_delivery=is_delivery,
        serves_all_lines=is_delivery and serves_all,
        service_line_ids=frozenset(lines) if is_delivery else frozenset(),
    )


_TEAMS_OF_MANY = """
with recursive mine as (
    select m.user_id as person, t.id, t.side from accounts_team t join accounts_team_members m on m.team_id = t.id
    where m.user_id = any(%s)
    union
    select mine.person, t.id, t.side from accounts_team t join mine on t.parent_id = mine.id
)
select mine.person,
       coalesce(array_agg(distinct mine.id) filter (where mine.side = 'sales'), '{}'),
       coalesce(array_agg(distinct l.serviceline_id) filter (where l.serviceline_id is not null), '{}'),
       coalesce(bool_or(mine.side = 'delivery' and l.team_id is null), false)
from mine left join accounts_team_service_lines l on l.team_id = mine.id and mine.side = 'delivery'
group by mine.person
"""


def remember_audiences(people: Iterable[User]) -> None:
    """Read with one query what each of these people may see; ``audience_of`` answers for them from then on."""
    people = [person for person in people if not hasattr(person, "_audience")]
    with connection.cursor() as cursor:
        cursor.execute(_TEAMS_OF_MANY, [[person.pk for person in people]])
        teams = {person: rest for person, *rest in cursor.fetchall()}
    for person in people:
        known = _from_teams(person, *teams.get(person.pk, ([], [], False)))
        person._audience = known  # type: ignore[attr-defined]


def has_role(*roles: Role) -> rules.Predicate:
    """A predicate: the person may sign in and has one of these roles."""

    def predicate(user: User | AnonymousUser, _object: Any = None) -> bool:
        return isinstance(user, User) and user.is_active and user.has_role(*roles)

    return rules.predicate(predicate, name="|".join(roles))


is_administrator = has_role(Role.ADMINISTRATOR)
is_sales_manager = has_role(Role.SALES_MANAGER)
is_delivery_manager = has_role(Role.DELIVERY_MANAGER)

rules.add_perm("accounts.administer", is_administrator)
rules.add_perm("events.repair", is_administrator)


def require_administrator(actor: User) -> None:
    """Raises PermissionDenied for everybody else."""
    if not actor.has_perm("accounts.administer"):
        raise PermissionDenied(_("An administrator can change this."))


def administrators_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Signed-out people are asked to sign in; others than administrators get 403."""
    return login_required(permission_required("accounts.administer", raise_exception=True)(view))
