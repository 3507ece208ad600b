"""Teams: who shares deals with whom."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from accounts.access import require_administrator
from accounts.models import Region, ServiceLine, Side, Team, User
from events import names
from events.recording import record

# Any number; moves of teams queue up behind it, so that two can't close a circle together.
_LOCK = 7_202_612


@dataclass(frozen=True)
class TeamDetails:
    """What an administrator says about a team."""

    name: str
    side: Side
    parent: Team | None
    region: Region | None
    service_lines: tuple[ServiceLine, ...]
    members: tuple[User, ...]
    on_call: User | None


def create_team(*, actor: User, details: TeamDetails, now: dt.datetime) -> Team:
    """Add a team. Raises PermissionDenied, ValidationError."""
    return _save(actor, Team(), details, now, _("teams: added %(name)s"))


def change_team(*, actor: User, team: Team, details: TeamDetails, now: dt.datetime) -> Team:
    """Change a team and who is in it. Raises PermissionDenied, ValidationError (name taken, a circle of teams)."""
    return _save(actor, team, details, now, _("the team %(name)s"))


def delete_team(*, actor: User, team: Team, now: dt.datetime) -> None:
    """Delete a team that has no deals and no teams below. Raises PermissionDenied, ValidationError."""
    require_administrator(actor)
    with transaction.atomic():
        record(
            names.SETTINGS_CHANGED,
            actor=actor, about=team, now=now, data={"what": _("teams: deleted %(name)s") % {"name": team.name}},
        )  # fmt: skip
        try:
            team.delete()
        except ProtectedError as error:
            raise ValidationError(
                _("%(name)s still has deals or teams below it. Give them to another team first.") % {"name": team.name}
            ) from error


def _save(actor: User, team: Team, details: TeamDetails, now: dt.datetime, what: str) -> Team:
    require_administrator(actor)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        _refuse_taken_name(details.name, team)
        _refuse_circle(team, details)
        if details.on_call and details.on_call not in details.members:
            raise ValidationError({"on_call": _("Who is on call must be a member of the team.")})
        team.name, team.side = details.name, details.side
        team.parent, team.region, team.on_call = details.parent, details.region, details.on_call
        team.save()
        team.service_lines.set(details.service_lines)
        team.members.set(details.members)
        record(
            names.SETTINGS_CHANGED, actor=actor, about=team, now=now, data={"what": what % {"name": team.name}}
        )  # fmt: skip
    return team


def _refuse_taken_name(name: str, team: Team) -> None:
    if Team.objects.filter(name=name).exclude(pk=team.pk).exists():
        raise ValidationError({"name": _("There is already a team of this name.")})


def _refuse_circle(team: Team, details: TeamDetails) -> None:
    above = details.parent
    if above and above.side != details.side:
        raise ValidationError({"parent": _("A team is part of a team on the same side.")})
    while above is not None:
        if team.pk and above.pk == team.pk:
            raise ValidationError({"parent": _("A team can't be part of itself or of a team below it.")})
        above = above.parent
