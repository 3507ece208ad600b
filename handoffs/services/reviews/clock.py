"""Until when a deal review should be agreed."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from accounts.calendars import BusinessDays
from accounts.models import Organisation
from handoffs.dates import due_date
from handoffs.models import Trigger
from opportunities.models import Opportunity

END_OF_BUSINESS = dt.time(17)


def review_due(
    opportunity: Opportunity, *, is_express: bool, clock_from: dt.datetime, home: Organisation, days: BusinessDays
) -> dt.datetime:
    """Hours for an express review; else five in the afternoon, business days later or on the day of the close."""
    if is_express:
        return clock_from + dt.timedelta(hours=home.express_review_hours)
    begins = home.today(clock_from)
    day = due_date(
        anchored_on=begins, offset_days=home.review_days, trigger=Trigger.HOT, opportunity=opportunity,
        signalled_on=begins, days=days,
    )  # fmt: skip
    due = dt.datetime.combine(day, END_OF_BUSINESS, zoneinfo.ZoneInfo(home.time_zone))
    return max(due, clock_from)


def put_off(
    clock_from: dt.datetime,
    *,
    is_express: bool,
    since: dt.datetime,
    until: dt.datetime,
    home: Organisation,
    days: BusinessDays,
) -> dt.datetime:
    """Where the clock begins once a pause is given back: to the second for express reviews, else business days."""
    if is_express:
        return clock_from + max(until - since, dt.timedelta())
    lost = days.between(home.today(since), home.today(until))
    if lost <= 0:
        return clock_from
    local = clock_from.astimezone(zoneinfo.ZoneInfo(home.time_zone))
    return dt.datetime.combine(days.add(local.date(), lost), local.timetz())
