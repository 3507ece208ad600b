"""Business hours: from nine to five where the organisation is, on the business days of its calendar."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from accounts.calendars import BusinessDays
from accounts.models import Organisation

OPENS = dt.time(9)
CLOSES = dt.time(17)
# A calendar on which nobody ever works still gives an answer.
_FARTHEST_DAYS = 1500


class BusinessHours:
    """Adds business hours to moments. The calendar's exceptions are read once, when it is made."""

    def __init__(self, home: Organisation) -> None:
        self._days = BusinessDays(home.calendar)
        self._zone = zoneinfo.ZoneInfo(home.time_zone)

    def add(self, moment: dt.datetime, hours: int) -> dt.datetime:
        """The moment, in UTC, when so many business hours have passed since; ``hours`` is at least 1.

        What begins outside business hours begins when they next open. Hours are hours that pass: a day on which the
        clocks change is as long as any other between nine and five.
        """
        left = dt.timedelta(hours=hours)
        day = moment.astimezone(self._zone).date()
        for _ in range(_FARTHEST_DAYS):
            if self._days.is_business_day(day):
                opens, closes = self._at(day, OPENS), self._at(day, CLOSES)
                begins = max(opens, moment)
                if begins < closes:
                    if left <= closes - begins:
                        return (begins + left).astimezone(dt.UTC)
                    left -= closes - begins
            day += dt.timedelta(days=1)
        return moment + dt.timedelta(hours=hours)

    def _at(self, day: dt.date, time: dt.time) -> dt.datetime:
        # In UTC: differences of two moments of one zone would be taken from the clock on the wall.
        return dt.datetime.combine(day, time, self._zone).astimezone(dt.UTC)
