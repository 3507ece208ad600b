"""The home page as data."""

from __future__ import annotations

from decimal import Decimal

from django.utils import timezone

from accounts.models import User
from handoffs import defaults
from handoffs.models import Engagement, ProjectState, RampPlan, Trigger
from handoffs.services.reviews import request_review
from tests import factories
from tests.api.conftest import Program, engaged, queries_of


def test_shows_the_circles(alices: Program, charlies: Program) -> None:
    factories.deal("prospect", amount=Decimal("1000.50"))
    factories.deal("discovery", amount=Decimal("2000"))
    factories.deal("discovery", amount=None)
    factories.deal("negotiation", amount=Decimal("300"), currency="XXX")
    factories.deal("won", amount=Decimal("4000"))
    stands = factories.deal("won", amount=Decimal("5000"))
    RampPlan.objects.filter(opportunity=stands).update(state=ProjectState.IN_DELIVERY, exited_at=timezone.now())
    factories.deal("lost", amount=Decimal("9"))
    venn = alices.get("dashboard/").json["venn"]
    assert venn["sales"] == {
        "count": 1, "amount": {"amount": "1000.50", "currency": "EUR"}, "unpriced": 0, "without_rate": 0,
    }  # fmt: skip
    assert venn["one_team"] == {
        "count": 4, "amount": {"amount": "6000.00", "currency": "EUR"}, "unpriced": 1, "without_rate": 1,
    }  # fmt: skip
    assert (venn["delivery"]["count"], venn["delivery"]["amount"]["amount"]) == (1, "5000.00")
    assert [zone["count"] for zone in charlies.get("dashboard/").json["venn"].values()] == [0, 0, 0]


def test_shows_what_waits_for_the_caller(
    dans: Program, alices: Program, charlies: Program, engagement: Engagement
) -> None:
    dans_needs = dans.get("dashboard/").json["needs_you"]
    request = next(need for need in dans_needs if need["kind"] == "engagement")
    assert request["engagement"] == engagement.pk
    assert request["opportunity"]["id"] == engagement.opportunity_id
    assert request["due_at"].endswith("Z")
    alices_needs = alices.get("dashboard/").json["needs_you"]
    waiting = [need["task"]["name"] for need in alices_needs if need["kind"] == "task"]
    assert "Brief delivery on client, need and timing" in waiting
    assert {need["urgency"] for need in dans_needs} <= {"overdue", "today", "week", "later"}
    assert charlies.get("dashboard/").json["needs_you"] == []


def test_shows_what_comes_up(dans: Program, pia: User, engagement: Engagement) -> None:
    upcoming = Program(pia).get("dashboard/").json["upcoming"]
    assert [row["opportunity"]["id"] for row in upcoming] == [engagement.opportunity_id]
    assert upcoming[0]["start_on"] == "2027-04-01"
    assert upcoming[0]["engagement_state"] == "requested"
    assert upcoming[0]["open_tasks"]["sales"] >= 1


def test_queries_do_not_grow_with_rows(dans: Program, alices: Program, dan: User) -> None:
    for _ in range(2):
        engaged()
    few = [queries_of(program, "dashboard/") for program in (dans, alices)]
    for _ in range(5):
        engaged()
    assert [queries_of(program, "dashboard/") for program in (dans, alices)] == few
    assert max(few) <= 15


def test_needs_a_token_and_is_read_only(alices: Program) -> None:
    factories.organisation()
    assert Program().get("dashboard/").status == 401
    for method in ("POST", "PATCH", "PUT", "DELETE"):
        assert alices.ask(method, "dashboard/").status == 405


def test_what_waits_in_a_review_says_what_there_is_to_do_and_where(alices: Program, alice: User, dan: User) -> None:
    defaults.create(organisation=factories.organisation(), now=timezone.now())
    found = factories.deal("proposal", owner=alice, delivery_owner=dan)
    review = request_review(actor=alice, opportunity=found, is_express=False, trigger=Trigger.ASKED, now=timezone.now())
    needs = alices.get("dashboard/").json["needs_you"]
    [need] = [need for need in needs if need["kind"] == "review"]
    assert need["reasons"] == ["Answer the deal review"]
    assert need["page"].endswith(f"/reviews/{review.pk}/")
