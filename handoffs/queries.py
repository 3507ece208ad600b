"""Reads shaped for pages: the panel of a deal, and what a person may do with a task."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, OuterRef, QuerySet
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _

from accounts.models import Side, User
from accounts.models.people import DELIVERY_ROLES, SALES_ROLES
from handoffs.access import sides_of
from handoffs.assignment import delivery_candidates
from handoffs.models import Engagement, EngagementState, RampPhase, Task, TaskAction, TaskSide, TaskState
from handoffs.models.engagement import OPEN_STATES
from handoffs.open_points import Point, points_of
from handoffs.services.playbooks import preview_reschedule
from opportunities.models import Opportunity, StageKind
from opportunities.queries.people import people_who_see

MOST_CANDIDATES = 50
_WAITING = [TaskState.OPEN, TaskState.PAUSED]
# Tasks that are done when what they are about is done, and the part of the deal page where that is.
_LEADS_TO: Mapping[str, str] = {
    TaskAction.REVIEW: "review-panel",
    TaskAction.EXPRESS_REVIEW: "review-panel",
    TaskAction.RISK_PROFILE: "risk-panel",
    TaskAction.CONDITION: "review-panel",
    TaskAction.COMMITMENT: "commitment-panel",
    TaskAction.RELATIONSHIPS: "handoff-panel",
    TaskAction.CLIENT_SCOPE: "client-panel",
    TaskAction.CLIENT_CRITERIA: "client-panel",
    TaskAction.CLIENT_RISKS: "client-panel",
    TaskAction.PULSE: "client-panel",
}


@dataclass(frozen=True)
class TaskLine:
    """A task with what the reader may do about it; ``reason`` says why it can't be completed now."""

    task: Task
    can_complete: bool = False
    can_reopen: bool = False
    can_change: bool = False
    can_waive: bool = False
    reason: str = ""

    @property
    def dom_id(self) -> str:
        """The id of the element that shows it."""
        return f"task-{self.task.pk}"

    @property
    def leads_to(self) -> str:
        """The part of the deal page where it is done; empty for tasks that are done by saying so."""
        return "" if self.is_resting else _LEADS_TO.get(self.task.action, "")

    @property
    def is_resting(self) -> bool:
        """Whether nobody can work on it as the deal stands."""
        return self.task.state in (TaskState.PAUSED, TaskState.CANCELLED)


@dataclass
class Column:
    """The tasks of one side: those to do, those that rest, those that are done."""

    side: str
    label: str
    to_do: list[TaskLine] = field(default_factory=list)
    resting: list[TaskLine] = field(default_factory=list)
    done: list[TaskLine] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)


@dataclass(frozen=True)
class Panel:
    """What the deal page shows of delivery's involvement."""

    opportunity: Opportunity
    engagement: Engagement | None
    columns: Sequence[Column]
    candidates: Sequence[User]
    may_answer: bool
    may_ask: bool
    today: dt.date
    now: dt.datetime

    @property
    def dom_id(self) -> str:
        """What a problem of the engagement, or of asking for one, is about."""
        return f"engagement-{self.engagement.pk}" if self.engagement else f"opportunity-{self.opportunity.pk}"

    @property
    def is_late(self) -> bool:
        """Whether delivery has not answered in time."""
        return self.engagement is not None and is_answer_late(self.engagement, self.now)

    @property
    def waiting(self) -> int:
        """How many tasks are still to be done."""
        return sum(len(column.to_do) for column in self.columns)

    @property
    def is_alone(self) -> bool:
        """Whether one side acts alone on a deal that both own."""
        return self.opportunity.is_shared and bool(self.missing)

    @property
    def missing(self) -> list[str]:
        """Who is missing on a deal that both own, in words."""
        found = []
        if self.opportunity.owner_id is None:
            found.append(_("nobody from sales"))
        if self.opportunity.delivery_owner_id is None:
            found.append(_("nobody from delivery"))
        elif self.engagement is None or self.engagement.state in (EngagementState.REQUESTED, EngagementState.DECLINED):
            found.append(_("delivery has not accepted"))
        return found


