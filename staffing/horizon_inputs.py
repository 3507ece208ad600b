"""What the horizon is computed from: hours that there are, hours that are sure, and deals that may come.

Sure are hard bookings, and what the needs of won deals ask beyond their bookings. An open deal asks for its needs, less
what is hard already; soft bookings of a need are part of it, and those without a need are one more, in whole weeks.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.db.models import Q
from django.db.models.functions import Coalesce

from accounts.models import Organisation
from opportunities.models import StageKind
from staffing.capacity import DAYS, Capacity, Floats, WorkingDays, capacity, working_days
from staffing.horizon.deals import Need, OpenDeal
from staffing.horizon_learning import Share, Slips, learn
from staffing.models import Booking, BookingKind, StaffingNeed, WorkRole
from staffing.models.needs import MOST_OFFSET, MOST_WEEKS
from staffing.weeks import monday_of

# What is read of a deal, in the order in which _prospect takes it.
ABOUT = tuple(f"opportunity__{name}" for name in ("id", "name", "stage_id", "probability", "start_on", "close_date"))


@dataclass
class Prospect:
    """An open deal that asks for people."""

    pk: int
    name: str
    stage_id: int
    percent: int
    starts_on: dt.date | None
    needs: list[tuple[int, float, int, int]] = field(default_factory=list)  # role, hours, weeks, offset
    fixed: list[tuple[int, float, dt.date, dt.date]] = field(default_factory=list)  # role, hours, first, last


@dataclass(frozen=True)
class Inputs:
    """Hours are [roles, weeks]; ``undated`` counts open deals with needs that have neither start nor close date.

    ``calibrated`` counts deals whose chance is the share of wins of their stage. ``working`` is the part of a usual
    week that the people of a role work, for public holidays. ``staff`` are the people behind the capacity; None where
    only their sum is known.
    """

    monday: dt.date
    weeks: int
    roles: list[WorkRole]
    people: list[int]
    capacity: Floats
    confirmed: Floats
    working: Floats
    deals: list[OpenDeal]
    prospects: dict[int, Prospect]
    slips: Slips
    shares: dict[int, Share]
    undated: int
    calibrated: int
    staff: Capacity | None = None

    def week(self, number: int) -> dt.date:
        """Monday of the week."""
        return self.monday + dt.timedelta(weeks=number)

    def row(self, role_id: int) -> int:
        """Of the role in the arrays. Raises KeyError for a role that isn't there."""
        for row, role in enumerate(self.roles):
            if role.pk == role_id:
                return row
        raise KeyError(role_id)


class _Columns:
    """Hours a week from a day to a day, as columns; ``row`` is what they are added up by."""

    def __init__(self, days: WorkingDays) -> None:
        self._days = days
        self.row: list[int] = []
        self._calendar: list[int | None] = []
        self._hours: list[float] = []
        self._first: list[int] = []
        self._last: list[int] = []

    def add(self, row: int, hours: float, first: int, last: int, calendar: int | None = None) -> None:
        """One more, counted by the working days of the calendar; days are numbers, 0 for the first Monday."""
        self.row.append(row)
        self._calendar.append(calendar)
        self._hours.append(hours)
        self._first.append(first)
        self._last.append(last)

    def hours(self) -> Floats:
        """By week, each for itself, [n, weeks]."""
        first, last = np.array(self._first, dtype=np.int64), np.array(self._last, dtype=np.int64)
        hours = np.array(self._hours, dtype=np.float64)
        return self._days.booked(self._days.rows(self._calendar), hours, first, last)

    def summed(self, rows: int) -> Floats:
        """By week, added up, [rows, weeks]."""
        return added(self.row, self.hours(), rows)


def gather(monday: dt.date, weeks: int, *, home: Organisation) -> Inputs:
    """Everything for ``weeks`` weeks from a Monday. Eight queries, however many deals and people there are."""
    days = working_days(monday, weeks, home=home)
    staff = capacity(days)
    roles = list(WorkRole.objects.all())
    place = {role.pk: row for row, role in enumerate(roles)}
    work = _booked(days, staff, place, home=home)
    confirmed = work.sure.summed(len(place)) + _asked(days, work, place, home=home)
    prospects = work.prospects
    history = learn()
    learned, shares = history.slips, history.shares
    deals = [deal for prospect in prospects.values() if (deal := _deal(prospect, monday, place, learned, shares))]
    # Roles that were put away stand here only as long as somebody has them or something asks for them.
    hours, asked = staff.by_role(list(place)), {need.role for deal in deals for need in deal.needs}
    kept = [
        row for row, role in enumerate(roles)
        if role.archived_at is None or hours[row].any() or confirmed[row].any() or row in asked
    ]  # fmt: skip
    new = {row: number for number, row in enumerate(kept)}
    heads = np.bincount([place[pk] for pk in staff.roles.tolist()], minlength=len(roles))
    return Inputs(
        monday, weeks, [roles[row] for row in kept], heads[kept].tolist(), hours[kept], confirmed[kept],
        staff.working(list(place))[kept], [_renumbered(deal, new) for deal in deals], prospects, learned, shares,
        undated=len(prospects) - len(deals),
        calibrated=sum(prospects[int(str(deal.key))].stage_id in shares for deal in deals), staff=staff,
    )  # fmt: skip


def expected_start(start_on: dt.date | None, close_date: dt.date | None, home: Organisation) -> dt.date | None:
    """The day on which the work is expected to begin; without a start some days after the close date."""
    if start_on is not None or close_date is None:
        return start_on
    try:
        return close_date + dt.timedelta(days=home.start_after_close_days)
    except OverflowError:
        return close_date


