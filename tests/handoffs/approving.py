"""Handoffs on their way through approval, as every test about approvals needs them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from accounts.models import Role, User
from handoffs.models import ApprovalRule, ApprovalStep, Handoff, StepState, Submission, TaskState
from handoffs.services.approvals import create_default_chain, decide_step, submit_handoff
from handoffs.services.handoff import name_project_manager, waive_item
from opportunities.models import Opportunity
from tests import factories
from tests.handoffs.handing import handoff_of, won
from tests.handoffs.reactions import MONDAY


def chain() -> list[ApprovalRule]:
    """The default chain: both managers together, then an executive from 250,000 on."""
    return create_default_chain() or list(ApprovalRule.objects.order_by("position", "pk"))


def rule(name: str, role: Role, **fields: Any) -> ApprovalRule:
    """A step of the chain."""
    people = fields.pop("people", ())
    made = ApprovalRule.objects.create(**{"name": name, "role": role, "position": 1, **fields})
    made.people.set(people)
    return made


def ready(opportunity: Opportunity | None = None, *, now: dt.datetime = MONDAY, **fields: Any) -> Handoff:
    """A handoff with Pia as project manager on which nothing required is open: everything was waived by Ada."""
    handoff = handoff_of(opportunity or won(now=now, owner=fields.pop("owner", None) or factories.alice(), **fields))
    ada = factories.ada()
    if handoff.project_manager is None:
        name_project_manager(
            actor=ada, handoff=handoff, person=factories.pia(), now=now, expected_version=handoff.version
        )
    for item in handoff.items.filter(state__in=[TaskState.OPEN, TaskState.PAUSED], is_required=True):
        waive_item(actor=ada, task=item, reason="Agreed by phone", now=now)
    return fresh(handoff)


def submitted(
    handoff: Handoff | None = None, *, by: User | None = None, now: dt.datetime = MONDAY, note: str = "", **fields: Any
) -> Submission:
    """A handoff handed in, by Alice unless told otherwise."""
    given = handoff or ready(now=now, **fields)
    return submit_handoff(
        actor=by or factories.alice(), handoff=given, note=note, now=now, expected_version=given.version
    )


def step_of(submission: Submission, name: str) -> ApprovalStep:
    """The step of that name as it stands."""
    return ApprovalStep.objects.select_related("submission__handoff__opportunity").get(submission=submission, name=name)


def approve(
    submission: Submission, name: str, by: User, *, comment: str = "", now: dt.datetime = MONDAY
) -> ApprovalStep:
    """One step approved."""
    step = step_of(submission, name)
    return decide_step(actor=by, step=step, decision=StepState.APPROVED, comment=comment, now=now)


def fresh(handoff: Handoff) -> Handoff:
    """The handoff as it stands."""
    return Handoff.objects.select_related("opportunity", "ramp_plan", "project_manager").get(pk=handoff.pk)
