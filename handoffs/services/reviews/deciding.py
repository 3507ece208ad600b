"""The verdict of a deal review: proposed by one person, signed by both sides, changed by further versions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Side, User
from accounts.queries import organisation
from accounts.text import fault_in, trimmed
from events import names
from events.recording import record
from handoffs.models import ConditionState, DealReview, ReviewCondition, ReviewDecision, ReviewState, Verdict
from handoffs.services.actions import follow_review
from handoffs.services.handoff.following import follow_conditions
from handoffs.services.reviews.common import StaleReview, acting_side, clean, hold, other, require_open, save
from handoffs.states import REVIEW, IllegalTransition
from opportunities.models import Opportunity
from opportunities.queries.people import people_who_see

MOST_CONDITIONS = 20
LONGEST_CONDITION = 300
LAST_YEAR = 2100


@dataclass(frozen=True)
class ConditionDraft:
    """A condition as somebody writes it; ``follows`` is the key of the one that it carries over."""

    text: str
    owner: User
    due_on: dt.date
    follows: int | None = None


def decide_review(
    *,
    actor: User,
    review: DealReview,
    verdict: str,
    summary: str,
    conditions: Sequence[ConditionDraft],
    reason: str,
    expected_version: int | None,
    now: dt.datetime,
) -> ReviewDecision:
    """Propose a verdict, or with a ``reason`` a further version of it; both sides have to sign it, the proposer's too.

    A condition carried over with the same words keeps what has become of it. The same verdict again, by the same
    person, changes nothing. Raises PermissionDenied, StaleReview, IllegalTransition, ValidationError with ``verdict``,
    ``summary``, ``reason``, ``conditions`` or ``conditions.<n>.<name>`` as fields.
    """
    with transaction.atomic():
        current = hold(review)
        side = acting_side(actor, current)
        newest = current.decisions.order_by("-number").first()
        summary = clean(summary, field="summary", longest=1000, is_multiline=True)
        if newest is not None and newest.decided_by_id == actor.pk and _is_same(newest, verdict, summary, conditions):
            return newest
        if expected_version not in (None, current.version):
            raise StaleReview(current)
        require_open(current.opportunity)
        _check_decidable(current)
        reason = clean(reason, field="reason", longest=500)
        if newest is not None and not reason:
            raise ValidationError({"reason": _("Say what changed since the verdict before.")})
        carried = {each.pk: each for each in newest.conditions.all()} if newest is not None else {}
        rows = _conditions(current.opportunity, verdict, conditions, carried, organisation().today(now))
        decision = ReviewDecision.objects.create(
            review=current, number=newest.number + 1 if newest else 1, verdict=verdict, summary=summary, reason=reason,
            decided_by=actor, decided_at=now,
        )  # fmt: skip
        for row in rows:
            row.decision = decision
        ReviewCondition.objects.bulk_create(rows)
        current.state, current.ended_at = ReviewState.DECIDED, None
        save(current, now)
        record(
            names.REVIEW_DECIDED, actor=actor, about=current, within=current.opportunity, now=now,
            data={
                "verdict": str(Verdict(verdict).label), "verdict_key": verdict, "number": decision.number,
                "side": side.value, "conditions": len(rows), "reason": reason,
            },
        )  # fmt: skip
        follow_review(current.opportunity, now, actor)
        follow_conditions(current.opportunity, now, actor)
        decision.review = current
    return decision


def sign_decision(*, actor: User, review: DealReview, number: int, now: dt.datetime) -> ReviewDecision:
    """Sign the version of the verdict that the person saw, for their side; with both signatures it is agreed.

    A side that has signed stays as it is. Raises StaleReview where there is a newer version, PermissionDenied,
    IllegalTransition, ValidationError for a closed deal.
    """
    with transaction.atomic():
        current = hold(review)
        side = acting_side(actor, current)
        decision = current.decisions.select_for_update().order_by("-number").first()
        if decision is None:
            raise IllegalTransition(_("There is no verdict to sign yet."), REVIEW[ReviewState(current.state)])
        decision.review = current
        if decision.number != number:
            raise StaleReview(current)
        if decision.signed_at(side) is not None:
            return decision
        require_open(current.opportunity)
        if getattr(decision, f"{other(side).value}_signed_by_id") == actor.pk:
            raise PermissionDenied(_("You signed for the other side. Somebody else has to sign for this one."))
        if side == Side.SALES:
            decision.sales_signed_by, decision.sales_signed_at = actor, now
        else:
            decision.delivery_signed_by, decision.delivery_signed_at = actor, now
        decision.save()
        told = {
            "side": str(side.label).lower(), "side_key": side.value, "number": number,
            "verdict": decision.get_verdict_display(), "verdict_key": decision.verdict,
        }  # fmt: skip
        if decision.is_signed:
            current.state, current.ended_at = ReviewState.AGREED, now
        save(current, now)
        record(names.REVIEW_SIGNED, actor=actor, about=current, within=current.opportunity, now=now, data=told)
        if decision.is_signed:
            told = {"number": number, "verdict": told["verdict"], "verdict_key": decision.verdict}
            record(names.REVIEW_AGREED, actor=None, about=current, within=current.opportunity, now=now, data=told)
            follow_review(current.opportunity, now, actor)
    return decision


def settle_condition(
    *, actor: User, condition: ReviewCondition, state: str, note: str, now: dt.datetime
) -> ReviewCondition:
    """Say that a condition of the newest verdict is met, was dropped (say why), or is open again; also after the win.

    The same again changes nothing. Raises PermissionDenied, StaleReview, ValidationError.
    """
    with transaction.atomic():
        review = hold(condition.decision.review)
        current = ReviewCondition.objects.select_for_update().get(pk=condition.pk)
        current.decision = newest = review.decisions.order_by("-number")[0]
        newest.review = review
        if not actor.has_perm("handoffs.settle_condition", current):
            raise PermissionDenied(_("The condition's owner, or people of sales or delivery on this deal, settle it."))
        if condition.decision_id != newest.pk:
            raise StaleReview(review)
        if state not in ConditionState.values:
            raise ValidationError({"state": _("Choose met, dropped or open.")})
        note = clean(note, field="note", longest=500)
        if current.state == state and (current.settled_note == note or state == ConditionState.OPEN):
            return current
        if state == ConditionState.DROPPED and not note:
            raise ValidationError({"note": _("Say why the condition no longer matters.")})
        is_open = state == ConditionState.OPEN
        current.state = state
        current.settled_at, current.settled_by = (None, None) if is_open else (now, actor)
        current.settled_note = "" if is_open else note
        current.save()
        save(review, now)
        record(
            names.REVIEW_CONDITION_SETTLED, actor=actor, about=review, within=review.opportunity, now=now,
            data={
                "text": current.text, "state": str(current.get_state_display()).lower(), "state_key": state,
                "note": note, "condition": current.pk,
            },
        )  # fmt: skip
        follow_conditions(review.opportunity, now, actor)
    return current


def _is_same(newest: ReviewDecision, verdict: str, summary: str, conditions: Sequence[ConditionDraft]) -> bool:
    known = list(newest.conditions.values_list("text", "owner_id", "due_on"))
    given = [(trimmed(draft.text), draft.owner.pk, draft.due_on) for draft in conditions]
    return (newest.verdict, newest.summary) == (verdict, summary) and known == given


def _check_decidable(review: DealReview) -> None:
    legal = REVIEW[ReviewState(review.state)]
    if review.state == ReviewState.ANSWERING:
        raise IllegalTransition(_("Both sides answer first; then the gaps are open and a verdict can be found."), legal)
    if ReviewState.DECIDED not in legal or review.state == ReviewState.CANCELLED:
        raise IllegalTransition(_("The review was cancelled; ask for a new one."), legal)
    later = DealReview.objects.filter(opportunity=review.opportunity_id, pk__gt=review.pk)
    if review.state == ReviewState.AGREED and later.exists():
        raise IllegalTransition(_("A newer review has begun; decide there."), legal)


def _conditions(
    opportunity: Opportunity,
    verdict: str,
    drafts: Sequence[ConditionDraft],
    carried: Mapping[int, ReviewCondition],
    today: dt.date,
) -> list[ReviewCondition]:
    """The rows for the drafts, not saved. Raises ValidationError."""
    _check_set(verdict, drafts, carried)
    owners = {draft.owner.pk for draft in drafts}
    insiders = set(people_who_see(opportunity).filter(pk__in=owners).values_list("pk", flat=True)) if owners else set()
    problems: dict[str, str] = {}
    rows = []
    for position, draft in enumerate(drafts):
        earlier = carried.get(draft.follows) if draft.follows is not None else None
        for name, sentence in _faults(draft, earlier, insiders, today):
            problems[f"conditions.{position}.{name}"] = sentence
        rows.append(_row(draft, position, earlier))
    if problems:
        raise ValidationError(problems)
    return rows


def _check_set(verdict: str, drafts: Sequence[ConditionDraft], carried: Mapping[int, ReviewCondition]) -> None:
    """Raises ValidationError where the conditions don't go with the verdict."""
    if verdict not in Verdict.values:
        raise ValidationError({"verdict": _("Choose go, go if, or no go.")})
    if verdict == Verdict.GO_IF and not drafts:
        raise ValidationError({"conditions": _("“Go, if” needs at least one condition.")})
    if verdict != Verdict.GO_IF and drafts:
        raise ValidationError({"verdict": _("With conditions the verdict is “Go, if”. Choose it, or drop them.")})
    if len(drafts) > MOST_CONDITIONS:
        raise ValidationError({"conditions": _("At most %(count)d conditions.") % {"count": MOST_CONDITIONS}})
    followed = [draft.follows for draft in drafts if draft.follows is not None]
    if len(set(followed)) < len(followed) or not set(followed) <= set(carried):
        raise ValidationError({"conditions": _("A condition is carried over once, from the verdict before.")})


