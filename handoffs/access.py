"""Fetching is authorising, and who may do what with engagements and tasks."""

from __future__ import annotations

import rules
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.access import audience_of, has_role, is_administrator
from accounts.models import Role, Side, User
from accounts.models.people import DELIVERY_ROLES, SALES_ROLES
from events.audience import Audience
from handoffs.models import DealReview, Engagement, ReviewCondition, Task, TaskSide
from opportunities.access import can_bypass
from opportunities.models import Opportunity

manages_delivery = has_role(Role.DELIVERY_MANAGER, Role.ADMINISTRATOR)


@rules.predicate
def may_answer(user: User | AnonymousUser, engagement: Engagement | None) -> bool:
    """The proposed delivery owner, delivery managers, and administrators."""
    if not isinstance(user, User) or not user.is_active or engagement is None:
        return False
    return bool(manages_delivery(user)) or engagement.opportunity.delivery_owner_id == user.pk


def sides_of(user: User) -> set[Side]:
    """The circles for which this person may say done."""
    sides = set()
    if SALES_ROLES.intersection(user.roles):
        sides.add(Side.SALES)
    if DELIVERY_ROLES.intersection(user.roles):
        sides.add(Side.DELIVERY)
    return sides


def side_in(user: User, opportunity: Opportunity) -> Side | None:
    """The circle for which this person speaks on the deal: exactly one, or None for those above or beside both.

    Whoever owns it for a side speaks for that side; others who see it speak for the side of their roles.
    """
    if not user.is_active:
        return None
    if opportunity.owner_id == user.pk:
        return Side.SALES
    if opportunity.delivery_owner_id == user.pk:
        return Side.DELIVERY
    return user.side if sees(user, opportunity) else None


def sees(user: User, opportunity: Opportunity) -> bool:
    """What ``visible_to`` says, of one deal that was read already; no query but that for the person's teams."""
    audience = audience_of(user)
    if user.pk in (opportunity.owner_id, opportunity.delivery_owner_id):
        return user.is_active
    is_near = audience.sees_all or opportunity.team_id in audience.team_ids
    return is_near or (audience.is_delivery and _is_served(audience, opportunity))


def _is_served(audience: Audience, opportunity: Opportunity) -> bool:
    line = opportunity.service_line_id
    return audience.serves_all_lines or line is None or line in audience.service_line_ids


@rules.predicate
def may_work(user: User | AnonymousUser, task: Task | None) -> bool:
    """People of the task's side, whoever it is assigned to, and administrators for one-sided tasks."""
    if not isinstance(user, User) or not user.is_active or task is None:
        return False
    if task.assignee_id == user.pk:
        return True
    sides = sides_of(user)
    if task.side == TaskSide.SHARED:
        return bool(sides)
    return user.is_administrator or Side(task.side) in sides


@rules.predicate
def may_speak(user: User | AnonymousUser, review: DealReview | None) -> bool:
    """People who stand on one side of the review's deal."""
    return isinstance(user, User) and review is not None and side_in(user, review.opportunity) is not None


@rules.predicate
def may_arrange(user: User | AnonymousUser, opportunity: Opportunity | None) -> bool:
    """People of either side of the deal, and administrators."""
    if not isinstance(user, User) or not user.is_active or opportunity is None:
        return False
    return user.is_administrator or side_in(user, opportunity) is not None


@rules.predicate
def may_schedule(user: User | AnonymousUser, review: DealReview | None) -> bool:
    """Those who may arrange the review of its deal."""
    return review is not None and bool(may_arrange(user, review.opportunity))


@rules.predicate
def may_settle(user: User | AnonymousUser, condition: ReviewCondition | None) -> bool:
    """The condition's owner, and those who may arrange the review."""
    if not isinstance(user, User) or not user.is_active or condition is None:
        return False
    opportunity = condition.decision.review.opportunity
    return (condition.owner_id == user.pk and _may_see(user, opportunity)) or bool(may_arrange(user, opportunity))


@rules.predicate
def may_override(user: User | AnonymousUser, opportunity: Opportunity | None) -> bool:
    """Those who may move a deal past its gate, on deals that they see."""
    if not isinstance(user, User) or opportunity is None or not can_bypass(user):
        return False
    return _may_see(user, opportunity)


