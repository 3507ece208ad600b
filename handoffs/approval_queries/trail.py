"""The way of one handoff through its approvals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Role, User
from accounts.queries import organisation
from handoffs.approvers import Approvers, Option, ask_of_rule, ask_of_step
from handoffs.models import ApprovalStep, Handoff, HandoffState, StepState, Submission, SubmissionState
from handoffs.services.approvals.chain import chain_for
from handoffs.services.approvals.common import CannotDecide, Refusal, told_state
from handoffs.services.approvals.deciding import why_not
from handoffs.services.approvals.submitting import WAITING
from handoffs.snapshot_differences import ItemChange, differences
from handoffs.states import HANDOFF, IllegalTransition


@dataclass(frozen=True)
class StepView:
    """A step with who may decide it, and whether the reader may."""

    step: ApprovalStep
    options: Sequence[Option] = ()
    mine: Option | None = None
    refusal: CannotDecide | None = None
    is_orphaned: bool = False
    is_late: bool = False

    @property
    def is_waiting(self) -> bool:
        """Whether it is its turn now."""
        return self.step.state in WAITING and self.step.opened_at is not None

    @property
    def asked(self) -> str:
        """Who is asked, in words: the people named, or the role."""
        named = ", ".join(str(person) for person in self.step.people.all())
        return named or str(self.step.get_role_display())

    @property
    def says_why(self) -> bool:
        """Whether the reader might wonder why they can't decide it; that others are asked, the names say already."""
        return self.refusal is not None and self.refusal.refusal in (Refusal.SUBMITTED, Refusal.DECIDED_ANOTHER)

    @property
    def escalates_to(self) -> str:
        """The role that is asked too once it is late."""
        return str(Role(self.step.escalate_to).label)

    @property
    def icon(self) -> str:
        """The sign for where it stands."""
        return {
            StepState.APPROVED: "circle-check", StepState.CHANGES_REQUESTED: "message-square-warning",
            StepState.REJECTED: "circle-x", StepState.RECALLED: "undo-2", StepState.ESCALATED: "bell-ring",
            StepState.PENDING: "hourglass" if self.step.opened_at else "circle-dashed",
        }[StepState(self.step.state)]  # fmt: skip


@dataclass(frozen=True)
class SubmissionView:
    """One submission with its steps by turn, and what changed since the one before."""

    submission: Submission
    turns: Sequence[Sequence[StepView]]
    changes: Sequence[ItemChange] | None

    @property
    def is_waiting(self) -> bool:
        """Whether somebody has to decide."""
        return self.submission.state == SubmissionState.PENDING

    @property
    def steps(self) -> list[StepView]:
        """All steps in order."""
        return [view for turn in self.turns for view in turn]


@dataclass(frozen=True)
class PlannedStep:
    """A step that would be asked if the handoff were submitted now."""

    name: str
    position: int
    asked: str
    people: Sequence[User]


@dataclass(frozen=True)
class Trail:
    """Everything about the approvals of one handoff, as one reader may see and use it."""

    handoff: Handoff
    submissions: Sequence[SubmissionView]
    planned: Sequence[PlannedStep] = field(default_factory=list)
    may_submit: bool = False
    may_recall: bool = False
    may_revise: bool = False
    may_accept: bool = False

    @property
    def current(self) -> SubmissionView | None:
        """The newest submission."""
        return self.submissions[0] if self.submissions else None

    @property
    def earlier(self) -> Sequence[SubmissionView]:
        """Those before it."""
        return self.submissions[1:]

    @property
    def mine(self) -> list[StepView]:
        """The steps that wait for the reader."""
        current = self.current
        return [view for view in current.steps if view.mine] if current else []

    @property
    def is_accepted(self) -> bool:
        """Whether the project manager took it on."""
        return self.handoff.accepted_at is not None

    @property
    def waits_for_acceptance(self) -> bool:
        """Whether it is the project manager's turn."""
        handoff = self.handoff
        return handoff.state == HandoffState.APPROVED and not self.is_accepted and handoff.shelved_at is None

    @property
    def next_sentence(self) -> str:
        """Who has to do something now, in a sentence."""
        handoff = self.handoff
        if handoff.shelved_at is not None:
            return _("The handoff rests because the deal is open again.")
        if self.is_accepted:
            return _("%(name)s has accepted the handoff.") % {"name": handoff.accepted_by}
        if handoff.state == HandoffState.APPROVED:
            if handoff.project_manager is None:
                return _("Everybody has approved. Name a project manager, who then accepts.")
            return _("Everybody has approved. %(name)s accepts next.") % {"name": handoff.project_manager}
        if handoff.state == HandoffState.SUBMITTED and self.current is not None:
            asked = ", ".join(f"{view.step.name}" for view in self.current.steps if view.is_waiting)
            return _("Waits for: %(steps)s.") % {"steps": asked}
        return {
            HandoffState.DRAFT: _("Not submitted yet."),
            HandoffState.CHANGES_REQUESTED: _("Changes were asked for. Make them, then submit again."),
            HandoffState.REJECTED: _("Rejected. Open it for changes to try again."),
        }.get(HandoffState(handoff.state), "")


def trail_of(handoff: Handoff, user: User | None = None, now: dt.datetime | None = None) -> Trail:
    """The submissions of a handoff, newest first, with steps, people and differences.

    With ``user``, also what that person may do. A constant number of queries for any number of submissions.
    """
    now = now or timezone.now()
    submissions = list(handoff.submissions.select_related("submitted_by").order_by("-number"))
    steps = steps_of(submissions, handoff)
    views = _views(steps, user, now)
    found = []
    for submission, before in zip(submissions, [*submissions[1:], None], strict=False):
        mine = [views[step.pk] for step in steps if step.submission_id == submission.pk]
        turns = [list(turn) for _position, turn in groupby(mine, key=lambda view: view.step.position)]
        changes = differences(before.items, submission.items) if before is not None else None
        found.append(SubmissionView(submission, turns, changes))
    return Trail(
        handoff, found, _planned(handoff, user, now), **_rights(handoff, submissions[0] if submissions else None, user)
    )


