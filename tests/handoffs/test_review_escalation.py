"""The fast lane's clock: when it runs out, one after the other hears of it, each once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from accounts.models import Role, User
from events import names
from events.models import Event
from handoffs.models import DealReview, Escalation, EscalationStep
from handoffs.review_queries import late_reviews_for, open_points, upcoming_reviews
from handoffs.services.escalation import escalate_late_reviews
from handoffs.services.reviews import ConditionDraft, Meeting, schedule_review
from handoffs.tasks import escalate_late_reviews as tick
from onetteam.celery import app
from opportunities.models import Opportunity
from tests import factories
from tests.handoffs.reactions import MONDAY, TUESDAY, deal, move
from tests.handoffs.reviewing import IN_A_WEEK, agreed, answer, decide, fresh, requested

DUE = MONDAY + dt.timedelta(hours=8)


def hours(count: float) -> dt.datetime:
    """So long after the clock ran out."""
    return DUE + dt.timedelta(hours=count)


@pytest.fixture
def late(alice: User, dan: User, sam: User, eve: User) -> DealReview:
    """The express review of a deal of Alice's that surfaced on Monday at nine."""
    return DealReview.objects.select_related("opportunity").get(opportunity=deal("discovery", owner=alice))


def told() -> list[tuple[str, list[int]]]:
    return list(Escalation.objects.order_by("position").values_list("role", "told"))


def test_nobody_is_told_before_the_clock_ran_out(late: DealReview) -> None:
    assert escalate_late_reviews(now=DUE - dt.timedelta(seconds=1)) == []


def test_the_chain_is_told_one_after_the_other(late: DealReview, sam: User, dan: User, eve: User) -> None:
    chain = [("delivery_manager", [dan.pk]), ("sales_manager", [sam.pk]), ("executive", [eve.pk])]
    for count, after in ((1, 0), (1, 3.9), (2, 4), (2, 11.9), (3, 12), (3, 100)):
        escalate_late_reviews(now=hours(after))
        assert told() == chain[:count]
    event = Event.objects.filter(name=names.REVIEW_ESCALATED).order_by("pk")[1]
    assert (event.opportunity_id, event.data["user_ids"]) == (late.opportunity_id, [sam.pk])
    assert "Sam" in event.text


def test_a_worker_that_slept_catches_up_once(late: DealReview) -> None:
    for _time in range(10):
        escalate_late_reviews(now=hours(48))
    assert len(told()) == 3
    assert Event.objects.filter(name=names.REVIEW_ESCALATED).count() == 3


def test_only_those_who_may_see_the_deal_are_told_and_nobody_is_noted(late: DealReview, sam: User) -> None:
    User.objects.filter(pk=sam.pk).update(is_active=False)
    factories.person("Robin", Role.SALES_MANAGER, teams=(factories.team("Sales South"),))
    escalate_late_reviews(now=hours(4))
    assert told()[1] == ("sales_manager", [])
    assert "nobody (sales manager)" in Event.objects.filter(name=names.REVIEW_ESCALATED).order_by("-pk")[0].text


def test_an_answered_and_signed_review_tells_nobody(late: DealReview, alice: User, dan: User) -> None:
    agreed(late, alice, dan)
    assert escalate_late_reviews(now=hours(48)) == []


def test_a_resting_clock_tells_nobody(late: DealReview) -> None:
    move(late.opportunity, "qualified")
    assert escalate_late_reviews(now=hours(48)) == []


def test_ordinary_reviews_tell_nobody(warm_deal: Opportunity, alice: User) -> None:
    DealReview.objects.all().delete()
    requested(warm_deal, alice)
    assert escalate_late_reviews(now=MONDAY + dt.timedelta(days=100)) == []


def test_without_a_chain_nothing_happens(late: DealReview) -> None:
    EscalationStep.objects.all().delete()
    assert escalate_late_reviews(now=hours(48)) == []


def test_beat_calls_it_every_minute(late: DealReview) -> None:
    entry = app.conf.beat_schedule["late reviews"]
    assert (entry["task"], entry["schedule"]) == (tick.name, 60.0)
    DealReview.objects.update(due_at=MONDAY - dt.timedelta(days=400))
    tick()
    assert len(told()) == 3


# --- what it means to people ---


def test_late_reviews_wait_for_the_owners_and_for_those_who_were_told(
    late: DealReview, alice: User, dan: User, sam: User, pia: User, charlie: User
) -> None:
    def waiting(now: dt.datetime) -> list[str]:
        return [person.name for person in (alice, dan, sam, pia, charlie) if late_reviews_for(person, now)]

    assert waiting(DUE) == []
    escalate_late_reviews(now=hours(1))
    assert waiting(hours(1)) == ["Alice", "Dan"]
    escalate_late_reviews(now=hours(5))
    assert waiting(hours(5)) == ["Alice", "Dan", "Sam"]
    agreed(late, alice, dan)
    assert waiting(hours(5)) == []


def test_the_calendar_has_meetings_when_they_are_and_the_others_when_they_are_due(
    late: DealReview, alice: User, dan: User, charlie: User, django_assert_max_num_queries: Any
) -> None:
    others = [requested(deal("qualified", owner=alice), alice) for _ in range(3)]
    meeting = Meeting(TUESDAY, attendees=(alice, dan))
    schedule_review(actor=alice, review=fresh(others[0]), meeting=meeting, expected_version=None, now=MONDAY)
    with django_assert_max_num_queries(3):
        found = upcoming_reviews(alice, MONDAY, MONDAY + dt.timedelta(days=30))
        assert [review.pk for review in found] == [late.pk, *(review.pk for review in others)]
        assert [str(each.user) for each in found[1].attendees.all()] == ["Alice", "Dan"]
        assert str(found[1].opportunity.owner) == "Alice"
    assert upcoming_reviews(charlie, MONDAY, MONDAY + dt.timedelta(days=30)) == []
    assert [review.pk for review in upcoming_reviews(alice, TUESDAY, TUESDAY + dt.timedelta(days=1))] == [others[0].pk]


def test_open_points_say_what_each_side_owes(
    late: DealReview, alice: User, dan: User, django_assert_num_queries: Any
) -> None:
    def owed() -> dict[str, list[str]]:
        return open_points([late.opportunity])[late.opportunity_id].by_side

    assert owed() == {"sales": ["answer"], "delivery": ["answer"]}
    answer(late, alice)
    assert owed() == {"sales": [], "delivery": ["answer"]}
    answer(late, dan)
    decide(late, dan, "go_if", conditions=[ConditionDraft("Criteria are written", alice, IN_A_WEEK)])
    assert owed() == {"sales": ["sign"], "delivery": ["sign"]}
    more = [deal("discovery", owner=alice) for _ in range(3)]
    with django_assert_num_queries(3):
        found = open_points([late.opportunity, *more])
        assert [each.text for each in found[late.opportunity_id].conditions] == ["Criteria are written"]
        assert str(found[late.opportunity_id].conditions[0].owner) == "Alice"
