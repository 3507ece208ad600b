"""Letting a deal be won without the agreed review."""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from events import names
from events.recording import record
from handoffs.models import DealReview, ReviewOverride, Trigger
from handoffs.services.reviews.common import clean, require_open
from handoffs.services.reviews.requesting import start_review
from handoffs.services.reviews.standing import standing_of
from opportunities.models import Opportunity
from opportunities.services.versions import locked


def override_review(*, actor: User, opportunity: Opportunity, reason: str, now: dt.datetime) -> ReviewOverride:
    """Meet the gate without an agreed review until there is a newer verdict, at the cost of a reason and a row.

    Where no review was ever asked for, one is, so that it shows what was left out. An override that still holds is
    the answer. Raises PermissionDenied, ValidationError (no reason, closed deal, nothing to override).
    """
    if not actor.has_perm("handoffs.override_review", opportunity):
        raise PermissionDenied(_("Only a sales manager can let a deal be won without its review."))
    reason = clean(reason, field="reason", longest=500)
    if not reason:
        raise ValidationError({"reason": _("Say why the deal can't wait for its review.")})
    with transaction.atomic():
        current = locked(opportunity)
        require_open(current)
        standing = standing_of(current)
        if standing.override is not None:
            return standing.override
        if standing.lets_win:
            raise ValidationError(_("The review is agreed already; there is nothing to override."))
        review = DealReview.objects.filter(opportunity=current).order_by("-pk").first()
        if review is None:
            review = start_review(actor=actor, opportunity=current, is_express=False, trigger=Trigger.ASKED, now=now)
        review.opportunity = current
        override = ReviewOverride.objects.create(
            review=review, despite=standing.decision, by=actor, at=now, reason=reason
        )
        record(
            names.REVIEW_OVERRIDDEN, actor=actor, about=review, within=current, now=now,
            data={"reason": reason, "override": override.pk},
        )  # fmt: skip
    return override
