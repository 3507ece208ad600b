"""What waits for a person beside tasks: reviews to answer, decide or sign, conditions, promises, risk profiles."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import (
    Case,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    When,
)
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Organisation, Side, User
from dashboards.queries import handing_over
from dashboards.queries.todo_rows import Row, Todo, branch
from handoffs.models import (
    Commitment,
    ConditionState,
    DealReview,
    Escalation,
    ReviewCondition,
    ReviewDecision,
    ReviewState,
    RiskProfile,
    Stance,
    Task,
    TaskAction,
    TaskState,
)
from opportunities.models import Opportunity, StageKind

# A promise that delivery hasn't answered for so many days is late.
ANSWER_PROMISE_DAYS = 2


def todos_of(user: User, *, home: Organisation, now: dt.datetime) -> list[Todo]:
    """What waits for this person, in no order. Two queries, each bounded."""
    today = home.today(now)
    first, *rest = (kind(user, today) for kind in (_reviews, _conditions, _promises, _profiles, *handing_over.BRANCHES))
    rows = [Row(*row) for row in first.union(*rest, all=True)]
    if not rows:
        return []
    deals = Opportunity.objects.select_related("account").in_bulk({row.deal for row in rows})
    found = (_todo(row, deals[row.deal], user, home=home, now=now) for row in rows if row.deal in deals)
    return [todo for todo in found if todo is not None]


def standing_alone(tasks: QuerySet[Task]) -> QuerySet[Task]:
    """Leaves out tasks that say no more than what is told of reviews, profiles and checklists anyway."""
    told = [TaskAction.REVIEW, TaskAction.EXPRESS_REVIEW, TaskAction.RISK_PROFILE, TaskAction.CONDITION]
    return tasks.filter(handoff__isnull=True).exclude(action__in=told)


def _reviews(user: User, _today: dt.date) -> QuerySet[Any]:
    newest = ReviewDecision.objects.filter(review=OuterRef("pk")).order_by("-number")
    told = Escalation.objects.filter(told__contains=[user.pk]).values("review")
    mine = Q(opportunity__owner=user) | Q(opportunity__delivery_owner=user) | Q(pk__in=told)
    reviews = DealReview.objects.running().filter(
        mine, paused_at__isnull=True, opportunity__in=Opportunity.objects.open().visible_to(user)
    )
    # When a side did its part of what the review waits for now.
    done = {
        f"{side.value}_at": Case(
            When(state=ReviewState.ANSWERING, then=F(f"{side.value}_answered_at")),
            When(state=ReviewState.DECIDED, then=Subquery(newest.values(f"{side.value}_signed_at")[:1])),
        )
        for side in Side
    }
    return branch(
        reviews.order_by("due_at", "pk"), "review", deal=F("opportunity_id"), page=F("pk"), due_at=F("due_at"),
        state=F("state"), is_express=F("is_express"), **done,
    )  # fmt: skip


def _conditions(user: User, _today: dt.date) -> QuerySet[Any]:
    later = ReviewDecision.objects.filter(review=OuterRef("decision__review"), number__gt=OuterRef("decision__number"))
    conditions = (
        ReviewCondition.objects.filter(~Exists(later), owner=user, state=ConditionState.OPEN)
        .exclude(decision__review__state=ReviewState.CANCELLED)
        .filter(decision__review__opportunity__in=Opportunity.objects.current().visible_to(user))
        .exclude(decision__review__opportunity__kind=StageKind.LOST)
    )
    return branch(
        conditions.order_by("due_on", "pk"), "condition", deal=F("decision__review__opportunity_id"),
        page=F("decision__review_id"), due_on=F("due_on"), text=F("text"),
    )  # fmt: skip


def _promises(user: User, _today: dt.date) -> QuerySet[Any]:
    promises = Commitment.objects.current().filter(
        stance=Stance.PENDING, opportunity__in=Opportunity.objects.open().filter(delivery_owner=user)
    )
    return branch(
        promises.order_by("created_at", "pk"), "promise", deal=F("opportunity_id"), due_at=F("created_at"),
        text=F("text"),
    )  # fmt: skip


def _profiles(user: User, _today: dt.date) -> QuerySet[Any]:
    newest = RiskProfile.objects.filter(opportunity=OuterRef("opportunity")).order_by("-number")
    tasks = Task.objects.filter(Q(opportunity__owner=user) | Q(opportunity__delivery_owner=user)).filter(
        state=TaskState.OPEN, action=TaskAction.RISK_PROFILE, opportunity__archived_at__isnull=True
    )
    agreed = {f"{side.value}_at": Subquery(newest.values(f"{side.value}_agreed_at")[:1]) for side in Side}
    return branch(
        tasks.order_by("due_on", "pk"), "profile", deal=F("opportunity_id"), due_on=F("due_on"),
        number=Subquery(newest.values("number")[:1]), **agreed,
    )  # fmt: skip


def _todo(row: Row, deal: Opportunity, user: User, *, home: Organisation, now: dt.datetime) -> Todo | None:
    if row.kind in handing_over.KINDS:
        return handing_over.todo_of(row, deal, user, home=home)
    side = {deal.owner_id: Side.SALES, deal.delivery_owner_id: Side.DELIVERY}.get(user.pk)
    is_done = side is not None and {Side.SALES: row.sales_at, Side.DELIVERY: row.delivery_at}[side] is not None
    if is_done:
        return None
    said = _SAID[row.kind](row, side, now)
    if said is None:
        return None
    due_on, at = row.due_on, row.due_at if row.kind == "review" else None
    if row.kind == "promise" and row.due_at is not None:
        due_on = home.today(row.due_at) + dt.timedelta(days=ANSWER_PROMISE_DAYS)
    return Todo(
        f"{row.kind}-{row.key}", deal, *said, url=_url(row), icon=_ICONS[row.kind],
        due_on=due_on or home.today(row.due_at or now), at=at,
    )  # fmt: skip


def _of_review(row: Row, side: Side | None, now: dt.datetime) -> tuple[str, str] | None:
    if side is None:  # told by the escalation
        is_late = row.due_at is not None and row.due_at < now
        return (_("The express review is late"), _("Open it")) if is_late else None
    if row.state == ReviewState.ANSWERING:
        asked = _("Answer the express review") if row.is_express else _("Answer the deal review")
        return asked, _("Answer")
    if row.state == ReviewState.COMPARING:
        return _("Both sides have answered: talk about the gaps and decide"), _("Decide")
    return _("Sign the verdict of the deal review"), _("Sign")


def _of_profile(row: Row, _side: Side | None, _now: dt.datetime) -> tuple[str, str]:
    if row.number is None:
        return _("Write down the risks and put the profile up for agreement"), _("Open it")
    return _("Agree version %(number)d of the risk profile") % {"number": row.number}, _("Open it")


_SAID: Mapping[str, Callable[[Row, Side | None, dt.datetime], tuple[str, str] | None]] = {
    "review": _of_review,
    "condition": lambda row, _side, _now: (_("Condition: %(text)s") % {"text": row.text}, _("Settle")),
    "promise": lambda row, _side, _now: (_("Promised: %(text)s") % {"text": row.text}, _("Answer")),
    "profile": _of_profile,
}
_ICONS = {
    "review": "scale", "condition": "list-checks", "promise": "message-square-quote", "profile": "shield-alert",
}  # fmt: skip
_PANELS = {"promise": "commitment-panel", "profile": "risk-panel"}


def _url(row: Row) -> str:
    if row.kind in _PANELS:
        return f"{reverse('opportunities:detail', args=[row.deal])}#{_PANELS[row.kind]}"
    return reverse("handoffs:review", args=[row.page])
