"""What a deal's signals do to its review: asked for, hurried, rested, cancelled, taken up again."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from accounts.models import Organisation, ServiceLine, User
from events import names
from events.models import Delivery, Event
from handoffs.models import (
    Commitment,
    DealReview,
    Question,
    QuestionSet,
    ReviewState,
    RiskProfile,
    Task,
    TaskState,
    Trigger,
    Verdict,
)
from handoffs.services.actions import follow_profile
from handoffs.services.engagements import accept_engagement
from handoffs.services.reviews import request_review
from handoffs.services.tasks import complete_task, reopen_task
from opportunities.models import Opportunity
from opportunities.services.archiving import archive, restore
from opportunities.services.editing import update_opportunity
from tests import factories
from tests.handoffs.reactions import (
    FRIDAY,
    MONDAY,
    NEXT_MONDAY,
    TUESDAY,
    deal,
    engagement_of,
    fresh,
    move,
    react,
    run,
    task_of,
    undo,
)
from tests.handoffs.reviewing import agreed, answer, compared, decide, requested, sign
from tests.handoffs.reviewing import fresh as fresh_review


def at_five(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(17), dt.UTC)


def review_of(opportunity: Opportunity) -> DealReview:
    return DealReview.objects.select_related("opportunity").get(opportunity=opportunity)


def heat(opportunity: Opportunity, now: dt.datetime = MONDAY) -> Opportunity:
    """Step by step, so that nothing is skipped."""
    return move(move(opportunity, "proposal", now=now).opportunity, "negotiation", now=now).opportunity


@pytest.fixture
def hot(warm_deal: Opportunity) -> Opportunity:
    """A deal of Alice's that turned hot on Monday, as forecast."""
    return heat(warm_deal)


# --- asked for by the playbook ---


def test_turning_hot_asks_for_a_review_in_five_business_days(hot: Opportunity) -> None:
    review = review_of(hot)
    assert (review.trigger, review.is_express, review.requested_by) == (Trigger.HOT, False, None)
    assert review.due_at == at_five(dt.date(2026, 11, 30))
    assert review.questions.count() == Question.objects.count() == 9


def test_a_nearer_close_date_is_the_day(warm_deal: Opportunity) -> None:
    Opportunity.objects.filter(pk=warm_deal.pk).update(close_date=dt.date(2026, 11, 29))  # a Sunday
    assert review_of(heat(fresh(warm_deal))).due_at == at_five(dt.date(2026, 11, 27))


def test_five_in_the_afternoon_is_where_the_organisation_is(warm_deal: Opportunity, organisation: Organisation) -> None:
    Organisation.objects.update(time_zone="America/New_York", review_days=2)
    assert review_of(heat(warm_deal)).due_at == dt.datetime(2026, 11, 25, 22, tzinfo=dt.UTC)


def test_surfacing_unforecasted_asks_for_an_express_review_in_hours(alice: User, dan: User) -> None:
    review = review_of(deal("discovery", owner=alice))
    assert (review.trigger, review.is_express) == (Trigger.UNFORECASTED, True)
    assert review.due_at == MONDAY + dt.timedelta(hours=8)
    assert review.questions.count() == Question.objects.filter(is_express=True).count() == 4


def test_hot_at_once_and_unforecasted_gives_one_review_that_is_express(alice: User, dan: User) -> None:
    found = move(deal("qualified", owner=alice), "negotiation").opportunity
    assert review_of(found).is_express


def test_a_running_review_that_nobody_has_answered_becomes_express(hot: Opportunity, alice: User) -> None:
    update_opportunity(
        actor=alice, opportunity=fresh(hot), changes={"close_date": dt.date(2026, 12, 10)},
        expected_version=fresh(hot).version, now=TUESDAY,
    )  # fmt: skip
    react(TUESDAY)
    review = review_of(hot)
    assert fresh(hot).is_unforecasted
    assert (review.is_express, review.trigger, review.questions.count()) == (True, Trigger.UNFORECASTED, 4)
    assert review.due_at == TUESDAY + dt.timedelta(hours=8)


