"""Answering a deal review: each side apart, and nothing seen of the other before both are in."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.serializers import serialize
from django.db import IntegrityError, transaction

from accounts.models import Role, Side, User
from events import names
from events.models import Event
from handoffs.models import AskedQuestion, DealReview, ReviewAnswer, ReviewState
from handoffs.review_queries import comparison, open_points, review_page, review_panel
from handoffs.services.reviews import save_answers, take_back_answers
from handoffs.states import IllegalTransition
from opportunities.models import Opportunity
from tests import factories
from tests.handoffs.reactions import MONDAY, TUESDAY, move
from tests.handoffs.reviewing import SECRET, answer, compared, fresh, requested


@pytest.fixture
def review(warm_deal: Opportunity, alice: User) -> DealReview:
    """A review that Alice asked for on Monday."""
    return requested(warm_deal, alice)


def events_of(review: DealReview) -> list[str]:
    told = Event.objects.filter(opportunity_id=review.opportunity_id, name__startswith="reviews.")
    return list(told.order_by("pk").values_list("name", flat=True))


def shown_to(review: DealReview, side: Side | None) -> set[str]:
    return set(ReviewAnswer.objects.shown_to(side).filter(question__review=review).values_list("side", flat=True))


# --- apart, then together ---


def test_handing_in_opens_nothing_to_the_other_side(review: DealReview, alice: User) -> None:
    handed_in = answer(review, alice, 4, note=SECRET)
    assert (handed_in.state, handed_in.sales_answered_by) == (ReviewState.ANSWERING, alice)
    assert shown_to(review, Side.SALES) == {"sales"}
    assert shown_to(review, Side.DELIVERY) == set()
    assert shown_to(review, None) == set()


def test_once_both_are_in_everybody_sees_all(review: DealReview, alice: User, dan: User) -> None:
    assert compared(review, alice, dan).state == ReviewState.COMPARING
    for side in (Side.SALES, Side.DELIVERY, None):
        assert shown_to(review, side) == {"sales", "delivery"}
    assert events_of(review)[-3:] == [names.REVIEW_ANSWERED, names.REVIEW_ANSWERED, names.REVIEW_COMPARED]


def test_a_draft_leaves_no_trace_that_the_other_side_could_notice(review: DealReview, alice: User, dan: User) -> None:
    def noticed() -> tuple[str, list[str], str]:
        stands = serialize("json", [fresh(review)])
        page = review_page(dan, fresh(review), TUESDAY)
        return stands, events_of(review), str((page.questions, page.gaps, page.answered, page.sides))

    before = noticed()
    answer(review, alice, 2, note=SECRET, hand_in=False, now=TUESDAY)
    assert ReviewAnswer.objects.count() == review.questions.count()
    assert noticed() == before


def test_what_one_side_said_is_in_nothing_that_the_other_side_gets(
    review: DealReview, alice: User, dan: User, eve: User
) -> None:
    answer(review, alice, 2, note=SECRET)
    told = Event.objects.filter(opportunity_id=review.opportunity_id)
    assert SECRET not in serialize("json", told)
    assert all(SECRET not in event.text for event in told)
    for reader in (dan, eve):
        page = review_page(reader, fresh(review), TUESDAY)
        assert all((line.sales, line.gap, line.mine) == (None, None, None) for line in page.questions)
        assert page.gaps == []
        panel = review_panel(reader, review.opportunity, TUESDAY)
        assert SECRET not in str((panel.sides, panel.conditions))
    assert comparison(fresh(review)) == []
    assert SECRET not in str(open_points([review.opportunity]))
    mine = review_page(alice, fresh(review), TUESDAY).questions[0].mine
    assert mine is not None
    assert mine.note == SECRET


def test_gaps_come_largest_first_then_lowest_score(review: DealReview, alice: User, dan: User) -> None:
    keys = list(review.questions.values_list("pk", flat=True))
    scores = {Side.SALES: [5, 3, 4, 2], Side.DELIVERY: [4, 1, 1, 1]}
    for side, by in ((Side.SALES, alice), (Side.DELIVERY, dan)):
        given = {key: ((scores[side] + [3] * 20)[index], "") for index, key in enumerate(keys)}
        save_answers(actor=by, review=fresh(review), answers=given, hand_in=True, now=MONDAY)
    found = [(line.gap, line.lowest) for line in comparison(fresh(review))]
    assert found[:4] == [(3, 1), (2, 1), (1, 1), (1, 4)]
    assert {gap for gap, _lowest in found[4:]} == {0}


# --- drafts, handing in, taking back ---


def test_every_question_needs_a_score_before_it_is_handed_in(review: DealReview, alice: User) -> None:
    keys = list(review.questions.values_list("pk", flat=True))
    answers = dict.fromkeys(keys[1:], (4, ""))
    save_answers(actor=alice, review=review, answers=answers, hand_in=False, now=MONDAY)
    with pytest.raises(ValidationError) as refused:
        save_answers(actor=alice, review=fresh(review), answers={}, hand_in=True, now=MONDAY)
    assert list(refused.value.message_dict) == [f"score_{keys[0]}"]
    handed_in = save_answers(actor=alice, review=fresh(review), answers={keys[0]: (1, "")}, hand_in=True, now=MONDAY)
    assert handed_in.sales_answered_at == MONDAY


def test_a_note_alone_is_a_draft(review: DealReview, alice: User) -> None:
    answer(review, alice, None, note="To be looked at", hand_in=False)
    assert set(ReviewAnswer.objects.values_list("score", "note")) == {(None, "To be looked at")}
    with pytest.raises(ValidationError):
        answer(review, alice, None, note="To be looked at")


@pytest.mark.parametrize(
    ("score", "note", "field"), [(0, "", "score"), (6, "", "score"), (3, "x" * 1001, "note"), (3, "a\0b", "note")]
)
def test_senseless_answers_are_refused_at_their_question(
    review: DealReview, alice: User, score: int, note: str, field: str
) -> None:
    key = review.questions.values_list("pk", flat=True)[0]
    with pytest.raises(ValidationError) as refused:
        save_answers(actor=alice, review=review, answers={key: (score, note)}, hand_in=False, now=MONDAY)
    assert list(refused.value.message_dict) == [f"{field}_{key}"]
    assert not ReviewAnswer.objects.exists()


def test_a_question_of_another_review_is_refused(review: DealReview, alice: User) -> None:
    foreign = AskedQuestion.objects.exclude(review=review).values_list("pk", flat=True).first() or 999_999
    with pytest.raises(ValidationError):
        save_answers(actor=alice, review=review, answers={foreign: (3, "")}, hand_in=False, now=MONDAY)


def test_handing_in_the_same_twice_changes_nothing(review: DealReview, alice: User) -> None:
    once = answer(review, alice, 4)
    assert answer(review, alice, 4, now=TUESDAY).version == once.version
    assert events_of(review).count(names.REVIEW_ANSWERED) == 1
    with pytest.raises(IllegalTransition):
        answer(review, alice, 5)


def test_a_side_takes_back_until_the_other_is_in(review: DealReview, alice: User, dan: User) -> None:
    answer(review, alice, 4)
    back = take_back_answers(actor=alice, review=fresh(review), now=TUESDAY)
    assert (back.sales_answered_at, back.sales_answered_by) == (None, None)
    assert take_back_answers(actor=alice, review=fresh(review), now=TUESDAY).version == back.version
    compared(review, alice, dan)
    with pytest.raises(IllegalTransition):
        take_back_answers(actor=alice, review=fresh(review), now=TUESDAY)
    with pytest.raises(IllegalTransition):
        answer(review, dan, 4)


def test_taking_back_hides_again(review: DealReview, alice: User, dan: User) -> None:
    answer(review, alice, 4)
    take_back_answers(actor=alice, review=fresh(review), now=TUESDAY)
    answer(review, dan, 1)
    assert fresh(review).state == ReviewState.ANSWERING
    assert shown_to(review, Side.SALES) == {"sales"}
    assert shown_to(review, Side.DELIVERY) == {"delivery"}


def test_answers_of_a_closed_deal_rest(review: DealReview, alice: User) -> None:
    move(review.opportunity, "lost")
    with pytest.raises(ValidationError):
        answer(review, alice, 4)


# --- who ---


@pytest.mark.parametrize("name", ["eve", "ada", "charlie"])
def test_those_above_and_outside_answer_for_nobody(
    review: DealReview, name: str, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(PermissionDenied):
        answer(review, request.getfixturevalue(name), 4)


def test_people_of_a_side_answer_for_it_whoever_owns_the_deal(review: DealReview, sam: User, pia: User) -> None:
    answer(review, sam, 4)
    answer(review, pia, 2)
    found = fresh(review)
    assert (found.sales_answered_by_id, found.delivery_answered_by_id) == (sam.pk, pia.pk)


def test_whoever_spoke_for_one_side_never_speaks_for_the_other(review: DealReview, alice: User, dan: User) -> None:
    """Also when they change sides in between, and even with a draft."""
    both = factories.person("Robin", Role.SALES_REP, Role.PROJECT_MANAGER, teams=(factories.team(),))
    answer(review, both, 3, note=SECRET, hand_in=False)
    Opportunity.objects.filter(pk=review.opportunity_id).update(delivery_owner=both)
    with pytest.raises(PermissionDenied):
        answer(review, both, 1)
    assert set(ReviewAnswer.objects.values_list("side", flat=True)) == {"sales"}


def test_the_database_wants_two_people(review: DealReview, alice: User) -> None:
    with pytest.raises(IntegrityError, match="answered_by_two_people"), transaction.atomic():
        DealReview.objects.filter(pk=review.pk).update(sales_answered_by=alice, delivery_answered_by=alice)


def test_the_database_opens_nothing_before_both_are_in(review: DealReview) -> None:
    with pytest.raises(IntegrityError, match="compared_after_both"), transaction.atomic():
        DealReview.objects.filter(pk=review.pk).update(state=ReviewState.COMPARING)
