"""Business-day arithmetic over a working calendar."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

import holidays

from accounts.models import WorkingCalendar


class BusinessDays:
    """Business days of one calendar. Exceptions are read once, when it is made."""

    def __init__(self, calendar: WorkingCalendar) -> None:
        self._weekdays = frozenset(calendar.weekdays) or frozenset(range(7))
        self._country, self._subdivision = calendar.country, calendar.subdivision or None
        self._exceptions = {day.on: day.is_working for day in calendar.days.all()}

    def is_business_day(self, day: dt.date) -> bool:
        """Whether people work on that day."""
        if day in self._exceptions:
            return self._exceptions[day]
        if day.weekday() not in self._weekdays:
            return False
        return not self._country or day not in _public_holidays(self._country, self._subdivision, day.year)

    def on_or_after(self, day: dt.date) -> dt.date:
        """The day itself if people work on it, else the next business day (within two months)."""
        return self._walk(day, 1)

    def on_or_before(self, day: dt.date) -> dt.date:
        """The day itself if people work on it, else the business day before it."""
        return self._walk(day, -1)

    def add(self, day: dt.date, count: int) -> dt.date:
        """The business day ``count`` business days away; 0 gives the day itself or the next one."""
        step = 1 if count >= 0 else -1
        day = self._walk(day, step)
        for _ in range(abs(count)):
            day = self._walk(_shift(day, step), step)
        return day

    def between(self, start: dt.date, end: dt.date) -> int:
        """Business days after ``start`` up to and including ``end``; negative when end is earlier."""
        if end < start:
            return -self.between(end, start)
        return sum(
            self.is_business_day(start + dt.timedelta(days=offset)) for offset in range(1, (end - start).days + 1)
        )

    def _walk(self, day: dt.date, step: int) -> dt.date:
        for _ in range(62):
            if self.is_business_day(day):
                return day
            day = _shift(day, step)
        return day


def _shift(day: dt.date, step: int) -> dt.date:
    """One day further, stopping at the ends of the calendar."""
    try:
        return day + dt.timedelta(days=step)
    except OverflowError:
        return day


def public_holidays(calendar: WorkingCalendar, *, since: dt.date, until: dt.date) -> list[tuple[dt.date, str]]:
    """Days and names of the public holidays in a span, both ends included; none without a country."""
    if not calendar.country:
        return []
    years = range(since.year, until.year + 1)
    known = holidays.country_holidays(calendar.country, subdiv=calendar.subdivision or None, years=years)
    return [(day, name) for day, name in sorted(known.items()) if since <= day <= until]


@lru_cache(maxsize=256)
def _public_holidays(country: str, subdivision: str | None, year: int) -> frozenset[dt.date]:
    return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=year))
