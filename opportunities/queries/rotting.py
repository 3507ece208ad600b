"""Deals that stand still for longer than their stage expects."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from django.db.models import Q

from accounts.calendars import BusinessDays
from accounts.models import Organisation
from opportunities.models import Stage, StageKind


def rotting(*, home: Organisation, now: dt.datetime) -> Q:
    """The filter for open deals that were in their stage for more business days than expected; not the snoozed ones.

    Stages without an expectation never rot. Two queries: exceptions of the calendar, and stages.
    """
    today, days, zone = home.today(now), BusinessDays(home.calendar), zoneinfo.ZoneInfo(home.time_zone)
    late = Q(pk__in=[])
    for stage in Stage.objects.active().filter(kind=StageKind.OPEN, expected_days__isnull=False):
        last_good_day = days.add(today, -(stage.expected_days or 0))
        late |= Q(stage=stage, stage_entered_at__lt=dt.datetime.combine(last_good_day, dt.time.min, tzinfo=zone))
    awake = Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=today)
    return Q(kind=StageKind.OPEN) & awake & late
