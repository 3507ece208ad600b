"""What is open on a deal, by whose part of the two circles it belongs to; each point leads to where it is settled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Side
from handoffs.models import Commitment, ConditionState, DealReview, ReviewState, RiskProfile, Stance, TaskSide
from opportunities.models import Opportunity


@dataclass(frozen=True)
class Point:
    """One open point: in whose part it stands, what it says, and the part of the deal page that settles it."""

    side: str
    text: str
    anchor: str
    icon: str
    is_urgent: bool = False


def points_of(deal: Opportunity) -> list[Point]:
    """The open points of a deal in its review, risk profile and promises. Four queries."""
    return [*_of_review(deal), *_of_profile(deal), *_of_promises(deal)]


def _of_review(deal: Opportunity) -> Iterator[Point]:
    review = DealReview.objects.filter(opportunity=deal).exclude(state=ReviewState.CANCELLED).order_by("-pk").first()
    decision = review.decisions.prefetch_related("conditions").order_by("-number").first() if review else None
    if review is None:
        if deal.is_shared:
            yield Point(TaskSide.SHARED, _("No deal review yet"), "review-panel", "scale")
        return
    if review.state == ReviewState.COMPARING:
        yield Point(TaskSide.SHARED, _("Compare the answers and decide"), "review-panel", "scale", True)
    for side in Side:
        if review.state == ReviewState.ANSWERING and review.answered_at(side) is None:
            yield Point(side.value, _("Answer the deal review"), "review-panel", "scale", True)
        if review.state == ReviewState.DECIDED and decision is not None and decision.signed_at(side) is None:
            yield Point(side.value, _("Sign the verdict"), "review-panel", "pen-line", True)
    if decision is not None and review.state in (ReviewState.DECIDED, ReviewState.AGREED):
        verdict = _("Verdict: %(verdict)s") % {"verdict": decision.get_verdict_display()}
        yield Point(TaskSide.SHARED, verdict, "review-panel", "scale")
        still = sum(condition.state == ConditionState.OPEN for condition in decision.conditions.all())
        if still:
            words = ngettext("%(n)d open condition", "%(n)d open conditions", still) % {"n": still}
            yield Point(TaskSide.SHARED, words, "review-panel", "list-checks")


def _of_profile(deal: Opportunity) -> Iterator[Point]:
    profile = RiskProfile.objects.filter(opportunity=deal).order_by("-number").first()
    if profile is None:
        if deal.is_shared:
            yield Point(TaskSide.SHARED, _("No risk profile yet"), "risk-panel", "shield-alert")
        return
    if profile.is_agreed:
        words = _("Risk profile %(number)d agreed") % {"number": profile.number}
        yield Point(TaskSide.SHARED, words, "risk-panel", "shield-check")
    for side, agreed_at in ((Side.SALES, profile.sales_agreed_at), (Side.DELIVERY, profile.delivery_agreed_at)):
        if agreed_at is None:
            words = _("Agree risk profile %(number)d") % {"number": profile.number}
            yield Point(side.value, words, "risk-panel", "shield-alert", True)


def _of_promises(deal: Opportunity) -> Iterator[Point]:
    counts = (
        Commitment.objects.current()
        .filter(opportunity=deal)
        .aggregate(
            all=Count("pk"),
            waiting=Count("pk", filter=Q(stance=Stance.PENDING)),
            disputed=Count("pk", filter=Q(stance=Stance.DISPUTED)),
        )
    )
    if counts["all"]:
        words = ngettext("%(n)d promise to the client", "%(n)d promises to the client", counts["all"])
        yield Point(Side.SALES.value, words % {"n": counts["all"]}, "commitment-panel", "message-square-quote")
    if counts["waiting"]:
        words = ngettext("Answer %(n)d promise", "Answer %(n)d promises", counts["waiting"])
        yield Point(
            Side.DELIVERY.value, words % {"n": counts["waiting"]}, "commitment-panel", "message-square-quote", True
        )
    if counts["disputed"]:
        words = ngettext("%(n)d disputed promise", "%(n)d disputed promises", counts["disputed"])
        yield Point(TaskSide.SHARED, words % {"n": counts["disputed"]}, "commitment-panel", "message-square-x", True)
