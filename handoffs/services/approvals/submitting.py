"""Handing a handoff in for approval, and taking it back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.queries import organisation
from events import names
from events.recording import record
from handoffs.approvers import Approvers, are_enough, ask_of_rule
from handoffs.business_hours import BusinessHours
from handoffs.handoff_queries import blockers_of, snapshot_of
from handoffs.models import ApprovalRule, ApprovalStep, Handoff, HandoffState, StepState, Submission, SubmissionState
from handoffs.services.approvals.chain import chain_for
from handoffs.services.approvals.common import NotReady, move_handoff, require_version, told_state
from handoffs.services.handoff.common import hold, require_awake
from handoffs.services.reviews.common import clean
from handoffs.states import HANDOFF, IllegalTransition
from opportunities.models import Opportunity

WAITING = (StepState.PENDING, StepState.ESCALATED)


def submit_handoff(
    *, actor: User, handoff: Handoff, note: str, now: dt.datetime, expected_version: int | None
) -> Submission:
    """Hand the handoff in: its items are kept as they are, and the first steps of the chain are asked.

    The same person saying it again while it waits gets the same answer. Raises PermissionDenied, StaleHandoff,
    IllegalTransition, NotReady (open items, no chain, or nobody who could approve), ValidationError.
    """
    _require_right(actor, handoff)
    note = clean(note, field="note", longest=1000, is_multiline=True)
    with transaction.atomic():
        current = hold(handoff)
        require_awake(current)
        if current.state == HandoffState.SUBMITTED:
            return _repeated(actor, current, note)
        require_version(current, expected_version)
        if HandoffState.SUBMITTED not in HANDOFF[HandoffState(current.state)]:
            raise IllegalTransition(told_state(current), HANDOFF[HandoffState(current.state)])
        rules = _rules(actor, current, now)
        submission = _hand_in(actor, current, note, rules, now)
        move_handoff(current, HandoffState.SUBMITTED, now)
        record(
            names.HANDOFF_SUBMITTED, actor=actor, about=current, within=current.opportunity, now=now,
            data={"number": submission.number, "submission": submission.pk},
        )  # fmt: skip
        open_steps(current, submission, now)
    return submission


def recall_handoff(*, actor: User, handoff: Handoff, reason: str, now: dt.datetime) -> Handoff:
    """Take a submitted handoff back, to change it. What was recalled already stays so.

    Raises PermissionDenied, IllegalTransition, ValidationError (no reason).
    """
    reason = clean(reason, field="reason", longest=500)
    if not reason:
        raise ValidationError({"reason": _("Say why you take it back; those who were asked read it.")})
    with transaction.atomic():
        current = hold(handoff)
        last = _last(current)
        if last is None or not (last.submitted_by_id == actor.pk and actor.is_active):
            _require_right(actor, current)
        require_awake(current)
        if current.state == HandoffState.DRAFT and last is not None and last.state == SubmissionState.RECALLED:
            return current
        if current.state != HandoffState.SUBMITTED or last is None:
            raise IllegalTransition(told_state(current), HANDOFF[HandoffState(current.state)])
        close_submission(last, SubmissionState.RECALLED, now)
        move_handoff(current, HandoffState.DRAFT, now)
        record(
            names.HANDOFF_RECALLED, actor=actor, about=current, within=current.opportunity, now=now,
            data={"reason": reason, "number": last.number, "submission": last.pk},
        )  # fmt: skip
    return current


def revise_handoff(*, actor: User, handoff: Handoff, reason: str, now: dt.datetime) -> Handoff:
    """Open an approved or rejected handoff for changes; it needs its approvals anew. Not once it was accepted.

    Raises PermissionDenied, IllegalTransition, ValidationError (no reason).
    """
    reason = clean(reason, field="reason", longest=500)
    if not reason:
        raise ValidationError({"reason": _("Say what has to change.")})
    _require_right(actor, handoff)
    with transaction.atomic():
        current = hold(handoff)
        require_awake(current)
        last = _last(current)
        revisable = (SubmissionState.APPROVED, SubmissionState.REJECTED)
        if current.state == HandoffState.DRAFT and last is not None and last.state in revisable:
            return current
        if current.accepted_at is not None or current.state not in (HandoffState.APPROVED, HandoffState.REJECTED):
            legal = frozenset() if current.accepted_at else HANDOFF[HandoffState(current.state)]
            raise IllegalTransition(told_state(current), legal)
        current.approved_at = None
        move_handoff(current, HandoffState.DRAFT, now)
        record(
            names.HANDOFF_REVISED, actor=actor, about=current, within=current.opportunity, now=now,
            data={"reason": reason},
        )  # fmt: skip
    return current


def open_steps(handoff: Handoff, submission: Submission, now: dt.datetime) -> list[ApprovalStep]:
    """Ask the steps of the lowest turn that has not been asked yet; the clock of each runs from now."""
    waiting = submission.steps.filter(opened_at__isnull=True, state=StepState.PENDING).order_by("position", "pk")
    steps = list(waiting.select_related("rule"))
    steps = [step for step in steps if step.position == steps[0].position]
    if not steps:
        return []
    hours = BusinessHours(organisation())
    for step in steps:
        step.opened_at = now
        step.remind_at = hours.add(now, step.rule.remind_after_hours)
        step.escalate_at = hours.add(now, step.rule.escalate_after_hours)
    ApprovalStep.objects.bulk_update(steps, ["opened_at", "remind_at", "escalate_at"])
    record(
        names.APPROVAL_ASKED, actor=None, about=handoff, within=handoff.opportunity, now=now,
        data={"steps": ", ".join(step.name for step in steps), "step_ids": [step.pk for step in steps]},
    )  # fmt: skip
    return steps


def close_submission(submission: Submission, state: SubmissionState, now: dt.datetime) -> None:
    """End a submission; steps that nobody has decided are recalled."""
    submission.steps.filter(state__in=WAITING).update(state=StepState.RECALLED)
    submission.state = state
    submission.closed_at = now
    submission.save(update_fields=["state", "closed_at"])


def _require_right(actor: User, handoff: Handoff) -> None:
    if not actor.has_perm("handoffs.submit_handoff", handoff):
        raise PermissionDenied(_("The owners of the deal and their managers submit its handoff."))


def _repeated(actor: User, handoff: Handoff, note: str) -> Submission:
    pending = handoff.submissions.filter(state=SubmissionState.PENDING).first()
    if pending is not None and pending.submitted_by_id == actor.pk and pending.note == note:
        return pending
    raise IllegalTransition(told_state(handoff), HANDOFF[HandoffState.SUBMITTED])


def _rules(actor: User, handoff: Handoff, now: dt.datetime) -> list[ApprovalRule]:
    blockers = [str(blocker.sentence) for blocker in blockers_of(handoff)]
    if blockers:
        raise NotReady(blockers)
    rules = chain_for(handoff.opportunity, now)
    problems = chain_problems(rules, handoff.opportunity, actor, organisation().today(now))
    if problems:
        raise NotReady(problems)
    return rules


def chain_problems(rules: Sequence[ApprovalRule], deal: Opportunity, submitter: User, today: dt.date) -> list[str]:
    """Why the handoff would wait for ever if this person submitted it, one sentence each."""
    if not rules:
        return [_("Nobody is asked to approve such a deal. An administrator can set up the approvals in the settings.")]
    asks = [ask_of_rule(rule, deal, submitter) for rule in rules]
    approvers = Approvers(asks, today=today)
    choices = [approvers.options(ask) for ask in asks]
    orphaned = [
        _("Nobody can approve “%(step)s”: whoever submits can't, and nobody else who is asked sees the deal.")
        % {"step": rule.name}
        for rule, ask in zip(rules, asks, strict=True)
        if approvers.is_orphaned(ask)
    ]
    if not orphaned and not are_enough(choices):
        names_of = ", ".join(f"“{rule.name}”" for rule in rules)
        return [_("There are too few people for %(steps)s: each needs somebody of its own.") % {"steps": names_of}]
    return orphaned


def _hand_in(actor: User, handoff: Handoff, note: str, rules: Iterable[ApprovalRule], now: dt.datetime) -> Submission:
    last = _last(handoff)
    submission = Submission.objects.create(
        handoff=handoff, number=last.number + 1 if last else 1, submitted_by=actor, submitted_at=now, note=note,
        items=snapshot_of(handoff),
    )  # fmt: skip
    for rule in rules:
        step = ApprovalStep.objects.create(
            submission=submission, rule=rule, name=rule.name, position=rule.position, role=rule.role,
            escalate_to=rule.escalate_to, submitted_by=actor,
        )  # fmt: skip
        step.people.set(rule.people.all())
    return submission


def _last(handoff: Handoff) -> Submission | None:
    return Submission.objects.select_for_update().filter(handoff=handoff).order_by("-number").first()
