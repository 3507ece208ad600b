"""Taking back a move."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from opportunities.models import Opportunity, StageChange
from opportunities.services.moves import UNDO_SECONDS, move_to_stage
from tests.cast import Browser
from tests.factories import deal, stage

pytestmark = pytest.mark.django_db


def moved(by: User, *, to: str = "discovery", ago: int = 0) -> StageChange:
    made = deal("prospect", owner=by, delivery_owner=None)
    now = timezone.now() - dt.timedelta(seconds=ago)
    change = move_to_stage(actor=by, opportunity=made, stage=stage(to), expected_version=None, now=now).change
    assert change is not None
    return change


def url(change: StageChange) -> str:
    return reverse("opportunities:undo", args=[change.opportunity_id, change.pk])


def test_an_undo_restores_stage_and_what_the_stage_implied(as_alice: Browser, alice: User) -> None:
    change = moved(alice)
    before = Opportunity.objects.get(pk=change.opportunity_id)
    assert before.temperature == "warm"
    assert as_alice.hx("post", url(change)).status_code == 200
    after = Opportunity.objects.get(pk=change.opportunity_id)
    assert (after.stage.key, after.temperature, after.is_unforecasted) == ("prospect", "cold", False)
    assert after.stage_changes.latest("number").source == "undo"


def test_undoing_twice_is_undoing_once(as_alice: Browser, alice: User) -> None:
    change = moved(alice)
    for _ in range(3):
        assert as_alice.hx("post", url(change)).status_code == 200
    assert StageChange.objects.filter(opportunity=change.opportunity_id).count() == 3


def test_nobody_undoes_the_move_of_another(as_sam: Browser, alice: User) -> None:
    change = moved(alice)
    assert as_sam.hx("post", url(change)).status_code == 409
    assert Opportunity.objects.get(pk=change.opportunity_id).stage.key == "discovery"


def test_a_move_that_was_followed_by_another_stays(as_alice: Browser, alice: User, sam: User) -> None:
    change = moved(alice)
    move_to_stage(
        actor=sam, opportunity=change.opportunity, stage=stage("proposal"), expected_version=None, now=timezone.now()
    )
    response = as_alice.hx("post", url(change))
    assert response.status_code == 409
    assert "has moved on since" in response.headers["HX-Trigger"]


def test_it_can_be_too_late(as_alice: Browser, alice: User) -> None:
    change = moved(alice)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("opportunities.services.moves.UNDO_SECONDS", -1)
        assert "too long ago" in as_alice.hx("post", url(change)).headers["HX-Trigger"]
    assert UNDO_SECONDS >= 10


def test_an_outsider_finds_no_move(as_charlie: Browser, alice: User) -> None:
    assert as_charlie.hx("post", url(moved(alice))).status_code == 404


def test_a_move_of_another_deal_is_not_found(as_alice: Browser, alice: User) -> None:
    change = moved(alice)
    other = deal("prospect", owner=alice)
    assert as_alice.hx("post", reverse("opportunities:undo", args=[other.pk, change.pk])).status_code == 404
    assert as_alice.hx("post", reverse("opportunities:undo", args=[other.pk, 2**63])).status_code == 404


def test_looking_does_not_undo(as_alice: Browser, alice: User) -> None:
    assert as_alice.get(url(moved(alice))).status_code == 405
