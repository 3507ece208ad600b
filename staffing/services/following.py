"""Bookings follow their deal: hard with a win, released with a loss, back with it, moved with its start.

Reactions may run late, twice or out of order, so each brings the bookings in line with the deal as it stands.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db import transaction

from accounts.queries import organisation
from events import names
from events.recording import Occurrence, record, record_many
from opportunities.models import Opportunity, StageKind
from opportunities.services.versions import locked
from staffing.models import Booking, BookingKind, NeedState, StaffingNeed
from staffing.services.bookings import planned_from
from staffing.services.filling import refresh
from staffing.services.needs import apply_templates, templates_for

Place = int | tuple[int, int, dt.date]


def follow(*, opportunity: Opportunity, now: dt.datetime) -> None:
    """Everything at once; what is in line already stays untouched. One query where nobody was ever booked."""
    # Whoever books holds the deal, so a change of the deal comes after the booking, or the booking sees the change.
    if not Booking.objects.filter(opportunity=opportunity.pk).exists():
        return
    with transaction.atomic():
        deal = locked(opportunity)
        release_with_deal(opportunity=deal, now=now)
        take_up_again(opportunity=deal, now=now)
        move_with_deal(opportunity=deal, now=now)
        harden(opportunity=deal, now=now)


def harden(*, opportunity: Opportunity, now: dt.datetime) -> int:
    """The deal is won: what was booked softly is booked hard. Gives how many bookings."""
    with transaction.atomic():
        deal = locked(opportunity)
        if deal.kind != StageKind.WON or deal.archived_at is not None:
            return 0
        rows = _held(deal, released_at__isnull=True, kind=BookingKind.SOFT)
        for booking in rows:
            booking.kind, booking.hardened_at = BookingKind.HARD, now
        _keep(deal, rows, ["kind", "hardened_at"], names.BOOKINGS_HARDENED, now)
    return len(rows)


def release_with_deal(*, opportunity: Opportunity, now: dt.datetime) -> int:
    """The deal is lost or archived: nobody is booked for it. Gives how many bookings."""
    with transaction.atomic():
        deal = locked(opportunity)
        if not _rests(deal):
            return 0
        rows = _held(deal, released_at__isnull=True)
        for booking in rows:
            booking.released_at, booking.released_with_deal = now, True
        _keep(deal, rows, ["released_at", "released_with_deal"], names.BOOKINGS_RELEASED, now)
    return len(rows)


def take_up_again(*, opportunity: Opportunity, now: dt.datetime) -> int:
    """The deal is open or won again: what was released with it is booked again, and soft until it is won.

    What somebody booked anew for the same need meanwhile stands in its place. Gives how many bookings came back.
    """
    with transaction.atomic():
        deal = locked(opportunity)
        if _rests(deal):
            return 0
        back = _bookable(deal, _held(deal, released_with_deal=True))
        for booking in back:
            booking.released_at, booking.released_with_deal = None, False
        _keep(deal, back, ["released_at", "released_with_deal"], names.BOOKINGS_RESUMED, now)
        if deal.kind == StageKind.OPEN:
            _soften(deal, now)
    return len(back)


def move_with_deal(*, opportunity: Opportunity, now: dt.datetime) -> int:
    """Soft bookings move by the whole weeks by which the planned start has moved since their days were chosen.

    Gives how many bookings moved.
    """
    with transaction.atomic():
        deal = locked(opportunity)
        start = planned_from(deal, organisation())
        if start is None or _rests(deal):
            return 0
        soft = _held(deal, released_at__isnull=True, kind=BookingKind.SOFT)
        # Chosen before the deal had dates: it moves from here on.
        undated = [booking for booking in soft if booking.planned_from is None]
        Booking.objects.filter(pk__in=[booking.pk for booking in undated]).update(planned_from=start)
        moved: dict[int, list[Booking]] = defaultdict(list)
        for booking in soft:
            if booking.planned_from is not None and booking.planned_from != start:
                moved[(start - booking.planned_from).days // 7].append(booking)
        for weeks, rows in sorted(moved.items()):
            _shift(rows, weeks, start)
            _keep(deal, rows, ["planned_from"], names.BOOKINGS_MOVED, now, weeks=f"{weeks:+d}")
    return sum(len(rows) for rows in moved.values())


def ask_from_templates(*, opportunity: Opportunity, now: dt.datetime) -> list[StaffingNeed]:
    """A warm or hot deal about whose needs nobody has said anything gets those that its service line usually has."""
    with transaction.atomic():
        deal = locked(opportunity)
        if not deal.is_shared or deal.archived_at is not None:
            return []
        if StaffingNeed.objects.filter(opportunity=deal).exists() or not templates_for(deal):
            return []
        return apply_templates(actor=None, opportunity=deal, now=now)


def withdraw_untouched(*, opportunity: Opportunity, now: dt.datetime) -> int:
    """The move that warmed the deal was undone: needs from templates that nobody touched go with it. Gives how many."""
    with transaction.atomic():
        deal = locked(opportunity)
        if not deal.is_open or deal.is_shared:
            return 0
        needs = list(
            StaffingNeed.objects.filter(
                opportunity=deal, added_by__isnull=True, template__isnull=False, version=1, bookings__isnull=True
            ).select_related("role")
        )
        told = [Occurrence(names.NEED_CANCELLED, need, deal, {"role": str(need.role)}) for need in needs]
        record_many(told, actor=None, now=now)
        StaffingNeed.objects.filter(pk__in=[need.pk for need in needs]).delete()
    return len(needs)


def _shift(rows: Sequence[Booking], weeks: int, start: dt.date) -> None:
    """Move the days, the foremost first, so that none lands where the next one still is.

    A booking whose new place another one holds stays where it is.
    """
    away = dt.timedelta(weeks=weeks)
    for booking in sorted(rows, key=lambda row: row.first_on, reverse=weeks > 0):
        booking.planned_from = start
        if booking.need_id is not None and booking.person_id is not None:
            there = Booking.objects.live().filter(need_id=booking.need_id, person_id=booking.person_id)
            if there.filter(first_on=booking.first_on + away).exists():
                continue
        booking.first_on += away
        booking.last_on += away
        booking.save(update_fields=["first_on", "last_on"])


def _rests(deal: Opportunity) -> bool:
    return deal.kind == StageKind.LOST or deal.archived_at is not None


def _soften(deal: Opportunity, now: dt.datetime) -> None:
    """Of a reopened deal; a booking that is made while the win is undone may be hard still."""
    rows = _held(deal, released_at__isnull=True, kind=BookingKind.HARD)
    for booking in rows:
        booking.kind, booking.hardened_at = BookingKind.SOFT, None
    _keep(deal, rows, ["kind", "hardened_at"], names.BOOKINGS_RESUMED, now)


def _bookable(deal: Opportunity, released: Sequence[Booking]) -> list[Booking]:
    """Those whose need still stands and whose place nobody has taken; of several for one place the newest."""
    taken = {_place(booking) for booking in Booking.objects.live().filter(opportunity=deal)}
    cancelled = set(
        StaffingNeed.objects.filter(opportunity=deal, state=NeedState.CANCELLED).values_list("pk", flat=True)
    )
    found: list[Booking] = []
    for booking in reversed(released):
        place = _place(booking)
        if booking.need_id in cancelled or place in taken:
            continue
        taken.add(place)
        found.append(booking)
    return found[::-1]


def _place(booking: Booking) -> Place:
    """Where only one booking can be: one per need, person and first day."""
    if booking.need_id is None or booking.person_id is None:
        return booking.pk
    return booking.need_id, booking.person_id, booking.first_on


def _held(deal: Opportunity, **which: object) -> list[Booking]:
    rows = Booking.objects.filter(opportunity=deal, **which).select_for_update().order_by("pk")
    return list(rows)


def _keep(
    deal: Opportunity, rows: Iterable[Booking], fields: Sequence[str], name: str, now: dt.datetime, **more: str
) -> None:
    """Write the rows with one event for all of them; their needs follow."""
    rows = list(rows)
    if not rows:
        return
    for booking in rows:
        booking.version += 1
        booking.updated_at = now
    needs = list(
        StaffingNeed.objects.filter(pk__in={booking.need_id for booking in rows if booking.need_id})
        .select_for_update(of=("self",)).order_by("pk")
    )  # fmt: skip
    Booking.objects.bulk_update(rows, [*fields, "version", "updated_at"])
    data = {"count": len(rows), "bookings": [booking.pk for booking in rows], **more}
    record(name, actor=None, about=deal, within=deal, now=now, data=data)
    for need in needs:
        need.opportunity = deal
    refresh(needs, actor=None, now=now)