def test_what_was_answered_is_not_asked_anew_when_the_clock_shortens(hot: Opportunity, alice: User) -> None:
    answer(review_of(hot), alice, 4, hand_in=False)
    update_opportunity(
        actor=alice, opportunity=fresh(hot), changes={"close_date": dt.date(2026, 12, 10)},
        expected_version=fresh(hot).version, now=MONDAY,
    )  # fmt: skip
    react()
    assert (review_of(hot).is_express, review_of(hot).questions.count()) == (True, 9)


def test_the_service_lines_own_questions_come_first(warm_deal: Opportunity) -> None:
    own = QuestionSet.objects.create(name="Cloud", service_line=ServiceLine.objects.get(key="cloud"))
    Question.objects.create(question_set=own, text="Which cloud?")
    review = review_of(heat(warm_deal))
    assert list(review.questions.values_list("text", flat=True)) == ["Which cloud?"]


def test_a_running_review_keeps_its_words(hot: Opportunity) -> None:
    Question.objects.update(text="Something else?")
    assert not review_of(hot).questions.filter(text="Something else?").exists()


def test_without_questions_nothing_is_asked_and_people_are_told(warm_deal: Opportunity, alice: User) -> None:
    Question.objects.update(archived_at=timezone.now())
    hot = heat(warm_deal)
    assert not DealReview.objects.exists()
    with pytest.raises(ValidationError, match="administrator"):
        requested(fresh(hot), alice)


def test_asking_by_hand_gives_the_running_one(hot: Opportunity, alice: User, charlie: User) -> None:
    assert requested(hot, alice).pk == review_of(hot).pk
    with pytest.raises(PermissionDenied):
        requested(hot, charlie)
    with pytest.raises(ValidationError):
        requested(move(hot, "lost").opportunity, alice)


# --- its task ---


def test_its_task_is_done_by_the_signatures_and_by_nothing_else(hot: Opportunity, alice: User, dan: User) -> None:
    with pytest.raises(ValidationError, match="deal review"):
        complete_task(actor=dan, task=task_of(hot, "deal-review"), now=MONDAY)
    accept_engagement(actor=dan, engagement=engagement_of(hot), expected_version=None, now=MONDAY)
    agreed(review_of(hot), alice, dan, Verdict.GO)
    task = task_of(hot, "deal-review")
    assert (task.state, task.evidence) == (TaskState.DONE, "Go")
    assert (task.sales_done_by, task.delivery_done_by) == (alice, dan)
    assert engagement_of(hot).state == "active"
    with pytest.raises(ValidationError, match="deal review"):
        reopen_task(actor=dan, task=task, now=MONDAY)


def test_its_task_opens_again_with_a_further_version(hot: Opportunity, alice: User, dan: User) -> None:
    review = agreed(review_of(hot), alice, dan)
    decide(review, alice, Verdict.NO_GO, reason="The price fell")
    task = task_of(hot, "deal-review")
    assert (task.state, task.sales_done_at, task.delivery_done_by) == (TaskState.OPEN, None, None)
    sign(review, alice, 2)
    sign(review, dan, 2)
    assert task_of(hot, "deal-review").state == TaskState.DONE


def test_its_task_rests_when_it_opens_again_on_a_cooled_deal(hot: Opportunity, alice: User, dan: User) -> None:
    review = agreed(review_of(hot), alice, dan)
    move(hot, "qualified")
    decide(review, alice, Verdict.NO_GO, reason="The price fell", now=TUESDAY)
    assert task_of(hot, "deal-review").state == TaskState.PAUSED


