"""Fetching is authorising, for approval steps and delegations."""

from __future__ import annotations

from django.db.models import Q
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.models import User
from handoffs.models import ApprovalRule, ApprovalStep, Delegation

_PEOPLE = (
    "decided_by", "on_behalf_of", "submission__submitted_by", "submission__handoff__project_manager",
    "submission__handoff__opportunity__account", "submission__handoff__opportunity__owner",
    "submission__handoff__opportunity__delivery_owner", "submission__handoff__opportunity__service_line",
)  # fmt: skip


def readable_step(user: User, pk: int) -> ApprovalStep:
    """The step with its submission, handoff and deal, or 404. Who may decide it, the service says."""
    found = (
        ApprovalStep.objects.visible_to(user)
        .filter(pk=_sane(pk), submission__handoff__opportunity__archived_at__isnull=True)
        .select_related(*_PEOPLE)
        .first()
    )
    if found is None:
        raise Http404(_("There is no such approval."))
    return found


def own_delegation(user: User, pk: int) -> Delegation:
    """A delegation by or to the person, any for administrators, or 404."""
    found = Delegation.objects.filter(pk=_sane(pk)).select_related("delegator", "delegate", "created_by")
    if not user.is_administrator:
        found = found.filter(Q(delegator=user) | Q(delegate=user))
    delegation = found.first()
    if delegation is None:
        raise Http404(_("There is no such delegation of yours."))
    return delegation


def known_rule(pk: int) -> ApprovalRule:
    """A step of the chain, or 404; the settings pages ask for the right."""
    found = ApprovalRule.objects.select_related("service_line").prefetch_related("people").filter(pk=_sane(pk)).first()
    if found is None:
        raise Http404(_("There is no such step."))
    return found


def _sane(pk: int) -> int:
    return pk if 0 < pk < 2**63 else 0
