"""Reminders, escalation, and the mails about approvals."""

from __future__ import annotations

import datetime as dt

import pytest
from django.conf import settings
from django.core import mail
from django.utils import timezone

from accounts.models import User
from events import names
from events.deliveries import claim, deliver
from events.models import Delivery, DeliveryState, Event
from handoffs.approval_mail import send
from handoffs.models import ApprovalRule, HandoffState, StepState, Submission
from handoffs.services.approvals import (
    accept_handoff,
    decide_step,
    delegate,
    recall_handoff,
    remind_and_escalate,
)
from handoffs.tasks import remind_and_escalate as tick
from onetteam.celery import app
from tests.handoffs.approving import approve, chain, fresh, ready, step_of, submitted
from tests.handoffs.handing import won
from tests.handoffs.reactions import MONDAY

pytestmark = pytest.mark.django_db

# Nine on Monday: reminders after eight business hours, escalation after sixteen.
CLOSING = MONDAY.replace(hour=17)
TUESDAY_CLOSING = CLOSING + dt.timedelta(days=1)
NAME = "Portal\u2028Bcc: all@example.test"


@pytest.fixture(autouse=True)
def _chain(sam: User, dan: User, eve: User, ada: User) -> None:
    chain()


@pytest.fixture
def submission(alice: User, dan: User) -> Submission:
    """Alice's handoff, submitted on Monday at nine; nobody has been told yet."""
    made = submitted(ready(won(owner=alice, delivery_owner=dan, name=NAME)), note="In a hurry")
    mail.outbox.clear()
    return made


def told(name: str) -> Event:
    """The newest event of that name."""
    return Event.objects.filter(name=name).latest("pk")


def post(name: str, now: dt.datetime = MONDAY) -> list[mail.EmailMessage]:
    """The mails that the newest event of that name brings."""
    mail.outbox.clear()
    send(event=told(name), now=now)
    return list(mail.outbox)


def people_of(mails: list[mail.EmailMessage]) -> list[str]:
    return sorted(message.to[0] for message in mails)


# --- the clock --------------------------------------------------------------------------------------------------------


def test_a_step_is_reminded_once_its_hours_are_over(submission: Submission) -> None:
    assert remind_and_escalate(now=CLOSING - dt.timedelta(minutes=1)).reminded == 0
    assert remind_and_escalate(now=CLOSING).reminded == 2
    assert remind_and_escalate(now=CLOSING).reminded == 0
    assert step_of(submission, "Sales").reminded_at == CLOSING


def test_a_late_step_is_escalated_once_and_more_people_may_decide(submission: Submission, eve: User) -> None:
    remind_and_escalate(now=CLOSING)
    assert remind_and_escalate(now=TUESDAY_CLOSING).escalated == 2
    assert remind_and_escalate(now=TUESDAY_CLOSING).escalated == 0
    assert Event.objects.filter(name=names.APPROVAL_ESCALATED).count() == 2
    assert step_of(submission, "Sales").state == StepState.ESCALATED
    assert approve(submission, "Sales", eve, now=TUESDAY_CLOSING).decided_by == eve


def test_what_was_decided_recalled_or_not_asked_yet_is_left_alone(alice: User, sam: User, eve: User) -> None:
    ApprovalRule.objects.filter(name="Large deal").update(amount_from=None)
    submission = submitted()
    approve(submission, "Sales", sam)
    remind_and_escalate(now=TUESDAY_CLOSING)
    assert step_of(submission, "Sales").state == StepState.APPROVED
    assert step_of(submission, "Large deal").state == StepState.PENDING
    recall_handoff(actor=alice, handoff=submission.handoff, reason="A mistake", now=TUESDAY_CLOSING)
    later = TUESDAY_CLOSING + dt.timedelta(days=7)
    assert remind_and_escalate(now=later).escalated == 0


def test_after_a_long_standstill_it_escalates_without_reminding_first(submission: Submission) -> None:
    ticked = remind_and_escalate(now=TUESDAY_CLOSING + dt.timedelta(days=9))
    assert (ticked.reminded, ticked.escalated) == (0, 2)


def test_beat_runs_it_every_minute() -> None:
    entry = app.conf.beat_schedule["late approvals"]
    assert (entry["task"], entry["schedule"]) == (tick.name, 60.0)


# --- the mails --------------------------------------------------------------------------------------------------------


def test_approvers_are_asked_with_a_link_to_their_step(submission: Submission, sam: User, dan: User) -> None:
    mails = post(names.APPROVAL_ASKED)
    assert people_of(mails) == [dan.email, sam.email]
    message = next(each for each in mails if each.to == [sam.email])
    assert message.subject == "Please approve the handoff: Portal Bcc: all@example.test"
    assert f"{settings.ONETEAM_URL}/approvals/{step_of(submission, 'Sales').pk}/" in message.body
    assert "In a hurry" in message.body
    assert "Tuesday 24 November, 17:00" in message.body


