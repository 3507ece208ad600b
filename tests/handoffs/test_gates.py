"""What a stage may demand of sales and delivery together, and that every door asks for the same."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from accounts.models import Organisation, User
from events import names
from events.models import Event
from handoffs import defaults
from handoffs.gates import KINDS
from handoffs.models import Commitment, CommitmentKind, CommitmentSource, RiskProfile, Stance, TaskAction, Verdict
from handoffs.review_queries import overrides
from handoffs.services.engagements import accept_engagement, complete_engagement
from handoffs.services.reviews import override_review
from handoffs.services.tasks import complete_task
from opportunities.gates import Missing
from opportunities.models import Criterion, Opportunity, StageKind
from opportunities.services.bulk import bulk_edit
from opportunities.services.criteria import offers_for
from opportunities.services.moves import GateNotMet, move_to_stage
from opportunities.services.policies import demand_of
from staffing.models import StaffingNeed
from tests import factories
from tests.cast import Browser
from tests.handoffs.reactions import MONDAY, TUESDAY, engagement_of, fresh, move, task_of
from tests.handoffs.reviewing import agreed, answer, compared, decide, requested, sign
from tests.staffing import staffed

GATES = {kind.key: kind for kind in KINDS}


def missing(key: str, opportunity: Opportunity) -> list[Missing]:
    return GATES[key].missing(fresh(opportunity), {})


def says(key: str, opportunity: Opportunity) -> str:
    return " ".join(item.sentence for item in missing(key, opportunity))


@pytest.fixture
def gated(warm_deal: Opportunity, organisation: Organisation) -> Opportunity:
    """A hot deal whose pipeline asks for an agreed review before the win."""
    defaults.demand_reviews(organisation=organisation, now=MONDAY)
    return move(move(warm_deal, "proposal").opportunity, "negotiation").opportunity


def win(opportunity: Opportunity, by: User, **given: Any) -> Opportunity:
    return move_to_stage(
        actor=by, opportunity=opportunity, stage=factories.stage("won"), expected_version=None, now=TUESDAY, **given
    ).opportunity


# --- each kind ---


def test_the_review_gate_says_what_to_do_next(warm_deal: Opportunity, alice: User, dan: User) -> None:
    assert "Ask for the deal review" in says("agreed_review", warm_deal)
    review = requested(warm_deal, alice)
    assert "answers of both sides" in says("agreed_review", warm_deal)
    answer(review, alice)
    assert "answers of delivery" in says("agreed_review", warm_deal)
    answer(review, dan)
    assert "Decide together" in says("agreed_review", warm_deal)
    decide(review, dan)
    assert "signature of sales and delivery" in says("agreed_review", warm_deal)
    sign(review, dan)
    assert "signature of sales" in says("agreed_review", warm_deal)
    sign(review, alice)
    assert missing("agreed_review", warm_deal) == []


def test_an_agreed_no_go_does_not_let_the_deal_be_won(warm_deal: Opportunity, alice: User, dan: User) -> None:
    agreed(requested(warm_deal, alice), alice, dan, Verdict.NO_GO)
    assert "no go" in says("agreed_review", warm_deal)


def test_a_newer_verdict_ends_what_was_agreed_and_what_was_overridden(
    warm_deal: Opportunity, alice: User, sam: User, dan: User
) -> None:
    review = compared(requested(warm_deal, alice), alice, dan)
    override_review(actor=sam, opportunity=warm_deal, reason="The client can't wait", now=MONDAY)
    assert missing("agreed_review", warm_deal) == []
    decide(review, dan)
    assert "signature" in says("agreed_review", warm_deal)
    sign(review, dan)
    sign(review, alice)
    assert missing("agreed_review", warm_deal) == []
    decide(review, alice, Verdict.NO_GO, reason="The price fell")
    assert "signature" in says("agreed_review", warm_deal)


def test_the_risk_profile_gate_wants_both_sides_on_the_newest_version(
    warm_deal: Opportunity, alice: User, dan: User
) -> None:
    assert "Put the risk profile up" in says("risk_profile_agreed", warm_deal)
    given = {"opportunity": warm_deal, "items": [], "proposed_by": alice, "proposed_at": MONDAY}
    signed = {"sales_agreed_by": alice, "sales_agreed_at": MONDAY, "delivery_agreed_by": dan}
    RiskProfile.objects.create(number=1, **given, **signed, delivery_agreed_at=MONDAY)
    assert missing("risk_profile_agreed", warm_deal) == []
    RiskProfile.objects.create(number=2, **given)
    assert "Version 2" in says("risk_profile_agreed", warm_deal)


def test_only_a_disputed_promise_holds_the_deal(warm_deal: Opportunity, alice: User) -> None:
    promise = Commitment.objects.create(
        opportunity=warm_deal, text="Live in May", kind=CommitmentKind.DATE, promised_by=alice,
        promised_on=MONDAY.date(), source=CommitmentSource.CALL, added_by=alice,
    )  # fmt: skip
    assert missing("no_disputed_commitment", warm_deal) == []
    Commitment.objects.filter(pk=promise.pk).update(stance=Stance.DISPUTED, stance_note="Nobody is free")
    assert "Live in May" in says("no_disputed_commitment", warm_deal)
    Commitment.objects.filter(pk=promise.pk).update(withdrawn_at=MONDAY)
    assert missing("no_disputed_commitment", warm_deal) == []


def test_the_staffing_gate_wants_its_task_done(gated: Opportunity, dan: User) -> None:
    task = task_of(gated, "staffing-needs")
    assert task.action == TaskAction.STAFFING
    assert task.title in says("staffing_asked", gated)
    complete_task(actor=dan, task=task, now=TUESDAY)
    assert missing("staffing_asked", gated) == []


def test_a_need_of_the_deal_states_the_staffing_too(gated: Opportunity) -> None:
    need = staffed.need(gated, staffed.role(), 20)
    assert missing("staffing_asked", gated) != []  # came by itself
    StaffingNeed.objects.filter(pk=need.pk).update(added_by=gated.owner)
    assert missing("staffing_asked", gated) == []
    StaffingNeed.objects.filter(pk=need.pk).update(state="cancelled", cancelled_at=TUESDAY)
    assert "by role and week" in says("staffing_asked", gated)


def test_delivery_has_accepted_also_when_it_is_through(warm_deal: Opportunity, alice: User, dan: User) -> None:
    assert "has to accept" in says("delivery_accepted", warm_deal)
    accept_engagement(actor=dan, engagement=engagement_of(warm_deal), expected_version=None, now=MONDAY)
    assert missing("delivery_accepted", warm_deal) == []
    warm_deal.tasks.update(state="cancelled")
    complete_engagement(actor=dan, engagement=engagement_of(warm_deal), expected_version=None, now=MONDAY)
    assert missing("delivery_accepted", warm_deal) == []


def test_an_unanswered_request_for_delivery_does_not_count_after_a_reopening(warm_deal: Opportunity) -> None:
    move(move(warm_deal, "lost").opportunity, "discovery")
    assert "has to accept" in says("delivery_accepted", warm_deal)


@pytest.mark.parametrize("key", sorted(GATES))
def test_each_gate_leads_to_where_it_is_met(warm_deal: Opportunity, alice: User, key: str) -> None:
    if key == "no_disputed_commitment":
        Commitment.objects.create(
            opportunity=warm_deal, text="Live in May", kind=CommitmentKind.DATE, promised_by=alice,
            promised_on=MONDAY.date(), source=CommitmentSource.CALL, added_by=alice, stance=Stance.DISPUTED,
            stance_note="No",
        )  # fmt: skip
    (item,) = missing(key, warm_deal)
    assert (item.field, item.kind) == (None, key)
    assert f"/deals/{warm_deal.pk}/" in item.link


def test_administrators_are_offered_every_kind(organisation: Organisation) -> None:
    offered = {offer.demanded.kind for offer in offers_for(factories.stage("won"))}
    assert set(GATES) <= offered


def test_a_deal_that_is_not_saved_lacks_them_without_a_query(
    organisation: Organisation, django_assert_num_queries: Any
) -> None:
    unsaved = Opportunity(name="New", kind=StageKind.OPEN)
    with django_assert_num_queries(0):
        lacking = {key for key, kind in GATES.items() if kind.missing(unsaved, {})}
    assert lacking == set(GATES) - {"no_disputed_commitment"}


# --- the same answer at every door ---


def test_the_win_is_refused_before_and_possible_after(gated: Opportunity, alice: User, dan: User) -> None:
    with pytest.raises(GateNotMet) as refused:
        win(gated, alice)
    assert [item.kind for item in refused.value.missing] == ["agreed_review"]
    review = gated.deal_reviews.get()
    agreed(review, alice, dan)
    assert win(fresh(gated), alice).kind == StageKind.WON


def test_board_and_form_show_the_sentence_with_its_link(gated: Opportunity, alice: User) -> None:
    given = {"stage": factories.stage("won").pk, "version": gated.version, "seen": gated.stage_id}
    response = Browser(alice).hx("post", reverse("opportunities:move", args=[gated.pk]), given)
    (item,) = demand_of(fresh(gated), factories.stage("won")).missing
    assert response.status_code == 422
    assert item.sentence in response.content.decode()
    assert f'href="{item.link}"' in response.content.decode()


def test_a_drop_that_nothing_typed_would_help_offers_to_look_again(gated: Opportunity, alice: User, sam: User) -> None:
    given = {"stage": factories.stage("won").pk, "version": gated.version, "seen": gated.stage_id}
    url = reverse("opportunities:move", args=[gated.pk])
    reps, managers = (Browser(user).hx("post", url, given).content.decode() for user in (alice, sam))
    assert "Try again" in reps
    assert "Move to Won" not in reps
    assert "Move to Won" in managers


def test_bulk_edit_refuses_with_the_same_sentence(gated: Opportunity, alice: User) -> None:
    outcome = bulk_edit(actor=alice, deal_ids=[gated.pk], stage=factories.stage("won"), now=TUESDAY)
    assert outcome.changed == 0
    (item,) = demand_of(fresh(gated), factories.stage("won")).missing
    assert item.sentence in str(outcome)
    assert fresh(gated).kind == StageKind.OPEN


def test_going_past_the_gate_costs_a_reason_and_is_counted(gated: Opportunity, sam: User, alice: User) -> None:
    with pytest.raises(PermissionDenied):
        win(gated, alice, bypass=True, reason="I am in a hurry")
    assert win(gated, sam, bypass=True, reason="Signed on paper").kind == StageKind.WON
    assert Event.objects.filter(name=names.OPPORTUNITY_GATE_BYPASSED).count() == 1
    (line,) = overrides(sam, MONDAY)
    assert (line.person, line.bypasses, line.overrides) == (sam.name, 1, 0)


def test_new_organisations_ask_for_the_review_once(organisation: Organisation) -> None:
    for _time in range(2):
        defaults.demand_reviews(organisation=organisation, now=MONDAY)
    found = Criterion.objects.filter(kind="agreed_review").values_list("stage__key", flat=True)
    assert list(found) == ["won"]
