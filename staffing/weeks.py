"""Hours by week: what somebody can work, and what bookings take. Weeks are named by their Mondays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal

from accounts.calendars import BusinessDays
from accounts.models import WorkingCalendar
from staffing.models import Booking, Person, TimeOff

WEEK = dt.timedelta(weeks=1)
NONE = Decimal(0)
TENTH = Decimal("0.1")


def monday_of(day: dt.date) -> dt.date:
    """Monday of the day's week."""
    return day - dt.timedelta(days=day.weekday())


def weeks_from(day: dt.date, count: int) -> list[dt.date]:
    """Mondays of so many weeks, the first being the day's own."""
    return [monday_of(day) + WEEK * number for number in range(count)]


class WorkWeeks:
    """Hours of people and bookings in these weeks. Calendars need their ``days`` prefetched; nothing is read twice.

    A booked hour a week counts by the days of the week on which the person's calendar has them work: public holidays
    and weeks that a booking touches only in part take their share of it. Time off takes hours that can be worked, not
    hours that are booked: whoever is booked while away shows as booked too much.
    """

    def __init__(self, weeks: Sequence[dt.date], *, standard: WorkingCalendar) -> None:
        self.weeks = list(weeks)
        self._standard = standard
        self._days: dict[int, list[list[dt.date]]] = {}

    def capacity(self, person: Person, time_off: Iterable[TimeOff] = ()) -> list[Decimal]:
        """Hours that the person can work in each week, between joining and leaving, less holidays and time off."""
        calendar, absences = person.working_calendar or self._standard, list(time_off)
        daily = person.weekly_hours / _days_a_week(calendar)
        if not absences and person.joins_on is None and person.leaves_on is None:
            return [(daily * len(days)).quantize(TENTH) for days in self._working_days(calendar)]
        return [
            sum((_hours_on(day, daily, person, absences) for day in days), start=NONE).quantize(TENTH)
            for days in self._working_days(calendar)
        ]

    def booked(self, booking: Booking, calendar: WorkingCalendar | None = None) -> list[Decimal]:
        """Hours that the booking takes in each week, by the calendar of whoever is booked."""
        calendar = calendar or self._standard
        daily = booking.hours_per_week / _days_a_week(calendar)
        first, last = booking.first_on, booking.last_on
        return [
            (daily * sum(first <= day <= last for day in days)).quantize(TENTH)
            if days and first <= days[-1] and last >= days[0]
            else NONE
            for days in self._working_days(calendar)
        ]

    def _working_days(self, calendar: WorkingCalendar) -> list[list[dt.date]]:
        if calendar.pk not in self._days:
            works = BusinessDays(calendar).is_business_day
            self._days[calendar.pk] = [
                [day for day in (monday + dt.timedelta(days=number) for number in range(7)) if works(day)]
                for monday in self.weeks
            ]
        return self._days[calendar.pk]


def _days_a_week(calendar: WorkingCalendar) -> int:
    return len(set(calendar.weekdays)) or 7


def _hours_on(day: dt.date, daily: Decimal, person: Person, absences: Sequence[TimeOff]) -> Decimal:
    if (person.joins_on and day < person.joins_on) or (person.leaves_on and day > person.leaves_on):
        return NONE
    return min((daily, *(off.hours_per_day for off in absences if off.first_on <= day <= off.last_on)))
