"""Fetching ramp plans is authorising, and who may do what with them."""

from __future__ import annotations

import rules
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.access import is_administrator
from accounts.models import Role, Side, User
from handoffs.access import may_arrange, side_in
from handoffs.models import Lesson, RampPlan, Touchpoint
from opportunities.models import Opportunity


@rules.predicate
def may_work_on_ramp(user: User | AnonymousUser, plan: RampPlan | None) -> bool:
    """People of either side of its deal, its project manager, and administrators."""
    if not isinstance(user, User) or not user.is_active or plan is None:
        return False
    return plan.handoff.project_manager_id == user.pk or bool(may_arrange(user, plan.opportunity))


@rules.predicate
def may_end(user: User | AnonymousUser, plan: RampPlan | None) -> bool:
    """Those who deliver: its project manager, people of the delivery side of its deal, and administrators."""
    if not isinstance(user, User) or not user.is_active or plan is None:
        return False
    if user.is_administrator or plan.handoff.project_manager_id == user.pk:
        return True
    return side_in(user, plan.opportunity) == Side.DELIVERY


@rules.predicate
def may_end_early(user: User | AnonymousUser, plan: RampPlan | None) -> bool:
    """Delivery managers and administrators, on deals that they see."""
    if not isinstance(user, User) or not user.is_active or plan is None:
        return False
    if not user.has_role(Role.DELIVERY_MANAGER, Role.ADMINISTRATOR):
        return False
    return Opportunity.objects.visible_to(user).filter(pk=plan.opportunity_id).exists()


@rules.predicate
def may_remove_touchpoint(user: User | AnonymousUser, touchpoint: Touchpoint | None) -> bool:
    """Whoever logged it, and administrators."""
    if not isinstance(user, User) or not user.is_active or touchpoint is None:
        return False
    return user.is_administrator or touchpoint.by_id == user.pk


rules.add_perm("handoffs.work_on_ramp", may_work_on_ramp)
rules.add_perm("handoffs.exit_ramp", may_end)
rules.add_perm("handoffs.exit_early", may_end_early)
rules.add_perm("handoffs.close_project", may_end)
rules.add_perm("handoffs.remove_touchpoint", may_remove_touchpoint)
rules.add_perm("handoffs.settle_lesson", is_administrator)


def readable_plan(user: User, pk: int) -> RampPlan:
    """The ramp plan with its deal and project manager, or 404."""
    people = (
        "opportunity__owner", "opportunity__delivery_owner", "opportunity__account", "opportunity__stage",
        "opportunity__service_line", "handoff__project_manager", "exited_by", "closed_by",
    )  # fmt: skip
    seen = RampPlan.objects.visible_to(user).filter(opportunity__archived_at__isnull=True)
    found = seen.filter(pk=_sane(pk)).select_related(*people).first()
    if found is None:
        raise Http404(_("There is no such ramp plan."))
    return found


def workable_plan(user: User, pk: int) -> RampPlan:
    """The ramp plan, or 404; 403 for those who may only read it."""
    plan = readable_plan(user, pk)
    if not user.has_perm("handoffs.work_on_ramp", plan):
        raise PermissionDenied(_("People of sales or delivery on this deal work on its ramp plan."))
    return plan


def readable_touchpoint(user: User, pk: int) -> Touchpoint:
    """A contact with the client with its plan and deal, or 404."""
    seen = RampPlan.objects.visible_to(user)
    found = (
        Touchpoint.objects.filter(plan__in=seen, pk=_sane(pk))
        .select_related("plan__opportunity", "plan__handoff", "by")
        .first()
    )
    if found is None:
        raise Http404(_("There is no such entry."))
    return found


def settleable_lesson(user: User, pk: int) -> Lesson:
    """A lesson that the person may adopt or dismiss; 403 for all but administrators, 404 where there is none."""
    if not user.has_perm("handoffs.settle_lesson"):
        raise PermissionDenied(_("An administrator decides about playbooks."))
    related = ("plan__opportunity", "playbook", "playbook_task", "by")
    found = Lesson.objects.filter(pk=_sane(pk)).select_related(*related).first()
    if found is None:
        raise Http404(_("There is no such lesson."))
    return found


def _sane(pk: int) -> int:
    return pk if 0 < pk < 2**63 else 0
