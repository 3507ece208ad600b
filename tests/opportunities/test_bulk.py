"""The same change to many deals."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from opportunities.models import Opportunity
from opportunities.services.bulk import TooMany, bulk_edit
from tests.cast import Browser
from tests.factories import deal, deals, stage

pytestmark = pytest.mark.django_db

FORM, CHANGE = "/deals/change/form/", "/deals/change/"


def text_of(response: Any) -> str:
    found: str = response.content.decode()
    return found


def test_ticked_deals_get_the_same_values(as_alice: Browser, sam: User) -> None:
    made = deals(3)
    ids = [each.pk for each in made[:2]]
    assert "Change 2 deals" in text_of(as_alice.hx("post", FORM, {"ids": ids}))
    response = as_alice.hx("post", CHANGE, {"ids": ids, "owner": sam.pk, "next_step": "Call"})
    assert "2 deals changed" in text_of(response)
    assert set(Opportunity.objects.filter(owner=sam, next_step="Call")) == set(made[:2])


def test_rows_that_are_refused_are_named_with_the_reason(as_alice: Browser) -> None:
    fine, poor = deal("prospect"), deal("prospect", name="Poor", amount=None)
    response = as_alice.hx("post", CHANGE, {"ids": [fine.pk, poor.pk], "stage": stage("proposal").pk})
    text = text_of(response)
    assert "1 deal changed" in text
    assert "1 was left as it is" in text
    assert "Poor" in text
    assert "The amount is needed here." in text
    poor.refresh_from_db()
    fine.refresh_from_db()
    assert (fine.stage.key, poor.stage.key) == ("proposal", "prospect")
    assert fine.stage_changes.latest("number").source == "bulk"


def test_fields_given_with_the_move_meet_the_gate(as_alice: Browser) -> None:
    poor = deal("prospect", next_step="", next_step_on=None)
    as_alice.hx("post", CHANGE, {"ids": [poor.pk], "stage": stage("proposal").pk, "next_step": "Write it"})
    poor.refresh_from_db()
    assert (poor.stage.key, poor.next_step) == ("proposal", "Write it")


def test_a_reason_is_taken_where_the_pipeline_asks(as_alice: Browser) -> None:
    made = deal("proposal")
    given = {"ids": [made.pk], "stage": stage("prospect").pk}
    assert "Say why the deal takes this step" in text_of(as_alice.hx("post", CHANGE, given))
    assert "1 deal changed" in text_of(as_alice.hx("post", CHANGE, {**given, "reason": "Start over"}))


def test_deals_that_one_may_only_read_are_left_alone(as_dan: Browser, dan: User, alice: User) -> None:
    his, hers = deal(owner=alice, delivery_owner=dan), deal(owner=alice)
    text = text_of(as_dan.hx("post", CHANGE, {"ids": [his.pk, hers.pk], "next_step": "Look"}))
    assert "1 deal changed" in text
    assert "own people can change it" in text


def test_deals_of_others_are_not_there(as_charlie: Browser, alice: User) -> None:
    made = deal(owner=alice, name="Secret")
    text = text_of(as_charlie.hx("post", CHANGE, {"ids": [made.pk, 10**17], "next_step": "Mine"}))
    assert "2 are not there any more" in text
    assert "Secret" not in text
    made.refresh_from_db()
    assert made.next_step == "Send the offer"


def test_all_of_a_filter_can_be_changed(as_alice: Browser, sam: User) -> None:
    deals(2, "prospect", owner=sam)
    mine = deal("prospect")
    text = text_of(as_alice.hx("post", FORM, {"all": "1", "query": "owner=me&temperature=cold"}))
    assert re.findall(r'name="ids" value="(\d+)"', text) == [str(mine.pk)]


def test_more_than_fit_are_refused_with_the_number(as_alice: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("opportunities.services.bulk.MOST", "opportunities.views.listing.MOST"):
        monkeypatch.setattr(place, 2)
    ids = [made.pk for made in deals(3)]
    for address, given in ((FORM, {"ids": ids}), (CHANGE, {"ids": ids}), (FORM, {"all": "1", "query": ""})):
        response = as_alice.hx("post", address, given)
        assert response.status_code == 422
        assert "Up to 2 deals can be changed at once" in response.headers["HX-Trigger"]


def test_the_service_refuses_too_many_as_well(alice: User) -> None:
    with pytest.raises(TooMany, match="501 deals"):
        bulk_edit(actor=alice, deal_ids=range(1, 502), now=timezone.now(), changes={"next_step": "x"})


def test_nothing_chosen_is_said(as_alice: Browser) -> None:
    assert "Choose some deals first" in as_alice.hx("post", FORM).headers["HX-Trigger"]
    assert "Choose some deals first" in as_alice.hx("post", CHANGE, {"ids": ["x", "-1"]}).headers["HX-Trigger"]
    made = deal()
    response = as_alice.hx("post", CHANGE, {"ids": [made.pk]})
    assert response.status_code == 422
    assert "Choose what to change" in text_of(response)


def test_what_can_not_be_read_is_explained(as_alice: Browser) -> None:
    made = deal()
    response = as_alice.hx("post", CHANGE, {"ids": [made.pk], "close_date": "soon", "owner": str(2**63)})
    assert "There is no such day" in text_of(response)
    assert "Choose one from the list" in text_of(response)


def test_a_repeat_changes_nothing_more(as_alice: Browser) -> None:
    made = deal(close_date=dt.date(2027, 1, 1))
    given = {"ids": [made.pk], "close_date": "2027-02-01"}
    as_alice.hx("post", CHANGE, given)
    assert "1 was like that already" in text_of(as_alice.hx("post", CHANGE, given))
    made.refresh_from_db()
    assert made.push_count == 1


def test_it_works_without_script(as_alice: Browser) -> None:
    made = deal()
    page = as_alice.post(FORM, {"ids": [made.pk]})
    assert page.status_code == 200
    assert "<h1" in text_of(page) or "Change 1 deal" in text_of(page)
    assert "1 deal changed" in text_of(as_alice.post(CHANGE, {"ids": [made.pk], "next_step": "Call"}))


def test_looking_changes_nothing(as_alice: Browser) -> None:
    assert as_alice.get(CHANGE).status_code == 405
    assert as_alice.get(FORM).status_code == 405
