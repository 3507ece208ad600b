"""The verdict of a deal review: proposed, signed by both sides, changed by further versions, overridden."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from accounts.models import User
from events import names
from events.models import Event
from handoffs.models import (
    ConditionState,
    DealReview,
    ReviewCondition,
    ReviewDecision,
    ReviewOverride,
    ReviewState,
    Verdict,
)
from handoffs.review_queries import decision_diff, overrides, review_page, review_panel
from handoffs.services.reviews import ConditionDraft, StaleReview, override_review, settle_condition
from handoffs.services.reviews.standing import standing_of
from handoffs.states import IllegalTransition
from opportunities.models import Opportunity
from tests.handoffs.reactions import MONDAY, TUESDAY, move
from tests.handoffs.reactions import fresh as fresh_deal
from tests.handoffs.reviewing import IN_A_WEEK, agreed, answer, compared, decide, fresh, requested, sign


@pytest.fixture
def review(warm_deal: Opportunity, alice: User, dan: User) -> DealReview:
    """A review that both sides have answered on Monday."""
    return compared(requested(warm_deal, alice), alice, dan)


def conditions(alice: User, dan: User) -> list[ConditionDraft]:
    return [
        ConditionDraft("Acceptance criteria are written", alice, IN_A_WEEK),
        ConditionDraft("An architect is named", dan, IN_A_WEEK),
    ]


def happened(name: str) -> int:
    return Event.objects.filter(name=name).count()


# --- deciding and signing ---


def test_go_if_with_conditions_is_agreed_by_two_signatures(review: DealReview, alice: User, dan: User) -> None:
    decision = decide(review, dan, Verdict.GO_IF, conditions=conditions(alice, dan), summary="Nearly")
    assert (decision.number, fresh(review).state) == (1, ReviewState.DECIDED)
    assert not decision.is_signed
    sign(review, dan)
    assert fresh(review).state == ReviewState.DECIDED
    assert sign(review, alice, now=TUESDAY).is_signed
    assert (fresh(review).state, fresh(review).ended_at) == (ReviewState.AGREED, TUESDAY)
    assert list(decision.conditions.values_list("owner__name", flat=True)) == ["Alice", "Dan"]
    assert [happened(name) for name in (names.REVIEW_DECIDED, names.REVIEW_SIGNED, names.REVIEW_AGREED)] == [1, 2, 1]


def test_nobody_decides_before_both_have_answered(warm_deal: Opportunity, alice: User, dan: User) -> None:
    running = requested(warm_deal, alice)
    answer(running, alice)
    with pytest.raises(IllegalTransition):
        decide(running, dan)


def test_one_person_never_signs_for_both(review: DealReview, alice: User, dan: User) -> None:
    decide(review, dan)
    sign(review, alice)
    Opportunity.objects.filter(pk=review.opportunity_id).update(owner=None, delivery_owner=alice)
    with pytest.raises(PermissionDenied):
        sign(review, alice)
    with pytest.raises(IntegrityError, match="signed_by_two_people"), transaction.atomic():
        ReviewDecision.objects.update(delivery_signed_by=alice)


@pytest.mark.parametrize("name", ["eve", "ada", "charlie"])
def test_those_above_and_outside_neither_decide_nor_sign(
    review: DealReview, dan: User, name: str, request: pytest.FixtureRequest
) -> None:
    person = request.getfixturevalue(name)
    with pytest.raises(PermissionDenied):
        decide(review, person)
    decide(review, dan)
    with pytest.raises(PermissionDenied):
        sign(review, person)


def test_signing_again_changes_nothing_also_for_a_colleague(
    review: DealReview, alice: User, sam: User, dan: User
) -> None:
    decide(review, dan)
    sign(review, alice)
    before = fresh(review).version
    assert sign(review, alice).sales_signed_by == alice
    assert sign(review, sam).sales_signed_by == alice
    assert (fresh(review).version, happened(names.REVIEW_SIGNED)) == (before, 1)


def test_a_signature_is_for_the_version_that_was_seen(review: DealReview, alice: User, dan: User) -> None:
    decide(review, dan)
    decide(review, dan, Verdict.NO_GO, reason="The price fell")
    with pytest.raises(StaleReview):
        sign(review, alice, number=1)
    assert not ReviewDecision.objects.filter(sales_signed_by__isnull=False).exists()


def test_there_is_nothing_to_sign_before_a_verdict(review: DealReview, alice: User) -> None:
    with pytest.raises(IllegalTransition):
        sign(review, alice)


def test_of_two_verdicts_from_the_same_page_the_second_is_told(review: DealReview, alice: User, dan: User) -> None:
    seen = fresh(review).version
    decide(review, dan, version=seen)
    with pytest.raises(StaleReview) as told:
        decide(review, alice, Verdict.NO_GO, version=seen)
    assert told.value.current.version == seen + 1
    assert review.decisions.get().verdict == Verdict.GO


def test_the_same_verdict_sent_twice_is_one(review: DealReview, alice: User, dan: User) -> None:
    seen = fresh(review).version
    given: dict[str, Any] = {"conditions": conditions(alice, dan), "version": seen}
    assert decide(review, dan, Verdict.GO_IF, **given).pk == decide(review, dan, Verdict.GO_IF, **given).pk
    assert happened(names.REVIEW_DECIDED) == 1


# --- conditions ---


def test_go_if_needs_a_condition_and_go_takes_none(review: DealReview, alice: User, dan: User) -> None:
    with pytest.raises(ValidationError) as refused:
        decide(review, dan, Verdict.GO_IF)
    assert list(refused.value.message_dict) == ["conditions"]
    with pytest.raises(ValidationError) as refused:
        decide(review, dan, Verdict.GO, conditions=conditions(alice, dan))
    assert list(refused.value.message_dict) == ["verdict"]


def test_each_faulty_condition_is_named(review: DealReview, alice: User, dan: User, charlie: User) -> None:
    yesterday = MONDAY.date() - dt.timedelta(days=1)
    drafts = [
        ConditionDraft("Fine", alice, IN_A_WEEK),
        ConditionDraft(" ", alice, IN_A_WEEK),
        ConditionDraft("Whose?", charlie, IN_A_WEEK),
        ConditionDraft("When?", dan, yesterday),
        ConditionDraft("x" * 301, dan, dt.date(9999, 1, 1)),
    ]
    with pytest.raises(ValidationError) as refused:
        decide(review, dan, Verdict.GO_IF, conditions=drafts)
    assert set(refused.value.message_dict) == {
        "conditions.1.text", "conditions.2.owner", "conditions.3.due_on", "conditions.4.text", "conditions.4.due_on",
    }  # fmt: skip
    assert not ReviewDecision.objects.exists()


def settle(condition: ReviewCondition, by: User, state: str, note: str = "") -> ReviewCondition:
    found = ReviewCondition.objects.select_related("decision__review__opportunity").get(pk=condition.pk)
    return settle_condition(actor=by, condition=found, state=state, note=note, now=TUESDAY)


def test_a_condition_is_settled_by_its_owner_or_either_side(
    review: DealReview, alice: User, dan: User, eve: User, pia: User, charlie: User
) -> None:
    drafts = [ConditionDraft("The board agrees", eve, IN_A_WEEK)]
    condition = decide(review, dan, Verdict.GO_IF, conditions=drafts).conditions.get()
    with pytest.raises(PermissionDenied):
        settle(condition, charlie, ConditionState.MET)
    with pytest.raises(ValidationError):
        settle(condition, eve, ConditionState.DROPPED)
    met = settle(condition, eve, ConditionState.MET, "In Tuesday's meeting")
    assert (met.state, met.settled_by, met.settled_at) == (ConditionState.MET, eve, TUESDAY)
    settle(condition, eve, ConditionState.MET, "In Tuesday's meeting")
    assert happened(names.REVIEW_CONDITION_SETTLED) == 1
    assert settle(condition, pia, ConditionState.OPEN).settled_by is None


def test_a_condition_is_settled_after_the_win_too(review: DealReview, alice: User, dan: User) -> None:
    agreed_review = review
    decision = decide(review, dan, Verdict.GO_IF, conditions=conditions(alice, dan))
    sign(review, dan)
    sign(review, alice)
    move(move(fresh_deal(agreed_review.opportunity), "negotiation").opportunity, "won")
    assert settle(decision.conditions.all()[0], alice, ConditionState.MET).state == ConditionState.MET


# --- further versions ---


def test_a_further_version_needs_a_reason_and_both_signatures_again(review: DealReview, alice: User, dan: User) -> None:
    agreed_before = decide(review, dan, Verdict.GO_IF, conditions=conditions(alice, dan))
    sign(review, dan)
    sign(review, alice)
    first, second = agreed_before.conditions.all()
    settle(first, alice, ConditionState.MET, "Done")
    kept = ConditionDraft(first.text, alice, first.due_on, follows=first.pk)
    changed = ConditionDraft("Two architects are named", dan, second.due_on, follows=second.pk)
    added = ConditionDraft("Test data is there", alice, IN_A_WEEK)
    with pytest.raises(ValidationError) as refused:
        decide(review, alice, Verdict.GO_IF, conditions=[kept, changed, added])
    assert list(refused.value.message_dict) == ["reason"]
    later = decide(review, alice, Verdict.GO_IF, conditions=[kept, changed, added], reason="More scope")
    assert (later.number, fresh(review).state, fresh(review).ended_at) == (2, ReviewState.DECIDED, None)
    assert not standing_of(review.opportunity).lets_win
    assert list(later.conditions.values_list("state", "settled_note")) == [("met", "Done"), ("open", ""), ("open", "")]
    sign(review, alice, 2)
    sign(review, dan, 2)
    assert standing_of(review.opportunity).lets_win


def test_the_difference_between_versions(review: DealReview, alice: User, dan: User, pia: User) -> None:
    old = decide(review, dan, Verdict.GO_IF, conditions=conditions(alice, dan), summary="Nearly")
    first, second = old.conditions.all()
    drafts = [
        ConditionDraft(second.text, pia, second.due_on + dt.timedelta(days=1), follows=second.pk),
        ConditionDraft("Test data is there", alice, IN_A_WEEK),
    ]
    new = decide(review, dan, Verdict.GO_IF, conditions=drafts, reason="Dan is away", summary="Nearly")
    diff = decision_diff(old, new)
    found = [(change.kind, change.changed) for change in diff.conditions]
    assert found == [("changed", ["owner", "due_on"]), ("added", []), ("removed", [])]
    assert (diff.is_verdict_changed, diff.is_summary_changed) == (False, False)
    assert diff.conditions[2].old == first


@pytest.mark.parametrize("follows", ["twice", "stranger"])
def test_a_condition_is_carried_over_once_and_from_the_version_before(
    review: DealReview, alice: User, dan: User, follows: str
) -> None:
    old = decide(review, dan, Verdict.GO_IF, conditions=conditions(alice, dan))
    key = old.conditions.all()[0].pk if follows == "twice" else 999_999
    drafts = [ConditionDraft(text, alice, IN_A_WEEK, follows=key) for text in ("One", "Two")]
    with pytest.raises(ValidationError) as refused:
        decide(review, dan, Verdict.GO_IF, conditions=drafts, reason="Why not")
    assert list(refused.value.message_dict) == ["conditions"]


def test_a_condition_of_an_older_version_is_not_settled_any_more(review: DealReview, alice: User, dan: User) -> None:
    old = decide(review, dan, Verdict.GO_IF, conditions=conditions(alice, dan))
    decide(review, dan, Verdict.GO, reason="All is settled")
    with pytest.raises(StaleReview):
        settle(old.conditions.all()[0], alice, ConditionState.MET)


def test_a_verdict_on_a_closed_deal_stays_as_it_is(review: DealReview, alice: User, dan: User) -> None:
    decide(review, dan)
    sign(review, dan)
    sign(review, alice)
    move(move(fresh_deal(review.opportunity), "negotiation").opportunity, "won")
    with pytest.raises(ValidationError):
        decide(review, dan, Verdict.NO_GO, reason="Second thoughts")
    assert fresh(review).state == ReviewState.AGREED


# --- override ---


def test_an_override_costs_a_reason_is_a_row_and_is_counted_once(
    warm_deal: Opportunity, alice: User, sam: User
) -> None:
    with pytest.raises(PermissionDenied):
        override_review(actor=alice, opportunity=warm_deal, reason="Please", now=MONDAY)
    with pytest.raises(ValidationError):
        override_review(actor=sam, opportunity=warm_deal, reason="  ", now=MONDAY)
    for _time in range(3):
        override_review(actor=sam, opportunity=warm_deal, reason="The client can't wait", now=MONDAY)
    assert ReviewOverride.objects.get().by == sam
    assert happened(names.REVIEW_OVERRIDDEN) == 1
    (line,) = overrides(sam, MONDAY)
    assert (line.team, line.person, line.bypasses, line.overrides, line.total) == ("Sales North", "Sam", 0, 1, 1)
    assert overrides(sam, TUESDAY) == []
    # The review that was left out stands there to be seen.
    assert warm_deal.deal_reviews.get().state == ReviewState.ANSWERING


def test_sales_managers_of_other_teams_override_nothing(warm_deal: Opportunity, charlie: User) -> None:
    User.objects.filter(pk=charlie.pk).update(roles=["sales_manager"])
    charlie.refresh_from_db()
    with pytest.raises(PermissionDenied):
        override_review(actor=charlie, opportunity=warm_deal, reason="Not mine", now=MONDAY)


def test_there_is_nothing_to_override_where_all_is_agreed(
    warm_deal: Opportunity, alice: User, sam: User, dan: User
) -> None:
    agreed(requested(warm_deal, alice), alice, dan)
    with pytest.raises(ValidationError):
        override_review(actor=sam, opportunity=warm_deal, reason="To be sure", now=MONDAY)


# --- what pages are told ---


def test_the_panel_says_what_waits_for_whom(
    warm_deal: Opportunity, alice: User, sam: User, dan: User, eve: User
) -> None:
    def waits() -> tuple[str, str, str]:
        found = [review_panel(person, warm_deal, MONDAY).waits_for_me for person in (alice, dan, eve)]
        return found[0], found[1], found[2]

    assert waits() == ("", "", "")
    assert review_panel(alice, warm_deal, MONDAY).may_request
    review = requested(warm_deal, alice)
    assert not review_panel(alice, warm_deal, MONDAY).may_request
    assert waits() == ("answer", "answer", "")
    answer(review, alice)
    assert waits() == ("", "answer", "")
    answer(review, dan)
    assert waits() == ("decide", "decide", "")
    decide(review, dan)
    assert waits() == ("sign", "sign", "")
    sign(review, dan)
    assert waits() == ("sign", "", "")
    assert review_panel(sam, warm_deal, MONDAY).may_override
    sign(review, alice)
    assert waits() == ("", "", "")
    assert not review_panel(sam, warm_deal, MONDAY).may_override


def test_the_page_offers_what_the_person_may_do(
    review: DealReview, alice: User, dan: User, eve: User, ada: User
) -> None:
    decide(review, dan, Verdict.GO_IF, conditions=conditions(alice, dan))
    sign(review, dan)

    def offered(person: User) -> tuple[bool, ...]:
        page = review_page(person, fresh(review), MONDAY)
        return page.may_decide, page.may_sign, page.may_schedule, page.may_answer

    assert offered(alice) == (True, True, True, False)
    assert offered(dan) == (True, False, True, False)
    assert offered(eve) == (False, False, False, False)
    assert offered(ada) == (False, False, True, False)


def test_the_page_costs_the_same_for_one_and_for_many(
    review: DealReview, alice: User, dan: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(6):
        drafts = conditions(alice, dan) * (number + 1)
        decide(review, dan, Verdict.GO_IF, conditions=drafts, reason=f"Round {number}")
    with django_assert_max_num_queries(12):
        page = review_page(alice, fresh(review), MONDAY)
        assert [len(list(decision.conditions.all())) for decision in page.decisions] == [12, 10, 8, 6, 4, 2]
        assert [str(each.owner) for decision in page.decisions for each in decision.conditions.all()][:2]
    with django_assert_max_num_queries(6):
        panel = review_panel(alice, review.opportunity, MONDAY)
        assert [str(each.owner) for each in panel.conditions]
