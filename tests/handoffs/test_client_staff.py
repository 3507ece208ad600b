"""The client's word on the deal page: writing, asking, taking back, and what the client said."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from handoffs.client_queries import csat_of, nps_of
from handoffs.models import ClientLink, Pulse, RaidItem, RiskProfile, Statement, Subject
from handoffs.services.client import FurtherRisk, RiskWord, amend, answer_pulse, confirm, link_of, opt_out
from handoffs.services.risk_profiles import differences, snapshot
from opportunities.models import Contact, Opportunity
from tests.cast import Browser
from tests.handoffs.asking import SCOPE, asked, contact_of, pulsed, ready, started, written
from tests.handoffs.handing import won
from tests.handoffs.reactions import MONDAY, deal


@pytest.fixture
def theirs(alice: User, dan: User) -> tuple[Opportunity, Contact]:
    """A won deal with something to confirm."""
    return ready(alice, dan)


def panel(browser: Browser, opportunity: Opportunity) -> str:
    """The panel as the deal page fetches it."""
    page = browser.hx("get", reverse("handoffs:client_panel", args=[opportunity.pk]))
    assert page.status_code == 200
    return str(page.content.decode())


def test_panel_shows_what_waits_and_what_was_said(
    as_alice: Browser, alice: User, theirs: tuple[Opportunity, Contact]
) -> None:
    won_deal, nora = theirs
    assert "Not asked yet" in panel(as_alice, won_deal)
    link, _ = asked(won_deal, alice, nora, now=timezone.now())
    assert "Waits for the client" in panel(as_alice, won_deal)
    confirm(link=link, subject=Subject.SCOPE, number=1, now=timezone.now())
    text = panel(as_alice, won_deal)
    assert "Confirmed by Nora" in text
    assert "1 of 3 confirmed by the client" in text


def test_panel_shows_an_amendment_as_a_difference(
    as_alice: Browser, alice: User, theirs: tuple[Opportunity, Contact]
) -> None:
    won_deal, nora = theirs
    link, _ = asked(won_deal, alice, nora, now=timezone.now())
    changed = SCOPE.replace("included", "extra")
    amend(link=link, subject=Subject.SCOPE, number=1, text=changed, reason="Too dear", now=timezone.now())
    text = panel(as_alice, won_deal)
    assert "Amended by the client" in text
    assert "<del>included.</del><ins>extra.</ins>" in text
    assert "Too dear" in text


def test_panel_hides_on_a_cold_deal(as_alice: Browser, alice: User) -> None:
    assert re.search(r'id="client-panel"[^>]*\shidden', panel(as_alice, deal(owner=alice)))


def test_panel_costs_the_same_for_much_and_for_little(
    as_alice: Browser, alice: User, theirs: tuple[Opportunity, Contact]
) -> None:
    won_deal, nora = theirs
    asked(won_deal, alice, nora, now=timezone.now())
    panel(as_alice, won_deal)
    with CaptureQueriesContext(connection) as few:
        panel(as_alice, won_deal)
    for number in range(8):
        contact = contact_of(won_deal, f"Olga{number}")
        asked(won_deal, alice, contact, now=timezone.now())
        Statement.objects.create(
            opportunity=won_deal, subject="scope", number=number + 2, text=str(number), written_by=alice,
            written_at=MONDAY,
        )  # fmt: skip
    with CaptureQueriesContext(connection) as many:
        panel(as_alice, won_deal)
    assert len(many) == len(few) <= 15


def test_writes_a_version(as_alice: Browser, alice: User) -> None:
    hot = deal("proposal", owner=alice)
    address = reverse("handoffs:write_statement", args=[hot.pk, "scope"])
    answer = as_alice.hx("post", address, {"text": "Three shops", "number": 0})
    assert answer.status_code == 204
    assert Statement.objects.get().text == "Three shops"


def test_collision_keeps_the_text_and_shows_the_difference(as_alice: Browser, alice: User) -> None:
    hot = deal("proposal", owner=alice)
    written(hot, alice)
    address = reverse("handoffs:write_statement", args=[hot.pk, "scope"])
    answer = as_alice.hx("post", address, {"text": "Only mine", "number": 0})
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "<ins>Only mine</ins>" in text
    assert 'name="number" value="1"' in text


@pytest.mark.parametrize("subject", ["risk_profile", "nothing"])
def test_only_words_are_written_here(as_alice: Browser, alice: User, subject: str) -> None:
    hot = deal("proposal", owner=alice)
    assert as_alice.get(reverse("handoffs:write_statement", args=[hot.pk, subject])).status_code == 404


def test_asks_by_mail(as_alice: Browser, theirs: tuple[Opportunity, Contact]) -> None:
    won_deal, nora = theirs
    given = {"contact": nora.pk, "language": "de", "how": "mail"}
    answer = as_alice.hx("post", reverse("handoffs:ask_client", args=[won_deal.pk]), given)
    assert answer.status_code == 204
    assert "A mail with the link goes to Nora." in answer.headers["HX-Trigger"]


def test_link_is_shown_once(as_alice: Browser, client: Client, theirs: tuple[Opportunity, Contact]) -> None:
    won_deal, nora = theirs
    given = {"contact": nora.pk, "language": "en", "how": "copy"}
    answer = as_alice.hx("post", reverse("handoffs:ask_client", args=[won_deal.pk]), given)
    found = re.search(r"/c/([\w-]+)/", answer.content.decode())
    assert found is not None
    assert "no-store" in answer.headers["Cache-Control"]
    assert client.get(found.group()).status_code == 200
    assert found.group(1) not in panel(as_alice, won_deal)


def test_foreign_contact_is_no_choice(as_alice: Browser, alice: User, theirs: tuple[Opportunity, Contact]) -> None:
    won_deal, _ = theirs
    other = contact_of(deal("proposal", owner=alice, name="Other"), "Ole")
    given = {"contact": other.pk, "language": "en", "how": "mail"}
    assert as_alice.hx("post", reverse("handoffs:ask_client", args=[won_deal.pk]), given).status_code == 422
    assert not ClientLink.objects.exists()


def test_taken_back_link_no_longer_opens(
    as_alice: Browser, client: Client, alice: User, theirs: tuple[Opportunity, Contact]
) -> None:
    won_deal, nora = theirs
    link, token = asked(won_deal, alice, nora, now=timezone.now())
    as_alice.post(reverse("handoffs:revoke_client_link", args=[link.pk]))
    assert client.get(reverse("handoffs:client_page", args=[token])).status_code == 404


def test_pulse_is_asked_and_its_answer_shown(as_alice: Browser, alice: User, dan: User) -> None:
    won_deal = won(owner=alice, delivery_owner=dan)
    nora = contact_of(won_deal)
    started(won_deal)
    given = {"contact": nora.pk, "language": "en", "how": "copy"}
    answer = as_alice.hx("post", reverse("handoffs:send_pulse", args=[won_deal.pk]), given)
    found = re.search(r"/c/([\w-]+)/", answer.content.decode())
    assert found is not None
    answer_pulse(link=link_of(found.group(1)), csat=5, recommend=10, comment="Bravo", now=timezone.now())
    text = panel(as_alice, won_deal)
    assert "satisfaction 5.0 of 5" in text
    assert "NPS 100" in text
    assert "Bravo" in text


def test_who_wants_no_mail_is_named(as_alice: Browser, alice: User, dan: User) -> None:
    won_deal = won(owner=alice, delivery_owner=dan)
    _, token = pulsed(won_deal, contact_of(won_deal))
    opt_out(link=link_of(token), now=MONDAY)
    assert "Wants no mail: Nora" in panel(as_alice, won_deal)


def test_amended_risks_are_taken_into_the_register(
    as_alice: Browser, alice: User, theirs: tuple[Opportunity, Contact]
) -> None:
    won_deal, nora = theirs
    link, _ = asked(won_deal, alice, nora, now=timezone.now())
    risk = RiskProfile.objects.get().items[0]["id"]
    amend(
        link=link, subject=Subject.RISK_PROFILE, number=1, now=timezone.now(),
        risks={risk: RiskWord(likelihood=5)}, further=[FurtherRisk("Snow", 2, 3)],
    )  # fmt: skip
    assert "Take into the register" in panel(as_alice, won_deal)
    address = reverse("handoffs:take_over_profile", args=[RiskProfile.objects.get(number=2).pk])
    for _ in range(2):
        assert as_alice.hx("post", address).status_code in (200, 204)
    assert RaidItem.objects.get(pk=risk).likelihood == 5
    snow = RaidItem.objects.get(text="Snow")
    amended = RiskProfile.objects.get(number=2)
    assert [change.what for change in differences(amended.items, snapshot([snow, RaidItem.objects.get(pk=risk)]))] == [
        "gone"  # the assumption, which is left out here
    ]
    assert "Take into the register" not in panel(as_alice, won_deal)


def test_profile_page_names_the_clients_contact(
    as_alice: Browser, alice: User, theirs: tuple[Opportunity, Contact]
) -> None:
    won_deal, nora = theirs
    link, _ = asked(won_deal, alice, nora, now=timezone.now())
    risk = RiskProfile.objects.get().items[0]["id"]
    amend(
        link=link, subject=Subject.RISK_PROFILE, number=1, reason="Weather", now=timezone.now(),
        risks={risk: RiskWord(remark="As last year")},
    )  # fmt: skip
    page = as_alice.get(reverse("handoffs:risk_profile", args=[RiskProfile.objects.get(number=2).pk]))
    text = page.content.decode()
    assert "Nora" in text
    assert "As last year" in text
    assert "Nora" in as_alice.get(reverse("handoffs:risk_panel", args=[won_deal.pk])).content.decode()


def test_outsider_sees_nothing(as_charlie: Browser, theirs: tuple[Opportunity, Contact]) -> None:
    won_deal, _ = theirs
    for name, args in (("client_panel", []), ("ask_client", []), ("send_pulse", []), ("write_statement", ["scope"])):
        assert as_charlie.get(reverse(f"handoffs:{name}", args=[won_deal.pk, *args])).status_code == 404


def test_averages() -> None:
    pulses = [Pulse(csat=csat, recommend=recommend) for csat, recommend in ((5, 10), (4, 9), (3, 7), (2, 0), (4, None))]
    assert csat_of(pulses) == 3.6
    assert nps_of(pulses) == 25
    assert (csat_of([]), nps_of([])) == (None, None)
