"""What the services of approvals share: moving the handoff, and the refusals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from handoffs.models import Handoff, HandoffState
from handoffs.services.handoff.common import CHANGEABLE, StaleHandoff, save
from handoffs.services.handoff.opening import carry_promises
from handoffs.states import HANDOFF, IllegalTransition


class NotReady(ValidationError):
    """The handoff can't be submitted yet; ``sentences`` say what is missing, one each."""

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__(list(sentences))
        self.sentences = list(sentences)


class Refusal(StrEnum):
    """Why a person can't decide a step."""

    NOT_YOURS = "not_yours"
    SUBMITTED = "submitted"
    DECIDED_ANOTHER = "decided_another"
    NOT_ITS_TURN = "not_its_turn"
    DECIDED = "decided"
    RECALLED = "recalled"
    RESTING = "resting"


# These say something about the person; the others about how the step stands.
PERSONAL = frozenset({Refusal.NOT_YOURS, Refusal.SUBMITTED, Refusal.DECIDED_ANOTHER})


class CannotDecide(Exception):
    """The person can't decide this step, or not now; ``sentence`` says why."""

    def __init__(self, refusal: Refusal, sentence: str) -> None:
        super().__init__(sentence)
        self.refusal = refusal
        self.sentence = sentence

    @property
    def is_personal(self) -> bool:
        """Whether somebody else could decide instead."""
        return self.refusal in PERSONAL


def move_handoff(handoff: Handoff, to: HandoffState, now: dt.datetime) -> None:
    """Take the (held) handoff to a state, count the change and save. Raises IllegalTransition."""
    legal = HANDOFF[HandoffState(handoff.state)]
    if to not in legal:
        raise IllegalTransition(told_state(handoff), legal)
    handoff.state = to
    save(handoff, now)
    if to in CHANGEABLE:
        # What was promised while the approvers looked has to be cleared up too.
        carry_promises(handoff.opportunity, now)


def told_state(handoff: Handoff) -> str:
    """Where the handoff stands, and so what can be done with it, in a sentence."""
    if handoff.accepted_at is not None:
        return _("The project manager has accepted this handoff already.")
    return {
        HandoffState.DRAFT: _("The handoff is being prepared; it was not submitted."),
        HandoffState.SUBMITTED: _("The handoff waits for approval. Recall it to change it."),
        HandoffState.CHANGES_REQUESTED: _("Changes were requested. Make them and submit the handoff again."),
        HandoffState.APPROVED: _("The handoff is approved already."),
        HandoffState.REJECTED: _("The handoff was rejected. Open it for changes first."),
    }[HandoffState(handoff.state)]


def require_version(handoff: Handoff, expected: int | None) -> None:
    """Raises StaleHandoff where the handoff is no longer what the person looked at."""
    if expected not in (None, handoff.version):
        raise StaleHandoff(handoff)
