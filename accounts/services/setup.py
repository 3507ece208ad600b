"""The first run: an organisation, its calendar and its administrator, all at once."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from accounts.models import Organisation, Role, User, WorkingCalendar
from events import names
from events.recording import record

# Any number; two first runs at once queue up behind it.
_LOCK = 7_202_611


class AlreadySetUp(Exception):
    """There is an organisation; an administrator changes it in the settings."""


@dataclass(frozen=True)
class FirstAdministrator:
    """The person who sets up, and signs in afterwards."""

    name: str
    email: str
    password: str


def set_up_organisation(
    *,
    name: str,
    base_currency: str,
    country: str,
    time_zone: str,
    administrator: FirstAdministrator,
    now: dt.datetime,
) -> User:
    """Make the organisation, its calendar, its administrator and every app's defaults; gives the administrator.

    ``country`` is a two-letter code or empty (no public holidays). Raises AlreadySetUp.
    """
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        if Organisation.objects.exists():
            raise AlreadySetUp(_("OneTeam is already set up here. Sign in instead."))
        calendar = WorkingCalendar.objects.create(name=_("Working calendar"), country=country)
        organisation = Organisation.objects.create(
            pk=1, name=name, base_currency=base_currency, time_zone=time_zone, calendar=calendar
        )
        person = User.objects.create_user(
            administrator.email, administrator.password, name=administrator.name, roles=[Role.ADMINISTRATOR]
        )
        for path in settings.ONETEAM_DEFAULTS:
            import_string(path)(organisation=organisation, now=now)
        record(names.SETTINGS_CHANGED, actor=person, about=organisation, now=now, data={"what": _("the organisation")})
    return person