def _faults(
    draft: ConditionDraft, earlier: ReviewCondition | None, insiders: set[int], today: dt.date
) -> Iterator[tuple[str, str]]:
    text = trimmed(draft.text)
    fault = fault_in(text)
    if not text:
        fault = _("Say what must come true.")
    elif len(text) > LONGEST_CONDITION:
        fault = _("Use at most %(count)d characters.") % {"count": LONGEST_CONDITION}
    if fault:
        yield "text", fault
    if draft.owner.pk not in insiders:
        yield "owner", _("%(name)s can't see this deal. Choose somebody who can.") % {"name": draft.owner}
    is_moved = earlier is None or earlier.due_on != draft.due_on
    if draft.due_on.year > LAST_YEAR or (draft.due_on < today and is_moved):
        yield "due_on", _("Choose today or a later day, before the year %(year)d.") % {"year": LAST_YEAR + 1}


def _row(draft: ConditionDraft, position: int, earlier: ReviewCondition | None) -> ReviewCondition:
    text = trimmed(draft.text)
    row = ReviewCondition(follows=earlier, text=text, owner=draft.owner, due_on=draft.due_on, position=position)
    if earlier is not None and earlier.text == text:
        row.state, row.settled_note = earlier.state, earlier.settled_note
        row.settled_at, row.settled_by_id = earlier.settled_at, earlier.settled_by_id
    return row
