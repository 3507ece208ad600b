"""Reads shaped for the panel of promises."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Side, User
from handoffs.access import side_in
from handoffs.ledger_access import rests
from handoffs.models import Commitment, CommitmentOutcome, Stance
from opportunities.models import Opportunity, StageKind

# So many promises are shown before the others are folded away, unless only few would be.
SHOWN, SPARED = 6, 2


@dataclass(frozen=True)
class PromiseLine:
    """A promise with what the reader may do about it."""

    commitment: Commitment
    may_change: bool
    may_answer: bool
    may_settle: bool

    @property
    def dom_id(self) -> str:
        """The id of the element that shows it."""
        return f"commitment-{self.commitment.pk}"


@dataclass(frozen=True)
class CommitmentPanel:
    """The promises of a deal: those that need somebody first."""

    opportunity: Opportunity
    lines: Sequence[PromiseLine]
    may_add: bool
    today: dt.date
    is_page: bool = False

    @property
    def is_won(self) -> bool:
        """Whether what became of the promises is the question now."""
        return self.opportunity.kind == StageKind.WON

    @property
    def shown(self) -> Sequence[PromiseLine]:
        """Those above the fold."""
        return self.lines if self._shows_all else self.lines[:SHOWN]

    @property
    def folded(self) -> Sequence[PromiseLine]:
        """Those below it."""
        return [] if self._shows_all else self.lines[SHOWN:]

    @property
    def _shows_all(self) -> bool:
        return self.is_page or len(self.lines) <= SHOWN + SPARED

    @property
    def summary(self) -> str:
        """One line about all of them."""
        count = len(self.lines)
        parts = [ngettext("%(count)d promise", "%(count)d promises", count) % {"count": count}]
        if self.is_won:
            outcomes = Counter(line.commitment.outcome for line in self.lines)
            words = {
                CommitmentOutcome.BROKEN: _("%(count)d broken"), CommitmentOutcome.CHANGED: _("%(count)d changed"),
                CommitmentOutcome.KEPT: _("%(count)d kept"), CommitmentOutcome.OPEN: _("%(count)d open"),
            }  # fmt: skip
            parts += [word % {"count": outcomes[key]} for key, word in words.items() if outcomes[key]]
            return " · ".join(parts)
        stances = Counter(line.commitment.stance for line in self.lines)
        answers = {
            Stance.DISPUTED: _("%(count)d disputed"), Stance.ACCEPTED_IF: _("%(count)d accepted, if"),
            Stance.PENDING: _("%(count)d not answered"),
        }  # fmt: skip
        parts += [word % {"count": stances[key]} for key, word in answers.items() if stances[key]]
        if stances[Stance.ACCEPTED] == count:
            parts.append(_("all accepted"))
        return " · ".join(parts)


def commitment_panel(user: User, opportunity: Opportunity, *, today: dt.date, is_page: bool = False) -> CommitmentPanel:
    """The promises of a deal and what this person may do. Two queries."""
    people = ("promised_by", "promised_to", "stance_by", "settled_by")
    found = list(Commitment.objects.current().filter(opportunity=opportunity).select_related(*people))
    side, is_resting = side_in(user, opportunity), rests(opportunity)
    is_won = opportunity.kind == StageKind.WON
    found.sort(key=lambda promise: (_rank(promise, is_won=is_won), promise.promised_on, promise.pk))
    lines = []
    for promise in found:
        is_open = promise.outcome == CommitmentOutcome.OPEN and not is_resting
        may_change = side == Side.SALES or (side is not None and promise.added_by_id == user.pk)
        lines.append(
            PromiseLine(
                commitment=promise, may_change=is_open and may_change,
                may_answer=is_open and side == Side.DELIVERY, may_settle=is_won and side is not None,
            )
        )  # fmt: skip
    return CommitmentPanel(
        opportunity=opportunity, lines=lines, may_add=side is not None and not is_resting, today=today, is_page=is_page
    )


_STANCES = [Stance.DISPUTED, Stance.PENDING, Stance.ACCEPTED_IF, Stance.ACCEPTED]
_OUTCOMES = [
    CommitmentOutcome.OPEN, CommitmentOutcome.BROKEN, CommitmentOutcome.CHANGED, CommitmentOutcome.KEPT,
]  # fmt: skip


def _rank(promise: Commitment, *, is_won: bool) -> int:
    if is_won:
        return _OUTCOMES.index(CommitmentOutcome(promise.outcome))
    return _STANCES.index(Stance(promise.stance))
