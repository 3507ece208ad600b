"""The organisation: its name, money, calendar, service lines and regions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Max, ProtectedError
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.access import require_administrator
from accounts.models import CalendarDay, CurrencyRate, Organisation, Region, ServiceLine, User, WorkingCalendar
from events import names
from events.recording import record


@dataclass(frozen=True)
class OrganisationDetails:
    """What an administrator says about the organisation."""

    name: str
    base_currency: str
    time_zone: str
    surprise_pull_in_days: int
    start_after_close_days: int
    review_days: int
    express_review_hours: int


def change_organisation(
    *, actor: User, organisation: Organisation, details: OrganisationDetails, now: dt.datetime
) -> Organisation:
    """Change name, base currency, time zone, thresholds and clocks.

    Raises PermissionDenied; ValidationError when the base currency changes under existing rates.
    """
    require_administrator(actor)
    with transaction.atomic():
        current = Organisation.objects.select_for_update().get(pk=organisation.pk)
        if details.base_currency != current.base_currency and CurrencyRate.objects.exists():
            raise ValidationError(
                {
                    "base_currency": _("The currency rates say what money is worth in %(base)s. Delete them first.")
                    % {"base": current.base_currency}
                }
            )
        current.name, current.base_currency, current.time_zone = details.name, details.base_currency, details.time_zone
        current.surprise_pull_in_days = details.surprise_pull_in_days
        current.start_after_close_days = details.start_after_close_days
        current.review_days = details.review_days
        current.express_review_hours = details.express_review_hours
        current.full_clean()
        current.save()
        _record(actor, current, now, _("the organisation"))
    return current


def change_calendar(
    *,
    actor: User,
    calendar: WorkingCalendar,
    country: str,
    subdivision: str,
    weekdays: Sequence[int],
    now: dt.datetime,
) -> WorkingCalendar:
    """Change whose public holidays hold and which weekdays people work (Monday = 0).

    Raises PermissionDenied; ValidationError for an unknown country or region, or a week without a working day.
    """
    require_administrator(actor)
    if not weekdays:
        raise ValidationError({"weekdays": _("Choose at least one working day.")})
    with transaction.atomic():
        current = WorkingCalendar.objects.select_for_update().get(pk=calendar.pk)
        current.country, current.subdivision, current.weekdays = country, subdivision, sorted(set(weekdays))
        current.full_clean()
        current.save()
        _record(actor, current, now, _("the working calendar"))
    return current


def add_calendar_day(
    *, actor: User, calendar: WorkingCalendar, on: dt.date, name: str, is_working: bool, now: dt.datetime
) -> CalendarDay:
    """Add an exception, replacing the one of that day. Raises PermissionDenied."""
    require_administrator(actor)
    with transaction.atomic():
        day, _is_new = CalendarDay.objects.update_or_create(
            calendar=calendar, on=on, defaults={"name": name, "is_working": is_working}
        )
        _record(actor, calendar, now, _("the working calendar: %(day)s") % {"day": day})
    return day


def remove_calendar_day(*, actor: User, day: CalendarDay, now: dt.datetime) -> None:
    """Let that day follow the calendar again. Raises PermissionDenied."""
    require_administrator(actor)
    with transaction.atomic():
        _record(actor, day.calendar, now, _("the working calendar: %(day)s follows the rule again") % {"day": day})
        day.delete()


def add_rate(*, actor: User, currency: str, on: dt.date, rate: Decimal, now: dt.datetime) -> CurrencyRate:
    """Say what a currency is worth from a day on, replacing that day's. Raises PermissionDenied, ValidationError."""
    require_administrator(actor)
    base = Organisation.objects.get(pk=1).base_currency
    if currency == base:
        raise ValidationError({"currency": _("%(base)s is the base currency; it needs no rate.") % {"base": base}})
    with transaction.atomic():
        row, _is_new = CurrencyRate.objects.update_or_create(currency=currency, on=on, defaults={"rate": rate})
        _record(actor, row, now, _("the rate of %(currency)s") % {"currency": currency})
    return row


