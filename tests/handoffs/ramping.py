"""Won deals whose ramp runs, with a small plan in every phase."""

from __future__ import annotations

import datetime as dt

from accounts.models import User
from handoffs.models import RampPhase, RampPlan, Task, TaskSide, TaskState
from handoffs.services.ramp import add_milestone, start_ramp
from opportunities.models import Opportunity
from tests.handoffs.handing import handoff_of, won
from tests.handoffs.reactions import MONDAY

TODAY = MONDAY.date()


def ramping(*, owner: User, delivery_owner: User, now: dt.datetime = MONDAY, **fields: object) -> RampPlan:
    """The ramping plan of a deal won just now; what its playbook brought is cleared, so that tests say what is in it.

    Its kick-off is on Monday, 2026-12-14.
    """
    deal = won(owner=owner, delivery_owner=delivery_owner, now=now, start_on=dt.date(2026, 12, 14), close_date=TODAY,
               **fields)  # fmt: skip
    plan = handoff_of(deal).ramp_plan
    Task.objects.filter(ramp_plan=plan).delete()
    return start_ramp(plan=plan, actor=None, now=now)


def milestone(
    plan: RampPlan,
    title: str,
    *,
    days: int | None = 0,
    on: dt.date | None = None,
    phase: RampPhase = RampPhase.MOBILISE,
    side: TaskSide = TaskSide.DELIVERY,
    after: tuple[Task, ...] = (),
    evidence: str = "",
    now: dt.datetime = MONDAY,
) -> Task:
    """A task on the plan, so many business days from the kick-off or on a day of its own."""
    actor = plan.opportunity.delivery_owner
    assert actor is not None
    return add_milestone(
        actor=actor, plan=plan, phase=phase, title=title, side=side, offset_days=None if on else days, due_on=on,
        evidence_wanted=evidence, after=after, now=now,
    )  # fmt: skip


def settle(task: Task, *, evidence: str = "", now: dt.datetime = MONDAY, state: TaskState = TaskState.DONE) -> None:
    """Let it be done, whoever would have had to say so."""
    Task.objects.filter(pk=task.pk).update(
        state=state, done_at=now, sales_done_at=now, delivery_done_at=now, evidence=evidence
    )


def stands(plan: RampPlan) -> RampPlan:
    """The plan as it is now."""
    return RampPlan.objects.select_related("opportunity", "handoff").get(pk=plan.pk)


def due(task: Task) -> dt.date:
    """Its date as it is now."""
    return Task.objects.get(pk=task.pk).due_on


def deal_of(plan: RampPlan) -> Opportunity:
    """Its deal as it is now."""
    return Opportunity.objects.get(pk=plan.opportunity_id)
