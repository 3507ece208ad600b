"""Who we are: the organisation, its calendar, its money, its people and teams."""

from accounts.models.organisation import (
    CalendarDay,
    CurrencyRate,
    Organisation,
    Region,
    ServiceLine,
    WorkingCalendar,
)
from accounts.models.people import Role, Side, Team, User

__all__ = [
    "CalendarDay",
    "CurrencyRate",
    "Organisation",
    "Region",
    "Role",
    "ServiceLine",
    "Side",
    "Team",
    "User",
    "WorkingCalendar",
]
