"""What waits for a person once a deal is won: its checklist, approvals, taking it on, and what the client has said."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Case, CharField, Count, Exists, F, Min, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Organisation, Side, User
from dashboards.queries.todo_rows import Row, Todo, branch
from handoffs.access import sides_of
from handoffs.models import ApprovalStep, Delegation, Handoff, HandoffState, Statement, StepState, Task, TaskSide
from opportunities.models import Opportunity

KINDS = ("handoff", "approval", "statement")
ACCEPT, ITEMS, CHANGES, SUBMIT = "accept", "items", "changes", "submit"
_WORKED_ON = [HandoffState.DRAFT, HandoffState.CHANGES_REQUESTED]
# Days until a complete checklist should be submitted, an approved one taken on, an amendment of the client looked at.
_DAYS = {SUBMIT: 1, ACCEPT: 2, "statement": 3}


def items_of(user: User) -> Q:
    """The checklist items that this person should see to: theirs, their roles' that nobody has, and shared ones."""
    mine = Q(assignee=user) | Q(assignee__isnull=True, assignee_role__in=user.roles)
    shared = Q(side=TaskSide.SHARED)
    for side in sides_of(user):
        owner = "opportunity__owner" if side == Side.SALES else "opportunity__delivery_owner"
        mine |= shared & Q(**{owner: user, f"{side.value}_done_at__isnull": True})
    signed = Q(sales_done_by=user) | Q(delivery_done_by=user)
    return mine & ~(shared & signed)


def _handoffs(user: User, _today: dt.date) -> QuerySet[Any]:
    items = Task.objects.open().filter(handoff=OuterRef("pk")).order_by()
    counted = items.filter(items_of(user)).values("handoff").annotate(n=Count("pk"), first=Min("due_on"))
    owns = Q(opportunity__owner=user) | Q(opportunity__delivery_owner=user)
    waits = Case(
        When(state=HandoffState.APPROVED, accepted_at__isnull=True, project_manager=user, then=Value(ACCEPT)),
        When(state=HandoffState.CHANGES_REQUESTED, own__gt=0, then=Value(CHANGES)),
        When(state=HandoffState.DRAFT, own__gt=0, then=Value(ITEMS)),
        When(owns & Q(state__in=_WORKED_ON) & ~Exists(items.filter(is_required=True)), then=Value(SUBMIT)),
        default=Value(""), output_field=CharField(),
    )  # fmt: skip
    handoffs = (
        Handoff.objects.live()
        .filter(opportunity__in=Opportunity.objects.current().visible_to(user))
        .annotate(own=Coalesce(Subquery(counted.values("n")[:1]), 0), waits=waits)
        .exclude(waits="")
    )
    return branch(
        handoffs.order_by("opened_at", "pk"), "handoff", deal=F("opportunity_id"), page=F("pk"), state=F("waits"),
        number=F("own"), due_on=Subquery(counted.values("first")[:1]), due_at=Coalesce("approved_at", "updated_at"),
    )  # fmt: skip


def _approvals(user: User, today: dt.date) -> QuerySet[Any]:
    """Steps that wait for the person, or for somebody in whose place they stand; the inbox knows whole chains."""
    absent = Delegation.objects.standing().filter(delegate=user, starts_on__lte=today, ends_on__gte=today)
    absent = absent.filter(delegator__is_active=True)
    named = ApprovalStep.people.through.objects.filter(approvalstep=OuterRef("pk"))
    theirs = named.filter(Q(user=user) | Q(user__in=absent.values("delegator")))
    fits = Q(Exists(theirs))
    for_roles = Q(role__in=user.roles) | Exists(absent.filter(delegator__roles__contains=[OuterRef("role")]))
    fits |= ~Exists(named) & for_roles
    fits |= Q(state=StepState.ESCALATED, escalate_to__in=user.roles)
    decided = ApprovalStep.objects.filter(submission=OuterRef("submission")).filter(
        Q(decided_by=user) | Q(on_behalf_of=user)
    )
    steps = ApprovalStep.objects.waiting().visible_to(user).exclude(submitted_by=user).filter(fits, ~Exists(decided))
    return branch(
        steps.order_by("opened_at", "pk"), "approval", deal=F("submission__handoff__opportunity_id"),
        page=F("submission__handoff_id"), text=F("name"), due_at=Coalesce("remind_at", "opened_at"),
    )  # fmt: skip


def _amended(user: User, _today: dt.date) -> QuerySet[Any]:
    """Newest versions that the client wrote, while nobody of ours has answered with a further one."""
    newer = Statement.objects.filter(
        opportunity=OuterRef("opportunity"), subject=OuterRef("subject"), number__gt=OuterRef("number")
    )
    mine = Opportunity.objects.current().filter(Q(owner=user) | Q(delivery_owner=user))
    statements = Statement.objects.filter(
        ~Exists(newer), amended_by__isnull=False, opportunity__in=mine,
        opportunity__ramp_plan__state__in=["planned", "ramping"],
    )  # fmt: skip
    return branch(
        statements.order_by("written_at", "pk"), "statement", deal=F("opportunity_id"), due_at=F("written_at"),
        text=F("amended_by__name"), state=F("subject"),
    )  # fmt: skip


BRANCHES = (_handoffs, _approvals, _amended)


def todo_of(row: Row, deal: Opportunity, user: User, *, home: Organisation) -> Todo:
    """The row in words."""
    sentence, act, icon = _said(row)
    since = home.today(row.due_at) if row.due_at else None
    days = dt.timedelta(days=_DAYS.get(row.state, _DAYS.get(row.kind, 0)))
    due_on = row.due_on or (since + days if since else home.today(deal.created_at))
    return Todo(f"{row.kind}-{row.key}", deal, sentence, act, url=_url(row), icon=icon, due_on=due_on)


def _said(row: Row) -> tuple[str, str, str]:
    """Sentence, button and icon."""
    if row.kind == "approval":
        return _("Approve the handoff as “%(step)s”") % {"step": row.text}, _("Decide"), "stamp"
    if row.kind == "statement":
        subject = dict(Statement._meta.get_field("subject").flatchoices)[row.state]
        words = {"who": row.text, "what": str(subject).lower()}
        return _("%(who)s amended the %(what)s: see what changed") % words, _("Look"), "message-square-quote"
    if row.state == ACCEPT:
        return _("Take the project on: its handoff is approved"), _("Accept"), "handshake"
    if row.state == SUBMIT:
        return _("The checklist is complete: submit the handoff for approval"), _("Submit"), "send"
    count = row.number or 0
    if row.state == CHANGES:
        sentence = ngettext(
            "Changes were asked for: %(n)d item of the checklist is yours",
            "Changes were asked for: %(n)d items of the checklist are yours",
            count,
        )
    else:
        sentence = ngettext(
            "Handoff: %(n)d item of the checklist is yours", "Handoff: %(n)d items of the checklist are yours", count
        )
    return sentence % {"n": count}, _("Open it"), "list-checks"


def _url(row: Row) -> str:
    if row.kind == "approval":
        return reverse("handoffs:approvals")
    if row.kind == "statement":
        return f"{reverse('opportunities:detail', args=[row.deal])}#client-panel"
    return reverse("handoffs:handoff", args=[row.page])
