"""What waits for one person, oldest promise first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_stubs_ext import StrPromise

from accounts.models import Organisation, Role, Side, User
from accounts.models.people import DELIVERY_ROLES, SALES_ROLES
from dashboards.queries.todo_rows import Todo
from dashboards.queries.todos import standing_alone, todos_of
from dashboards.queries.zones import zone_of
from handoffs.access import sides_of
from handoffs.engagement_queries import EngagementRow, engagement_rows, with_deal
from handoffs.models import Engagement, EngagementState, Task, TaskSide
from handoffs.models.engagement import OPEN_STATES
from handoffs.queries import TaskLine, task_lines, tasks_with_deal
from opportunities.models import Opportunity
from opportunities.queries.keys import key_among

# Of each kind; somebody who has more waiting works from the top.
MOST = 50
WEEK_DAYS = 7
# A deal without a next step is no promise that was broken; it should get one within these days.
GRACE_DAYS = {"cold": 5, "warm": 1, "hot": 0}

OVERDUE, TODAY, WEEK, LATER = "overdue", "today", "week", "later"
GROUPS: tuple[tuple[str, StrPromise], ...] = (
    (OVERDUE, gettext_lazy("Overdue")),
    (TODAY, gettext_lazy("Today")),
    (WEEK, gettext_lazy("Next 7 days")),
    (LATER, gettext_lazy("Later")),
)


@dataclass
class Need:
    """One thing that waits; exactly one of ``engagement``, ``line``, ``deal`` and ``todo`` is set."""

    due_on: dt.date
    at: dt.datetime | None = None
    engagement: EngagementRow | None = None
    line: TaskLine | None = None
    deal: Opportunity | None = None
    todo: Todo | None = None
    reasons: list[str] = field(default_factory=list)
    asks: str = ""

    @property
    def about(self) -> Opportunity:
        """The deal it belongs to."""
        if self.engagement is not None:
            return self.engagement.engagement.opportunity
        if self.line is not None:
            return self.line.task.opportunity
        if self.todo is not None:
            return self.todo.deal
        assert self.deal is not None
        return self.deal


@dataclass
class Group:
    """Needs of the same urgency."""

    key: str
    label: str
    needs: list[Need]
    count: int = 0


@dataclass
class Needs:
    """Everything that waits for a person, and what will once others have done their part."""

    groups: list[Group]
    waiting_for_others: list[TaskLine]
    is_cut: bool = False

    @property
    def count(self) -> int:
        """How many things wait now."""
        return sum(len(group.needs) for group in self.groups)

    @property
    def overdue(self) -> int:
        """How many of them are late."""
        return sum(len(group.needs) for group in self.groups if group.key == OVERDUE)

    def first(self, most: int | None) -> list[Group]:
        """The groups with their first needs, so many in all; None for all of them."""
        if most is None:
            return self.groups
        found = []
        for group in self.groups:
            if most > 0:
                found.append(replace(group, needs=group.needs[:most]))
                most -= len(group.needs)
        return found

    def count_in(self, zone: str) -> int:
        """How many belong to deals of a zone."""
        return sum(zone_of(need.about) == zone for group in self.groups for need in group.needs)


def needs_of(user: User, *, home: Organisation, now: dt.datetime) -> Needs:
    """What waits for this person. At most eight queries, each bounded."""
    today = home.today(now)
    requests = _requests(user, now=now)
    lines = task_lines(user, _tasks(user))
    deals = [*_own_deals(user, today=today), *_team_deals(user, today=today)]
    nested = _nest(requests, lines)
    own = [line for line in lines if line.task.pk not in nested]
    needs = [
        Need(due_on=home.today(row.engagement.answer_due_at), at=row.engagement.answer_due_at, engagement=row)
        for row in requests
    ]
    needs += [Need(due_on=line.task.due_on, line=line) for line in own if line.can_complete]
    needs += deals
    todos = todos_of(user, home=home, now=now)
    needs += [Need(due_on=todo.due_on, at=todo.at, todo=todo) for todo in todos]
    groups = _grouped(needs, today=today, now=now)
    is_cut = len(requests) >= MOST or len(lines) >= MOST or len(deals) >= MOST or len(todos) >= MOST
    return Needs(groups, [line for line in own if not line.can_complete], is_cut)


def _requests(user: User, *, now: dt.datetime) -> list[EngagementRow]:
    """Requests that this person should answer, the first due first.

    The proposed owner answers. Delivery managers also get what nobody is asked for, what surfaced un-forecasted, and
    what others left unanswered.
    """
    if not DELIVERY_ROLES.intersection(user.roles):
        return []
    asked = Q(opportunity__delivery_owner=user)
    waiting = Engagement.objects.filter(state=EngagementState.REQUESTED, paused_at__isnull=True)
    if user.has_role(Role.DELIVERY_MANAGER):
        asked |= Q(opportunity__delivery_owner__isnull=True) | Q(is_fast_lane=True) | Q(answer_due_at__lt=now)
        waiting = waiting.visible_to(user)
    found = with_deal(waiting.filter(asked)).order_by("answer_due_at", "pk")[:MOST]
    return engagement_rows(user, found, now=now)


def _tasks(user: User) -> QuerySet[Task]:
    """Open tasks of this person: theirs, their roles' that nobody has, and shared ones that their side has not done."""
    waiting = standing_alone(Task.objects.open())
    mine = [waiting.filter(assignee=user)]
    unassigned = waiting.filter(assignee__isnull=True, assignee_role__in=user.roles)
    mine.append(unassigned.filter(opportunity__in=Opportunity.objects.visible_to(user)))
    shared = waiting.filter(side=TaskSide.SHARED)
    if SALES_ROLES.intersection(user.roles):
        mine.append(shared.filter(sales_done_at__isnull=True, opportunity__owner=user))
    if DELIVERY_ROLES.intersection(user.roles):
        mine.append(shared.filter(delivery_done_at__isnull=True, opportunity__delivery_owner=user))
    first, *rest = [tasks.order_by("due_on", "pk").values("pk")[:MOST] for tasks in mine]
    found = Task.objects.filter(_not_signed(user), key_among(first.union(*rest, all=True)))
    return tasks_with_deal(found).order_by("due_on", "opportunity_id", "position", "pk")[:MOST]


