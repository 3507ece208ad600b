"""When tasks are due: business days from a signal, the close date or the kick-off."""

from __future__ import annotations

import datetime as dt

from accounts.calendars import BusinessDays
from accounts.models import Organisation
from handoffs.models import Anchor, Trigger
from opportunities.models import Opportunity
from opportunities.starts import expected_start

# Without a close date the work is dated as if the deal closed this many business days after the signal.
ASSUMED_DAYS_TO_CLOSE = 20


def anchor_date(
    anchor: str,
    opportunity: Opportunity,
    *,
    signalled_on: dt.date,
    home: Organisation,
    days: BusinessDays,
    kickoff_on: dt.date | None = None,
) -> dt.date:
    """The day that an offset is counted from; ``kickoff_on`` is what the ramp plan says, if there is one."""
    if anchor == Anchor.TRIGGER:
        return signalled_on
    if anchor == Anchor.KICKOFF and kickoff_on is not None:
        return kickoff_on
    closes = opportunity.close_date or days.add(signalled_on, ASSUMED_DAYS_TO_CLOSE)
    if anchor == Anchor.CLOSE_DATE:
        return closes
    return expected_start(opportunity, home) or closes + dt.timedelta(days=home.start_after_close_days)


def due_date(
    *, anchored_on: dt.date, offset_days: int, trigger: str, opportunity: Opportunity, signalled_on: dt.date,
    days: BusinessDays,
) -> dt.date:  # fmt: skip
    """The due date: a business day, never before the signal, and before the win never after the close date."""
    due = days.add(anchored_on, offset_days)
    closes = opportunity.close_date
    if trigger not in (Trigger.WON, Trigger.HANDOFF) and closes is not None and closes < due and closes >= signalled_on:
        due = days.on_or_before(closes)
    return max(due, days.on_or_after(signalled_on))