def test_a_mail_sent_again_is_the_same_mail(submission: Submission) -> None:
    first = {each.extra_headers["Message-ID"] for each in post(names.APPROVAL_ASKED)}
    assert first == {each.extra_headers["Message-ID"] for each in post(names.APPROVAL_ASKED)}
    assert len(first) == 2


def test_those_who_stand_in_are_asked_too(sam: User, ruth: User, submission: Submission) -> None:
    delegate(
        actor=sam, delegator=sam, delegate=ruth, starts_on=MONDAY.date(), ends_on=MONDAY.date(), reason="", now=MONDAY
    )
    message = next(each for each in post(names.APPROVAL_ASKED) if each.to == [ruth.email])
    assert "You stand in for Sam" in message.body


def test_nobody_is_asked_for_what_is_decided_or_recalled(submission: Submission, alice: User, sam: User) -> None:
    approve(submission, "Sales", sam)
    assert sam.email not in people_of(post(names.APPROVAL_ASKED))
    recall_handoff(actor=alice, handoff=submission.handoff, reason="A mistake", now=MONDAY)
    assert post(names.APPROVAL_ASKED) == []


def test_old_news_is_not_sent(submission: Submission) -> None:
    assert post(names.APPROVAL_ASKED, MONDAY + dt.timedelta(days=4)) == []


def test_reminder_and_escalation_follow_in_the_same_thread(submission: Submission, eve: User, sam: User) -> None:
    asked = {each.to[0]: each.extra_headers["Message-ID"] for each in post(names.APPROVAL_ASKED)}
    remind_and_escalate(now=CLOSING)
    reminders = [each for event in Event.objects.filter(name=names.APPROVAL_REMINDED) for each in _sent(event, CLOSING)]
    message = next(each for each in reminders if each.to == [sam.email])
    assert message.subject.startswith("Reminder:")
    assert message.extra_headers["In-Reply-To"] == asked[sam.email]
    remind_and_escalate(now=TUESDAY_CLOSING)
    late = [
        each for event in Event.objects.filter(name=names.APPROVAL_ESCALATED) for each in _sent(event, TUESDAY_CLOSING)
    ]
    assert {eve.email, sam.email} <= {each.to[0] for each in late}
    assert all(each.subject.startswith("Late:") for each in late)
    assert [each for event in Event.objects.filter(name=names.APPROVAL_REMINDED)
            for each in _sent(event, TUESDAY_CLOSING)] == []  # fmt: skip


def _sent(event: Event, now: dt.datetime) -> list[mail.EmailMessage]:
    mail.outbox.clear()
    send(event=event, now=now)
    return list(mail.outbox)


def test_a_refusal_goes_to_submitter_and_owners_with_its_words(submission: Submission, alice: User, sam: User) -> None:
    decide_step(
        actor=sam, step=step_of(submission, "Sales"), decision=StepState.CHANGES_REQUESTED, comment="The price is off",
        now=MONDAY,
    )  # fmt: skip
    mails = post(names.HANDOFF_CHANGES_REQUESTED)
    assert alice.email in people_of(mails)
    assert sam.email not in people_of(mails)
    assert all("The price is off" in each.body for each in mails)
    assert all("\n" not in each.subject for each in mails)
    submitted(fresh(submission.handoff))
    assert post(names.HANDOFF_CHANGES_REQUESTED) == []


def test_an_approval_asks_the_project_manager(
    submission: Submission, alice: User, sam: User, dan: User, pia: User
) -> None:
    approve(submission, "Sales", sam, comment="Well done")
    approve(submission, "Delivery", dan)
    handoff = fresh(submission.handoff)
    assert handoff.state == HandoffState.APPROVED
    mails = post(names.HANDOFF_APPROVED)
    manager = handoff.project_manager
    assert manager is not None
    assert [each.subject.split(":")[0] for each in mails if each.to == [manager.email]] == ["Please accept the handoff"]
    assert next(each for each in mails if each.to == [alice.email]).body.count("Well done") == 1
    accept_handoff(actor=manager, handoff=handoff, now=MONDAY)
    assert post(names.HANDOFF_APPROVED) == []


@pytest.mark.django_db(transaction=True)
def test_the_background_sends_them(alice: User, sam: User) -> None:
    Delivery.objects.update(state=DeliveryState.DONE)
    submitted(now=timezone.now())
    mail.outbox.clear()
    for ring in claim(100, timezone.now()):
        deliver(ring.delivery_id, attempt=ring.attempt, now=timezone.now())
    assert any(each.subject.startswith("Please approve") for each in mail.outbox)
