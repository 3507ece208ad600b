"""Kept totals are what a count would say, before and after folding, for everyone who reads them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.queries import rates
from opportunities.models import Opportunity, StageTotal
from opportunities.queries import counted_totals, kept_totals
from opportunities.services.closing import lose
from opportunities.services.editing import update_opportunity
from opportunities.services.totals import compact_totals
from tests import factories

pytestmark = pytest.mark.django_db


def _kept(user: User) -> dict[tuple[int, str], tuple[int, Decimal, Decimal]]:
    today = timezone.now().date()
    found = kept_totals(user, rates=rates(on=today), closed_since=today)
    return {
        (key.stage_id, key.temperature): (total.deals, total.amount, total.weighted)
        for key, total in found.items()
        if total.deals
    }


def _counted(user: User) -> dict[tuple[int, str], tuple[int, Decimal, Decimal]]:
    deals = Opportunity.objects.current().visible_to(user)
    found = counted_totals(deals, rates=rates(on=timezone.now().date()))
    return {(key.stage_id, key.temperature): (t.deals, t.amount, t.weighted) for key, t in found.items()}


def _some_changes(owner: User) -> None:
    first, second, third = factories.deals(3, owner=owner, amount=Decimal("1000.10"))
    now = timezone.now()
    update_opportunity(
        actor=owner, opportunity=first, changes={"amount": Decimal("7.77")}, expected_version=first.version, now=now
    )
    lose(actor=owner, opportunity=second, loss_reason="price", loss_note="", expected_version=second.version, now=now)
    Opportunity.objects.filter(pk=third.pk).update(archived_at=now)


def test_totals_follow_every_kind_of_change(alice: User) -> None:
    _some_changes(alice)
    assert _kept(alice) == _counted(alice)
    assert sum(deals for deals, _, _ in _kept(alice).values()) == 2


def test_folding_changes_no_total_and_leaves_one_row_per_combination(alice: User) -> None:
    _some_changes(alice)
    before = _kept(alice)
    assert compact_totals(fold_from=1)
    assert _kept(alice) == before
    assert StageTotal.objects.count() == len(before)
    assert not compact_totals(fold_from=1), "nothing is left to fold"


def test_a_deal_outside_every_team_counts_once_for_its_delivery_owner(alice: User, pia: User, charlie: User) -> None:
    deal = factories.deals(1, owner=alice, amount=Decimal(50))[0]
    update_opportunity(
        actor=alice, opportunity=deal, changes={"delivery_owner": charlie}, expected_version=deal.version,
        now=timezone.now(),
    )  # fmt: skip
    for user in (alice, pia, charlie):
        assert sum(deals for deals, _, _ in _kept(user).values()) == 1, user


def test_deals_of_other_teams_are_not_in_the_sum(alice: User, charlie: User) -> None:
    factories.deals(2, owner=alice)
    assert _kept(charlie) == {}
