"""When the work of a deal is expected to start."""

from __future__ import annotations

import datetime as dt

from accounts.models import Organisation
from opportunities.models import Opportunity


def expected_start(opportunity: Opportunity, home: Organisation) -> dt.date | None:
    """When the work would start: as named, else the usual days after closing; None without a close date."""
    if opportunity.start_on:
        return opportunity.start_on
    closes = opportunity.closed_on if opportunity.kind == "won" else opportunity.close_date
    return closes + dt.timedelta(days=home.start_after_close_days) if closes else None