def is_answer_late(engagement: Engagement, now: dt.datetime) -> bool:
    """Whether the clock for delivery's answer ran out."""
    return (
        engagement.state == EngagementState.REQUESTED
        and engagement.paused_at is None
        and engagement.answer_due_at < now
    )


def deal_panel(user: User, opportunity: Opportunity, *, today: dt.date, now: dt.datetime) -> Panel:
    """Engagement, tasks and open points of a deal, with what this person may do. At most eight queries.

    Items of the handoff and milestones of the ramp have panels of their own.
    """
    engagement = opportunity.engagements.select_related("accepted_by").order_by("-requested_at", "-pk").first()
    if engagement is not None:
        engagement.opportunity = opportunity
    tasks = list(
        Task.objects.filter(opportunity=opportunity, handoff__isnull=True, ramp_plan__isnull=True)
        .select_related("assignee", "sales_done_by", "delivery_done_by")
        .annotate(earlier=earlier_tasks())
    )
    for task in tasks:
        task.opportunity = opportunity
    may_answer = engagement is not None and user.has_perm("handoffs.answer_engagement", engagement)
    is_open = engagement is not None and engagement.state in OPEN_STATES
    candidates: list[User] = []
    if may_answer and is_open:
        candidates = list(delivery_candidates(opportunity, list(DELIVERY_ROLES))[:MOST_CANDIDATES])
    return Panel(
        opportunity=opportunity, engagement=engagement, columns=_columns(user, tasks, opportunity),
        candidates=candidates, may_answer=may_answer, today=today, now=now,
        may_ask=not is_open and opportunity.kind == StageKind.OPEN and user.has_perm("handoffs.ask_in"),
    )  # fmt: skip


def earlier_tasks() -> ArraySubquery:
    """Title and person of what a task has to wait for: annotate it as ``earlier``."""
    waiting = Task.objects.filter(unlocks=OuterRef("pk"), state__in=_WAITING).order_by("due_on", "pk")
    return ArraySubquery(waiting.values(found=JSONObject(title="title", name="assignee__name")))


def task_line(user: User, task: Task) -> TaskLine:
    """What this person may do with a task that was read with ``earlier_tasks`` and its handoff; no query."""
    may_work = user.has_perm("handoffs.work_on_task", task)
    may_waive = _may_waive(user, task)
    reason = _why_not(user, task, may_work=may_work)
    is_signed = task.state == TaskState.OPEN and bool(task.sales_done_at or task.delivery_done_at)
    return TaskLine(
        task=task,
        can_complete=not reason,
        can_reopen=_can_reopen(task, is_signed=is_signed, may_work=may_work, may_waive=may_waive),
        can_change=may_work and task.state == TaskState.OPEN,
        can_waive=may_waive and task.state == TaskState.OPEN and task.phase != RampPhase.EXIT,
        reason=reason,
    )


def task_lines(user: User, tasks: Iterable[Task]) -> list[TaskLine]:
    """What this person may do with each of the tasks; no query."""
    return [task_line(user, task) for task in tasks]


def _may_waive(user: User, task: Task) -> bool:
    if task.handoff_id is None and task.ramp_plan_id is None:
        return False
    return user.has_perm("handoffs.waive_item", task)


def _can_reopen(task: Task, *, is_signed: bool, may_work: bool, may_waive: bool) -> bool:
    """Whether a done or a waiver can be taken back; what follows something opens again with that."""
    if task.state == TaskState.WAIVED:
        return may_work and may_waive
    return may_work and task.action not in _LEADS_TO and (task.state == TaskState.DONE or is_signed)


def _why_not(user: User, task: Task, *, may_work: bool) -> str:
    """Why this person can't say done now; empty when they can."""
    if task.state == TaskState.DONE:
        return _("Done.")
    if task.state == TaskState.WAIVED:
        return _("Waived: %(reason)s") % {"reason": task.waived_reason}
    if task.state == TaskState.PAUSED:
        return _("Rests until the deal warms again.")
    if task.state == TaskState.CANCELLED:
        return _("No longer needed: the deal is closed.")
    signed = _signed(task)
    if signed and task.side == TaskSide.SHARED and not _open_sides(user, task):
        return _("Waits for %(side)s to say done too.") % {"side": _labels(set(Side) - signed)}
    if task.action in _LEADS_TO:
        return _("It is done where it leads to.")
    if not may_work:
        return _("For %(side)s to do.") % {"side": task.get_side_display()}
    earlier: list[dict[str, str | None]] = getattr(task, "earlier", [])
    return _("First: %(tasks)s.") % {"tasks": ", ".join(_named(other) for other in earlier)} if earlier else ""


