"""Items that follow what they are about: people handed over, conditions of the review, promises to the client.

Each runs in the caller's transaction with the deal locked, and doing it again changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from handoffs.models import (
    Commitment,
    CommitmentOutcome,
    ConditionState,
    RelationshipTransfer,
    ReviewCondition,
    ReviewDecision,
    Stance,
    TaskAction,
)
from handoffs.services.actions import Signatures, follow_action, follow_tasks, followers
from opportunities.models import Opportunity

LONGEST_TITLE = 200


def follow_handoff(opportunity: Opportunity, now: dt.datetime, actor: User | None = None) -> None:
    """Bring every item of the deal that follows something in line with what it follows."""
    follow_relationships(opportunity, now, actor)
    follow_conditions(opportunity, now, actor)
    follow_commitments(opportunity, now, actor)


def follow_relationships(opportunity: Opportunity, now: dt.datetime, actor: User | None = None) -> None:
    """Done while everybody on the relationship map was taken over; a map without people is not done."""
    if not followers(opportunity, {TaskAction.RELATIONSHIPS}).exists():
        return
    live = list(
        RelationshipTransfer.objects.filter(handoff__opportunity=opportunity, dropped_at__isnull=True)
        .select_related("accepted_by", "owner_now")
        .order_by("accepted_at", "pk")
    )
    signatures = None
    if live and all(transfer.accepted_at is not None for transfer in live):
        last = live[-1]
        at = last.accepted_at or now
        words = ngettext("%(n)d person taken over", "%(n)d people taken over", len(live)) % {"n": len(live)}
        signatures = Signatures(last.owner_now, at, last.accepted_by, at, words)
    follow_action(opportunity, {TaskAction.RELATIONSHIPS}, signatures, now, actor)


def follow_conditions(opportunity: Opportunity, now: dt.datetime, actor: User | None = None) -> None:
    """Done while the condition is met, dropped, or left out of a newer version of its verdict.

    An item follows its condition into that version, with its words, owner and date.
    """
    tasks = list(followers(opportunity, {TaskAction.CONDITION}).filter(condition__isnull=False))
    if not tasks:
        return
    newest = _NewestConditions(opportunity)
    outcomes = []
    for task in tasks:
        condition = newest.after(task.condition_id or 0)
        if condition.pk != task.condition_id:
            task.condition = condition
            task.title, task.assignee, task.due_on = condition_title(condition), condition.owner, condition.due_on
            task.save(update_fields=["condition", "title", "assignee", "due_on"])
        outcomes.append((task, newest.signatures_for(condition, now)))
    follow_tasks(opportunity, outcomes, now, actor)


def follow_commitments(opportunity: Opportunity, now: dt.datetime, actor: User | None = None) -> None:
    """Done while delivery accepts the promise as it is worded, or it was kept, changed, broken or withdrawn."""
    tasks = followers(opportunity, {TaskAction.COMMITMENT}).filter(commitment__isnull=False)
    outcomes = []
    for task in tasks.select_related("commitment__settled_by", "commitment__stance_by"):
        promise = task.commitment
        if promise is None:
            continue
        title = promise_title(promise)
        if title != task.title:
            task.title = title
            task.save(update_fields=["title"])
        outcomes.append((task, promise_signatures(promise)))
    follow_tasks(opportunity, outcomes, now, actor)


def promise_signatures(promise: Commitment) -> Signatures | None:
    """What makes an item about the promise done; None while it is open."""
    if promise.withdrawn_at is not None:
        return Signatures(None, promise.withdrawn_at, None, promise.withdrawn_at, _("The promise was withdrawn."))
    if promise.outcome != CommitmentOutcome.OPEN and promise.settled_at is not None:
        words = str(CommitmentOutcome(promise.outcome).label)
        words = f"{words}: {promise.outcome_note}" if promise.outcome_note else words
        return Signatures(None, promise.settled_at, promise.settled_by, promise.settled_at, words)
    if promise.stance == Stance.ACCEPTED and promise.stance_at is not None:
        words = _("Accepted by delivery")
        words = f"{words}: {promise.stance_note}" if promise.stance_note else words
        return Signatures(None, promise.stance_at, promise.stance_by, promise.stance_at, words)
    return None


def condition_title(condition: ReviewCondition) -> str:
    """The title of an item about the condition."""
    return _short(_("Condition: %(text)s") % {"text": condition.text})


def promise_title(promise: Commitment) -> str:
    """The title of an item about the promise."""
    return _short(_("Promise: %(text)s") % {"text": promise.text})


def _short(title: str) -> str:
    return title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1] + "…"


class _NewestConditions:
    """Which condition of a deal's newest verdicts follows which earlier one. Two queries."""

    def __init__(self, opportunity: Opportunity) -> None:
        found: QuerySet[ReviewCondition] = ReviewCondition.objects.filter(decision__review__opportunity=opportunity)
        conditions = list(found.select_related("decision__decided_by", "settled_by", "owner"))
        self._by_key = {condition.pk: condition for condition in conditions}
        self._next = {each.follows_id: each.pk for each in conditions if each.follows_id is not None}
        self._newest: dict[int, ReviewDecision] = {}
        decisions: dict[int, list[ReviewDecision]] = defaultdict(list)
        for decision in ReviewDecision.objects.filter(review__opportunity=opportunity).select_related("decided_by"):
            decisions[decision.review_id].append(decision)
        for review, versions in decisions.items():
            self._newest[review] = max(versions, key=lambda version: version.number)

    def after(self, key: int) -> ReviewCondition:
        """The condition, or what it became in the newest version."""
        while key in self._next:
            key = self._next[key]
        return self._by_key[key]

    def signatures_for(self, condition: ReviewCondition, now: dt.datetime) -> Signatures | None:
        """What makes an item about the condition done; None while it is open."""
        newest = self._newest[condition.decision.review_id]
        if condition.decision_id != newest.pk:
            words = _("Left out of version %(number)d of the verdict") % {"number": newest.number}
            return Signatures(None, newest.decided_at, newest.decided_by, newest.decided_at, words)
        if condition.state == ConditionState.OPEN:
            return None
        words = str(ConditionState(condition.state).label)
        words = f"{words}: {condition.settled_note}" if condition.settled_note else words
        at = condition.settled_at or now
        return Signatures(None, at, condition.settled_by, at, words)
