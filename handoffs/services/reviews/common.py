"""What the services of deal reviews share: locking, sides, text, and the refusals."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import Side, User
from accounts.queries import organisation
from accounts.text import fault_in, trimmed
from handoffs.access import side_in
from handoffs.models import DealReview, ReviewAnswer, ReviewDecision
from opportunities.models import Opportunity, StageKind
from opportunities.services.versions import locked


class StaleReview(Exception):
    """Somebody else changed the review; ``current`` is how it stands now."""

    def __init__(self, current: DealReview) -> None:
        super().__init__(_("Somebody changed this deal review in the meantime. Look at it as it is now and try again."))
        self.current = current


def hold(review: DealReview) -> DealReview:
    """The review as it stands, held until the transaction ends: the deal first, as the signals lock them."""
    opportunity = locked(review.opportunity)
    current = DealReview.objects.select_for_update().get(pk=review.pk)
    current.opportunity = opportunity
    return current


def other(side: Side) -> Side:
    """The other circle."""
    return Side.DELIVERY if side == Side.SALES else Side.SALES


def acting_side(actor: User, review: DealReview) -> Side:
    """The side that the person speaks for in this review. Raises PermissionDenied.

    Whoever has spoken for one side of a review doesn't speak for the other one later, whatever they own by then.
    """
    side = side_in(actor, review.opportunity)
    if side is None:
        raise PermissionDenied(_("Only people of sales or delivery on this deal answer and sign."))
    if _has_spoken_for(actor, review, other(side)):
        raise PermissionDenied(_("You have spoken for the other side already. Somebody else has to do this."))
    return side


def _has_spoken_for(actor: User, review: DealReview, side: Side) -> bool:
    if getattr(review, f"{side.value}_answered_by_id") == actor.pk:
        return True
    signed = Q(**{f"{side.value}_signed_by": actor})
    return (
        ReviewAnswer.objects.filter(question__review=review, side=side.value, by=actor).exists()
        or ReviewDecision.objects.filter(signed, review=review).exists()
    )


def require_open(opportunity: Opportunity) -> None:
    """Raises ValidationError where the deal is closed or archived."""
    if opportunity.kind != StageKind.OPEN or opportunity.archived_at is not None:
        raise ValidationError(_("The deal is closed. Reopen it first."))


def save(review: DealReview, now: dt.datetime) -> None:
    """Count a change that everybody may know of, and save. Drafts are none: they must leave no trace here."""
    review.version += 1
    review.updated_at = now
    review.save()


def clean(value: str, *, field: str, longest: int, is_multiline: bool = False) -> str:
    """The text without space at its ends. Raises ValidationError for the field."""
    text = trimmed(value).replace("\r\n", "\n")
    fault = fault_in(text, is_multiline=is_multiline)
    if fault is None and len(text) > longest:
        fault = _("Use at most %(count)d characters.") % {"count": longest}
    if fault is not None:
        raise ValidationError({field: fault})
    return text


def told_moment(moment: dt.datetime) -> str:
    """A moment as a timeline tells it, where the organisation is."""
    local = moment.astimezone(zoneinfo.ZoneInfo(organisation().time_zone))
    return date_format(local, "Y-m-d H:i")