def test_an_agreed_review_also_does_the_fast_lanes_task(hot: Opportunity, alice: User, dan: User) -> None:
    agreed(review_of(hot), alice, dan)
    update_opportunity(
        actor=alice, opportunity=fresh(hot), changes={"close_date": dt.date(2026, 12, 10)},
        expected_version=fresh(hot).version, now=MONDAY,
    )  # fmt: skip
    react()
    assert task_of(hot, "express-review").state == TaskState.DONE
    assert DealReview.objects.count() == 1


def test_the_risk_profiles_task_follows_the_profile(hot: Opportunity, alice: User, dan: User) -> None:
    with pytest.raises(ValidationError, match="risk profile"):
        complete_task(actor=dan, task=task_of(hot, "risk-profile"), now=MONDAY)
    given = {"opportunity": hot, "items": [], "proposed_by": alice, "proposed_at": MONDAY}
    RiskProfile.objects.create(
        number=1, **given, sales_agreed_by=alice, sales_agreed_at=MONDAY, delivery_agreed_by=dan,
        delivery_agreed_at=TUESDAY,
    )  # fmt: skip
    follow_profile(hot, TUESDAY, dan)
    task = task_of(hot, "risk-profile")
    assert (task.state, task.sales_done_by, task.done_at) == (TaskState.DONE, alice, TUESDAY)
    RiskProfile.objects.create(number=2, **given)
    follow_profile(hot, TUESDAY, alice)
    assert task_of(hot, "risk-profile").state == TaskState.OPEN


# --- the clock ---


def test_cooling_stops_the_clock_and_warming_gives_the_days_back(hot: Opportunity) -> None:
    cooled = move(hot, "proposal", now=TUESDAY).opportunity
    assert review_of(hot).paused_at == TUESDAY
    move(cooled, "negotiation", now=NEXT_MONDAY)
    review = review_of(hot)
    assert (review.paused_at, review.state, review.is_express) == (None, ReviewState.ANSWERING, False)
    assert review.due_at == at_five(dt.date(2026, 12, 4))


def test_an_express_clock_is_given_back_to_the_second(alice: User, dan: User) -> None:
    found = deal("discovery", owner=alice)
    an_hour_later = MONDAY + dt.timedelta(hours=1)
    cooled = move(found, "qualified", now=an_hour_later).opportunity
    assert review_of(found).paused_at == an_hour_later
    move(cooled, "discovery", now=NEXT_MONDAY)
    assert review_of(found).due_at == NEXT_MONDAY + dt.timedelta(hours=7)


def test_a_review_asked_for_on_a_cold_deal_runs_until_the_deal_cools(alice: User, dan: User) -> None:
    cold = deal("qualified", owner=alice)
    requested(cold, alice)
    react()
    assert review_of(cold).paused_at is None
    move(move(cold, "discovery", now=TUESDAY).opportunity, "qualified", now=FRIDAY)
    assert review_of(cold).paused_at == FRIDAY


def test_the_due_moment_follows_the_close_date(hot: Opportunity, alice: User) -> None:
    def close_on(day: dt.date) -> dt.datetime:
        Opportunity.objects.filter(pk=hot.pk).update(unforecasted_reasons=[], is_unforecasted=False)
        current = fresh(hot)
        update_opportunity(
            actor=alice, opportunity=current, changes={"close_date": day}, expected_version=current.version, now=MONDAY
        )
        Opportunity.objects.filter(pk=hot.pk).update(unforecasted_reasons=[], is_unforecasted=False)
        run([each for each in Delivery.objects.select_related("event") if "reschedule" in each.handler])
        return review_of(hot).due_at

    assert close_on(dt.date(2026, 11, 26)) == at_five(dt.date(2026, 11, 26))
    assert close_on(dt.date(2027, 1, 29)) == at_five(dt.date(2026, 11, 30))


# --- closing and reopening ---