def remove_rate(*, actor: User, rate: CurrencyRate, now: dt.datetime) -> None:
    """Take back a rate; the one before holds again. Raises PermissionDenied."""
    require_administrator(actor)
    with transaction.atomic():
        _record(actor, rate, now, _("the rate of %(currency)s") % {"currency": rate.currency})
        rate.delete()


def add_service_line(*, actor: User, name: str, now: dt.datetime) -> ServiceLine:
    """Add a service line at the end. Raises PermissionDenied, ValidationError (name taken)."""
    require_administrator(actor)
    with transaction.atomic():
        _refuse_taken(ServiceLine.objects.filter(name__iexact=name), _("There is already a service line of this name."))
        last = ServiceLine.objects.aggregate(last=Max("position"))["last"]
        line = ServiceLine.objects.create(
            key=_free_key(name), name=name, position=0 if last is None else last + 1
        )  # fmt: skip
        _record(actor, line, now, _("the service line %(name)s") % {"name": name})
    return line


def change_service_line(
    *, actor: User, service_line: ServiceLine, name: str, is_active: bool, now: dt.datetime
) -> ServiceLine:
    """Rename it, or offer it no longer (its deals keep it). Raises PermissionDenied, ValidationError (name taken)."""
    require_administrator(actor)
    with transaction.atomic():
        others = ServiceLine.objects.filter(name__iexact=name).exclude(pk=service_line.pk)
        _refuse_taken(others, _("There is already a service line of this name."))
        service_line.name, service_line.is_active = name, is_active
        service_line.save(update_fields=["name", "is_active"])
        _record(actor, service_line, now, _("the service line %(name)s") % {"name": name})
    return service_line


def add_region(*, actor: User, name: str, now: dt.datetime) -> Region:
    """Add a region. Raises PermissionDenied, ValidationError (name taken)."""
    require_administrator(actor)
    with transaction.atomic():
        _refuse_taken(Region.objects.filter(name__iexact=name), _("There is already a region of this name."))
        region = Region.objects.create(name=name)
        _record(actor, region, now, _("the region %(name)s") % {"name": name})
    return region


def change_region(*, actor: User, region: Region, name: str, now: dt.datetime) -> Region:
    """Rename a region. Raises PermissionDenied, ValidationError (name taken)."""
    require_administrator(actor)
    with transaction.atomic():
        others = Region.objects.filter(name__iexact=name).exclude(pk=region.pk)
        _refuse_taken(others, _("There is already a region of this name."))
        region.name = name
        region.save(update_fields=["name"])
        _record(actor, region, now, _("the region %(name)s") % {"name": name})
    return region


def remove_region(*, actor: User, region: Region, now: dt.datetime) -> None:
    """Delete a region that nothing uses. Raises PermissionDenied, ValidationError."""
    require_administrator(actor)
    with transaction.atomic():
        _record(actor, region, now, _("the region %(name)s") % {"name": region.name})
        try:
            region.delete()
        except ProtectedError as error:
            raise ValidationError(
                _("Teams or deals are in %(name)s. Give them another region first.") % {"name": region.name}
            ) from error


def _free_key(name: str) -> str:
    stem = slugify(name)[:36] or "line"
    key, number = stem, 2
    while ServiceLine.objects.filter(key=key).exists():
        key, number = f"{stem}-{number}", number + 1
    return key


def _refuse_taken(others: models.QuerySet[ServiceLine] | models.QuerySet[Region], sentence: str) -> None:
    if others.exists():
        raise ValidationError({"name": sentence})


def _record(actor: User, about: models.Model, now: dt.datetime, what: str) -> None:
    record(names.SETTINGS_CHANGED, actor=actor, about=about, now=now, data={"what": what})
