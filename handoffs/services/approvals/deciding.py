"""Approving a handoff, or not."""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import User
from accounts.queries import organisation
from events import names
from events.recording import record
from handoffs.approvers import DECIDED, Approvers, Option, ask_of_step
from handoffs.models import ApprovalStep, Handoff, HandoffState, StepState, Submission, SubmissionState
from handoffs.services.approvals.common import CannotDecide, Refusal, move_handoff
from handoffs.services.approvals.submitting import WAITING, close_submission, open_steps
from handoffs.services.handoff.common import hold, save
from handoffs.services.reviews.common import clean

_DONE_BY = {
    StepState.APPROVED: gettext_noop("%(name)s has approved this already."),
    StepState.CHANGES_REQUESTED: gettext_noop("%(name)s has asked for changes already."),
    StepState.REJECTED: gettext_noop("%(name)s has rejected this already."),
}
_OUTCOMES = {
    StepState.CHANGES_REQUESTED: (
        SubmissionState.CHANGES_REQUESTED, HandoffState.CHANGES_REQUESTED, names.HANDOFF_CHANGES_REQUESTED,
    ),
    StepState.REJECTED: (SubmissionState.REJECTED, HandoffState.REJECTED, names.HANDOFF_REJECTED),
}  # fmt: skip


def decide_step(
    *, actor: User, step: ApprovalStep, decision: StepState, comment: str, now: dt.datetime
) -> ApprovalStep:
    """Approve, ask for changes or reject; one refusal ends the submission, the last approval approves the handoff.

    Whoever stands in decides in the other's name, and both names are kept. The same person saying the same again gets
    the same answer. Raises CannotDecide, ValidationError (a refusal without a comment).
    """
    if decision not in DECIDED:
        raise ValidationError(_("Approve, ask for changes or reject."))
    comment = clean(comment, field="comment", longest=1000, is_multiline=True)
    if decision != StepState.APPROVED and not comment:
        raise ValidationError({"comment": _("Say what has to change, so that they can act on it.")})
    with transaction.atomic():
        handoff, current, siblings = _hold(step)
        if current.state == decision and current.decided_by_id == actor.pk:
            return current
        option = _require_option(actor, current, siblings, now)
        current.state = decision
        current.decided_by, current.on_behalf_of = option
        current.decided_at, current.comment = now, comment
        current.save()
        _follow(actor, handoff, current, siblings, now)
    return current


def why_not(user: User, step: ApprovalStep, siblings: list[ApprovalStep], approvers: Approvers) -> CannotDecide | None:
    """Why the person can't decide the step as it stands; None where they can. Changes nothing."""
    handoff = step.submission.handoff
    state = StepState(step.state)
    if state in DECIDED:
        return CannotDecide(Refusal.DECIDED, _(_DONE_BY[state]) % {"name": step.decided_by})
    if handoff.shelved_at is not None:
        return CannotDecide(Refusal.RESTING, _("The handoff rests because the deal is open again."))
    if state == StepState.RECALLED:
        return CannotDecide(Refusal.RECALLED, _told_end(step.submission))
    ask = ask_of_step(step, siblings)
    if step.submitted_by_id == user.pk:
        return CannotDecide(Refusal.SUBMITTED, _("You submitted this handoff, so somebody else approves it."))
    if user.pk in ask.spent:
        return CannotDecide(
            Refusal.DECIDED_ANOTHER,
            _("You have decided another step of this handoff, or somebody has in your name. This one is for others."),
        )
    if approvers.option_for(user, ask) is None:
        return CannotDecide(Refusal.NOT_YOURS, _("This step is for others: %(who)s.") % {"who": _asked(step)})
    if step.opened_at is None:
        return CannotDecide(Refusal.NOT_ITS_TURN, _("It is not the turn of this step yet; others decide first."))
    return None


def _hold(step: ApprovalStep) -> tuple[Handoff, ApprovalStep, list[ApprovalStep]]:
    """The handoff and its steps as they stand, held: deal, handoff, submission, steps."""
    handoff = hold(step.submission.handoff)
    submission = Submission.objects.select_for_update().get(pk=step.submission_id)
    submission.handoff = handoff
    steps = list(ApprovalStep.objects.select_for_update().filter(submission=submission).order_by("position", "pk"))
    for one in steps:
        one.submission = submission
    current = next(one for one in steps if one.pk == step.pk)
    return handoff, current, steps


def _require_option(user: User, step: ApprovalStep, siblings: list[ApprovalStep], now: dt.datetime) -> Option:
    ask = ask_of_step(step, siblings)
    approvers = Approvers([ask], today=organisation().today(now))
    refusal = why_not(user, step, siblings, approvers)
    if refusal is not None:
        raise refusal
    option = approvers.option_for(user, ask)
    if option is None:
        raise CannotDecide(Refusal.NOT_YOURS, _("This step is for others: %(who)s.") % {"who": _asked(step)})
    return option


def _asked(step: ApprovalStep) -> str:
    people = ", ".join(str(person) for person in step.people.all())
    return people or str(step.get_role_display())


def _told_end(submission: Submission) -> str:
    refusal = submission.steps.filter(state__in=[StepState.CHANGES_REQUESTED, StepState.REJECTED])
    decided = refusal.select_related("decided_by").first()
    if decided is not None:
        return _(_DONE_BY[StepState(decided.state)]) % {"name": decided.decided_by}
    return _("The handoff was recalled; there is nothing to decide until it is submitted again.")


def _follow(actor: User, handoff: Handoff, step: ApprovalStep, siblings: list[ApprovalStep], now: dt.datetime) -> None:
    submission = step.submission
    told = {
        "step": step.name, "step_id": step.pk, "submission": submission.pk, "comment": step.comment,
        "on_behalf_of": step.on_behalf_of_id,
    }  # fmt: skip
    state = StepState(step.state)
    if state != StepState.APPROVED:
        ended, to, name = _OUTCOMES[state]
        close_submission(submission, ended, now)
        move_handoff(handoff, to, now)
        record(name, actor=actor, about=handoff, within=handoff.opportunity, now=now, data=told)
        return
    record(names.APPROVAL_GIVEN, actor=actor, about=handoff, within=handoff.opportunity, now=now, data=told)
    if all(one.state == StepState.APPROVED for one in siblings):
        close_submission(submission, SubmissionState.APPROVED, now)
        handoff.approved_at = now
        move_handoff(handoff, HandoffState.APPROVED, now)
        record(
            names.HANDOFF_APPROVED, actor=None, about=handoff, within=handoff.opportunity, now=now,
            data={"submission": submission.pk},
        )  # fmt: skip
    elif not any(one.state in WAITING and one.opened_at is not None for one in siblings):
        open_steps(handoff, submission, now)
        save(handoff, now)
    else:
        save(handoff, now)
