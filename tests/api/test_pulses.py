"""Pulses, and the words that clients confirm, through the API."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.models import User
from handoffs import defaults
from handoffs.models import Pulse
from handoffs.services.client import answer_pulse, link_of, opt_out
from opportunities.models import Contact, Opportunity
from tests import factories
from tests.api.conftest import Program, queries_of
from tests.handoffs.asking import contact_of, pulsed, started, written
from tests.handoffs.handing import won


@pytest.fixture
def deal(alice: User, dan: User) -> Opportunity:
    """A won deal whose ramp has begun."""
    defaults.create(organisation=factories.organisation(), now=timezone.now())
    made = won(owner=alice, delivery_owner=dan, now=timezone.now())
    started(made)
    return made


@pytest.fixture
def nora(deal: Opportunity) -> Contact:
    """Its sponsor."""
    return contact_of(deal)


def test_sends_and_shows_what_came_of_it(alices: Program, deal: Opportunity, nora: Contact) -> None:
    body = {"opportunity": deal.pk, "contact": nora.pk, "language": "de"}
    sent = alices.post("pulses/send/", body)
    assert sent.status == 201, sent
    assert (sent.json["occasion"], sent.json["csat"], sent.json["contact"]["name"]) == ("asked", None, "Nora")
    assert "token" not in str(sent.json)
    again = alices.post("pulses/send/", body)
    assert again.json["id"] == sent.json["id"]
    assert alices.get(f"pulses/{sent.json['id']}/").json == sent.json


def test_answers_are_shown_and_filtered(alices: Program, deal: Opportunity, nora: Contact) -> None:
    _, token = pulsed(deal, nora, now=timezone.now())
    link = link_of(token)
    assert link is not None
    answer_pulse(link=link, csat=5, recommend=9, comment="Good", now=timezone.now())
    (row,) = alices.rows(f"pulses/?answered=true&opportunity={deal.pk}")
    assert (row["csat"], row["recommend"], row["comment"]) == (5, 9, "Good")
    assert len(alices.rows(f"pulses/?account={deal.account_id}")) == Pulse.objects.count()
    assert alices.rows("pulses/?account=999999") == []


def test_outsider_sees_none(charlies: Program, deal: Opportunity, nora: Contact) -> None:
    pulse, _ = pulsed(deal, nora, now=timezone.now())
    assert charlies.rows("pulses/") == []
    assert charlies.get(f"pulses/{pulse.pk}/").status == 404
    assert charlies.get(f"opportunities/{deal.pk}/statements/").status == 404
    assert charlies.post("pulses/send/", {"opportunity": deal.pk, "contact": nora.pk}).status == 400


def test_who_opted_out_is_not_asked(alices: Program, deal: Opportunity, nora: Contact) -> None:
    _, token = pulsed(deal, nora, now=timezone.now())
    link = link_of(token)
    assert link is not None
    opt_out(link=link, now=timezone.now())
    refused = alices.post("pulses/send/", {"opportunity": deal.pk, "contact": nora.pk})
    assert refused.status == 400
    assert "asked not to be written to" in refused.json["detail"]


def test_deal_without_plan_is_told(alices: Program, alice: User, deal: Opportunity) -> None:
    other = factories.deal("discovery", owner=alice)
    nora = contact_of(other)
    refused = alices.post("pulses/send/", {"opportunity": other.pk, "contact": nora.pk})
    assert refused.status == 400
    assert "opportunity" in refused.json["fields"]


def test_lists_versions_of_what_was_agreed(alices: Program, alice: User, deal: Opportunity) -> None:
    written(deal, alice, now=timezone.now())
    rows = alices.rows(f"opportunities/{deal.pk}/statements/")
    assert [(row["subject"], row["number"], row["written_by"]["name"]) for row in rows] == [
        ("scope", 1, "Alice"), ("success_criteria", 1, "Alice"),
    ]  # fmt: skip


def test_list_costs_the_same_for_many(alices: Program, deal: Opportunity, nora: Contact) -> None:
    pulsed(deal, nora, now=timezone.now())
    few = queries_of(alices, "pulses/")
    plan = started(deal)
    Pulse.objects.bulk_create(
        Pulse(plan=plan, contact=nora, occasion="asked", due_on=timezone.now().date()) for _ in range(30)
    )
    assert queries_of(alices, "pulses/") == few
