"""Temperature, snooze, losing, reopening, archiving."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from events import names
from events.models import Event
from opportunities.models import Opportunity
from opportunities.services.moves import move_to_stage
from tests.cast import Browser
from tests.factories import deal, stage

pytestmark = pytest.mark.django_db

ACTIONS = ["temperature", "snooze", "lose", "reopen"]


def url(name: str, made: Opportunity) -> str:
    return reverse(f"opportunities:{name}", args=[made.pk])


def act(browser: Browser, name: str, made: Opportunity, **given: Any) -> Any:
    return browser.hx("post", url(name, made), {"version": made.version, **given})


@pytest.mark.parametrize("name", ACTIONS)
def test_each_is_asked_in_a_dialog_or_on_a_page(as_alice: Browser, name: str) -> None:
    made = deal("lost" if name == "reopen" else "prospect")
    assert as_alice.hx("get", url(name, made)).headers["HX-Retarget"] == "#dialog-body"
    page = as_alice.get(url(name, made))
    assert page.status_code == 200
    assert "<!DOCTYPE html>" in page.content.decode()


@pytest.mark.parametrize("name", [*ACTIONS, "archive"])
def test_outsiders_and_readers(as_charlie: Browser, as_dan: Browser, alice: User, name: str) -> None:
    made = deal(owner=alice)
    assert act(as_charlie, name, made).status_code == 404
    assert act(as_dan, name, made).status_code == 403
    assert as_charlie.put(url(name, made)).status_code == 405


def test_an_override_of_the_temperature_costs_a_reason(as_alice: Browser) -> None:
    made = deal("prospect")
    refused = act(as_alice, "temperature", made, temperature="hot")
    assert refused.status_code == 422
    assert "Say why the deal is warmer or colder" in refused.content.decode()
    assert act(as_alice, "temperature", made, temperature="hot", reason="They called").status_code == 200
    made.refresh_from_db()
    assert (made.temperature, made.temperature_reason, made.unforecasted_reasons) == (
        "hot",
        "They called",
        ["cold_to_hot"],
    )
    assert act(as_alice, "temperature", made, temperature="").status_code == 200
    made.refresh_from_db()
    assert made.temperature == "cold"


def test_the_same_temperature_twice_is_one_event(as_alice: Browser) -> None:
    made = deal("prospect")
    for _ in range(3):
        act(as_alice, "temperature", made, temperature="warm", reason="They called")
    assert Event.objects.filter(opportunity_id=made.pk, name=names.OPPORTUNITY_TURNED_WARM).count() == 1


def test_a_closed_deal_has_no_temperature(as_alice: Browser) -> None:
    made = deal("won")
    assert act(as_alice, "temperature", made, temperature="cold", reason="x").status_code == 409


def test_a_snooze_needs_a_day_ahead_and_a_reason(as_alice: Browser) -> None:
    made = deal()
    tomorrow = (timezone.localdate() + dt.timedelta(days=1)).isoformat()
    assert "in the future" in act(as_alice, "snooze", made, until="2020-01-01", reason="x").content.decode()
    assert "what the deal waits for" in act(as_alice, "snooze", made, until=tomorrow).content.decode()
    assert act(as_alice, "snooze", made, until=tomorrow, reason="Their budget").status_code == 200
    made.refresh_from_db()
    assert (made.snoozed_until.isoformat(), made.snooze_reason) == (tomorrow, "Their budget")
    assert act(as_alice, "snooze", made, until="").status_code == 200
    made.refresh_from_db()
    assert made.snoozed_until is None
    assert [event.text for event in Event.objects.filter(name=names.OPPORTUNITY_WOKEN)] == ["ended the snooze"]


def test_losing_needs_its_reason(as_alice: Browser) -> None:
    made = deal("proposal")
    refused = act(as_alice, "lose", made)
    assert refused.status_code == 422
    assert "Say why the deal was lost" in refused.content.decode()
    assert act(as_alice, "lose", made, loss_reason="price", loss_note="30 % above").status_code == 200
    made.refresh_from_db()
    assert (made.kind, made.loss_note) == ("lost", "30 % above")


def test_reopening_goes_back_to_where_it_was_closed_and_says_why(as_alice: Browser) -> None:
    made = deal("lost")
    assert act(as_alice, "reopen", made, reason=" ").status_code == 422
    assert act(as_alice, "reopen", made, reason="They came back").status_code == 200
    made.refresh_from_db()
    assert (made.stage.key, made.loss_reason, made.closed_on) == ("negotiation", "", None)
    assert act(as_alice, "reopen", made, reason="Again").status_code == 409


@pytest.mark.parametrize("name", ["temperature", "snooze", "lose"])
def test_a_stale_form_keeps_what_was_typed_and_can_be_sent_again(as_alice: Browser, sam: User, name: str) -> None:
    made = deal("prospect")
    given: dict[str, Any] = {
        "temperature": {"temperature": "hot", "reason": "Typed words"},
        "snooze": {"until": "2099-01-01", "reason": "Typed words"},
        "lose": {"loss_reason": "price", "loss_note": "Typed words"},
    }[name]
    move_to_stage(actor=sam, opportunity=made, stage=stage("qualified"), expected_version=None, now=timezone.now())
    refused = act(as_alice, name, made, **given)
    text = refused.content.decode()
    assert refused.status_code == 409
    assert "Typed words" in text
    assert 'name="version" value="2"' in text
    made.refresh_from_db()
    assert act(as_alice, name, made, **given).status_code == 200


def test_an_archived_deal_is_in_no_list_and_comes_back(as_alice: Browser) -> None:
    made = deal(name="Old")
    response = as_alice.post(url("archive", made), {"version": made.version}, follow=True)
    assert "Bring it back" in response.content.decode()
    assert as_alice.get(url("detail", made)).status_code == 404
    assert "Old" not in as_alice.get("/deals/").content.decode()
    assert as_alice.post(url("restore", made)).status_code == 302
    assert as_alice.get(url("detail", made)).status_code == 200
    assert [e.name for e in Event.objects.filter(opportunity_id=made.pk).order_by("pk")][-2:] == [
        names.OPPORTUNITY_ARCHIVED, names.OPPORTUNITY_RESTORED,
    ]  # fmt: skip


def test_archiving_counts_in_no_total(as_alice: Browser) -> None:
    made = deal("prospect")
    as_alice.post(url("archive", made))
    assert "No deals yet" in as_alice.get("/deals/").content.decode()
    assert "0 deals" in as_alice.get("/deals/").content.decode()


def test_a_stale_archive_is_refused(as_alice: Browser, sam: User) -> None:
    made = deal("prospect")
    move_to_stage(actor=sam, opportunity=made, stage=stage("qualified"), expected_version=None, now=timezone.now())
    assert as_alice.hx("post", url("archive", made), {"version": 1}).status_code == 409


def test_an_outsider_restores_nothing(as_charlie: Browser, as_dan: Browser, as_alice: Browser, alice: User) -> None:
    made = deal(owner=alice)
    as_alice.post(url("archive", made))
    assert as_charlie.post(url("restore", made)).status_code == 404
    assert as_charlie.get(url("archived", made)).status_code == 404
    assert as_dan.post(url("restore", made)).status_code == 403
