"""Many people at the same deal review."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from events import names
from events.models import Event
from handoffs import defaults
from handoffs.models import (
    DealReview,
    Escalation,
    ReviewAnswer,
    ReviewDecision,
    ReviewOverride,
    ReviewState,
    Trigger,
    Verdict,
)
from handoffs.services.escalation import escalate_late_reviews
from handoffs.services.reviews import (
    StaleReview,
    decide_review,
    override_review,
    request_review,
    save_answers,
    sign_decision,
    take_back_answers,
)
from handoffs.states import IllegalTransition
from opportunities.models import Opportunity
from tests.concurrency.test_moves import at_once
from tests.factories import deal, organisation
from tests.handoffs.reviewing import answer, fresh

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sold(alice: User, dan: User) -> Opportunity:
    """A deal of Alice's with Dan for delivery."""
    defaults.create(organisation=organisation(), now=timezone.now())
    return deal("qualified", owner=alice, delivery_owner=dan)


@pytest.fixture
def review(sold: Opportunity, alice: User) -> DealReview:
    """Its running review."""
    return request_review(
        actor=alice, opportunity=sold, is_express=True, trigger=Trigger.ASKED, now=timezone.now()
    )  # fmt: skip


def happened(name: str) -> int:
    return Event.objects.filter(name=name).count()


def decide(review: DealReview, by: User, verdict: str, seen: int, summary: str = "") -> str:
    """What came of it: the verdict, or that somebody else was quicker."""
    try:
        decide_review(
            actor=by, review=fresh(review), verdict=verdict, summary=summary, conditions=(), reason="Once more",
            expected_version=seen, now=timezone.now(),
        )  # fmt: skip
    except StaleReview as told:
        return f"told {told.current.decisions.order_by('-number')[0].verdict}"
    return verdict


def test_twenty_ask_at_once_and_one_review_runs(sold: Opportunity, alice: User, dan: User) -> None:
    def ask(number: int) -> int:
        return request_review(
            actor=(alice, dan)[number % 2],
            opportunity=sold,
            is_express=False,
            trigger=Trigger.ASKED,
            now=timezone.now(),
        ).pk

    assert len(set(at_once(ask, range(20)))) == 1
    assert happened(names.REVIEW_REQUESTED) == 1


def test_both_sides_hand_in_at_the_same_moment_and_both_are_compared(
    review: DealReview, alice: User, dan: User
) -> None:
    at_once(lambda person: answer(review, person, 3), [alice, dan])
    assert fresh(review).state == ReviewState.COMPARING
    assert (happened(names.REVIEW_ANSWERED), happened(names.REVIEW_COMPARED)) == (2, 1)


def test_taking_back_against_handing_in_never_opens_half(sold: Opportunity, alice: User, dan: User) -> None:
    """Either the answers came back in time, or they are fixed; they are not open and changeable."""
    for _round in range(10):
        DealReview.objects.update(state=ReviewState.CANCELLED)
        review = request_review(
            actor=alice, opportunity=sold, is_express=True, trigger=Trigger.ASKED, now=timezone.now()
        )
        answer(review, alice, 5)

        def act(person: User, review: DealReview = review, dan: User = dan) -> str:
            try:
                if person == dan:
                    answer(review, dan, 2)
                else:
                    take_back_answers(actor=person, review=fresh(review), now=timezone.now())
            except IllegalTransition:
                return "fixed"
            return "done"

        taken_back, _handed_in = at_once(act, [alice, dan])
        found = fresh(review)
        is_open = ReviewAnswer.objects.shown_to(None).filter(question__review=review).exists()
        assert is_open == found.are_both_in == (taken_back == "fixed")
        assert found.state == (ReviewState.COMPARING if is_open else ReviewState.ANSWERING)


