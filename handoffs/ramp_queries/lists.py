"""All ramp plans that a person may see, with how each stands."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts.models import User
from handoffs.models import ProjectState, RampPhase, RampPlan, Task, TaskAction, TaskState
from handoffs.ramp_queries.page import coming, current_phase, is_duty
from opportunities.models import Opportunity

PAGE = 25
RUNNING = (ProjectState.PLANNED, ProjectState.RAMPING)
_CLIENT = (TaskAction.CLIENT_SCOPE, TaskAction.CLIENT_CRITERIA, TaskAction.CLIENT_RISKS)
_SHOWN = (
    "id", "ramp_plan_id", "phase", "title", "due_on", "state", "side", "sales_done_at", "action", "position",
)  # fmt: skip


class BadCursor(ValueError):
    """The address of a page was cut or made up."""


@dataclass(frozen=True)
class PlanFilter:
    """Which plans: of which states (none: all), only one's own, of which health."""

    states: tuple[str, ...] = RUNNING
    is_mine: bool = False
    rag: str = ""


@dataclass(frozen=True)
class PlanRow:
    """A plan with where it is and what is owed."""

    plan: RampPlan
    phase: RampPhase | None
    coming: Task | None
    duties: int
    late_duties: int
    done: int
    total: int
    confirmed: int
    to_confirm: int

    @property
    def deal(self) -> Opportunity:
        """The deal that was won."""
        return self.plan.opportunity

    @property
    def dom_id(self) -> str:
        """The id of the element that shows it."""
        return f"rampplan-{self.plan.pk}"


def plans_page(
    user: User, *, wanted: PlanFilter, today: dt.date, after: str = ""
) -> tuple[list[PlanRow], str | None]:  # fmt: skip
    """Plans by kick-off, the earliest first, and the cursor after them. Two queries. Raises BadCursor."""
    plans = plans_seen(user, wanted)
    if after:
        plans = plans.filter(_beyond(after))
    found = list(plans.order_by("kickoff_on", "pk")[: PAGE + 1])
    rows = rows_of(found[:PAGE], today)
    last = found[PAGE - 1] if len(found) > PAGE else None
    return rows, f"{last.kickoff_on.isoformat()}~{last.pk}" if last else None


def plans_seen(user: User, wanted: PlanFilter) -> QuerySet[RampPlan]:
    """Live plans of deals that the person may see, with what a row shows."""
    plans = RampPlan.objects.live().filter(opportunity__in=Opportunity.objects.current().visible_to(user))
    if wanted.states:
        plans = plans.filter(state__in=wanted.states)
    if wanted.rag:
        plans = plans.filter(rag=wanted.rag)
    if wanted.is_mine:
        plans = plans.filter(
            Q(opportunity__owner=user) | Q(opportunity__delivery_owner=user) | Q(handoff__project_manager=user)
        )
    return plans.select_related(
        "opportunity__account", "opportunity__owner", "opportunity__delivery_owner", "handoff__project_manager"
    )


def rows_of(plans: Sequence[RampPlan], today: dt.date) -> list[PlanRow]:
    """What a list shows of each. One query."""
    tasks: dict[int, list[Task]] = defaultdict(list)
    for task in Task.objects.filter(ramp_plan__in=plans).exclude(state=TaskState.CANCELLED).only(*_SHOWN):
        tasks[task.ramp_plan_id or 0].append(task)
    return [_row(plan, tasks[plan.pk], today) for plan in plans]


def _row(plan: RampPlan, tasks: Sequence[Task], today: dt.date) -> PlanRow:
    owed = [task for task in tasks if is_duty(task)]
    asked = [task for task in tasks if task.action in _CLIENT]
    return PlanRow(
        plan=plan, phase=current_phase(tasks), coming=coming(tasks), duties=len(owed),
        late_duties=sum(task.is_overdue(today) for task in owed),
        done=sum(task.state in (TaskState.DONE, TaskState.WAIVED) for task in tasks), total=len(tasks),
        confirmed=sum(task.state == TaskState.DONE for task in asked), to_confirm=len(asked),
    )  # fmt: skip


def _beyond(after: str) -> Q:
    day, _separator, key = after.partition("~")
    try:
        kickoff_on, pk = dt.date.fromisoformat(day), int(key)
    except ValueError as error:
        raise BadCursor from error
    if not 0 < pk < 2**63:
        raise BadCursor
    return Q(kickoff_on__gt=kickoff_on) | Q(kickoff_on=kickoff_on, pk__gt=pk)
