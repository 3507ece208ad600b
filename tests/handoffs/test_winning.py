"""What a win brings, in the transaction that wins."""

from __future__ import annotations

import pytest

from accounts.models import User
from handoffs.models import Handoff, RampPlan, Task, TaskState
from tests.handoffs.handing import handoff_of, won
from tests.handoffs.reactions import MONDAY, TUESDAY, deal, move, react

pytestmark = pytest.mark.django_db


def test_a_win_brings_its_handoff_before_any_reaction_ran(alice: User, dan: User) -> None:
    offered = deal("proposal", owner=alice, delivery_owner=dan)
    move(offered, "won", reacts=False)
    assert Handoff.objects.get().opportunity == offered
    assert RampPlan.objects.get().handoff.opportunity == offered


def test_reactions_that_run_later_add_nothing(alice: User) -> None:
    offered = deal("proposal", owner=alice)
    move(offered, "won", reacts=False)
    tasks = set(Task.objects.values_list("pk", "state"))
    react(TUESDAY)
    assert set(Task.objects.values_list("pk", "state")) == tasks
    assert Handoff.objects.get().version == 1


def test_reopening_lets_it_rest_and_winning_again_takes_it_up(alice: User) -> None:
    deal_won = won(owner=alice)
    items = set(Task.objects.filter(state=TaskState.OPEN).values_list("pk", flat=True))
    reopened = move(deal_won, "negotiation", now=TUESDAY).opportunity
    assert handoff_of(reopened).shelved_at == TUESDAY
    move(reopened, "won", now=TUESDAY)
    assert handoff_of(reopened).shelved_at is None
    assert set(Task.objects.filter(state=TaskState.OPEN).values_list("pk", flat=True)) == items
    assert Handoff.objects.count() == RampPlan.objects.count() == 1
    assert handoff_of(reopened).opened_at == MONDAY
