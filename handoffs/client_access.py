"""Fetching is authorising, for what is said to a client and what the client says."""

from __future__ import annotations

import rules
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.models import User
from handoffs.access import side_in
from handoffs.models import ClientLink, Pulse, RampPlan, RiskProfile, Statement
from opportunities.access import readable_opportunity
from opportunities.models import Opportunity


@rules.predicate
def may_speak(user: User | AnonymousUser, opportunity: Opportunity | None) -> bool:
    """Whoever speaks for a side of the deal, and administrators."""
    if not isinstance(user, User) or not user.is_active or opportunity is None:
        return False
    return user.is_administrator or side_in(user, opportunity) is not None


rules.add_perm("handoffs.speak_to_client", may_speak)


def not_yours() -> PermissionDenied:
    """The refusal for those who may only read."""
    return PermissionDenied(_("Only people of sales or delivery on this deal write to its client."))


def spoken_opportunity(user: User, pk: int) -> Opportunity:
    """The deal, or 404; 403 for those who may only read what its client says."""
    opportunity = readable_opportunity(user, pk)
    if not user.has_perm("handoffs.speak_to_client", opportunity):
        raise not_yours()
    return opportunity


def readable_statement(user: User, pk: int) -> Statement:
    """The version with its deal, or 404."""
    people = ("opportunity__account", "opportunity__owner", "opportunity__delivery_owner", "written_by", "amended_by")
    found = (
        Statement.objects.visible_to(user)
        .filter(pk=_sane(pk), opportunity__archived_at__isnull=True)
        .select_related(*people)
        .first()
    )
    if found is None:
        raise Http404(_("There is no such version."))
    return found


def revocable_link(user: User, pk: int) -> ClientLink:
    """The private link with its deal, or 404; 403 for those who may only read."""
    people = ("opportunity__account", "opportunity__owner", "opportunity__delivery_owner", "contact")
    found = ClientLink.objects.visible_to(user).filter(pk=_sane(pk)).select_related(*people).first()
    if found is None:
        raise Http404(_("There is no such link."))
    if not user.has_perm("handoffs.speak_to_client", found.opportunity):
        raise not_yours()
    return found


def asking_plan(user: User, pk: int) -> RampPlan:
    """The ramp plan of a deal (by the deal's key), or 404; 403 for those who may only read."""
    opportunity = spoken_opportunity(user, pk)
    found = RampPlan.objects.filter(opportunity=opportunity).first()
    if found is None:
        raise Http404(_("There is no ramp plan yet."))
    found.opportunity = opportunity
    return found


def readable_pulse(user: User, pk: int) -> Pulse:
    """The pulse with its deal, or 404."""
    people = ("plan__opportunity__account", "contact", "asked_by")
    found = Pulse.objects.visible_to(user).filter(pk=_sane(pk)).select_related(*people).first()
    if found is None:
        raise Http404(_("There is no such question."))
    return found


def readable_amendment(user: User, pk: int) -> RiskProfile:
    """A risk profile that the client amended, with its deal, or 404; 403 for those who may only read."""
    found = (
        RiskProfile.objects.visible_to(user)
        .filter(pk=_sane(pk), amended_by__isnull=False, opportunity__archived_at__isnull=True)
        .select_related("opportunity__owner", "opportunity__delivery_owner", "amended_by")
        .first()
    )
    if found is None:
        raise Http404(_("There is no such version of a risk profile."))
    if not user.has_perm("handoffs.keep_ledger", found.opportunity):
        raise not_yours()
    return found


def _sane(pk: int) -> int:
    return pk if 0 < pk < 2**63 else 0
