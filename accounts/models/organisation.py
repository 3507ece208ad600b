"""The organisation: calendar, service lines, regions, money."""

import datetime as dt
import zoneinfo

import holidays
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


def validate_time_zone(value: str) -> None:
    """Refuse a name that is not an IANA time zone."""
    if value not in zoneinfo.available_timezones():
        raise ValidationError(_("“%(zone)s” is not a time zone, such as Europe/Berlin."), params={"zone": value})


def validate_currency(value: str) -> None:
    """Refuse what is not an ISO 4217 code in form: three capital letters."""
    if len(value) != 3 or not (value.isascii() and value.isalpha() and value.isupper()):
        raise ValidationError(_("Use a three-letter currency code, such as EUR."))


def monday_to_friday() -> list[int]:
    """Default working weekdays, Monday = 0."""
    return [0, 1, 2, 3, 4]


class WorkingCalendar(models.Model):
    """Which days count as business days: weekdays, less public holidays, plus exceptions."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    country = models.CharField(
        _("country"), max_length=2, blank=True, help_text=_("Two letters, such as DE; empty: no public holidays.")
    )
    subdivision = models.CharField(_("state or region"), max_length=8, blank=True)
    weekdays = ArrayField(models.PositiveSmallIntegerField(), default=monday_to_friday)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a country or subdivision that no holiday data exists for."""
        if self.country:
            try:
                holidays.country_holidays(self.country, subdiv=self.subdivision or None, years=2026)
            except NotImplementedError as error:
                raise ValidationError(_("No public holidays are known for that country or region.")) from error


class CalendarDay(models.Model):
    """An exception: a day off the public holidays don't know, or a working day despite one."""

    calendar = models.ForeignKey(WorkingCalendar, on_delete=models.CASCADE, related_name="days")
    on = models.DateField(_("date"))
    name = models.CharField(_("name"), max_length=80)
    is_working = models.BooleanField(_("a working day"), default=False)

    class Meta:
        ordering = ["on"]
        constraints = [models.UniqueConstraint(fields=["calendar", "on"], name="accounts_one_exception_per_day")]

    def __str__(self) -> str:
        return f"{self.on} {self.name}"


class Organisation(models.Model):
    """The one organisation that this installation serves."""

    name = models.CharField(_("name"), max_length=120)
    base_currency = models.CharField(_("base currency"), max_length=3, default="EUR", validators=[validate_currency])
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[validate_time_zone])
    calendar = models.ForeignKey(
        WorkingCalendar, on_delete=models.PROTECT, related_name="+", verbose_name=_("working calendar")
    )
    # A close date pulled in by more than this surprises delivery.
    surprise_pull_in_days = models.PositiveSmallIntegerField(_("days pulled in that surprise"), default=14)
    # Until when a deal review should be agreed, counted from the signal; never after the close date.
    review_days = models.PositiveSmallIntegerField(_("business days for a deal review"), default=5)
    express_review_hours = models.PositiveSmallIntegerField(_("hours for an express review"), default=8)
    # From the close date to the expected start, while nobody has named a start.
    start_after_close_days = models.PositiveSmallIntegerField(_("days from close to start"), default=14)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="accounts_one_organisation")]

    def __str__(self) -> str:
        return self.name

    def today(self, now: dt.datetime) -> dt.date:
        """The date at this moment where the organisation is."""
        return now.astimezone(zoneinfo.ZoneInfo(self.time_zone)).date()


class ServiceLine(models.Model):
    """A kind of work the organisation sells, with its own delivery people and playbooks."""

    key = models.SlugField(_("key"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80, unique=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class Region(models.Model):
    """Where clients and teams are, with the calendar that holds there."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    calendar = models.ForeignKey(WorkingCalendar, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class CurrencyRate(models.Model):
    """What one unit of a currency is worth in the base currency from a day on."""

    currency = models.CharField(_("currency"), max_length=3, validators=[validate_currency])
    on = models.DateField(_("from"))
    rate = models.DecimalField(_("worth in base currency"), max_digits=18, decimal_places=8)

    class Meta:
        ordering = ["currency", "-on"]
        constraints = [
            models.UniqueConstraint(fields=["currency", "on"], name="accounts_one_rate_per_day"),
            models.CheckConstraint(condition=Q(rate__gt=0), name="accounts_rate_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.rate} ({self.on})"
