"""What a stage may demand of sales and delivery together; see opportunities/gates.py.

Each sentence says what to do, and each link leads to where it is done. A deal that is not saved yet lacks them all.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_stubs_ext import StrOrPromise

from handoffs.models import (
    Commitment,
    DealReview,
    Engagement,
    EngagementState,
    Outcome,
    RiskProfile,
    Stance,
    Task,
    TaskAction,
    TaskState,
    Verdict,
)
from handoffs.services.reviews.standing import standing_of
from opportunities.gates import CriterionKind, Missing, register
from opportunities.models import Opportunity
from staffing.models import StaffingNeed


class AgreedReview:
    """Sales and delivery have signed a verdict that lets the deal be won, or somebody with the right overrode it."""

    key = "agreed_review"
    label: StrOrPromise = gettext_lazy("An agreed deal review")

    def missing(self, opportunity: Opportunity, params: dict[str, Any]) -> list[Missing]:
        """Missing until both sides signed go or go if, or somebody overrode what stands."""
        if opportunity._state.adding:
            return [self._lacks(opportunity, _("Hold the deal review, and let both sides sign it."))]
        standing = standing_of(opportunity)
        if standing.lets_win:
            return []
        decision = standing.decision
        if decision is None:
            return [self._lacks(opportunity, _undecided(opportunity))]
        if decision.is_signed and decision.verdict == Verdict.NO_GO:
            return [self._lacks(opportunity, _("The deal review says no go. Change the verdict together first."))]
        sides = [
            words
            for signed, words in ((decision.sales_signed_at, _("sales")), (decision.delivery_signed_at, _("delivery")))
            if signed is None
        ]
        sentence = _("The verdict of the deal review waits for the signature of %(sides)s.")
        return [self._lacks(opportunity, sentence % {"sides": _(" and ").join(sides)})]

    def _lacks(self, opportunity: Opportunity, sentence: str) -> Missing:
        return Missing(self.key, sentence, link=where(opportunity, "handoffs:review_panel", "review-panel"))


class AgreedRiskProfile:
    """Sales and delivery have agreed the newest version of the risk profile."""

    key = "risk_profile_agreed"
    label: StrOrPromise = gettext_lazy("A risk profile agreed by sales and delivery")

    def missing(self, opportunity: Opportunity, params: dict[str, Any]) -> list[Missing]:
        """Missing without a profile, and until both sides agreed the newest version."""
        newest = _of(RiskProfile.objects.order_by("-number"), opportunity)
        if newest is not None and newest.is_agreed:
            return []
        sentence = _("Put the risk profile up for agreement, and let sales and delivery agree it.")
        if newest is not None:
            sentence = _("Version %(number)d of the risk profile waits for sales and delivery to agree it.") % {
                "number": newest.number
            }
        return [Missing(self.key, sentence, link=where(opportunity, "handoffs:risk_panel", "risk-panel"))]


class NoDisputedCommitment:
    """Delivery disputes nothing that was promised."""

    key = "no_disputed_commitment"
    label: StrOrPromise = gettext_lazy("No promise that delivery disputes")

    def missing(self, opportunity: Opportunity, params: dict[str, Any]) -> list[Missing]:
        """Missing while delivery disputes a promise; one that was not answered doesn't count."""
        disputed = _of(Commitment.objects.current().filter(stance=Stance.DISPUTED), opportunity)
        if disputed is None:
            return []
        sentence = _("Delivery disputes a promise: “%(text)s”. Settle it together.") % {"text": disputed.text}
        return [Missing(self.key, sentence, link=where(opportunity, "handoffs:commitment_panel", "commitment-panel"))]


class StaffingAsked:
    """Somebody has stated what the deal takes, in roles and hours."""

    key = "staffing_asked"
    label: StrOrPromise = gettext_lazy("Staffing needs stated")

    def missing(self, opportunity: Opportunity, params: dict[str, Any]) -> list[Missing]:
        """Missing until somebody stated, changed or booked a need, or a task that states the needs is done.

        The usual needs that come by themselves are a beginning, not an answer.
        """
        stated = StaffingNeed.objects.live().filter(Q(added_by__isnull=False) | Q(version__gt=1))
        if _of(stated.order_by(), opportunity) is not None:
            return []
        tasks = Task.objects.filter(action=TaskAction.STAFFING)
        if _of(tasks.filter(state=TaskState.DONE), opportunity) is not None:
            return []
        waiting = _of(tasks, opportunity)
        sentence = _("State the staffing needs by role and week.")
        if waiting is not None:
            sentence = _("State the staffing needs by role and week, or complete the task “%(title)s”.") % {
                "title": waiting.title
            }
        return [Missing(self.key, sentence, link=where(opportunity, "staffing:need_panel", "need-panel"))]


class DeliveryAccepted:
    """Delivery has said yes to taking part."""

    key = "delivery_accepted"
    label: StrOrPromise = gettext_lazy("Delivery has accepted")

    def missing(self, opportunity: Opportunity, params: dict[str, Any]) -> list[Missing]:
        """Missing until delivery accepted an engagement; one that it completed counts too."""
        taking_part = Q(state__in=[EngagementState.ACCEPTED, EngagementState.ACTIVE]) | Q(outcome=Outcome.COMPLETED)
        if _of(Engagement.objects.filter(taking_part), opportunity) is not None:
            return []
        asked = _of(Engagement.objects.open(), opportunity)
        sentence = _("Delivery has to accept the engagement.") if asked else _("Ask delivery in, and wait for its yes.")
        return [Missing(self.key, sentence, link=where(opportunity, "handoffs:deal_panel", "deal-panel"))]


KINDS: tuple[CriterionKind, ...] = (
    AgreedReview(),
    AgreedRiskProfile(),
    NoDisputedCommitment(),
    StaffingAsked(),
    DeliveryAccepted(),
)


def register_all() -> None:
    """Offer them to administrators; once per process."""
    for kind in KINDS:
        register(kind)


def where(opportunity: Opportunity, name: str, anchor: str) -> str:
    """The address of a panel of the deal, else its place on the deal page; empty for a deal that is not saved."""
    if opportunity._state.adding:
        return ""
    try:
        return reverse(name, args=[opportunity.pk])
    except NoReverseMatch:
        return f"{reverse('opportunities:detail', args=[opportunity.pk])}#{anchor}"


def _undecided(opportunity: Opportunity) -> str:
    review = _of(DealReview.objects.running(), opportunity)
    if review is None:
        return _("Ask for the deal review, and let both sides sign it.")
    if review.are_both_in:
        return _("Both sides have answered the deal review. Decide together, and sign.")
    if review.sales_answered_at:
        return _("The deal review waits for the answers of delivery.")
    if review.delivery_answered_at:
        return _("The deal review waits for the answers of sales.")
    return _("The deal review waits for the answers of both sides.")


def _of(rows: Any, opportunity: Opportunity) -> Any:
    """The first of the rows on the deal; none for a deal that is not saved."""
    return rows.filter(opportunity=opportunity.pk).first() if not opportunity._state.adding else None
