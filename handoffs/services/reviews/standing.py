"""What a deal's reviews have come to: the newest verdict, who signed it, and whether it lets the deal be won."""

from __future__ import annotations

from dataclasses import dataclass

from handoffs.models import ReviewDecision, ReviewOverride, Verdict
from opportunities.models import Opportunity


@dataclass(frozen=True)
class Standing:
    """The newest verdict on a deal, and the override that holds despite it."""

    decision: ReviewDecision | None
    override: ReviewOverride | None

    @property
    def is_agreed(self) -> bool:
        """Whether both sides signed the newest verdict, whatever it says."""
        return self.decision is not None and self.decision.is_signed

    @property
    def lets_win(self) -> bool:
        """Whether it meets the gate: agreed to go, or overridden since."""
        goes = self.decision is not None and self.decision.verdict != Verdict.NO_GO
        return (self.is_agreed and goes) or self.override is not None


def standing_of(opportunity: Opportunity) -> Standing:
    """How the reviews of the deal stand. Two queries."""
    decision = newest_decision(opportunity)
    override = (
        ReviewOverride.objects.filter(review__opportunity=opportunity.pk, despite=decision)
        .select_related("by")
        .order_by("-pk")
        .first()
    )
    return Standing(decision, override)


def newest_decision(opportunity: Opportunity) -> ReviewDecision | None:
    """The last verdict proposed on the deal, signed or not."""
    people = ("decided_by", "sales_signed_by", "delivery_signed_by")
    found = ReviewDecision.objects.filter(review__opportunity=opportunity.pk).select_related("review", *people)
    return found.order_by("-pk").first()
