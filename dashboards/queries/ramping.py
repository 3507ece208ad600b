"""Ramp plans as both owners hold them, side by side: what each of them still owes until the project stands."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Side, User
from dashboards.queries.coowned import OVERSEEING, Half
from handoffs.models import RampPlan, Task, TaskSide
from opportunities.models import Opportunity


@dataclass(frozen=True)
class Ramping:
    """A ramp plan with what comes next and both sides' open points."""

    plan: RampPlan
    halves: Sequence[Half]
    coming: Task | None
    overdue: int

    @property
    def deal(self) -> Opportunity:
        """The deal that was won."""
        return self.plan.opportunity


def plans_ramping(user: User, *, today: dt.date, most: int) -> tuple[list[Ramping], bool]:
    """The first plans by kick-off whose ramp has not ended, and whether there are more. Two queries.

    Those who own deals see their own, project managers theirs; managers, and those who own none, all that they may see.
    """
    plans = RampPlan.objects.ramping().filter(opportunity__in=Opportunity.objects.current().visible_to(user))
    if not user.has_role(*OVERSEEING):
        mine = Q(opportunity__owner=user) | Q(opportunity__delivery_owner=user) | Q(handoff__project_manager=user)
        plans = plans.filter(mine)
    people = ("opportunity__owner", "opportunity__delivery_owner", "opportunity__account", "handoff__project_manager")
    found = list(plans.select_related(*people).order_by("kickoff_on", "pk")[: most + 1])
    shown = found[:most]
    tasks: dict[int, list[Task]] = defaultdict(list)
    for task in Task.objects.open().filter(ramp_plan__in=shown).order_by("due_on", "position", "pk"):
        tasks[task.ramp_plan_id or 0].append(task)
    return [_row(plan, tasks[plan.pk], today) for plan in shown], len(found) > most


def _row(plan: RampPlan, tasks: Sequence[Task], today: dt.date) -> Ramping:
    overdue = sum(task.is_overdue(today) for task in tasks)
    return Ramping(plan, [_half(side, plan, tasks, today) for side in Side], tasks[0] if tasks else None, overdue)


def _half(side: Side, plan: RampPlan, tasks: Sequence[Task], today: dt.date) -> Half:
    deal = plan.opportunity
    delivery = plan.handoff.project_manager or deal.delivery_owner
    owner = deal.owner if side == Side.SALES else delivery
    own = [task for task in tasks if task.side == side and task.waits_for(side)]
    shared = sum(task.side == TaskSide.SHARED and task.waits_for(side) for task in tasks)
    late = sum(task.is_overdue(today) for task in own)
    points = [] if owner is not None else [_("nobody is named")]
    if own and side == Side.SALES:
        points.append(ngettext("%(n)d sales duty", "%(n)d sales duties", len(own)) % {"n": len(own)})
    elif own:
        points.append(ngettext("%(n)d milestone", "%(n)d milestones", len(own)) % {"n": len(own)})
    if late:
        points.append(ngettext("%(n)d late", "%(n)d late", late) % {"n": late})
    if shared:
        points.append(ngettext("%(n)d with the other side", "%(n)d with the other side", shared) % {"n": shared})
    return Half(side, owner, points)
