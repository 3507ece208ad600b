"""What the services of a handoff share: locking, what may be changed when, and the refusals."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from handoffs.models import Handoff, HandoffState
from handoffs.states import HANDOFF, IllegalTransition
from opportunities.services.versions import locked

# While its checklist can be worked on; submitted, approved and rejected it stands as the approvers saw it.
CHANGEABLE = frozenset({HandoffState.DRAFT, HandoffState.CHANGES_REQUESTED})


class StaleHandoff(Exception):
    """Somebody else changed the handoff; ``current`` is how it stands now."""

    def __init__(self, current: Handoff) -> None:
        super().__init__(_("Somebody changed this handoff in the meantime. Look at it as it is now and try again."))
        self.current = current


class HandoffFrozen(IllegalTransition):
    """The checklist stands as it was handed in, or the handoff rests; the sentence says how to go on."""


def hold(handoff: Handoff) -> Handoff:
    """The handoff as it stands, held until the transaction ends: the deal first, as the signals lock them."""
    deal = locked(handoff.opportunity)
    current = Handoff.objects.select_for_update().get(pk=handoff.pk)
    current.opportunity = deal
    return current


def require_awake(handoff: Handoff) -> None:
    """Raises HandoffFrozen while the deal is open again."""
    if handoff.shelved_at is not None:
        raise HandoffFrozen(_("The handoff rests while the deal is open again. Win the deal to go on."), frozenset())


def require_changeable(handoff: Handoff) -> None:
    """Raises HandoffFrozen where the checklist can't be changed, with what to do first."""
    require_awake(handoff)
    if handoff.state in CHANGEABLE:
        return
    sentence = {
        HandoffState.SUBMITTED: _("The handoff is with its approvers. Recall it before changing what they look at."),
        HandoffState.APPROVED: _("The handoff is approved. Open it for changes again first."),
        HandoffState.REJECTED: _("The handoff was rejected. Open it for changes again first."),
    }[HandoffState(handoff.state)]
    raise HandoffFrozen(sentence, HANDOFF[HandoffState(handoff.state)])


def save(handoff: Handoff, now: dt.datetime) -> None:
    """Count a change, and save."""
    handoff.version += 1
    handoff.updated_at = now
    handoff.save()
