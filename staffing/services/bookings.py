"""Booking people, or roles while nobody is named."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Organisation, User
from accounts.queries import organisation
from events import names
from events.models import EventData
from events.recording import record
from opportunities.models import Opportunity, StageKind
from opportunities.services.versions import locked
from opportunities.starts import expected_start
from staffing.models import Booking, BookingKind, NeedState, Person, StaffingNeed
from staffing.models.bookings import BookingQuerySet
from staffing.services.checks import Stale, assign, check, check_awake, check_days, hold, planner
from staffing.services.filling import covers, refresh
from staffing.states import IllegalTransition
from staffing.weeks import monday_of

FIELDS = ("role", "person", "title", "hours_per_week", "first_on", "last_on", "note")
VALUES = (*FIELDS, "opportunity", "need", "kind", "external_id")


class StaleBooking(Stale):
    """Somebody else changed the booking; ``current`` is how it stands now."""


def book(*, actor: User, values: Mapping[str, Any], now: dt.datetime, request_id: uuid.UUID | None = None) -> Booking:
    """Book a person, or a role while nobody is named, for a deal or for work of our own.

    A need brings its deal, and its hours, days and role where they are not given. A deal's booking is soft until the
    deal is won, then hard; other work is hard. The same ``request_id`` of the same person books once; so does the same
    booking of a need. Raises PermissionDenied, IllegalTransition, ValidationError with a sentence per field.
    """
    planner(actor)
    unknown = [name for name in values if name not in VALUES]
    if unknown:
        raise ValidationError({name: _("This can't be set.") for name in unknown})
    with transaction.atomic():
        if request_id is not None:
            hold(f"book:{request_id}")
            known = Booking.objects.filter(booked_by=actor, request_id=request_id).first()
            if known is not None:
                return known
        deal, need = _deal_and_need(values)
        booking = Booking(
            opportunity=deal, need=need, booked_by=actor, request_id=request_id, created_at=now, updated_at=now
        )
        given = {name: value for name, value in values.items() if name not in ("opportunity", "need", "kind")}
        home = organisation()
        assign(booking, _with_defaults(given, deal, need, home), (*FIELDS, "external_id"))
        booking.kind = _kind(deal, values.get("kind"))
        booking.planned_from = planned_from(deal, home)
        _hold_person(booking)
        known = _same(booking)
        if known is not None:
            return known
        _check(booking)
        if need is not None:
            _check_room(booking, need)
        booking.save()
        data = {**told(booking), "kind": str(BookingKind(booking.kind).label)}
        record(names.BOOKING_MADE, actor=actor, about=booking, within=deal, now=now, data=data)
        _refresh(booking, actor, now)
    return booking


def change_booking(
    *, actor: User, booking: Booking, changes: Mapping[str, Any], expected_version: int | None, now: dt.datetime
) -> Booking:
    """Change who is booked, how much and when. The present values change nothing.

    Raises StaleBooking, IllegalTransition, PermissionDenied, ValidationError with a sentence per field.
    """
    planner(actor)
    with transaction.atomic():
        current = _locked(booking)
        person_before = current.person_id
        diff = assign(current, changes, FIELDS)
        if not diff:
            return current
        if expected_version not in (None, current.version):
            raise StaleBooking(_locked(booking))
        if not current.is_live:
            raise IllegalTransition(_("It was released. Book again, or take it up again first."))
        if current.opportunity is not None:
            check_awake(current.opportunity)
        if "first_on" in diff or "last_on" in diff:
            current.planned_from = planned_from(current.opportunity, organisation())
        _hold_person(current)
        taken = _same_start(current).exclude(pk=current.pk).exists()
        _check(
            current,
            {"person": _("They are booked for this need from that day already.")} if taken else {},
            is_person_new=current.person_id != person_before or "first_on" in diff or "last_on" in diff,
        )
        if current.need is not None and person_before is None and current.person_id is not None:
            _check_room(current, current.need)
        _save(current, now)
        data: EventData = {**told(current), "fields": diff}
        record(names.BOOKING_CHANGED, actor=actor, about=current, within=current.opportunity, now=now, data=data)
        _refresh(current, actor, now)
    return current


def release_booking(*, actor: User, booking: Booking, expected_version: int | None, now: dt.datetime) -> Booking:
    """It no longer counts; releasing twice changes nothing. Raises StaleBooking, PermissionDenied."""
    planner(actor)
    with transaction.atomic():
        current = _locked(booking)
        if not current.is_live:
            return current
        if expected_version not in (None, current.version):
            raise StaleBooking(current)
        current.released_at = now
        _save(current, now)
        record(
            names.BOOKING_RELEASED, actor=actor, about=current, within=current.opportunity, now=now, data=told(current)
        )
        _refresh(current, actor, now)
    return current


def restore_booking(*, actor: User, booking: Booking, now: dt.datetime) -> Booking:
    """It counts again, soft or hard as its deal is now. Raises IllegalTransition, PermissionDenied, ValidationError."""
    planner(actor)
    with transaction.atomic():
        current = _locked(booking)
        if current.is_live:
            return current
        if current.opportunity is not None:
            check_awake(current.opportunity)
        if current.need is not None and current.need.state == NeedState.CANCELLED:
            raise IllegalTransition(_("What it was for is no longer needed."))
        if _same_start(current).exists():
            raise ValidationError({"person": _("They are booked for this need from that day already.")})
        if current.need is not None:
            _check_room(current, current.need)
        current.released_at, current.released_with_deal = None, False
        current.kind = _kind(current.opportunity, None)
        _save(current, now)
        data = {**told(current), "kind": str(BookingKind(current.kind).label)}
        record(names.BOOKING_MADE, actor=actor, about=current, within=current.opportunity, now=now, data=data)
        _refresh(current, actor, now)
    return current


def planned_from(deal: Opportunity | None, home: Organisation) -> dt.date | None:
    """Monday of the week in which the deal's work is planned to start; None without dates.

    A win leaves it where it was: closing earlier or later than planned moves nobody.
    """
    if deal is None:
        return None
    closes = deal.close_date or deal.closed_on
    start = deal.start_on or (closes + dt.timedelta(days=home.start_after_close_days) if closes else None)
    return monday_of(start) if start else None


def told(booking: Booking) -> EventData:
    """What events say about a booking."""
    # Own work is of no deal, so everybody may hear of it: it says no names.
    names_person = booking.person is not None and booking.opportunity_id is not None
    who = str(booking.person if names_person else booking.role)
    return {
        "who": who, "role": str(booking.role), "hours": f"{booking.hours_per_week.normalize():f}",
        "from": booking.first_on.isoformat(), "to": booking.last_on.isoformat(),
    }  # fmt: skip


def _deal_and_need(values: Mapping[str, Any]) -> tuple[Opportunity | None, StaffingNeed | None]:
    """Both locked, the deal first."""
    need: StaffingNeed | None = values.get("need")
    deal: Opportunity | None = values.get("opportunity") or (need.opportunity if need is not None else None)
    if deal is None:
        return None, None
    if need is not None and need.opportunity_id != deal.pk:
        raise ValidationError({"need": _("This need belongs to another deal.")})
    deal = locked(deal)
    check_awake(deal)
    if need is None:
        return deal, None
    need = StaffingNeed.objects.select_for_update().get(pk=need.pk)
    need.opportunity = deal
    if need.state == NeedState.CANCELLED:
        raise IllegalTransition(_("It is no longer needed."))
    return deal, need


def _with_defaults(
    given: Mapping[str, Any], deal: Opportunity | None, need: StaffingNeed | None, home: Organisation
) -> dict[str, Any]:
    values = {name: value for name, value in given.items() if value is not None}
    person: Person | None = values.get("person")
    if "role" not in values and (person is not None or need is not None):
        values["role"] = person.role if person is not None else need.role if need is not None else None
    if need is None or deal is None:
        return values
    values.setdefault("hours_per_week", need.hours_per_week)
    if "first_on" not in values:
        start = expected_start(deal, home)
        if start is None:
            raise ValidationError({"first_on": _("The deal has no dates yet, so say from when.")})
        values["first_on"] = need.starts_on(start)
    if "last_on" not in values and isinstance(values["first_on"], dt.date):
        first = values["first_on"]
        # A need's weeks end on Sundays; whoever begins later in the week ends in the same one.
        values["last_on"] = monday_of(first) + dt.timedelta(weeks=need.weeks, days=-1)
    return values


def _kind(deal: Opportunity | None, wanted: str | None) -> BookingKind:
    kind = BookingKind.SOFT if deal is not None and deal.kind == StageKind.OPEN else BookingKind.HARD
    if wanted and wanted != kind:
        raise ValidationError({"kind": _wrong_kind(deal)})
    return kind


def _wrong_kind(deal: Opportunity | None) -> str:
    if deal is None:
        return _("Work of our own is always booked hard.")
    if deal.kind == StageKind.OPEN:
        return _("Bookings of an open deal are soft; they become hard by themselves when it is won.")
    return _("The deal is won, so its bookings are hard.")


def _check(booking: Booking, problems: Mapping[str, str] | None = None, *, is_person_new: bool = True) -> None:
    found = {**check_days(booking.first_on, booking.last_on), **(problems or {})}
    if booking.opportunity_id is None and not booking.title:
        found["title"] = _("Name a deal, or say what it is for.")
    if booking.person is not None and is_person_new:
        fault = _absence(booking.person, booking)
        if fault:
            found.setdefault("person", fault)
    if booking.external_id and Booking.objects.filter(external_id=booking.external_id).exclude(pk=booking.pk).exists():
        found["external_id"] = _("Another booking has this already.")
    check(booking, (*FIELDS, "external_id"), found)


def _absence(person: Person, booking: Booking) -> str | None:
    if person.archived_at is not None:
        return _("%(name)s is no longer planned.") % {"name": person.name}
    if person.joins_on and booking.first_on and booking.first_on < person.joins_on:
        return _("%(name)s joins on %(day)s.") % {"name": person.name, "day": person.joins_on.isoformat()}
    if person.leaves_on and booking.last_on and booking.last_on > person.leaves_on:
        return _("%(name)s leaves on %(day)s.") % {"name": person.name, "day": person.leaves_on.isoformat()}
    return None


def _check_room(booking: Booking, need: StaffingNeed) -> None:
    """Refuse to book for a need that named people cover already, as when two people book at the same moment."""
    named = list(need.bookings.live().filter(person__isnull=False).exclude(pk=booking.pk).select_related("person"))
    if booking.person_id is not None and named and covers(named, need):
        who = ", ".join(sorted({str(each.person) for each in named}))
        raise ValidationError({"need": _("It is booked already: %(who)s. Release them first.") % {"who": who}})


def _same(booking: Booking) -> Booking | None:
    """The booking that stands, if the same was asked for before."""
    known = _same_start(booking).first()
    if known is None:
        return None
    if (known.hours_per_week, known.last_on) == (booking.hours_per_week, booking.last_on):
        return known
    raise ValidationError({"person": _("They are booked for this need from that day already.")})


def _same_start(booking: Booking) -> BookingQuerySet:
    if booking.need_id is None or booking.person_id is None or booking.first_on is None:
        return Booking.objects.none()
    return Booking.objects.live().filter(
        need_id=booking.need_id, person_id=booking.person_id, first_on=booking.first_on
    )


def _hold_person(booking: Booking) -> None:
    if booking.person_id is not None:
        booking.person = Person.objects.select_for_update().get(pk=booking.person_id)


def _locked(booking: Booking) -> Booking:
    """The deal first, as everywhere, then the need, then the booking."""
    deal = locked(booking.opportunity) if booking.opportunity is not None else None
    need = None
    if booking.need_id is not None:
        need = StaffingNeed.objects.select_for_update().get(pk=booking.need_id)
        need.opportunity = deal if deal is not None else need.opportunity
    current = Booking.objects.select_for_update().get(pk=booking.pk)
    current.opportunity, current.need = deal, need
    return current


def _refresh(booking: Booking, actor: User, now: dt.datetime) -> None:
    if booking.need is not None:
        refresh([booking.need], actor=actor, now=now)


def _save(booking: Booking, now: dt.datetime) -> None:
    booking.version += 1
    booking.updated_at = now
    booking.save()
