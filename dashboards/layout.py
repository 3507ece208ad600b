"""What each role sees first on the home page."""

from __future__ import annotations

from accounts.models import Role, User

# The Venn stands beside these; for those who look at everything it comes first, and large.
NEEDS, STAGES, HYGIENE, UPCOMING, OUTLOOK, TOTALS = "needs", "stages", "hygiene", "upcoming", "outlook", "totals"
REVIEWS, RAMPS = "reviews", "ramps"
# Fetched once the page stands; what stands in for them until then leads to a page that shows the same.
LATER = {
    UPCOMING: "dashboards:upcoming",
    REVIEWS: "handoffs:reviews",
    RAMPS: "handoffs:ramp_plans",
    STAGES: "opportunities:list",
    HYGIENE: "dashboards:hygiene",
}
SECTIONS: dict[Role, tuple[str, ...]] = {
    Role.EXECUTIVE: (TOTALS, STAGES, REVIEWS, RAMPS, UPCOMING),
    Role.DELIVERY_MANAGER: (NEEDS, REVIEWS, RAMPS, UPCOMING),
    Role.RESOURCE_MANAGER: (OUTLOOK, UPCOMING, NEEDS),
    Role.PROJECT_MANAGER: (UPCOMING, NEEDS, RAMPS, REVIEWS),
    Role.SALES_MANAGER: (HYGIENE, NEEDS, REVIEWS, RAMPS, STAGES),
    Role.SALES_REP: (NEEDS, REVIEWS, RAMPS, STAGES),
    Role.ADMINISTRATOR: (TOTALS, NEEDS, STAGES),
}


def sections_of(user: User) -> list[str]:
    """The sections of this person's home page, in order; several roles' are joined."""
    found = [section for role, sections in SECTIONS.items() if role in user.roles for section in sections]
    return list(dict.fromkeys(found or [NEEDS, STAGES]))


def is_later(name: str, names: list[str]) -> bool:
    """Whether this section of a page with these is fetched once the page stands; never what comes first of all."""
    return name in LATER and (name != UPCOMING or name != names[0])


def sees_whole(user: User) -> bool:
    """Whether the two circles come first: for those who stand in neither of them."""
    return user.side is None
