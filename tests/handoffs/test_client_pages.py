"""The client's own pages behind private links."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from events.models import Event
from handoffs.client_limits import BY_TOKEN, WRONG_TOKENS
from handoffs.models import (
    ClientAnswer,
    ClientLink,
    ClientVoice,
    Confirmation,
    Pulse,
    RampPlan,
    RiskProfile,
    Statement,
    Subject,
)
from handoffs.services.client import opt_out, revoke_link, write_statement
from opportunities.models import Contact, Opportunity
from tests.handoffs.asking import SCOPE, asked, contact_of, pulsed, ready
from tests.handoffs.handing import won
from tests.handoffs.reactions import MONDAY, TUESDAY, move


@pytest.fixture(autouse=True)
def _monday() -> Iterator[None]:
    cache.clear()
    with time_machine.travel(MONDAY, tick=False):
        yield


@pytest.fixture
def deal_and_contact(alice: User, dan: User) -> tuple[Opportunity, Contact]:
    """A won deal with something to confirm."""
    return ready(alice, dan)


@pytest.fixture
def token(alice: User, deal_and_contact: tuple[Opportunity, Contact]) -> str:
    """A link to confirm."""
    deal, contact = deal_and_contact
    return asked(deal, alice, contact)[1]


@pytest.fixture
def pulse_token(alice: User, dan: User) -> str:
    """A link to rate."""
    deal = won(owner=alice, delivery_owner=dan)
    return pulsed(deal, contact_of(deal))[1]


def url(name: str, *args: str) -> str:
    """An address of the private pages."""
    return reverse(f"handoffs:client_{name}", args=args)


def tracks() -> tuple[Any, ...]:
    """Everything that looking could leave behind."""
    return (
        Event.objects.count(), Confirmation.objects.count(), Statement.objects.count(),
        list(ClientLink.objects.values()), list(ClientVoice.objects.values()), list(Pulse.objects.values()),
    )  # fmt: skip


def test_page_shows_what_was_agreed(client: Client, token: str) -> None:
    page = client.get(url("page", token))
    text = page.content.decode()
    assert page.status_code == 200
    assert "Training is included." in text
    assert "The new till arrives late" in text
    assert "Northwind Services" in text


def test_page_needs_neither_cookie_nor_script(client: Client, token: str) -> None:
    page = client.get(url("page", token))
    assert not page.cookies
    assert "<script" not in page.content.decode()


@pytest.mark.parametrize("name", ["page", "mail"])
def test_pages_are_sealed(client: Client, token: str, name: str) -> None:
    for answer in (client.get(url(name, token)), client.get(url(name, "guessed"))):
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Robots-Tag"].startswith("noindex")
        assert "no-store" in answer.headers["Cache-Control"]


def test_page_refers_to_nothing_outside(client: Client, token: str) -> None:
    text = client.get(url("page", token)).content.decode()
    assert "http://www.w3.org/2000/svg" not in text or text.count("http") == text.count("http://www.w3.org/2000/svg")
    assert len(text.encode()) < 20_000


def test_page_costs_the_same_for_many_versions(
    client: Client, alice: User, deal_and_contact: tuple[Opportunity, Contact], token: str
) -> None:
    client.get(url("page", token))
    with CaptureQueriesContext(connection) as few:
        client.get(url("page", token))
    for number in range(10):
        write_statement(
            actor=alice, opportunity=deal_and_contact[0], subject=Subject.SCOPE, text=f"{number}", now=MONDAY
        )
    with CaptureQueriesContext(connection) as many:
        client.get(url("page", token))
    assert len(many) == len(few) <= 12


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_twenty_times_uses_nothing_up(client: Client, token: str, pulse_token: str, method: str) -> None:
    before = tracks()
    addresses = [
        url("page", token), url("confirm", token, "scope"), url("change", token, "scope"),
        url("change", token, "risk_profile"), url("mail", token), url("page", pulse_token), url("rate", pulse_token),
        url("mail", pulse_token),
    ]  # fmt: skip
    for _ in range(20):
        for address in addresses:
            assert getattr(client, method)(address).status_code in (200, 302)
        cache.clear()
    assert tracks() == before
    assert client.post(url("confirm", token, "scope"), {"number": 1}).status_code == 302


def _answers(client: Client, token: str) -> list[Any]:
    return [
        client.get(url("page", token)), client.head(url("page", token)),
        client.post(url("confirm", token, "scope"), {"number": 1}),
        client.post(url("change", token, "scope"), {"number": 1, "text": "x", "step": "send"}),
        client.post(url("rate", token), {"csat": 5}),
    ]  # fmt: skip


@pytest.mark.parametrize("guess", ["x", "x" * 43, "x" * 300, "%00", "ü", "../../settings", "null"])
def test_guessed_token_is_told_nothing(client: Client, token: str, guess: str) -> None:
    before = tracks()
    for answer in _answers(client, guess.replace("/", "")):
        assert answer.status_code == 404
        assert b"Deal" not in answer.content
        assert b"Nora" not in answer.content
    assert tracks() == before


@pytest.mark.parametrize("how", ["expired", "revoked", "rests"])
def test_gone_link_is_told_kindly_and_leaks_nothing(
    client: Client, alice: User, deal_and_contact: tuple[Opportunity, Contact], token: str, how: str
) -> None:
    deal, _ = deal_and_contact
    now = MONDAY
    if how == "expired":
        now += dt.timedelta(days=30)
    elif how == "revoked":
        revoke_link(actor=alice, link=ClientLink.objects.select_related("opportunity", "contact").get(), now=MONDAY)
    else:
        Opportunity.objects.filter(pk=deal.pk).update(archived_at=MONDAY)
    before = tracks()
    with time_machine.travel(now, tick=False):
        for answer in _answers(client, token):
            assert answer.status_code == 404
            for secret in (deal.name, "Nora", "till", "Training", "Alice"):
                assert secret not in answer.content.decode()
    assert tracks() == before


def test_other_contacts_answers_are_not_mine(
    client: Client, alice: User, deal_and_contact: tuple[Opportunity, Contact], token: str
) -> None:
    deal, _ = deal_and_contact
    client.post(url("confirm", token, "scope"), {"number": 1})
    _, other = asked(deal, alice, contact_of(deal, "Olga"))
    text = client.get(url("page", other)).content.decode()
    assert "Yes, that’s right" in text
    assert "You confirmed" not in text
    client.post(url("confirm", other, "scope"), {"number": 1})
    assert set(Confirmation.objects.values_list("contact__name", flat=True)) == {"Nora", "Olga"}


def test_link_opens_only_its_own_deal(client: Client, alice: User, dan: User, token: str) -> None:
    other = won(owner=alice, delivery_owner=dan, name="Secret deal")
    write_statement(actor=alice, opportunity=other, subject=Subject.SCOPE, text="Hidden words", now=MONDAY)
    assert "Hidden words" not in client.get(url("page", token)).content.decode()


def test_yes_is_kept_and_thanked_for(client: Client, token: str) -> None:
    for subject in Subject.values:
        answer = client.post(url("confirm", token, subject), {"number": 1}, follow=True)
    assert "Thank you, Nora" in answer.content.decode()
    assert Confirmation.objects.filter(answer=ClientAnswer.CONFIRMED).count() == 3


def test_fifty_times_yes_is_one(client: Client, token: str) -> None:
    for _ in range(50):
        assert client.post(url("confirm", token, "scope"), {"number": 1}).status_code == 302
    assert Confirmation.objects.count() == 1


def test_yes_to_what_changed_meanwhile_asks_to_look_again(
    client: Client, alice: User, deal_and_contact: tuple[Opportunity, Contact], token: str
) -> None:
    write_statement(actor=alice, opportunity=deal_and_contact[0], subject=Subject.SCOPE, text="Newest", now=MONDAY)
    answer = client.post(url("confirm", token, "scope"), {"number": 1})
    assert answer.status_code == 409
    assert "Newest" in answer.content.decode()
    assert not Confirmation.objects.exists()


def test_change_shows_the_difference_before_it_is_sent(client: Client, token: str) -> None:
    changed = SCOPE.replace("included", "not included")
    looked = client.post(url("change", token, "scope"), {"number": 1, "text": changed, "step": "look"})
    assert "<ins>not </ins>" in looked.content.decode()
    assert Statement.objects.filter(subject="scope").count() == 1
    sent = client.post(url("change", token, "scope"), {"number": 1, "text": changed, "step": "send"}, follow=True)
    assert "These are your words" in sent.content.decode()
    assert Statement.objects.get(subject="scope", number=2).text == changed


def test_change_of_an_older_version_keeps_what_was_typed(
    client: Client, alice: User, deal_and_contact: tuple[Opportunity, Contact], token: str
) -> None:
    write_statement(actor=alice, opportunity=deal_and_contact[0], subject=Subject.SCOPE, text="Newest", now=MONDAY)
    answer = client.post(url("change", token, "scope"), {"number": 1, "text": "Mine of old", "step": "send"})
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "Mine of old" in text
    assert "Newest" in text
    assert 'name="number" value="2"' in text


@pytest.mark.parametrize(
    "given",
    [{}, {"number": "x"}, {"number": 1, "text": ""}, {"number": 1, "text": "a\x00b"}, {"number": 2**70, "text": "x"},
     {"number": 1, "text": "x" * 10_001}, {"number": 1, "text": SCOPE, "step": "look"},
     {"number": 1, "text": SCOPE, "step": "send"}],
)  # fmt: skip
def test_unreadable_change_is_told(client: Client, token: str, given: dict[str, object]) -> None:
    assert client.post(url("change", token, "scope"), given).status_code == 422
    assert Statement.objects.filter(subject="scope").count() == 1


def test_risks_are_rated_remarked_and_added(client: Client, token: str) -> None:
    risk = RiskProfile.objects.get().items[0]["id"]
    given = {
        "number": 1, "rows": 1, f"likelihood_{risk}": 5, f"impact_{risk}": 4, f"remark_{risk}": "Again",
        "further_text_0": "Stocktaking", "further_likelihood_0": 2, "further_impact_0": 3,
    }  # fmt: skip
    looked = client.post(url("change", token, "risk_profile"), {**given, "step": "look"}).content.decode()
    assert "<del>possible</del> <ins>very likely</ins>" in looked
    assert "<ins>Stocktaking</ins>" in looked
    client.post(url("change", token, "risk_profile"), {**given, "step": "send"})
    items = RiskProfile.objects.get(number=2).items
    assert (items[0]["likelihood"], items[0]["remark"], items[2]["text"]) == (5, "Again", "Stocktaking")


def test_more_rows_keep_what_was_typed(client: Client, token: str) -> None:
    given = {"number": 1, "rows": 1, "further_text_0": "Stocktaking", "step": "more"}
    text = client.post(url("change", token, "risk_profile"), given).content.decode()
    assert "Stocktaking" in text
    assert 'name="further_text_1"' in text


@pytest.mark.parametrize("rows", ["0", "-1", "9999", "x", "²"])
def test_odd_number_of_rows_does_no_harm(client: Client, token: str, rows: str) -> None:
    assert client.post(url("change", token, "risk_profile"), {"number": 1, "rows": rows}).status_code == 422


def test_rating_is_kept_once(client: Client, pulse_token: str) -> None:
    given = {"csat": 4, "recommend": 9, "comment": "Good"}
    for _ in range(3):
        answer = client.post(url("rate", pulse_token), given, follow=True)
        assert "Thank you, Nora" in answer.content.decode()
    pulse = Pulse.objects.get(answered_at__isnull=False)
    assert (pulse.csat, pulse.recommend, pulse.comment) == (4, 9, "Good")


def test_other_rating_afterwards_is_told_to_have_been_sent(client: Client, pulse_token: str) -> None:
    client.post(url("rate", pulse_token), {"csat": 4})
    answer = client.post(url("rate", pulse_token), {"csat": 1})
    assert answer.status_code == 409
    assert "sent already" in answer.content.decode()
    assert Pulse.objects.get(answered_at__isnull=False).csat == 4


def test_rating_without_a_face_keeps_the_comment(client: Client, pulse_token: str) -> None:
    answer = client.post(url("rate", pulse_token), {"comment": "Long thought about"})
    assert answer.status_code == 422
    assert "Long thought about" in answer.content.decode()


def test_reopened_deal_rests_its_pulse(client: Client, pulse_token: str) -> None:
    move(RampPlan.objects.get().opportunity, "negotiation")
    assert client.get(url("page", pulse_token)).status_code == 404


def test_page_speaks_the_contacts_german(client: Client, token: str) -> None:
    ClientVoice.objects.create(contact=Contact.objects.get(name="Nora"), language="de")
    page = client.get(url("page", token))
    text = page.content.decode()
    assert 'lang="de"' in text
    assert "Ja, das stimmt" in text
    assert "23. November 2026" in text
    assert page.headers["Content-Language"] == "de"


def test_language_can_be_switched_and_stays(client: Client, token: str) -> None:
    answer = client.post(url("confirm", token, "scope") + "?lang=de", {"number": 1}, follow=True)
    assert "Sie haben das am 23. November 2026 bestätigt." in answer.content.decode()
    assert not ClientVoice.objects.exists()


def test_staff_pages_stay_english_for_german_browsers(as_alice: Client) -> None:
    page = as_alice.get(reverse("dashboards:home"), headers={"Accept-Language": "de"})
    assert 'lang="en"' in page.content.decode()


def test_gone_page_speaks_the_browsers_language(client: Client, db: None, alice: User) -> None:
    page = client.get(url("page", "guessed"), headers={"Accept-Language": "de-AT,de;q=0.9"})
    assert "Hier ist nichts" in page.content.decode()


def test_stopping_mail_takes_a_post(client: Client, pulse_token: str) -> None:
    assert "No more mails like this?" in client.get(url("mail", pulse_token)).content.decode()
    assert not ClientVoice.objects.exists()
    answer = client.post(url("mail", pulse_token), {"List-Unsubscribe": "One-Click"}, follow=True)
    assert "You get no more mails" in answer.content.decode()
    assert ClientVoice.objects.get().opted_out_at == MONDAY
    client.post(url("mail", pulse_token), {"choice": "in"})
    assert ClientVoice.objects.get().opted_out_at is None


def test_expired_link_still_stops_mail_but_a_revoked_one_does_not(client: Client, alice: User, token: str) -> None:
    link = ClientLink.objects.select_related("opportunity", "contact").get()
    with time_machine.travel(MONDAY + dt.timedelta(days=60), tick=False):
        assert client.post(url("mail", token)).status_code == 302
    revoke_link(actor=alice, link=link, now=TUESDAY)
    assert client.post(url("mail", token)).status_code == 404


def test_guessing_is_slowed_down(client: Client, token: str) -> None:
    for _ in range(WRONG_TOKENS.most):
        assert client.get(url("page", "guessed")).status_code == 404
    answer = client.get(url("page", "guessed"))
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert client.get(url("page", token), REMOTE_ADDR="192.0.2.1").status_code == 200


def test_one_link_is_not_asked_for_without_end(client: Client, token: str) -> None:
    answers = [
        client.get(url("page", token), REMOTE_ADDR=f"192.0.2.{number % 200}").status_code
        for number in range(BY_TOKEN.most + 1)
    ]
    assert answers == [200] * BY_TOKEN.most + [429]


def test_made_up_forwarding_changes_nothing(client: Client, alice: User) -> None:
    answers = [
        client.get(url("page", "guessed"), headers={"X-Forwarded-For": f"198.51.100.{number}"}).status_code
        for number in range(WRONG_TOKENS.most + 1)
    ]
    assert answers[-1] == 429


@pytest.mark.parametrize("method", ["put", "delete", "patch", "options"])
def test_other_methods_are_refused(client: Client, token: str, method: str) -> None:
    assert getattr(client, method)(url("page", token)).status_code == 405


def test_opted_out_contact_still_sees_the_page(client: Client, token: str) -> None:
    opt_out(link=ClientLink.objects.select_related("opportunity", "contact").get(), now=MONDAY)
    assert client.get(url("page", token)).status_code == 200
