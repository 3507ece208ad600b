"""Hours that people can work by week, for everybody at once.

The rule is that of ``staffing.weeks``, in arrays: hours a week spread evenly over the working days of the calendar,
less public holidays and time off, between joining and leaving. Days are dates of the calendar, so clocks that are put
forward or back change nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from django.db.models import QuerySet

from accounts.calendars import BusinessDays
from accounts.models import Organisation, WorkingCalendar
from staffing.models import Person, TimeOff

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

DAYS = 7


class WorkingDays:
    """Working days of every calendar in ``weeks`` weeks from ``monday``. Two queries, when it is made."""

    def __init__(self, monday: dt.date, weeks: int, *, standard_id: int) -> None:
        self.monday, self.weeks, self.standard_id = monday, weeks, standard_id
        calendars = list(WorkingCalendar.objects.prefetch_related("days"))
        self._rows = {calendar.pk: row for row, calendar in enumerate(calendars)}
        days = [monday + dt.timedelta(days=number) for number in range(weeks * DAYS)]
        self._works = np.zeros((len(calendars), len(days)), dtype=np.bool_)
        for row, calendar in enumerate(calendars):
            works = BusinessDays(calendar).is_business_day
            self._works[row] = [works(day) for day in days]
        self._usual = np.array([len(set(calendar.weekdays)) or DAYS for calendar in calendars], dtype=np.float64)

    def rows(self, calendar_ids: Sequence[int | None]) -> Ints:
        """Rows of the calendars; the organisation's stands in for None."""
        return np.array([self._rows[pk or self.standard_id] for pk in calendar_ids], dtype=np.int64)

    def works(self, rows: Ints) -> Bools:
        """Whether each day is a working day, [n, days]."""
        return self._works[rows]

    def usual(self, rows: Ints) -> Floats:
        """Working days of a week without holidays, [n]."""
        return self._usual[rows]

    def parts(self) -> Floats:
        """Working days of each week as a part of those of a usual one, [calendars, weeks]."""
        return np.asarray(self._works.reshape(len(self._works), self.weeks, DAYS).sum(axis=2) / self._usual[:, None])

    def day(self, on: dt.date | None, *, otherwise: int) -> int:
        """The number of the day, 0 for the first Monday; it may lie before or after the weeks."""
        return otherwise if on is None else (on - self.monday).days

    def booked(self, rows: Ints, hours: Floats, first: Ints, last: Ints) -> Floats:
        """Hours in each week, [n, weeks], of so many hours a week from one day to another, both included.

        Weeks that have holidays or are touched only in part count by their working days, as in ``WorkWeeks.booked``.
        """
        if not len(rows):
            return np.zeros((0, self.weeks))
        until = np.zeros((len(self._works), self.weeks * DAYS + 1))
        until[:, 1:] = np.cumsum(self._works, axis=1)
        begins = np.arange(self.weeks) * DAYS
        since = np.maximum(first[:, None], begins)
        past = np.maximum(np.minimum(last[:, None] + 1, begins + DAYS), since)
        end = self.weeks * DAYS
        days = until[rows[:, None], np.clip(past, 0, end)] - until[rows[:, None], np.clip(since, 0, end)]
        return np.asarray(hours[:, None] / self.usual(rows)[:, None] * days)


@dataclass(frozen=True)
class Capacity:
    """Hours of people by week: ``hours`` [people, weeks], rows as in ``people`` and ``roles`` (their keys).

    ``weekly`` are those of a usual week; ``daily`` are the hours by day, [people, days], counted by the working
    ``days`` of their calendars.
    """

    monday: dt.date
    people: list[int]
    roles: Ints
    calendars: Sequence[int | None]
    weekly: Floats
    hours: Floats
    daily: Floats
    days: WorkingDays
    names: Sequence[str]

    def by_role(self, role_ids: Sequence[int]) -> Floats:
        """Hours of everybody in each role, [roles, weeks]."""
        row_of = {pk: row for row, pk in enumerate(role_ids)}
        total = np.zeros((len(role_ids), self.hours.shape[1]))
        known = np.array([row_of.get(pk, -1) for pk in self.roles.tolist()], dtype=np.int64)
        np.add.at(total, known[known >= 0], self.hours[known >= 0])
        return total

    def working(self, role_ids: Sequence[int]) -> Floats:
        """The part of a usual week that people of each role work, 0 to 1, for public holidays, [roles, weeks].

        The mean over their calendars by their hours, as bookings of whoever it will be count; the organisation's
        calendar where nobody has the role.
        """
        row_of = {pk: row for row, pk in enumerate(role_ids)}
        rows = np.array([row_of.get(pk, -1) for pk in self.roles.tolist()], dtype=np.int64)
        known, parts = rows >= 0, self.days.parts()
        worked, weekly = np.zeros((len(role_ids), self.days.weeks)), np.zeros((len(role_ids), 1))
        theirs = parts[self.days.rows(self.calendars)] if len(rows) else worked[:0]
        np.add.at(worked, rows[known], (self.weekly[:, None] * theirs)[known])
        np.add.at(weekly, rows[known], self.weekly[known, None])
        standard = parts[self.days.rows([None])[0]]
        return np.where(weekly > 0, worked / np.where(weekly > 0, weekly, 1.0), standard)


def capacity(days: WorkingDays, *, among: QuerySet[Person] | None = None) -> Capacity:
    """Everybody who works here on some day of these weeks, or those ``among`` whom it is asked for.

    Two queries, however many people there are.
    """
    until = days.monday + dt.timedelta(days=days.weeks * DAYS - 1)
    people = list(
        (Person.objects.employed(days.monday, until) if among is None else among)
        .order_by("pk")
        .values_list(
            "pk", "role_id", "weekly_hours", "calendar_id", "region__calendar_id", "joins_on", "leaves_on", "name"
        )
    )
    calendars = [own or regional for _pk, _role, _hours, own, regional, *_rest in people]
    rows = days.rows(calendars)
    weekly = np.array([person[2] for person in people], dtype=np.float64)
    joins = np.array([days.day(person[5], otherwise=0) for person in people], dtype=np.int64)
    end = days.weeks * DAYS
    leaves = np.array([days.day(person[6], otherwise=end) for person in people], dtype=np.int64)
    number = np.arange(end)
    here = (number >= joins[:, None]) & (number <= leaves[:, None]) & days.works(rows)
    daily = np.where(here, (weekly / days.usual(rows))[:, None], 0.0)
    place = {person[0]: row for row, person in enumerate(people)}
    absences = TimeOff.objects.filter(last_on__gte=days.monday, first_on__lte=until).values_list(
        "person_id", "first_on", "last_on", "hours_per_day"
    )
    for person_id, first_on, last_on, hours in absences:
        if person_id in place:
            away = daily[place[person_id], max(days.day(first_on, otherwise=0), 0) : (last_on - days.monday).days + 1]
            np.minimum(away, float(hours), out=away)
    return Capacity(
        days.monday,
        list(place),
        np.array([person[1] for person in people], dtype=np.int64),
        calendars,
        weekly,
        np.asarray(daily.reshape(len(people), days.weeks, DAYS).sum(axis=2)),
        daily,
        days,
        [person[7] for person in people],
    )


def working_days(monday: dt.date, weeks: int, *, home: Organisation) -> WorkingDays:
    """Working days of all calendars, with the organisation's for those who have none."""
    return WorkingDays(monday, weeks, standard_id=home.calendar_id)