def steps_of(submissions: Sequence[Submission], handoff: Handoff | None = None) -> list[ApprovalStep]:
    """The steps of these submissions with everybody on them, by turn. Two queries."""
    known = {submission.pk: submission for submission in submissions}
    found = ApprovalStep.objects.filter(submission__in=known).order_by("submission", "position", "pk")
    steps = list(found.select_related("decided_by", "on_behalf_of").prefetch_related("people"))
    for step in steps:
        step.submission = known[step.submission_id]
        if handoff is not None:
            step.submission.handoff = handoff
    return steps


def can_decide(user: User, step: ApprovalStep, now: dt.datetime) -> Option | None:
    """How the person may decide the step now (in whose name), or None."""
    siblings = steps_of([step.submission])
    ask = ask_of_step(step, siblings)
    approvers = Approvers([ask], today=organisation().today(now))
    return None if why_not(user, step, siblings, approvers) else approvers.option_for(user, ask)


def why_cannot_decide(user: User, step: ApprovalStep, now: dt.datetime) -> CannotDecide | None:
    """Why the person can't decide the step now; None where they can."""
    siblings = steps_of([step.submission])
    approvers = Approvers([ask_of_step(step, siblings)], today=organisation().today(now))
    return why_not(user, step, siblings, approvers)


def step_to_decide(user: User, handoff: Handoff, decision: StepState, now: dt.datetime) -> ApprovalStep:
    """The step of the handoff that the person may decide now, or has decided so already.

    Raises CannotDecide with the reason that fits the person best, IllegalTransition where nothing waits.
    """
    last = handoff.submissions.select_related("submitted_by").order_by("-number").first()
    steps = steps_of([last], handoff) if last is not None else []
    for step in steps:
        if step.state == decision and step.decided_by_id == user.pk:
            return step
    if not steps or handoff.state != HandoffState.SUBMITTED:
        raise IllegalTransition(told_state(handoff), HANDOFF[HandoffState(handoff.state)])
    asks = [ask_of_step(step, steps) for step in steps]
    approvers = Approvers(asks, today=organisation().today(now))
    refusals = []
    for step in steps:
        refusal = why_not(user, step, steps, approvers)
        if refusal is None:
            return step
        refusals.append(refusal)
    raise min(refusals, key=lambda refusal: _CLOSEST.index(refusal.refusal))


# What says most about the person comes first.
_CLOSEST = [
    Refusal.RESTING, Refusal.SUBMITTED, Refusal.DECIDED_ANOTHER, Refusal.NOT_ITS_TURN, Refusal.NOT_YOURS,
    Refusal.DECIDED, Refusal.RECALLED,
]  # fmt: skip


def _views(steps: Sequence[ApprovalStep], user: User | None, now: dt.datetime) -> dict[int, StepView]:
    waiting = [step for step in steps if step.state in WAITING and step.submission.state == SubmissionState.PENDING]
    views = {step.pk: StepView(step) for step in steps}
    if not waiting:
        return views
    asks = {step.pk: ask_of_step(step, _siblings(step, steps)) for step in waiting}
    approvers = Approvers(asks.values(), today=organisation().today(now))
    for step in waiting:
        ask = asks[step.pk]
        refusal = why_not(user, step, _siblings(step, steps), approvers) if user else None
        views[step.pk] = StepView(
            step, approvers.options(ask), approvers.option_for(user, ask) if user and refusal is None else None,
            refusal, approvers.is_orphaned(ask), step.remind_at is not None and step.remind_at <= now,
        )  # fmt: skip
    return views


def _siblings(step: ApprovalStep, steps: Sequence[ApprovalStep]) -> list[ApprovalStep]:
    return [other for other in steps if other.submission_id == step.submission_id]


def _planned(handoff: Handoff, user: User | None, now: dt.datetime) -> list[PlannedStep]:
    if handoff.state not in (HandoffState.DRAFT, HandoffState.CHANGES_REQUESTED) or handoff.shelved_at is not None:
        return []
    rules = chain_for(handoff.opportunity, now)
    submitter = user or User(pk=0)
    asks = [ask_of_rule(rule, handoff.opportunity, submitter) for rule in rules]
    approvers = Approvers(asks, today=organisation().today(now))
    return [
        PlannedStep(
            rule.name,
            rule.position,
            ", ".join(str(person) for person in rule.people.all()) or str(rule.get_role_display()),
            [option.person for option in approvers.options(ask)],
        )
        for rule, ask in zip(rules, asks, strict=True)
    ]


def _rights(handoff: Handoff, last: Submission | None, user: User | None) -> dict[str, bool]:
    if user is None or handoff.shelved_at is not None:
        return {}
    may = user.has_perm("handoffs.submit_handoff", handoff)
    is_submitter = last is not None and last.submitted_by_id == user.pk
    state = HandoffState(handoff.state)
    is_accepted = handoff.accepted_at is not None
    return {
        "may_submit": may and state in (HandoffState.DRAFT, HandoffState.CHANGES_REQUESTED),
        "may_recall": (may or is_submitter) and state == HandoffState.SUBMITTED,
        "may_revise": may and not is_accepted and state in (HandoffState.APPROVED, HandoffState.REJECTED),
        "may_accept": state == HandoffState.APPROVED and not is_accepted and handoff.project_manager_id == user.pk,
    }
