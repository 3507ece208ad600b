"""Answering a request for delivery's involvement."""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.models.people import DELIVERY_ROLES
from accounts.queries import organisation
from events import names
from events.recording import record, record_many
from handoffs.models import Engagement, EngagementState, Outcome, TaskState, Trigger
from handoffs.services import signals
from handoffs.states import ENGAGEMENT, IllegalTransition
from opportunities.models import Opportunity, StageKind
from opportunities.services.editing import apply_changes, save_changed
from opportunities.services.versions import locked


class StaleEngagement(Exception):
    """Somebody else answered or changed the engagement; ``current`` is how it stands now."""

    def __init__(self, current: Engagement) -> None:
        super().__init__(_("Somebody changed this in the meantime. Look at it as it is now and try again."))
        self.current = current


def ask_in(*, actor: User, opportunity: Opportunity, now: dt.datetime) -> Engagement:
    """Ask delivery in by hand, at any temperature; while an engagement is open, that one is the answer.

    Raises PermissionDenied, ValidationError for a closed deal.
    """
    if not actor.has_perm("handoffs.ask_in"):
        raise PermissionDenied(_("Sales or a delivery manager asks delivery in."))
    with transaction.atomic():
        current = locked(opportunity)
        engagement = current.engagements.open().first()
        if engagement is not None:
            return engagement
        if current.kind != StageKind.OPEN:
            raise ValidationError(_("The deal is closed. Reopen it first."))
        engagement = signals.request_engagement(
            opportunity=current, trigger=Trigger.ASKED, event_id=None, now=now, actor=actor
        )
        signals.bring_in_line(opportunity=current, engagement=engagement, now=now)
    return engagement


def accept_engagement(
    *, actor: User, engagement: Engagement, expected_version: int | None, now: dt.datetime
) -> Engagement:
    """Delivery says yes. Accepting twice changes nothing; without an owner the accepting person becomes it.

    Raises StaleEngagement, IllegalTransition, PermissionDenied.
    """
    with transaction.atomic():
        opportunity, current = _locked(actor, engagement)
        if current.state in (EngagementState.ACCEPTED, EngagementState.ACTIVE):
            return current
        _check(current, EngagementState.ACCEPTED, expected_version)
        current.state = EngagementState.ACCEPTED
        current.accepted_at = now
        current.accepted_by = actor
        _save(current, now)
        record(names.ENGAGEMENT_ACCEPTED, actor=actor, about=current, within=opportunity, now=now)
        if opportunity.delivery_owner_id is None:
            _name_owner(actor, opportunity, actor, now)
    return current


def decline_engagement(
    *, actor: User, engagement: Engagement, reason: str, expected_version: int | None, now: dt.datetime
) -> Engagement:
    """Delivery says no, and why; a later signal or request may ask again.

    Raises StaleEngagement, IllegalTransition, PermissionDenied, ValidationError without a reason.
    """
    if not reason.strip():
        raise ValidationError({"reason": _("Say why delivery can't take part, so that sales can act on it.")})
    with transaction.atomic():
        opportunity, current = _locked(actor, engagement)
        if current.state == EngagementState.DECLINED:
            return current
        _check(current, EngagementState.DECLINED, expected_version)
        current.state = EngagementState.DECLINED
        current.decline_reason = reason.strip()[:500]
        current.ended_at = now
        _save(current, now)
        record(
            names.ENGAGEMENT_DECLINED, actor=actor, about=current, within=opportunity, now=now,
            data={"reason": current.decline_reason},
        )  # fmt: skip
    return current


def reassign_engagement(
    *, actor: User, engagement: Engagement, delivery_owner: User, expected_version: int | None, now: dt.datetime
) -> Engagement:
    """Name another delivery owner. Raises StaleEngagement, PermissionDenied, ValidationError."""
    if not delivery_owner.is_active or not DELIVERY_ROLES.intersection(delivery_owner.roles):
        raise ValidationError({"delivery_owner": _("Choose somebody from delivery.")})
    with transaction.atomic():
        opportunity, current = _locked(actor, engagement)
        if opportunity.delivery_owner_id == delivery_owner.pk:
            return current
        if expected_version not in (None, current.version):
            raise StaleEngagement(current)
        _save(current, now)
        record(
            names.ENGAGEMENT_REASSIGNED, actor=actor, about=current, within=opportunity, now=now,
            data={"owner": str(delivery_owner)},
        )  # fmt: skip
        _name_owner(actor, opportunity, delivery_owner, now)
    return current


def complete_engagement(
    *, actor: User, engagement: Engagement, expected_version: int | None, now: dt.datetime
) -> Engagement:
    """Delivery has done its part before the win. Raises StaleEngagement, IllegalTransition, ValidationError."""
    with transaction.atomic():
        opportunity, current = _locked(actor, engagement)
        if current.state == EngagementState.DONE and current.outcome == Outcome.COMPLETED:
            return current
        if current.state == EngagementState.REQUESTED:
            raise IllegalTransition(
                _("Accept the engagement before completing it."), ENGAGEMENT[EngagementState.REQUESTED]
            )
        _check(current, EngagementState.DONE, expected_version)
        waiting = current.tasks.filter(state=TaskState.OPEN, side__in=["delivery", "shared"]).count()
        if waiting:
            raise ValidationError(
                _("%(count)d delivery or shared tasks are still open. Complete them first.") % {"count": waiting}
            )
        current.state_before_end = current.state
        current.state = EngagementState.DONE
        current.outcome = Outcome.COMPLETED
        current.ended_at = now
        _save(current, now)
        record(names.ENGAGEMENT_COMPLETED, actor=actor, about=current, within=opportunity, now=now)
    return current


def _locked(actor: User, engagement: Engagement) -> tuple[Opportunity, Engagement]:
    """The deal first, then the engagement: the order in which the signals lock them."""
    opportunity = locked(engagement.opportunity)
    current = Engagement.objects.select_for_update().get(pk=engagement.pk)
    current.opportunity = opportunity
    if not actor.has_perm("handoffs.answer_engagement", current):
        raise PermissionDenied(_("The delivery owner or a delivery manager answers for delivery."))
    return opportunity, current


def _check(current: Engagement, wanted: EngagementState, expected_version: int | None) -> None:
    legal = ENGAGEMENT[EngagementState(current.state)]
    if wanted not in legal or current.state == EngagementState.DONE:
        sentence = _("The engagement is %(state)s; that can't be done any more.")
        raise IllegalTransition(sentence % {"state": current.get_state_display().lower()}, legal)
    if expected_version not in (None, current.version):
        raise StaleEngagement(current)


def _name_owner(actor: User, opportunity: Opportunity, owner: User, now: dt.datetime) -> None:
    edit = apply_changes(opportunity, {"delivery_owner": owner}, home=organisation(), now=now)
    save_changed(opportunity, now=now)
    record_many(edit.occurrences, actor=actor, now=now)


def _save(engagement: Engagement, now: dt.datetime) -> None:
    engagement.version += 1
    engagement.updated_at = now
    engagement.save()
