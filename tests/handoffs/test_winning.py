"""What a win brings, in the transaction that wins."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.db import transaction
from django.urls import reverse

from accounts.models import User
from accounts.queries import organisation
from events import names
from events.models import Event
from handoffs.models import Handoff, HandoffState, RampPlan, Task, TaskState
from handoffs.services.handoff import HandoffFrozen, waive_item
from handoffs.services.tasks import complete_task
from opportunities.models import Opportunity, Stage
from opportunities.models.history import Source
from opportunities.services import loading
from opportunities.services.bulk import bulk_edit
from opportunities.services.moves import move_to_stage
from opportunities.services.versions import locked
from tests import factories
from tests.cast import Browser
from tests.handoffs.handing import handoff_of, item_of, won
from tests.handoffs.reactions import MONDAY, TUESDAY, deal, move, react, undo

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


def test_the_deal_comes_back_as_what_followed_left_it(alice: User, dan: User) -> None:
    offered = deal("prospect", owner=alice)
    moved = move(offered, "won", reacts=False).opportunity
    stored = Opportunity.objects.get(pk=offered.pk)
    assert moved.delivery_owner == stored.delivery_owner == dan
    assert moved.version == stored.version


def test_winning_twice_by_one_request_is_one_win(alice: User, dan: User) -> None:
    offered, request = deal("proposal", owner=alice, delivery_owner=dan), uuid.uuid4()
    moved = {
        move_to_stage(
            actor=alice, opportunity=offered, stage=factories.stage("won"), expected_version=None, now=MONDAY,
            reason="Because", request_id=request,
        ).opportunity.version
        for _ in range(5)
    }  # fmt: skip
    assert len(moved) == Handoff.objects.count() == 1
    assert Event.objects.filter(name=names.OPPORTUNITY_WON).count() == 1


def test_reopening_lets_it_rest_in_the_transaction_that_reopens(alice: User) -> None:
    deal_won = won(owner=alice)
    move(deal_won, "negotiation", now=TUESDAY, reacts=False)
    assert handoff_of(deal_won).shelved_at == RampPlan.objects.get().shelved_at == TUESDAY


def test_undoing_a_win_lets_it_rest(alice: User) -> None:
    moved = move(deal("proposal", owner=alice), "won")
    undo(moved.change, reacts=False)
    assert handoff_of(moved.opportunity).shelved_at is not None
    react()
    assert not Task.objects.filter(handoff__isnull=False, state=TaskState.OPEN).exists()


def test_undoing_a_win_that_called_delivery_in_lets_it_rest(alice: User) -> None:
    moved = move(deal("prospect", owner=alice), "won")
    undo(moved.change)
    assert handoff_of(moved.opportunity).shelved_at is not None
    assert not Task.objects.filter(ramp_plan__isnull=False, state=TaskState.OPEN).exists()


def test_undoing_a_reopening_takes_it_up_again_at_once(alice: User) -> None:
    deal_won = won(owner=alice)
    reopened = move(deal_won, "negotiation", now=TUESDAY)
    undo(reopened.change, reacts=False)
    assert handoff_of(deal_won).shelved_at is None
    assert set(Task.objects.filter(handoff__isnull=False).values_list("state", flat=True)) == {TaskState.OPEN}


def test_what_was_done_and_waived_stays_so_through_a_reopening(alice: User, sam: User, dan: User) -> None:
    deal_won = won(owner=alice, delivery_owner=dan)
    complete_task(actor=alice, task=item_of(deal_won, "promises-noted"), now=MONDAY)
    waive_item(actor=sam, task=item_of(deal_won, "estimate"), reason="Price list", now=MONDAY)
    reopened = move(deal_won, "negotiation", now=TUESDAY).opportunity
    assert item_of(reopened, "contract").state == TaskState.PAUSED
    move(reopened, "won", now=TUESDAY)
    states = {key: item_of(reopened, key).state for key in ("promises-noted", "estimate", "contract")}
    assert states == {"promises-noted": "done", "estimate": "waived", "contract": "open"}
    assert item_of(reopened, "estimate").waived_reason == "Price list"


def test_a_resting_item_is_not_ticked(alice: User, dan: User) -> None:
    deal_won = won(owner=alice, delivery_owner=dan)
    move(deal_won, "negotiation", now=TUESDAY, reacts=False)
    with pytest.raises(HandoffFrozen, match="open again"):
        complete_task(actor=alice, task=item_of(deal_won, "promises-noted"), now=TUESDAY)


def test_an_approval_does_not_outlive_a_reopening(alice: User) -> None:
    deal_won = won(owner=alice)
    Handoff.objects.update(state=HandoffState.APPROVED, approved_at=MONDAY)
    move(deal_won, "negotiation", now=TUESDAY, reacts=False)
    assert (handoff_of(deal_won).state, handoff_of(deal_won).approved_at) == (HandoffState.DRAFT, None)


def test_a_delivery_owner_who_runs_projects_is_the_project_manager(alice: User, pia: User) -> None:
    assert handoff_of(won(owner=alice, delivery_owner=pia)).project_manager == pia


def test_nobody_is_project_manager_by_chance(alice: User, dan: User, pia: User) -> None:
    deal_won = won(owner=alice, delivery_owner=dan)
    assert handoff_of(deal_won).project_manager is None
    assert item_of(deal_won, "kickoff-set").assignee is None


def test_the_kickoff_is_the_named_start(alice: User) -> None:
    deal_won = won(owner=alice, start_on=dt.date(2027, 4, 3))  # a Saturday
    assert handoff_of(deal_won).ramp_plan.kickoff_on == dt.date(2027, 4, 5)
    assert item_of(deal_won, "client-kickoff").due_on == dt.date(2027, 4, 5)


def test_it_is_won_on_the_board(alice: User, dan: User, as_alice: Browser) -> None:
    offered = deal("proposal", owner=alice, delivery_owner=dan)
    answer = as_alice.hx(
        "post", reverse("opportunities:move", args=[offered.pk]),
        {"stage": factories.stage("won").pk, "version": offered.version, "reason": "Signed"},
    )  # fmt: skip
    assert answer.status_code < 300
    assert Handoff.objects.get().opportunity == offered


def test_it_is_won_in_bulk(alice: User, dan: User) -> None:
    offered = [deal("proposal", owner=alice, delivery_owner=dan) for _ in range(2)]
    bulk_edit(actor=alice, deal_ids=[each.pk for each in offered], now=MONDAY, stage=factories.stage("won"))
    assert set(Handoff.objects.values_list("opportunity", flat=True)) == {each.pk for each in offered}


def test_a_deal_stated_as_won_by_an_import_gets_it_with_the_reaction(alice: User) -> None:
    offered = deal("proposal", owner=alice)
    stated_won(offered, is_baseline=False)
    assert not Handoff.objects.exists()
    react()
    assert Handoff.objects.get().opportunity == offered
    assert Task.objects.filter(handoff__isnull=False).exists()


def test_a_baseline_opens_none(alice: User) -> None:
    offered = deal("proposal", owner=alice)
    stated_won(offered, is_baseline=True)
    react()
    assert not Handoff.objects.exists()
    assert not Task.objects.filter(trigger__in=["won", "handoff"]).exists()


def test_undoing_the_reopening_of_a_deal_won_long_ago_opens_none(alice: User) -> None:
    offered = deal("proposal", owner=alice)
    stated_won(offered, is_baseline=True)
    react()
    reopened = move(Opportunity.objects.get(pk=offered.pk), "negotiation", now=TUESDAY)
    undo(reopened.change)
    assert not Handoff.objects.exists()


def stated_won(opportunity: Opportunity, *, is_baseline: bool) -> None:
    """Another system says that the deal is won."""
    with transaction.atomic():
        current = locked(opportunity)
        statement = loading.state(
            current, {}, step=loading.Step(factories.stage("won"), MONDAY), closed_on=None, is_baseline=is_baseline,
            newest=current.stage_changes.order_by("-number").first(), home=organisation(), source=Source.IMPORT,
            stages=list(Stage.objects.filter(pipeline=current.pipeline).order_by("position")), actor=None, now=MONDAY,
        )  # fmt: skip
        assert statement is not None
        loading.save_many(actor=None, statements=[statement], now=MONDAY)