@pytest.mark.parametrize("end", ["lost", "won"])
def test_closing_cancels_and_reopening_takes_up_where_it_was(
    hot: Opportunity, alice: User, dan: User, end: str
) -> None:
    compared(review_of(hot), alice, dan)
    closed = move(hot, end, now=TUESDAY).opportunity
    review = review_of(hot)
    assert (review.state, review.state_before_end, review.ended_at) == ("cancelled", "comparing", TUESDAY)
    move(closed, "negotiation", now=NEXT_MONDAY)
    review = review_of(hot)
    assert (review.state, review.state_before_end, review.ended_at) == ("comparing", "", None)
    # From lost to hot is a surprise; from won it goes on with four business days given back.
    due = {"lost": NEXT_MONDAY + dt.timedelta(hours=8), "won": at_five(dt.date(2026, 12, 4))}
    assert review.due_at == due[end]
    told = Event.objects.filter(opportunity_id=hot.pk, name__in=[names.REVIEW_CANCELLED, names.REVIEW_RESUMED])
    assert list(told.order_by("pk").values_list("name", flat=True)) == [names.REVIEW_CANCELLED, names.REVIEW_RESUMED]


def test_an_agreed_review_stays_agreed_through_loss_and_reopening(hot: Opportunity, alice: User, dan: User) -> None:
    agreed(review_of(hot), alice, dan)
    move(move(hot, "lost").opportunity, "negotiation")
    assert review_of(hot).state == ReviewState.AGREED
    assert task_of(hot, "deal-review").state == TaskState.DONE


def test_the_archive_cancels_and_restoring_takes_up_again(hot: Opportunity, alice: User) -> None:
    archive(actor=alice, opportunity=hot, expected_version=fresh(hot).version, now=MONDAY)
    react()
    assert review_of(hot).state == ReviewState.CANCELLED
    restore(actor=alice, opportunity=fresh(hot), now=MONDAY)
    react()
    assert review_of(hot).state == ReviewState.ANSWERING
    assert engagement_of(hot).is_open


def test_a_review_asked_for_by_hand_is_cancelled_with_a_deal_that_delivery_never_saw(alice: User) -> None:
    cold = deal("qualified", owner=alice)
    requested(cold, alice)
    move(cold, "lost")
    assert review_of(cold).state == ReviewState.CANCELLED


def test_undoing_the_move_that_asked_lets_the_review_rest(warm_deal: Opportunity) -> None:
    moved = move(move(warm_deal, "proposal").opportunity, "negotiation")
    undo(moved.change)
    assert review_of(warm_deal).paused_at is not None


# --- again and again ---


def test_every_handler_ten_times_gives_the_same_rows(hot: Opportunity, alice: User, dan: User) -> None:
    agreed(review_of(hot), alice, dan)
    decide(review_of(hot), alice, Verdict.NO_GO, reason="The price fell")
    move(move(hot, "lost", now=TUESDAY).opportunity, "negotiation", now=FRIDAY)

    def rows() -> list[object]:
        found: list[object] = []
        for model in (DealReview, Task, Commitment, RiskProfile):
            found += list(model._default_manager.order_by("pk").values())
        return found + list(Event.objects.order_by("pk").values_list("pk", flat=True))

    before = rows()
    again = list(Delivery.objects.filter(event__opportunity_id=hot.pk).select_related("event"))
    for _time in range(10):
        run(again, FRIDAY)
    assert rows() == before


def test_a_second_round_after_an_agreed_one_ends_it_with_its_verdict(hot: Opportunity, alice: User, dan: User) -> None:
    first = agreed(review_of(hot), alice, dan)
    second = request_review(actor=alice, opportunity=fresh(hot), is_express=True, trigger=Trigger.ASKED, now=TUESDAY)
    assert second.pk != first.pk
    compared(second, alice, dan)
    assert task_of(hot, "deal-review").state == TaskState.DONE
    decide(second, dan, Verdict.NO_GO, now=TUESDAY)
    assert task_of(hot, "deal-review").state == TaskState.OPEN
    assert fresh_review(first).state == ReviewState.AGREED
    assert factories.alice() == alice
