"""People: who may sign in, as what, in which teams."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.access import require_administrator
from accounts.models import Role, Team, User
from events import names
from events.recording import record


@dataclass(frozen=True)
class PersonDetails:
    """What an administrator says about a person."""

    name: str
    email: str
    roles: tuple[Role, ...]
    teams: tuple[Team, ...]


def add_person(*, actor: User, details: PersonDetails, now: dt.datetime) -> User:
    """Add somebody who sets a password by a link. Raises PermissionDenied, ValidationError (address taken)."""
    require_administrator(actor)
    with transaction.atomic():
        _refuse_taken_address(details.email, but=None)
        person = User.objects.create_user(details.email, name=details.name, roles=list(details.roles))
        person.teams.set(details.teams)
        _record(actor, person, now, _("people: added %(name)s") % {"name": person.name})
    return person


def change_person(*, actor: User, person: User, details: PersonDetails, now: dt.datetime) -> User:
    """Change name, address, roles and teams; saving the same again changes nothing.

    Raises PermissionDenied; ValidationError where the address is taken or nobody would be left to administer.
    """
    require_administrator(actor)
    with transaction.atomic():
        current = _locked(person)
        _refuse_taken_address(details.email, but=current)
        if Role.ADMINISTRATOR not in details.roles:
            _refuse_last_administrator(current)
        teams = set(current.teams.all())
        before = (current.name, current.email, sorted(current.roles), teams)
        current.name, current.email = details.name, User.objects.normalize_email(details.email)
        current.roles = [role.value for role in Role if role in details.roles]
        if before == (current.name, current.email, sorted(current.roles), set(details.teams)):
            return current
        current.save(update_fields=["name", "email", "roles"])
        current.teams.set(details.teams)
        # Sign-in also looks here; an address that was taken away must not open the door any longer.
        EmailAddress.objects.filter(user=current).exclude(email__iexact=current.email).delete()
        _record(actor, current, now, _("%(name)s’s details, roles or teams") % {"name": current.name})
    return current


def deactivate_person(*, actor: User, person: User, now: dt.datetime) -> User:
    """Close the door for somebody and end their sessions; their deals and history stay.

    Raises PermissionDenied; ValidationError for the last administrator.
    """
    require_administrator(actor)
    with transaction.atomic():
        current = _locked(person)
        if current.is_active:
            _refuse_last_administrator(current)
            current.is_active = False
            current.save(update_fields=["is_active"])
            Team.objects.filter(on_call=current).update(on_call=None)
            _end_sessions(UserSession.objects.filter(user=current))
            _record(actor, current, now, _("%(name)s’s access: deactivated") % {"name": current.name})
    return current


def reactivate_person(*, actor: User, person: User, now: dt.datetime) -> User:
    """Let somebody in again. Raises PermissionDenied."""
    require_administrator(actor)
    with transaction.atomic():
        current = _locked(person)
        if not current.is_active:
            current.is_active = True
            current.save(update_fields=["is_active"])
            _record(actor, current, now, _("%(name)s’s access: active again") % {"name": current.name})
    return current


def make_password_link(*, actor: User, person: User, now: dt.datetime) -> None:
    """Leave a trace that an administrator made a link with which this person's password can be changed."""
    require_administrator(actor)
    with transaction.atomic():
        _record(actor, person, now, _("%(name)s’s access: made a password link") % {"name": person.name})


def change_profile(*, actor: User, name: str, time_zone: str, now: dt.datetime) -> User:
    """Change one's own name and time zone (empty: the organisation's)."""
    with transaction.atomic():
        current = _locked(actor)
        if (current.name, current.time_zone) == (name, time_zone):
            return current
        current.name, current.time_zone = name, time_zone
        current.save(update_fields=["name", "time_zone"])
        _record(actor, current, now, _("their own profile"))
    return current


def change_appearance(*, actor: User, theme: str) -> None:
    """Light, dark, or as the device. Nobody else's business, so no event."""
    User.objects.filter(pk=actor.pk).update(theme=theme)


def end_session(*, actor: User, session: UserSession) -> None:
    """Sign oneself out on another device. Raises PermissionDenied for somebody else's session."""
    if session.user_id != actor.pk:
        raise PermissionDenied(_("That is not your session."))
    _end_sessions([session])


def _end_sessions(sessions: Iterable[UserSession]) -> None:
    for session in sessions:
        session.end()


def _locked(person: User) -> User:
    """The person as they stand, one change of people at a time: two that lock each other's row would deadlock."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtext('oneteam.people'))")
    return User.objects.select_for_update().get(pk=person.pk)


def _refuse_taken_address(email: str, *, but: User | None) -> None:
    others = User.objects.filter(email__iexact=email)
    if (others.exclude(pk=but.pk) if but else others).exists():
        raise ValidationError({"email": _("Somebody with this address is already here.")})


def _refuse_last_administrator(person: User) -> None:
    """Locks all administrators, so that two of them can't remove each other at the same moment."""
    active = User.objects.select_for_update().filter(is_active=True, roles__contains=[Role.ADMINISTRATOR])
    remaining = {administrator.pk for administrator in active.order_by("pk")}
    if remaining == {person.pk}:
        raise ValidationError(
            _("%(name)s is the only administrator. Make somebody else administrator first.") % {"name": person}
        )


def _record(actor: User, person: User, now: dt.datetime, what: str) -> None:
    record(names.SETTINGS_CHANGED, actor=actor, about=person, now=now, data={"what": what})
