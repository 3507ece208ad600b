"""Won deals with their handoff, as every test of what follows a win needs them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from handoffs.models import Handoff
from opportunities.models import Opportunity
from tests.handoffs.reactions import MONDAY, deal, move


def won(*, now: dt.datetime = MONDAY, **fields: Any) -> Opportunity:
    """A deal that stood at the offer and is won now, with everything that follows; ``organisation`` must exist."""
    return move(deal("proposal", now=now, **fields), "won", now=now).opportunity


def handoff_of(opportunity: Opportunity) -> Handoff:
    """The handoff that the win opened."""
    return Handoff.objects.select_related("opportunity", "ramp_plan").get(opportunity=opportunity)