@dataclass
class _Work:
    """What bookings say: hours that are sure, how much of which need is hard, and deals with soft bookings."""

    sure: _Columns
    held: list[tuple[int, float, int, int]] = field(default_factory=list)  # need, hours, first and last day
    prospects: dict[int, Prospect] = field(default_factory=dict)


def _booked(days: WorkingDays, staff: Capacity, place: dict[int, int], *, home: Organisation) -> _Work:
    """Live bookings of work that isn't lost. Named people's hours are of their own role. One query."""
    until = days.monday + dt.timedelta(weeks=days.weeks, days=-1)
    rows = (
        Booking.objects.live().touching(days.monday, until)
        .exclude(opportunity__kind=StageKind.LOST).order_by("pk")
        .values_list(
            "kind", "person_id", "person__role_id", "role_id", "need_id", "hours_per_week", "first_on", "last_on",
            "opportunity__kind", "opportunity__archived_at", *ABOUT,
        )
    )  # fmt: skip
    calendar_of = dict(zip(staff.people, staff.calendars, strict=True))
    work = _Work(_Columns(days))
    for kind, person, own_role, role, need, hours, first_on, last_on, deal_kind, archived_at, *deal in rows:
        first, last = (first_on - days.monday).days, (last_on - days.monday).days
        if kind == BookingKind.HARD or (deal_kind == StageKind.WON and need is None):
            work.sure.add(place[own_role or role], float(hours), first, last, calendar_of.get(person))
            if need is not None:
                work.held.append((need, float(hours), first, last))
        elif deal_kind == StageKind.OPEN and need is None and archived_at is None:
            _prospect(work.prospects, deal, home).fixed.append((role, float(hours), first_on, last_on))
    return work


def _asked(days: WorkingDays, work: _Work, place: dict[int, int], *, home: Organisation) -> Floats:
    """Add what open deals need to the prospects; what won deals need beyond bookings, [roles, weeks]. One query."""
    since = days.monday - dt.timedelta(weeks=MOST_OFFSET + MOST_WEEKS, days=home.start_after_close_days)
    needs = (
        StaffingNeed.objects.live().filter(opportunity__archived_at__isnull=True)
        .alias(began=Coalesce("opportunity__start_on", "opportunity__closed_on", "opportunity__close_date"))
        .filter(Q(opportunity__kind=StageKind.OPEN) | Q(opportunity__kind=StageKind.WON, began__gte=since))
        .order_by("pk")
        .values_list(
            "pk", "role_id", "hours_per_week", "offset_weeks", "weeks", "opportunity__kind", "opportunity__closed_on",
            *ABOUT,
        )
    )  # fmt: skip
    asked, held = _Columns(days), _Columns(days)
    keys: dict[int, int] = {}
    hard: defaultdict[int, float] = defaultdict(float)
    for need, hours, _first, _last in work.held:
        hard[need] += hours
    for pk, role, hours, offset, weeks, kind, closed_on, *deal in needs:
        if kind == StageKind.OPEN:
            rest = max(float(hours) - hard[pk], 0.0)
            _prospect(work.prospects, deal, home).needs.append((role, rest, weeks, offset))
            continue
        start = expected_start(deal[4], closed_on, home)
        first = (monday_of(start or days.monday) - days.monday).days + offset * DAYS
        last = first + weeks * DAYS - 1
        if last >= 0 and first < days.weeks * DAYS:
            keys[pk] = len(keys)
            asked.add(place[role], float(hours), first, last)
    for need, hours, first, last in work.held:
        if need in keys:
            held.add(keys[need], hours, first, last)
    return added(asked.row, np.maximum(asked.hours() - held.summed(len(keys)), 0.0), len(place))


def _prospect(found: dict[int, Prospect], about: list[Any], home: Organisation) -> Prospect:
    pk, name, stage_id, percent, start_on, close_date = about
    if pk not in found:
        found[pk] = Prospect(pk, name, stage_id, percent, expected_start(start_on, close_date, home))
    return found[pk]


def _deal(
    prospect: Prospect, monday: dt.date, place: dict[int, int], learned: Slips, shares: dict[int, Share]
) -> OpenDeal | None:
    """The deal as the horizon takes it, or None without a date. Nothing begins before this week."""
    begins = prospect.starts_on or min((first for _role, _hours, first, _last in prospect.fixed), default=None)
    if begins is None or (prospect.starts_on is None and prospect.needs):
        return None
    start = max((monday_of(begins) - monday).days // 7, 0)
    needs = [Need(place[role], hours, weeks, offset) for role, hours, weeks, offset in prospect.needs]
    for role, hours, first_on, last_on in prospect.fixed:
        first = (monday_of(first_on) - monday).days // 7
        last = (monday_of(last_on) - monday).days // 7
        needs.append(Need(place[role], hours, last - first + 1, first - start))
    share = shares.get(prospect.stage_id)
    chance = share.chance if share else prospect.percent / 100
    return OpenDeal(prospect.pk, chance, start, tuple(needs), learned.shift)


def _renumbered(deal: OpenDeal, new: dict[int, int]) -> OpenDeal:
    needs = tuple(Need(new[need.role], need.hours, need.weeks, need.offset) for need in deal.needs)
    return OpenDeal(deal.key, deal.probability, deal.start, needs, deal.shift)


def added(row: list[int], hours: Floats, rows: int) -> Floats:
    """The hours [n, weeks] of each row added up, [rows, weeks]."""
    total = np.zeros((rows, hours.shape[1]))
    np.add.at(total, np.array(row, dtype=np.int64), hours)
    return total