def _not_signed(user: User) -> Q:
    """Leaves out shared tasks that now wait for the other side alone."""
    signed = Q(sales_done_by=user) | Q(delivery_done_by=user)
    sides = sides_of(user)
    if sides:
        done = {Side.SALES: Q(sales_done_at__isnull=False), Side.DELIVERY: Q(delivery_done_at__isnull=False)}
        all_done = Q()
        for side in sides:
            all_done &= done[side]
        signed |= all_done
    return ~(Q(side=TaskSide.SHARED) & signed)


def _nest(requests: Iterable[EngagementRow], lines: Iterable[TaskLine]) -> set[int]:
    """Put the tasks of a request into it: the answer comes first. The keys of those tasks."""
    rows = {row.engagement.pk: row for row in requests}
    nested = set()
    for line in lines:
        row = rows.get(line.task.engagement_id)
        if row is not None:
            row.tasks.append(line.task)
            nested.add(line.task.pk)
    return nested


def _own_deals(user: User, *, today: dt.date) -> list[Need]:
    """Open deals of a salesperson that are past their close date or have no next step, or a late one."""
    if not SALES_ROLES.intersection(user.roles):
        return []
    untended = Q(close_date__lt=today) | Q(next_step="") | Q(next_step_on__lte=today)
    awake = Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=today)
    deals = Opportunity.objects.open().filter(untended, awake, owner=user).with_people()
    found = deals.order_by(F("close_date").asc(nulls_last=True), "pk")[:MOST]
    return [_deal_need(deal, today=today) for deal in found]


def _deal_need(deal: Opportunity, *, today: dt.date) -> Need:
    reasons, days, asks = [], [], "next_step"
    if deal.close_date and deal.close_date < today:
        reasons.append(_("Past its close date"))
        days.append(deal.close_date)
        asks = "close_date"
    if not deal.next_step:
        reasons.append(_("No next step"))
        days.append(today + dt.timedelta(days=GRACE_DAYS[deal.temperature]))
    elif deal.next_step_on and deal.next_step_on <= today:
        reasons.append(_("Next step due: %(step)s") % {"step": deal.next_step})
        days.append(deal.next_step_on)
    return Need(due_on=min(days, default=today), deal=deal, reasons=reasons, asks=asks)


def _team_deals(user: User, *, today: dt.date) -> list[Need]:
    """For managers: deals of theirs that nobody owns, and surprises that delivery is not asked about."""
    wanted = Q()
    if user.has_role(Role.SALES_MANAGER):
        wanted |= Q(owner__isnull=True)
    if user.has_role(Role.DELIVERY_MANAGER):
        engagements = Engagement.objects.filter(opportunity=OuterRef("pk"))
        declined = Exists(engagements.filter(state=EngagementState.DECLINED))
        answered = Exists(engagements.filter(state__in=[*OPEN_STATES, EngagementState.DONE]))
        wanted |= Q(declined, ~answered, is_unforecasted=True, temperature__in=["warm", "hot"])
    if not wanted:
        return []
    deals = Opportunity.objects.open().visible_to(user).filter(wanted).with_people()
    return [_team_need(deal, today=today) for deal in deals.order_by(F("close_date").asc(nulls_last=True), "pk")[:MOST]]


def _team_need(deal: Opportunity, *, today: dt.date) -> Need:
    if deal.owner_id is None:
        return Need(due_on=today, deal=deal, reasons=[_("Nobody owns it in sales")], asks="owner")
    reasons = [_("Un-forecasted, and delivery has declined")]
    return Need(due_on=today, deal=deal, reasons=reasons, asks="ask_in")


def _grouped(needs: Sequence[Need], *, today: dt.date, now: dt.datetime) -> list[Group]:
    groups = {key: Group(key, str(label), []) for key, label in GROUPS}
    for need in sorted(needs, key=lambda need: (need.due_on, need.at or now, need.about.pk)):
        groups[_urgency(need, today=today, now=now)].needs.append(need)
    return [replace(group, count=len(group.needs)) for group in groups.values() if group.needs]


def _urgency(need: Need, *, today: dt.date, now: dt.datetime) -> str:
    if need.due_on < today or (need.at is not None and need.at < now):
        return OVERDUE
    if need.due_on == today:
        return TODAY
    return WEEK if need.due_on <= today + dt.timedelta(days=WEEK_DAYS) else LATER
