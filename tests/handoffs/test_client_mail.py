"""What is mailed to clients."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.core.mail import EmailMultiAlternatives

from accounts.models import User
from events.models import Event
from handoffs import client_mail
from handoffs.models import ClientLink, ClientVoice
from handoffs.services.client import ask_client, link_of, opt_out, plan_pulses, revoke_link, send_due_pulses
from opportunities.models import Opportunity
from tests.handoffs.asking import contact_of, ready, started
from tests.handoffs.handing import won
from tests.handoffs.reactions import MONDAY, NEXT_MONDAY, react

Outbox = list[EmailMultiAlternatives]


def token_in(message: EmailMultiAlternatives) -> str:
    """The token of the link that a mail brings."""
    found = re.search(r"/c/([\w-]+)/\s", str(message.body))
    assert found is not None
    return found.group(1)


def test_request_brings_a_link_that_works(alice: User, dan: User, mailoutbox: Outbox) -> None:
    deal, nora = ready(alice, dan)
    link, token = ask_client(actor=dan, opportunity=deal, contact=nora, now=MONDAY)
    react()
    (message,) = mailoutbox
    assert token == ""
    assert link_of(token_in(message)) == link
    assert (message.to, message.reply_to) == (["nora@client.test"], [alice.email])
    assert "Dan" in str(message.body)
    assert token_in(message) in str(message.alternatives[0][0])


def test_mail_can_be_stopped_with_one_click(alice: User, dan: User, mailoutbox: Outbox) -> None:
    deal, nora = ready(alice, dan)
    ask_client(actor=dan, opportunity=deal, contact=nora, now=MONDAY)
    react()
    (message,) = mailoutbox
    stop = message.extra_headers["List-Unsubscribe"]
    assert stop.endswith(f"/c/{token_in(message)}/mail/>")
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"


def test_mail_is_in_the_contacts_language(alice: User, dan: User, mailoutbox: Outbox) -> None:
    deal, nora = ready(alice, dan)
    ask_client(actor=dan, opportunity=deal, contact=nora, now=MONDAY, language="de")
    react()
    (message,) = mailoutbox
    assert message.subject.startswith("Bitte bestätigen Sie")
    assert "23. Dezember 2026" in str(message.body)
    assert "Nora" in str(message.body)


def test_line_break_in_a_name_does_not_end_the_subject(alice: User, dan: User, mailoutbox: Outbox) -> None:
    deal, nora = ready(alice, dan)
    Opportunity.objects.filter(pk=deal.pk).update(name="Shops\r\nBcc: all@client.test")
    ask_client(actor=dan, opportunity=deal, contact=nora, now=MONDAY)
    react()
    assert mailoutbox[0].subject == "Please confirm what we agreed: Shops Bcc: all@client.test"


def test_mail_sent_again_leaves_the_first_link_working(alice: User, dan: User, mailoutbox: Outbox) -> None:
    deal, nora = ready(alice, dan)
    ask_client(actor=dan, opportunity=deal, contact=nora, now=MONDAY)
    event = Event.objects.get(name="clients.asked")
    client_mail.send(event=event, now=MONDAY)
    client_mail.send(event=event, now=MONDAY)
    first, second = (link_of(token_in(message)) for message in mailoutbox)
    assert first is not None
    assert second is not None
    assert first != second
    assert mailoutbox[0].extra_headers["Message-ID"] == mailoutbox[1].extra_headers["Message-ID"]


def test_pulse_and_its_reminders_are_one_thread(alice: User, dan: User, mailoutbox: Outbox) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    contact_of(deal)
    plan_pulses(started(deal), MONDAY)
    for day in (0, 7, 14, 21):
        send_due_pulses(MONDAY + dt.timedelta(days=day))
        react(MONDAY + dt.timedelta(days=day))
    first, second, third = mailoutbox
    assert second.extra_headers["References"] == first.extra_headers["Message-ID"]
    assert len({message.extra_headers["Message-ID"] for message in mailoutbox}) == 3
    assert "reminder" in third.subject
    assert link_of(token_in(third)) is not None


@pytest.mark.parametrize("what", ["revoked", "old", "opted out", "no address"])
def test_unwelcome_mail_is_not_sent(alice: User, dan: User, mailoutbox: Outbox, what: str) -> None:
    deal, nora = ready(alice, dan)
    link, _ = ask_client(actor=dan, opportunity=deal, contact=nora, now=MONDAY)
    now = MONDAY
    if what == "revoked":
        revoke_link(actor=dan, link=link, now=MONDAY)
    elif what == "opted out":
        opt_out(link=link, now=MONDAY)
    elif what == "no address":
        nora.email = ""
        nora.save()
    else:
        now = NEXT_MONDAY + dt.timedelta(hours=1)
    react(now)
    assert mailoutbox == []


def test_language_is_remembered(alice: User, dan: User) -> None:
    deal, nora = ready(alice, dan)
    ask_client(actor=dan, opportunity=deal, contact=nora, now=MONDAY, language="de")
    assert ClientVoice.objects.get(contact=nora).language == "de"
    assert ClientLink.objects.count() == 1
