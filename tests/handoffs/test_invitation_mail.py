"""Those invited to a deal review are told by mail, with a file for their calendar."""

from __future__ import annotations

import datetime as dt
import email

import pytest
from django.core import mail
from django.utils import timezone
from icalendar import Calendar

from accounts.models import User
from events import names
from events.deliveries import claim, deliver
from events.models import Delivery, DeliveryState, Event
from handoffs.models import DealReview
from handoffs.services.reviews import Meeting, schedule_review, unschedule_review
from tests.factories import deal
from tests.handoffs.reviewing import SECRET, answer, fresh, requested

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def review(alice: User, dan: User) -> DealReview:
    """A review whose meeting Dan set for Alice and himself."""
    found = deal("proposal", owner=alice, delivery_owner=dan, name="Portal\u2028Bcc: all@example.test")
    made = requested(found, alice, now=timezone.now())
    answer(made, alice, note=SECRET, now=timezone.now())
    return meet(made, dan, dt.timedelta(days=3), alice, dan)


def meet(review: DealReview, by: User, ahead: dt.timedelta, *people: User) -> DealReview:
    starts_at = (timezone.now() + ahead).replace(second=0, microsecond=0)
    meeting = Meeting(starts_at, 45, "Room 2", "First the gaps", people)
    return schedule_review(actor=by, review=fresh(review), meeting=meeting, expected_version=None, now=timezone.now())


def post() -> None:
    """Let the background send what is owed."""
    for ring in claim(50, timezone.now()):
        deliver(ring.delivery_id, attempt=ring.attempt, now=timezone.now())


def file_of(message: mail.EmailMessage) -> tuple[str, Calendar]:
    """Method and calendar of the attached file, as a mail program reads it."""
    parts = list(email.message_from_bytes(message.message().as_bytes()).walk())
    [part] = [part for part in parts if part.get_content_type() == "text/calendar"]
    return str(part.get_param("method")), Calendar.from_ical(part.get_payload(decode=True))  # type: ignore[arg-type]


def test_everybody_invited_gets_one_mail_with_the_meeting(review: DealReview, alice: User, dan: User) -> None:
    post()
    assert sorted(message.to for message in mail.outbox) == sorted([[alice.email], [dan.email]])
    first = mail.outbox[0]
    assert "\n" not in first.subject
    assert first.subject == "Deal review: Portal Bcc: all@example.test"
    assert f"/reviews/{review.pk}/" in first.body
    assert "Room 2" in first.body
    assert all(SECRET not in str(message.message()) for message in mail.outbox)
    method, calendar = file_of(first)
    assert (method, str(calendar["method"])) == ("REQUEST", "REQUEST")
    post()
    assert len(mail.outbox) == 2


def test_a_mail_sent_again_is_the_same_mail(review: DealReview) -> None:
    post()
    Delivery.objects.filter(handler__endswith="send_invitations").update(
        state=DeliveryState.PENDING, attempts=0, due_at=timezone.now()
    )
    post()
    ids = [message.extra_headers["Message-ID"] for message in mail.outbox]
    assert len(ids) == 4
    assert len(set(ids)) == 2


def test_a_meeting_that_was_moved_before_the_mail_went_out_is_told_once(
    review: DealReview, alice: User, dan: User
) -> None:
    meet(review, dan, dt.timedelta(days=4), alice, dan)
    post()
    assert len(mail.outbox) == 2
    assert file_of(mail.outbox[0])[1].events[0]["sequence"] == 2


def test_a_meeting_that_is_called_off_is_taken_out_of_calendars(review: DealReview, dan: User) -> None:
    post()
    mail.outbox.clear()
    unschedule_review(actor=dan, review=fresh(review), expected_version=None, now=timezone.now())
    post()
    method, calendar = file_of(mail.outbox[0])
    assert (method, str(calendar.events[0]["status"])) == ("CANCEL", "CANCELLED")
    assert mail.outbox[0].subject.startswith("Deal review called off")


def test_a_mail_server_that_is_away_is_tried_again_and_holds_nothing_up(
    review: DealReview, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("handoffs.invitations.get_connection", _Away)
        post()
    delivery = Delivery.objects.get(handler__endswith="send_invitations")
    assert (delivery.state, delivery.attempts) == (DeliveryState.PENDING, 1)
    Delivery.objects.update(due_at=timezone.now())
    post()
    assert len(mail.outbox) == 2


def test_old_news_is_not_mailed(review: DealReview) -> None:
    event = Event.objects.get(name=names.REVIEW_SCHEDULED)
    from handoffs.invitations import send

    send(event=event, now=timezone.now() + dt.timedelta(days=1))
    assert mail.outbox == []


class _Away:
    """A mail server that can't be reached."""

    def __enter__(self) -> None:
        raise ConnectionRefusedError("Connection refused")

    def __exit__(self, *_: object) -> None:
        """Nothing was opened."""
