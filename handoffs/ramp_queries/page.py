"""One ramp plan as its page and the deal's panel show it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Prefetch

from accounts.models import User
from handoffs.models import (
    HealthReport,
    Lesson,
    RampPhase,
    RampPlan,
    Task,
    TaskSide,
    TaskState,
    Touchpoint,
)
from handoffs.queries import TaskLine, earlier_tasks, task_lines
from handoffs.ramp_dates import waits_for
from handoffs.ramp_queries.timeline import Timeline, timeline_of
from handoffs.services.ramp.ending import Missing, missing_among
from opportunities.models import Contact, Opportunity

_WAITING = (TaskState.OPEN, TaskState.PAUSED)
_SETTLED = (TaskState.DONE, TaskState.WAIVED)


@dataclass(frozen=True)
class PhaseView:
    """A phase with its tasks by date, and how far it is."""

    phase: RampPhase
    lines: Sequence[TaskLine]
    is_now: bool

    @property
    def label(self) -> str:
        """Its name."""
        return str(self.phase.label)

    @property
    def done(self) -> int:
        """How many are settled."""
        return sum(line.task.state in _SETTLED for line in self.lines)

    @property
    def total(self) -> int:
        """How many there are, but for those no longer needed."""
        return sum(line.task.state != TaskState.CANCELLED for line in self.lines)

    @property
    def is_done(self) -> bool:
        """Whether nothing of it is open."""
        return self.total > 0 and self.done == self.total


@dataclass(frozen=True)
class Duties:
    """What sales still owes."""

    lines: Sequence[TaskLine]
    late: int

    @property
    def count(self) -> int:
        """How many."""
        return len(self.lines)


@dataclass(frozen=True)
class RampPage:
    """A ramp plan with everything that its page shows, and what the reader may do."""

    plan: RampPlan
    phases: Sequence[PhaseView]
    exit: PhaseView
    missing: Sequence[Missing]
    duties: Duties
    reports: Sequence[HealthReport]
    touchpoints: Sequence[Touchpoint]
    lessons: Sequence[Lesson]
    timeline: Timeline
    coming: Task | None
    today: dt.date
    may_work: bool
    may_end: bool
    may_end_early: bool
    removable: frozenset[int]

    @property
    def deal(self) -> Opportunity:
        """The deal that was won."""
        return self.plan.opportunity

    @property
    def tasks(self) -> list[Task]:
        """All its tasks, phase by phase."""
        return [line.task for phase in (*self.phases, self.exit) for line in phase.lines]

    @property
    def done(self) -> int:
        """How many milestones are settled, exit criteria included."""
        return sum(phase.done for phase in (*self.phases, self.exit))

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(phase.total for phase in (*self.phases, self.exit))

    @property
    def is_ready(self) -> bool:
        """Whether the ramp can end."""
        return self.plan.state == "ramping" and not self.missing

    @property
    def newest_report(self) -> HealthReport | None:
        """What was said last."""
        return self.reports[0] if self.reports else None


@dataclass(frozen=True)
class RampPanel:
    """What the deal page shows of its ramp plan; None where the deal has no plan."""

    plan: RampPlan | None
    phase: RampPhase | None = None
    coming: Sequence[Task] = ()
    duties: int = 0
    late_duties: int = 0
    done: int = 0
    total: int = 0
    report: HealthReport | None = None


def ramp_page(user: User, plan: RampPlan, *, today: dt.date) -> RampPage:
    """The plan with its tasks, reports, contacts with the client and lessons. Eight queries, however many there are."""
    lines = task_lines(user, plan_tasks(plan))
    by_phase = {
        phase: [line for line in lines if line.task.phase == phase] for phase in RampPhase
    }  # fmt: skip
    tasks = [line.task for line in lines]
    now = current_phase(tasks)
    phases = [PhaseView(phase, by_phase[phase], phase == now) for phase in RampPhase if phase != RampPhase.EXIT]
    owed = [line for line in lines if is_duty(line.task)]
    may_work = user.has_perm("handoffs.work_on_ramp", plan) and plan.shelved_at is None
    may_end = user.has_perm("handoffs.exit_ramp", plan) and plan.shelved_at is None
    touchpoints = _touchpoints(plan)
    return RampPage(
        plan=plan,
        phases=[phase for phase in phases if phase.lines],
        exit=PhaseView(RampPhase.EXIT, by_phase[RampPhase.EXIT], now == RampPhase.EXIT),
        missing=missing_among(plan, [line.task for line in by_phase[RampPhase.EXIT]]),
        duties=Duties(owed, sum(line.task.is_overdue(today) for line in owed)),
        reports=list(plan.health_reports.select_related("by")),
        touchpoints=touchpoints,
        lessons=list(plan.lessons.select_related("by", "settled_by", "playbook", "playbook_task")),
        timeline=timeline_of(plan, tasks, waits_for=waits_for(tasks), today=today),
        coming=coming(tasks),
        today=today,
        may_work=may_work,
        may_end=may_end,
        may_end_early=may_end and user.has_perm("handoffs.exit_early", plan),
        removable=frozenset(each.pk for each in touchpoints if user.is_administrator or each.by_id == user.pk),
    )


def ramp_panel(opportunity: Opportunity, *, today: dt.date) -> RampPanel:
    """The plan in short. Three queries."""
    plan = RampPlan.objects.filter(opportunity=opportunity).select_related("handoff__project_manager").first()
    if plan is None:
        return RampPanel(None)
    plan.opportunity = opportunity
    tasks = plan_tasks(plan)
    owed = [task for task in tasks if is_duty(task)]
    open_tasks = sorted((task for task in tasks if task.state in _WAITING), key=lambda task: task.due_on)
    counted = [task for task in tasks if task.state != TaskState.CANCELLED]
    return RampPanel(
        plan=plan, phase=current_phase(tasks), coming=open_tasks[:3], duties=len(owed),
        late_duties=sum(task.is_overdue(today) for task in owed),
        done=sum(task.state in _SETTLED for task in counted), total=len(counted),
        report=plan.health_reports.select_related("by").first(),
    )  # fmt: skip


def plan_tasks(plan: RampPlan) -> list[Task]:
    """Its tasks by date, with people and what each waits for. One query."""
    tasks: list[Task] = list(
        Task.objects.filter(ramp_plan=plan)
        .select_related("assignee", "sales_done_by", "delivery_done_by", "evidence_file", "waived_by")
        .annotate(earlier=earlier_tasks())
        .order_by("due_on", "position", "pk")
    )
    for task in tasks:
        task.opportunity, task.ramp_plan = plan.opportunity, plan
    return tasks


def is_duty(task: Task) -> bool:
    """Whether sales still owes it: its own open tasks. What both do together is nobody's debt alone."""
    return task.side == TaskSide.SALES and task.state in _WAITING


def current_phase(tasks: Iterable[Task]) -> RampPhase | None:
    """The first phase with something open; None when all is settled."""
    found = {task.phase for task in tasks if task.state in _WAITING}
    return next((phase for phase in RampPhase if phase in found), None)


def coming(tasks: Iterable[Task]) -> Task | None:
    """The open one that is due first."""
    return min(
        (task for task in tasks if task.state in _WAITING), key=lambda task: (task.due_on, task.pk), default=None
    )


def _touchpoints(plan: RampPlan) -> list[Touchpoint]:
    people = Prefetch("contacts", Contact.objects.order_by("name"))
    kept = plan.touchpoints.filter(removed_at__isnull=True)
    return list(kept.select_related("by").prefetch_related(people))
