"""How well deals are kept: what it cost delivery, and who went past a gate."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from accounts.models import User
from handoffs.services.reviews import override_review
from opportunities.services.moves import move_to_stage
from tests.cast import Browser
from tests.factories import deal, stage


def page_of(user: User) -> str:
    return " ".join(str(Browser(user).get("/hygiene/").content.decode()).split())


def test_a_move_past_a_gate_is_counted_for_the_team_with_its_reason(alice: User, sam: User, charlie: User) -> None:
    made = deal("proposal", owner=alice, name="Customer portal", start_on=None, amount=None)
    move_to_stage(
        actor=sam, opportunity=made, stage=stage("negotiation"), expected_version=None, now=timezone.now(), bypass=True,
        reason="The board signs on Friday",
    )  # fmt: skip
    seen = page_of(sam)
    assert "1 time in 90 days" in seen
    assert "The board signs on Friday" in seen
    assert "Customer portal" in seen
    assert "Customer portal" not in page_of(charlie)


def test_an_override_of_the_review_is_counted_for_the_team(alice: User, sam: User) -> None:
    made = deal("proposal", owner=alice, name="Customer portal")
    override_review(actor=sam, opportunity=made, reason="Renewal on the same terms", now=timezone.now())
    seen = page_of(sam)
    assert "1 time in 90 days" in seen
    assert "Renewal on the same terms" in seen


def test_what_skipped_stages_cost_delivery_is_added_up(alice: User) -> None:
    now = timezone.now()
    made = deal(owner=alice, name="Customer portal", now=now - dt.timedelta(days=30))
    move_to_stage(
        actor=alice, opportunity=made, stage=stage("proposal"), expected_version=None, now=now, reason="They hurry"
    )
    seen = page_of(alice)
    assert "40 business days in 90 days" in seen  # Qualified and Discovery are expected to take 20 each
    assert "Qualified, Discovery skipped" in seen


def test_an_empty_page_says_what_would_be_here(alice: User) -> None:
    seen = page_of(alice)
    assert "Nobody went past a gate" in seen
    assert "Deals went stage by stage" in seen
