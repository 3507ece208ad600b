"""Fetching is authorising, and who may plan people."""

from __future__ import annotations

import rules
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.models import Role, User
from opportunities.models import Opportunity
from staffing.models import Booking, Person, Scenario, ScenarioChange, StaffingNeed, sees_staffing


@rules.predicate
def may_see(user: User | AnonymousUser) -> bool:
    """People of delivery, executives and administrators."""
    return isinstance(user, User) and sees_staffing(user)


@rules.predicate
def may_plan(user: User | AnonymousUser) -> bool:
    """Resource managers, delivery managers and administrators keep people and bookings."""
    return isinstance(user, User) and user.is_active and (
        user.is_administrator or user.has_role(Role.RESOURCE_MANAGER, Role.DELIVERY_MANAGER)
    )  # fmt: skip


@rules.predicate
def may_state_needs(user: User | AnonymousUser, deal: Opportunity | None) -> bool:
    """Both owners of an open or won deal, those who plan people, and sales managers; each where they see the deal."""
    if not isinstance(user, User) or not user.is_active or deal is None:
        return False
    if user.pk in (deal.owner_id, deal.delivery_owner_id) or may_plan(user):
        return True
    return user.has_role(Role.SALES_MANAGER, Role.PROJECT_MANAGER)


rules.add_perm("staffing.see", may_see)
rules.add_perm("staffing.plan", may_plan)
rules.add_perm("staffing.state_needs", may_state_needs)


def readable_person(user: User, pk: int) -> Person:
    """The person with role and calendar, or 404."""
    found = Person.objects.visible_to(user).filter(pk=_sane(pk)).select_related("role", "calendar", "user").first()
    if found is None:
        raise Http404(_("There is nobody like that."))
    return found


def plannable_person(user: User, pk: int) -> Person:
    """The person, or 404; 403 for those who don't plan people."""
    person = readable_person(user, pk)
    require_planner(user)
    return person


def readable_booking(user: User, pk: int) -> Booking:
    """The booking with person, role and deal, or 404."""
    found = (
        Booking.objects.visible_to(user).filter(pk=_sane(pk))
        .select_related("role", "person", "need", "opportunity__account", "opportunity__stage")
        .first()
    )  # fmt: skip
    if found is None:
        raise Http404(_("There is no such booking."))
    return found


def plannable_booking(user: User, pk: int) -> Booking:
    """The booking, or 404; 403 for those who don't plan people."""
    booking = readable_booking(user, pk)
    require_planner(user)
    return booking


def readable_need(user: User, pk: int) -> StaffingNeed:
    """The need with its role and deal, or 404."""
    found = (
        StaffingNeed.objects.visible_to(user)
        .filter(pk=_sane(pk), opportunity__archived_at__isnull=True)
        .select_related("role", "opportunity__account", "opportunity__stage", "opportunity__service_line")
        .first()
    )
    if found is None:
        raise Http404(_("There is no such need."))
    return found


def statable_need(user: User, pk: int) -> StaffingNeed:
    """The need, or 404; 403 for those who may only read it."""
    need = readable_need(user, pk)
    require_stater(user, need.opportunity)
    return need


def readable_scenario(user: User, pk: int) -> Scenario:
    """The scenario; 403 for those who don't see the horizon, else 404 where there is none."""
    if not user.has_perm("staffing.see"):
        raise PermissionDenied(_("The horizon is for delivery, executives and administrators."))
    found = Scenario.objects.filter(pk=_sane(pk)).select_related("created_by").first()
    if found is None:
        raise Http404(_("There is no such scenario."))
    return found


def plannable_scenario(user: User, pk: int) -> Scenario:
    """The scenario, for those who plan people; 403 for others."""
    require_planner(user)
    return readable_scenario(user, pk)


def plannable_change(user: User, pk: int) -> ScenarioChange:
    """A change with its scenario; 404 too where its deal may not be seen, 403 for those who don't plan people."""
    require_planner(user)
    found = (
        ScenarioChange.objects.filter(pk=_sane(pk))
        .select_related("scenario", "opportunity__owner", "opportunity__account", "person", "role")
        .first()
    )
    if found is None or not _sees_deal(user, found):
        raise Http404(_("There is no such change."))
    return found


def _sees_deal(user: User, change: ScenarioChange) -> bool:
    deal = change.opportunity_id
    return deal is None or Opportunity.objects.visible_to(user).filter(pk=deal).exists()


def require_planner(user: User) -> None:
    """Raise PermissionDenied for those who don't plan people."""
    if not user.has_perm("staffing.plan"):
        raise PermissionDenied(_("Resource and delivery managers plan people."))


def require_stater(user: User, deal: Opportunity) -> None:
    """Raise PermissionDenied for those who may not say what the deal needs."""
    if not user.has_perm("staffing.state_needs", deal):
        raise PermissionDenied(_("The owners of the deal and those who plan people say what it needs."))


def _sane(pk: int) -> int:
    return pk if 0 < pk < 2**63 else 0
