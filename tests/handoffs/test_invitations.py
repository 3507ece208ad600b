"""The meeting of a review as a file for calendars, read back by a calendar library."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar, Event

from accounts.models import User
from handoffs.models import DealReview
from handoffs.services.reviews import Meeting, schedule_review, unschedule_review
from tests.cast import Browser
from tests.factories import deal
from tests.handoffs.reviewing import SECRET, answer, fresh, requested

NOW = timezone.now()
STARTS = (NOW + dt.timedelta(days=3)).replace(second=0, microsecond=0)


@pytest.fixture
def review(alice: User, dan: User) -> DealReview:
    """A review with a meeting that Dan set."""
    found = deal("proposal", owner=alice, delivery_owner=dan, name="Portal; phase 2, „north“\u2028")
    made = requested(found, alice, now=NOW)
    return meet(made, dan, Meeting(STARTS, 45, "Room, 2nd floor", "First; the gaps\nThen: the verdict", (alice, dan)))


def meet(review: DealReview, by: User, meeting: Meeting) -> DealReview:
    """The meeting set or moved."""
    return schedule_review(actor=by, review=fresh(review), meeting=meeting, expected_version=None, now=NOW)


def read(browser: Browser, review: DealReview) -> tuple[Calendar, Event, bytes]:
    """The file as a calendar reads it."""
    answer = browser.get(reverse("handoffs:review_invitation", args=[review.pk]))
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert f"deal-review-{review.pk}.ics" in answer["Content-Disposition"]
    calendar = Calendar.from_ical(answer.content)
    return calendar, calendar.events[0], answer.content


def test_the_file_says_when_where_who_and_what(as_alice: Browser, review: DealReview, alice: User, dan: User) -> None:
    calendar, event, raw = read(as_alice, review)
    assert (calendar["method"], event["status"], event["sequence"]) == ("REQUEST", "CONFIRMED", 1)
    assert (event.start, event.end) == (STARTS, STARTS + dt.timedelta(minutes=45))
    assert event["uid"].startswith(f"deal-review-{review.pk}@")
    assert str(event["location"]) == "Room, 2nd floor"
    assert str(event["description"]).startswith("First; the gaps\nThen: the verdict\n\nhttp://testserver/reviews/")
    assert str(event["summary"]).startswith("Deal review: Portal; phase 2, „north“")
    assert str(event["organizer"]) == f"mailto:{dan.email}"
    assert {str(each) for each in event["attendee"]} == {f"mailto:{alice.email}", f"mailto:{dan.email}"}
    assert {each.params["CN"] for each in event["attendee"]} == {"Alice", "Dan"}
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))


def test_a_moved_meeting_is_the_same_one_further_on(as_alice: Browser, review: DealReview, alice: User) -> None:
    _calendar, before, _raw = read(as_alice, review)
    meet(review, alice, Meeting(STARTS + dt.timedelta(hours=1), 45, "Room", "", (alice,)))
    _calendar, after, _raw = read(as_alice, review)
    assert after["uid"] == before["uid"]
    assert (before["sequence"], after["sequence"]) == (1, 2)
    assert after["organizer"] == before["organizer"]
    assert str(after["attendee"]) == f"mailto:{alice.email}"


def test_a_meeting_called_off_is_cancelled_in_calendars(
    as_alice: Browser, review: DealReview, alice: User, dan: User
) -> None:
    unschedule_review(actor=alice, review=fresh(review), expected_version=None, now=NOW)
    calendar, event, _raw = read(as_alice, review)
    assert (calendar["method"], event["status"], event["sequence"]) == ("CANCEL", "CANCELLED", 2)
    assert event["uid"].startswith(f"deal-review-{review.pk}@")
    assert {str(each) for each in event["attendee"]} == {f"mailto:{alice.email}", f"mailto:{dan.email}"}
    assert not event.alarms.times


def test_answers_are_not_in_it(as_dan: Browser, review: DealReview, alice: User) -> None:
    answer(review, alice, 2, note=SECRET, now=NOW)
    assert SECRET.encode() not in read(as_dan, review)[2]


def test_without_a_meeting_there_is_no_file(as_alice: Browser, alice: User) -> None:
    bare = requested(deal("proposal", owner=alice), alice, now=NOW)
    assert as_alice.get(reverse("handoffs:review_invitation", args=[bare.pk])).status_code == 404