def _named(task: dict[str, str | None]) -> str:
    if not task["name"]:
        return f"“{task['title']}”"
    return _("“%(title)s” by %(name)s") % task


def _signed(task: Task) -> set[Side]:
    said = {Side.SALES: task.sales_done_at, Side.DELIVERY: task.delivery_done_at}
    return {side for side, at in said.items() if at is not None}


def _open_sides(user: User, task: Task) -> set[Side]:
    """The sides for which this person could still sign a shared task."""
    if user.pk in (task.sales_done_by_id, task.delivery_done_by_id):
        return set()
    return sides_of(user) - _signed(task)


def _labels(sides: Iterable[Side]) -> str:
    return ", ".join(str(side.label) for side in sides)


def _columns(user: User, tasks: Iterable[Task], opportunity: Opportunity) -> list[Column]:
    order = (TaskSide.SALES, TaskSide.SHARED, TaskSide.DELIVERY)
    columns = {side.value: Column(side.value, str(side.label)) for side in order}
    for point in points_of(opportunity):
        columns[point.side].points.append(point)
    for line in task_lines(user, tasks):
        column = columns[line.task.side]
        if line.task.state == TaskState.OPEN:
            column.to_do.append(line)
        elif line.task.state in (TaskState.DONE, TaskState.WAIVED):
            column.done.append(line)
        else:
            column.resting.append(line)
    return list(columns.values())


def open_counts(deals: Iterable[int]) -> dict[int, dict[str, int]]:
    """Tasks still to be done by deal and side; one query."""
    rows = (
        Task.objects.open()
        .filter(opportunity_id__in=list(deals))
        .order_by()
        .values_list("opportunity_id", "side")
        .annotate(tasks=Count("pk"))
    )
    counts: dict[int, dict[str, int]] = {}
    for deal, side, tasks in rows:
        counts.setdefault(deal, {})[side] = tasks
    return counts


def tasks_with_deal(tasks: QuerySet[Task]) -> QuerySet[Task]:
    """Joins what a row shows."""
    return tasks.select_related(
        "opportunity__account", "opportunity__owner", "opportunity__delivery_owner", "assignee", "sales_done_by",
        "delivery_done_by", "handoff", "ramp_plan__handoff",
    ).annotate(earlier=earlier_tasks())  # fmt: skip


def task_row(user: User, pk: int) -> TaskLine:
    """One task, read again."""
    return task_line(user, tasks_with_deal(Task.objects.filter(pk=pk)).get())


def people_for(opportunity: Opportunity, side: str) -> QuerySet[User]:
    """Who may be given a task of this side: those of the side who see the deal."""
    roles = {TaskSide.SALES: SALES_ROLES, TaskSide.DELIVERY: DELIVERY_ROLES}.get(TaskSide(side))
    people = people_who_see(opportunity)
    return people.filter(roles__overlap=list(roles or SALES_ROLES | DELIVERY_ROLES))


@dataclass(frozen=True)
class TaskMove:
    """A task whose due date would follow the deal's dates."""

    task: Task
    from_day: dt.date
    to_day: dt.date


def moved_tasks(opportunity: Opportunity, *, now: dt.datetime) -> list[TaskMove]:
    """What the dates on the (unsaved) deal would move, earliest first."""
    before = dict(Task.objects.filter(opportunity_id=opportunity.pk).values_list("pk", "due_on"))
    moves = preview_reschedule(opportunity=opportunity, now=now)
    found = [TaskMove(task, before.get(task.pk, task.due_on), task.due_on) for task in moves]
    return sorted(found, key=lambda move: (move.to_day, move.task.pk))
