"""The state of a need follows its bookings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal

from django.db import transaction

from accounts.models import User
from accounts.queries import organisation
from events import names
from events.recording import Occurrence, record_many
from opportunities.services.versions import locked
from staffing.models import Booking, BookingKind, NeedState, StaffingNeed

DAYS_A_WEEK = 5
MOST_AT_ONCE = 500  # the rest waits for the next round
# A tenth of an hour less, as rounding leaves it, is not an hour short.
TOLERANCE = Decimal("0.1")


def booked_hours(bookings: Iterable[Booking]) -> Decimal:
    """Hours of these bookings over all their weeks: weeks that one touches only in part by their Mondays to Fridays."""
    return sum(
        (each.hours_per_week * weekdays(each.first_on, each.last_on) / DAYS_A_WEEK for each in bookings), Decimal(0)
    )


def weekdays(first_on: dt.date, last_on: dt.date) -> int:
    """Mondays to Fridays among the days, both included."""
    whole, rest = divmod((last_on - first_on).days + 1, 7)
    return whole * DAYS_A_WEEK + sum((first_on.weekday() + day) % 7 < DAYS_A_WEEK for day in range(rest))


def covers(bookings: Iterable[Booking], need: StaffingNeed) -> bool:
    """Whether these bookings come to all hours of the need."""
    return booked_hours(bookings) + TOLERANCE >= need.total_hours


def state_of(need: StaffingNeed, bookings: Sequence[Booking], today: dt.date) -> NeedState:
    """What the need's live bookings make of it: only those with a named person count."""
    if need.state == NeedState.CANCELLED:
        return NeedState.CANCELLED
    named = [each for each in bookings if each.person_id is not None]
    hard = [each for each in named if each.kind == BookingKind.HARD]
    if hard and covers(hard, need):
        has_begun = min(each.first_on for each in hard) <= today
        return NeedState.FILLED if has_begun else NeedState.BOOKED
    return NeedState.PROPOSED if named and covers(named, need) else NeedState.OPEN


def refresh(needs: Iterable[StaffingNeed], *, actor: User | None, now: dt.datetime) -> list[StaffingNeed]:
    """Bring the state of (locked) needs in line with their bookings; gives those that changed. In a transaction."""
    rows = {need.pk: need for need in needs}
    if not rows:
        return []
    today = organisation().today(now)
    booked: dict[int, list[Booking]] = {key: [] for key in rows}
    for booking in Booking.objects.live().filter(need_id__in=rows):
        if booking.need_id is not None:
            booked[booking.need_id].append(booking)
    changed = []
    for key, need in rows.items():
        state = state_of(need, booked[key], today)
        if state != need.state:
            need.state, need.updated_at = state, now
            need.version += 1
            changed.append(need)
    StaffingNeed.objects.bulk_update(changed, ["state", "version", "updated_at"])
    record_many(
        [
            Occurrence(
                names.NEED_STAFFED, need, need.opportunity,
                {"role": str(need.role), "state": str(NeedState(need.state).label), "is": str(need.state)},
            )
            for need in changed
        ],
        actor=actor, now=now,
    )  # fmt: skip
    return changed


def fill_begun(now: dt.datetime) -> int:
    """Needs whose booked work has begun are filled; gives how many. Whoever runs this, each once."""
    today = organisation().today(now)
    begun = Booking.objects.live().filter(
        need__state=NeedState.BOOKED, kind=BookingKind.HARD, person__isnull=False, first_on__lte=today
    )
    filled = 0
    for key in begun.order_by("need").values_list("need", flat=True).distinct()[:MOST_AT_ONCE]:
        with transaction.atomic():
            found = StaffingNeed.objects.select_related("opportunity").get(pk=key)
            deal = locked(found.opportunity)
            need = StaffingNeed.objects.select_for_update().get(pk=key)
            need.opportunity = deal
            filled += len(refresh([need], actor=None, now=now))
    return filled
