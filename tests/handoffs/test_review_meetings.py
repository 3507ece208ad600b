"""The meeting of a deal review: scheduled, moved, called off, and who came."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import User
from events import names
from events.models import Event
from handoffs.models import DealReview
from handoffs.services.reviews import Meeting, StaleReview, note_attendance, schedule_review, unschedule_review
from handoffs.states import IllegalTransition
from opportunities.models import Opportunity
from tests.handoffs.reactions import FRIDAY, MONDAY, TUESDAY
from tests.handoffs.reviewing import agreed, fresh, requested


@pytest.fixture
def review(warm_deal: Opportunity, alice: User) -> DealReview:
    """A review that Alice asked for on Monday."""
    return requested(warm_deal, alice)


@pytest.fixture
def meeting(alice: User, dan: User) -> Meeting:
    """On Tuesday, for Alice and Dan."""
    return Meeting(TUESDAY, 45, " Room 1 ", "Gaps\r\nVerdict", (alice, dan, alice))


def schedule(
    review: DealReview, by: User, meeting: Meeting, *, version: int | None = None, now: dt.datetime = MONDAY
) -> DealReview:
    return schedule_review(actor=by, review=fresh(review), meeting=meeting, expected_version=version, now=now)


def invited(review: DealReview) -> list[tuple[str, bool | None]]:
    return list(review.attendees.order_by("user__name").values_list("user__name", "was_there"))


def test_schedules_with_all_that_an_invitation_says(review: DealReview, alice: User, meeting: Meeting) -> None:
    found = schedule(review, alice, meeting)
    assert (found.starts_at, found.minutes, found.place, found.agenda) == (TUESDAY, 45, "Room 1", "Gaps\nVerdict")
    assert (found.invitation_number, found.version) == (1, review.version + 1)
    assert invited(found) == [("Alice", None), ("Dan", None)]
    assert Event.objects.get(name=names.REVIEW_SCHEDULED).text == "scheduled the deal review for 24 Nov 2026, 09:00"


def test_the_same_again_changes_nothing(review: DealReview, alice: User, meeting: Meeting) -> None:
    once = schedule(review, alice, meeting)
    again = schedule(review, alice, meeting, version=1)
    assert (again.version, again.invitation_number) == (once.version, 1)
    assert Event.objects.filter(name=names.REVIEW_SCHEDULED).count() == 1


def test_a_move_counts_the_invitation_up_and_keeps_who_stays(
    review: DealReview, alice: User, dan: User, pia: User, meeting: Meeting
) -> None:
    schedule(review, alice, meeting)
    kept = fresh(review).attendees.get(user=dan).pk
    moved = schedule(review, dan, replace(meeting, starts_at=FRIDAY, attendees=(dan, pia)))
    assert (moved.starts_at, moved.invitation_number, moved.minutes) == (FRIDAY, 2, 45)
    assert invited(moved) == [("Dan", None), ("Pia", None)]
    assert moved.attendees.get(user=dan).pk == kept


def test_of_two_who_schedule_the_second_is_told(review: DealReview, alice: User, dan: User, meeting: Meeting) -> None:
    seen = fresh(review).version
    schedule(review, alice, meeting, version=seen)
    with pytest.raises(StaleReview):
        schedule(review, dan, replace(meeting, starts_at=FRIDAY), version=seen)
    assert fresh(review).starts_at == TUESDAY


def test_only_people_who_see_the_deal_are_invited(
    review: DealReview, alice: User, charlie: User, eve: User, meeting: Meeting
) -> None:
    with pytest.raises(ValidationError) as refused:
        schedule(review, alice, replace(meeting, attendees=(alice, charlie)))
    assert refused.value.message_dict.keys() == {"attendees"}
    assert "Charlie" in str(refused.value)
    schedule(review, alice, replace(meeting, attendees=(alice, eve)))


@pytest.mark.parametrize(
    ("field", "value"),
    [("starts_at", MONDAY - dt.timedelta(hours=1)), ("starts_at", MONDAY.replace(year=9999)), ("minutes", 0),
     ("minutes", 481), ("place", "x" * 301), ("place", "Room\n1"), ("agenda", "a\0b")],
)  # fmt: skip
def test_senseless_meetings_are_refused_at_their_field(
    review: DealReview, alice: User, meeting: Meeting, field: str, value: object
) -> None:
    with pytest.raises(ValidationError) as refused:
        schedule(review, alice, replace(meeting, **{field: value}))  # type: ignore[arg-type]
    assert list(refused.value.message_dict) == [field]
    assert fresh(review).starts_at is None


def test_administrators_schedule_but_executives_and_outsiders_do_not(
    review: DealReview, ada: User, eve: User, charlie: User, meeting: Meeting
) -> None:
    for person in (eve, charlie):
        with pytest.raises(PermissionDenied):
            schedule(review, person, meeting)
    assert schedule(review, ada, meeting).starts_at == TUESDAY


def test_what_is_agreed_needs_no_meeting(review: DealReview, alice: User, dan: User, meeting: Meeting) -> None:
    agreed(review, alice, dan)
    with pytest.raises(IllegalTransition):
        schedule(review, alice, meeting)


def test_called_off_is_told_and_counted(review: DealReview, alice: User, dan: User, meeting: Meeting) -> None:
    schedule(review, alice, meeting)
    for _time in range(2):
        off = unschedule_review(actor=dan, review=fresh(review), expected_version=None, now=MONDAY)
        assert (off.starts_at, off.invitation_number) == (None, 2)
    assert invited(off) == [("Alice", None), ("Dan", None)]  # whom the message goes to
    assert Event.objects.filter(name=names.REVIEW_UNSCHEDULED).count() == 1


def test_attendance_is_noted_once_the_meeting_has_begun(
    review: DealReview, alice: User, dan: User, pia: User, meeting: Meeting
) -> None:
    schedule(review, alice, meeting)

    def note(present: User, now: dt.datetime) -> None:
        note_attendance(actor=dan, review=fresh(review), present=[present.pk], now=now)

    with pytest.raises(ValidationError, match="has begun"):
        note(dan, MONDAY)
    with pytest.raises(ValidationError, match="invited"):
        note(pia, TUESDAY)
    for _time in range(2):
        note(dan, TUESDAY)
    assert invited(fresh(review)) == [("Alice", False), ("Dan", True)]
    assert Event.objects.filter(name=names.REVIEW_HELD).count() == 1