def _may_see(user: User, opportunity: Opportunity) -> bool:
    return Opportunity.objects.visible_to(user).filter(pk=opportunity.pk).exists()


rules.add_perm("handoffs.answer_engagement", may_answer)
rules.add_perm("handoffs.request_review", may_arrange)
rules.add_perm("handoffs.answer_review", may_speak)
rules.add_perm("handoffs.sign_review", may_speak)
rules.add_perm("handoffs.schedule_review", may_schedule)
rules.add_perm("handoffs.settle_condition", may_settle)
rules.add_perm("handoffs.override_review", may_override)
rules.add_perm("handoffs.ask_in", has_role(Role.SALES_REP, Role.SALES_MANAGER) | manages_delivery)
rules.add_perm("handoffs.work_on_task", may_work)
rules.add_perm("handoffs.edit_playbooks", is_administrator)


def readable_engagement(user: User, pk: int) -> Engagement:
    """The engagement with its deal, or 404."""
    people = ("opportunity__owner", "opportunity__delivery_owner", "opportunity__stage", "opportunity__account")
    found = Engagement.objects.visible_to(user).filter(pk=_sane(pk)).select_related(*people).first()
    if found is None:
        raise Http404(_("There is no such engagement."))
    return found


def answerable_engagement(user: User, pk: int) -> Engagement:
    """The engagement, or 404; 403 for those who may only read it."""
    engagement = readable_engagement(user, pk)
    if not user.has_perm("handoffs.answer_engagement", engagement):
        raise PermissionDenied(_("The delivery owner or a delivery manager answers for delivery."))
    return engagement


def readable_task(user: User, pk: int) -> Task:
    """The task with its deal, or 404."""
    found = (
        Task.objects.visible_to(user)
        .filter(pk=_sane(pk))
        .select_related("opportunity", "engagement", "assignee", "sales_done_by", "delivery_done_by")
        .first()
    )
    if found is None:
        raise Http404(_("There is no such task."))
    return found


def workable_task(user: User, pk: int) -> Task:
    """The task, or 404; 403 for people of the other side."""
    task = readable_task(user, pk)
    if not user.has_perm("handoffs.work_on_task", task):
        raise PermissionDenied(_("This task belongs to the other side."))
    return task


def readable_review(user: User, pk: int) -> DealReview:
    """The review with its deal, or 404. What the person may read of its answers, ``ReviewAnswer.shown_to`` says."""
    people = ("opportunity__owner", "opportunity__delivery_owner", "opportunity__stage", "opportunity__account")
    found = DealReview.objects.visible_to(user).filter(pk=_sane(pk)).select_related(*people).first()
    if found is None:
        raise Http404(_("There is no such deal review."))
    return found


def answerable_review(user: User, pk: int) -> DealReview:
    """The review, or 404; 403 for those who speak for no side of its deal: they don't answer, decide or sign."""
    review = readable_review(user, pk)
    if not user.has_perm("handoffs.answer_review", review):
        raise PermissionDenied(_("Only people of sales or delivery on this deal answer and sign."))
    return review


def schedulable_review(user: User, pk: int) -> DealReview:
    """The review, or 404; 403 for those who may not arrange its meeting."""
    review = readable_review(user, pk)
    if not user.has_perm("handoffs.schedule_review", review):
        raise PermissionDenied(_("People of sales or delivery on this deal schedule its review."))
    return review


def overridable_review(user: User, pk: int) -> DealReview:
    """The review, or 404; 403 for those who may not let its deal be won without it."""
    review = readable_review(user, pk)
    if not user.has_perm("handoffs.override_review", review.opportunity):
        raise PermissionDenied(_("Only a sales manager can let a deal be won without its review."))
    return review


def readable_condition(user: User, pk: int) -> ReviewCondition:
    """A condition of a verdict with its review and deal, or 404."""
    seen = DealReview.objects.visible_to(user)
    found = (
        ReviewCondition.objects.filter(decision__review__in=seen, pk=_sane(pk))
        .select_related("owner", "decision__review__opportunity")
        .first()
    )
    if found is None:
        raise Http404(_("There is no such condition."))
    return found


def _sane(pk: int) -> int:
    return pk if 0 < pk < 2**63 else 0