def test_two_people_decide_at_once_and_one_verdict_stands(review: DealReview, alice: User, dan: User) -> None:
    for person in (alice, dan):
        answer(review, person, 3)
    for round_number in range(1, 11):
        seen = fresh(review).version

        def act(given: tuple[User, str], seen: int = seen, summary: str = f"Round {round_number}") -> str:
            return decide(review, given[0], given[1], seen, summary)

        results = at_once(act, [(alice, Verdict.GO), (dan, Verdict.NO_GO)])
        stands = ReviewDecision.objects.order_by("-number")[0]
        assert sorted(results) == sorted([stands.verdict, f"told {stands.verdict}"])
        assert (stands.number, ReviewDecision.objects.count()) == (round_number, round_number)


def test_fifty_identical_signatures_are_one(review: DealReview, alice: User, dan: User) -> None:
    for person in (alice, dan):
        answer(review, person, 3)
    decide(review, dan, Verdict.GO, fresh(review).version)

    def sign(person: User) -> Any:
        return sign_decision(actor=person, review=fresh(review), number=1, now=timezone.now()).pk

    assert len(set(at_once(sign, [alice] * 50))) == 1
    assert (happened(names.REVIEW_SIGNED), happened(names.REVIEW_AGREED)) == (1, 0)
    assert len(set(at_once(sign, [alice, dan] * 25))) == 1
    assert (happened(names.REVIEW_SIGNED), happened(names.REVIEW_AGREED)) == (2, 1)
    assert fresh(review).state == ReviewState.AGREED


def test_a_signature_and_a_further_version_at_once_never_agree_what_was_not_seen(
    review: DealReview, alice: User, dan: User
) -> None:
    for person in (alice, dan):
        answer(review, person, 3)
    decide(review, dan, Verdict.GO, fresh(review).version)
    for number in range(1, 11):
        sign_decision(actor=dan, review=fresh(review), number=number, now=timezone.now())
        seen = fresh(review).version

        def act(person: User, number: int = number, seen: int = seen) -> str:
            if person == dan:
                return decide(review, dan, (Verdict.GO, Verdict.NO_GO)[number % 2], seen)
            try:
                sign_decision(actor=alice, review=fresh(review), number=number, now=timezone.now())
            except StaleReview:
                return "stale"
            return "signed"

        signed, decided = at_once(act, [alice, dan])
        newest = ReviewDecision.objects.order_by("-number")[0]
        if signed == "signed":
            assert decided.startswith("told")
            assert (newest.number, newest.is_signed, fresh(review).state) == (number, True, ReviewState.AGREED)
            decide(review, dan, (Verdict.GO, Verdict.NO_GO)[number % 2], fresh(review).version)
        else:
            assert (newest.number, newest.is_signed, newest.sales_signed_at) == (number + 1, False, None)


def test_twenty_overrides_at_once_are_one_row(sold: Opportunity, sam: User) -> None:
    def override(_number: int) -> int:
        return override_review(actor=sam, opportunity=sold, reason="The client can't wait", now=timezone.now()).pk

    assert len(set(at_once(override, range(20)))) == 1
    assert ReviewOverride.objects.count() == DealReview.objects.count() == 1


def test_ten_clocks_tell_the_chain_once(review: DealReview) -> None:
    DealReview.objects.update(due_at=timezone.now() - dt.timedelta(days=3))
    at_once(lambda _number: escalate_late_reviews(now=timezone.now()), range(10))
    escalate_late_reviews(now=timezone.now())
    assert list(Escalation.objects.order_by("position").values_list("position", flat=True)) == [1, 2, 3]
    assert happened(names.REVIEW_ESCALATED) == 3


def test_colleagues_write_one_draft_together(review: DealReview, alice: User, sam: User) -> None:
    """Different questions at the same moment: nothing that one wrote is lost to the other."""
    keys = list(review.questions.values_list("pk", flat=True))

    def write(given: tuple[User, int]) -> None:
        person, key = given
        save_answers(actor=person, review=fresh(review), answers={key: (4, "")}, hand_in=False, now=timezone.now())

    at_once(write, [((alice, sam)[index % 2], key) for index, key in enumerate(keys)])
    assert set(ReviewAnswer.objects.values_list("question", "score")) == {(key, 4) for key in keys}
