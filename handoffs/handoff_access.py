"""Fetching is authorising, for handoffs, the items of their checklists and the relationship map."""

from __future__ import annotations

import rules
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.models import Role, User
from handoffs.access import sees, side_in
from handoffs.models import Handoff, RelationshipTransfer, Task
from opportunities.models import Opportunity
from opportunities.queries.people import people_who_see

# Who may be named: delivery managers run projects too.
MANAGING_ROLES = (Role.PROJECT_MANAGER, Role.DELIVERY_MANAGER)


def manages(user: User, handoff: Handoff) -> bool:
    """The managers of both sides who see the deal, its project manager, and administrators. No query."""
    if not user.is_active:
        return False
    if user.is_administrator or handoff.project_manager_id == user.pk:
        return True
    return user.has_role(Role.SALES_MANAGER, Role.DELIVERY_MANAGER) and sees(user, handoff.opportunity)


@rules.predicate
def may_work(user: User | AnonymousUser, handoff: Handoff | None) -> bool:
    """People of either side of the deal, its project manager, and administrators."""
    if not isinstance(user, User) or not user.is_active or handoff is None:
        return False
    return manages(user, handoff) or side_in(user, handoff.opportunity) is not None


@rules.predicate
def may_submit(user: User | AnonymousUser, handoff: Handoff | None) -> bool:
    """Either owner of the deal, and those who manage it."""
    if not isinstance(user, User) or not user.is_active or handoff is None:
        return False
    deal = handoff.opportunity
    return user.pk in (deal.owner_id, deal.delivery_owner_id) or manages(user, handoff)


@rules.predicate
def may_name(user: User | AnonymousUser, handoff: Handoff | None) -> bool:
    """The delivery owner, resource managers who see the deal, and those who manage it."""
    if not isinstance(user, User) or not user.is_active or handoff is None:
        return False
    deal = handoff.opportunity
    if deal.delivery_owner_id == user.pk or manages(user, handoff):
        return True
    return user.has_role(Role.RESOURCE_MANAGER) and sees(user, deal)


@rules.predicate
def may_waive(user: User | AnonymousUser, task: Task | None) -> bool:
    """Those who manage the handoff that the item belongs to, or whose ramp plan it is in."""
    handoff = handoff_of(task) if task is not None else None
    return isinstance(user, User) and handoff is not None and manages(user, handoff)


@rules.predicate
def may_hand_over(user: User | AnonymousUser, transfer: RelationshipTransfer | None) -> bool:
    """Those who may work on the handoff."""
    return transfer is not None and bool(may_work(user, transfer.handoff))


rules.add_perm("handoffs.work_on_handoff", may_work)
rules.add_perm("handoffs.submit_handoff", may_submit)
rules.add_perm("handoffs.name_project_manager", may_name)
rules.add_perm("handoffs.waive_item", may_waive)
rules.add_perm("handoffs.change_relationship", may_hand_over)

_PEOPLE = (
    "opportunity__account", "opportunity__owner", "opportunity__delivery_owner", "opportunity__stage",
    "opportunity__pipeline", "opportunity__service_line", "project_manager", "accepted_by", "ramp_plan",
)  # fmt: skip


def handoff_of(task: Task) -> Handoff | None:
    """The handoff that an item or milestone belongs to, with its deal as the task has it; None for other tasks."""
    found = task.handoff if task.handoff_id is not None else None
    if found is None and task.ramp_plan_id is not None:
        plan = task.ramp_plan
        found = plan.handoff if plan is not None else None
    if found is not None:
        found.opportunity = task.opportunity
    return found


def readable_handoff(user: User, pk: int) -> Handoff:
    """The handoff with its deal, project manager and ramp plan, or 404; one that rests is still there to read."""
    found = (
        Handoff.objects.visible_to(user)
        .filter(pk=_sane(pk), opportunity__archived_at__isnull=True)
        .select_related(*_PEOPLE)
        .first()
    )
    if found is None:
        raise Http404(_("There is no such handoff."))
    return found


def workable_handoff(user: User, pk: int) -> Handoff:
    """The handoff, or 404; 403 for those who may only read it."""
    handoff = readable_handoff(user, pk)
    if not user.has_perm("handoffs.work_on_handoff", handoff):
        raise PermissionDenied(_("People of sales or delivery on this deal work on its handoff."))
    return handoff


def readable_transfer(user: User, pk: int) -> RelationshipTransfer:
    """One stakeholder's handing over, with handoff and deal, or 404."""
    found = (
        RelationshipTransfer.objects.filter(
            pk=_sane(pk),
            handoff__in=Handoff.objects.visible_to(user),
            handoff__opportunity__archived_at__isnull=True,
        )
        .select_related(
            "contact", "owner_now", "owner_next", "accepted_by", *(f"handoff__{name}" for name in _PEOPLE)
        )
        .first()
    )  # fmt: skip
    if found is None:
        raise Http404(_("There is no such relationship."))
    return found


def possible_project_managers(opportunity: Opportunity) -> QuerySet[User]:
    """Who may be named project manager: project and delivery managers who see the deal."""
    return people_who_see(opportunity).filter(roles__overlap=list(MANAGING_ROLES)).order_by("name", "pk")


def _sane(pk: int) -> int:
    return pk if 0 < pk < 2**63 else 0
