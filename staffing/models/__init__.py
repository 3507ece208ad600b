"""Roles, skills, people, needs and bookings."""

from staffing.models.bookings import Booking, BookingKind
from staffing.models.needs import (
    MOST_NEEDED,
    MOST_OFFSET,
    MOST_WEEKS,
    NeedShape,
    NeedSkill,
    NeedState,
    NeedTemplate,
    StaffingNeed,
)
from staffing.models.people import (
    LEAST_PROFICIENCY,
    MOST_HOURS,
    MOST_PROFICIENCY,
    Person,
    PersonSkill,
    Skill,
    TimeOff,
    WorkRole,
    sees_staffing,
)

__all__ = [
    "LEAST_PROFICIENCY",
    "MOST_HOURS",
    "MOST_NEEDED",
    "MOST_OFFSET",
    "MOST_PROFICIENCY",
    "MOST_WEEKS",
    "Booking",
    "BookingKind",
    "NeedShape",
    "NeedSkill",
    "NeedState",
    "NeedTemplate",
    "Person",
    "PersonSkill",
    "Skill",
    "StaffingNeed",
    "TimeOff",
    "WorkRole",
    "sees_staffing",
]
