"""Fetching is authorising, for promises, the register and the risk profile."""

from __future__ import annotations

import rules
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.models import Side, User
from handoffs.access import side_in
from handoffs.models import Commitment, RaidItem, RiskProfile
from opportunities.access import readable_opportunity
from opportunities.models import Opportunity, StageKind


@rules.predicate
def may_keep(user: User | AnonymousUser, opportunity: Opportunity | None) -> bool:
    """Whoever speaks for a side of the deal."""
    return isinstance(user, User) and opportunity is not None and side_in(user, opportunity) is not None


@rules.predicate
def may_change(user: User | AnonymousUser, commitment: Commitment | None) -> bool:
    """Sales, and whoever noted the promise as long as they speak for a side."""
    if not isinstance(user, User) or commitment is None:
        return False
    side = side_in(user, commitment.opportunity)
    return side == Side.SALES or (side is not None and commitment.added_by_id == user.pk)


@rules.predicate
def may_answer(user: User | AnonymousUser, commitment: Commitment | None) -> bool:
    """Delivery's people."""
    return isinstance(user, User) and commitment is not None and side_in(user, commitment.opportunity) == Side.DELIVERY


@rules.predicate
def may_settle(user: User | AnonymousUser, commitment: Commitment | None) -> bool:
    """Either side."""
    return commitment is not None and may_keep(user, commitment.opportunity)


rules.add_perm("handoffs.keep_ledger", may_keep)
rules.add_perm("handoffs.change_commitment", may_change)
rules.add_perm("handoffs.answer_commitment", may_answer)
rules.add_perm("handoffs.settle_commitment", may_settle)

_PEOPLE = (
    "opportunity__account", "opportunity__owner", "opportunity__delivery_owner", "opportunity__stage",
    "opportunity__pipeline", "opportunity__service_line",
)  # fmt: skip


def no_side() -> PermissionDenied:
    """What those above or beside both sides are told."""
    return PermissionDenied(_("People of sales or delivery on this deal keep its promises and risks."))


def kept_opportunity(user: User, pk: int) -> Opportunity:
    """The deal, or 404; 403 for those who may only read its promises and risks."""
    opportunity = readable_opportunity(user, pk)
    if not user.has_perm("handoffs.keep_ledger", opportunity):
        raise no_side()
    return opportunity


def readable_commitment(user: User, pk: int) -> Commitment:
    """The promise with its deal, or 404."""
    people = ("promised_by", "promised_to", "stance_by", "settled_by", "added_by")
    found = (
        Commitment.objects.visible_to(user)
        .filter(pk=_sane(pk), opportunity__archived_at__isnull=True)
        .select_related(*_PEOPLE, *people)
        .first()
    )
    if found is None:
        raise Http404(_("There is no such promise."))
    return found


def changeable_commitment(user: User, pk: int) -> Commitment:
    """The promise, or 404; 403 for those who may not change it."""
    commitment = readable_commitment(user, pk)
    if not user.has_perm("handoffs.change_commitment", commitment):
        raise PermissionDenied(_("Sales, or whoever noted a promise, can change it."))
    return commitment


def answerable_commitment(user: User, pk: int) -> Commitment:
    """The promise, or 404; 403 for those who don't answer for delivery."""
    commitment = readable_commitment(user, pk)
    if not user.has_perm("handoffs.answer_commitment", commitment):
        raise PermissionDenied(_("Delivery’s people on this deal answer its promises."))
    return commitment


def settleable_commitment(user: User, pk: int) -> Commitment:
    """The promise, or 404; 403 for those who may only read it."""
    commitment = readable_commitment(user, pk)
    if not user.has_perm("handoffs.settle_commitment", commitment):
        raise no_side()
    return commitment


def readable_raid_item(user: User, pk: int) -> RaidItem:
    """The entry of the register with its deal, or 404."""
    found = (
        RaidItem.objects.visible_to(user)
        .filter(pk=_sane(pk), opportunity__archived_at__isnull=True)
        .select_related(*_PEOPLE, "owner", "added_by", "closed_by")
        .first()
    )
    if found is None:
        raise Http404(_("There is nothing like that in the register."))
    return found


def kept_raid_item(user: User, pk: int) -> RaidItem:
    """The entry of the register, or 404; 403 for those who may only read it."""
    item = readable_raid_item(user, pk)
    if not user.has_perm("handoffs.keep_ledger", item.opportunity):
        raise no_side()
    return item


def readable_profile(user: User, pk: int) -> RiskProfile:
    """The version of the risk profile with its deal, or 404."""
    people = ("proposed_by", "amended_by", "sales_agreed_by", "delivery_agreed_by", "client_agreed_by")
    found = (
        RiskProfile.objects.visible_to(user)
        .filter(pk=_sane(pk), opportunity__archived_at__isnull=True)
        .select_related(*_PEOPLE, *people)
        .first()
    )
    if found is None:
        raise Http404(_("There is no such version of a risk profile."))
    return found


def rests(opportunity: Opportunity) -> bool:
    """Whether the deal was lost or archived, so that its promises and risks are kept as they are."""
    return opportunity.kind == StageKind.LOST or opportunity.archived_at is not None


def _sane(pk: int) -> int:
    return pk if 0 < pk < 2**63 else 0
