"""Adding a deal."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from opportunities.models import Account, Opportunity
from opportunities.services.editing import create_opportunity
from tests.cast import Browser
from tests.factories import AccountFactory, person, stage, team

pytestmark = pytest.mark.django_db

NEW = "/deals/new/"


def form(**more: Any) -> dict[str, Any]:
    return {"request_id": str(uuid.uuid4()), "name": "Portal", "stage": stage("prospect").pk, "currency": "EUR", **more}


def test_name_and_stage_are_enough(as_alice: Browser, alice: User) -> None:
    response = as_alice.post(NEW, form())
    made = Opportunity.objects.get()
    assert response.headers["Location"] == reverse("opportunities:detail", args=[made.pk])
    assert (made.name, made.owner, made.team, made.temperature) == ("Portal", alice, team(), "cold")


def test_everything_given_is_kept(as_alice: Browser, sam: User) -> None:
    globex = AccountFactory.make(name="Globex", team=team())
    as_alice.post(
        NEW, form(
            account="Globex", amount="1.234,50", currency="usd", close_date="2027-03-15", owner=sam.pk,
            next_step="Call", next_step_on="2027-01-05",
        ),
    )  # fmt: skip
    made = Opportunity.objects.get()
    assert (made.account, made.amount, made.currency, made.owner) == (globex, Decimal("1234.50"), "USD", sam)
    assert (made.close_date, made.next_step_on) == (dt.date(2027, 3, 15), dt.date(2027, 1, 5))


def test_a_new_name_adds_an_account_of_ones_team(as_alice: Browser) -> None:
    as_alice.post(NEW, form(account="Initech"))
    made = Opportunity.objects.get()
    assert made.account == Account.objects.get(name="Initech", team=team())


def test_an_account_of_another_team_is_not_joined_silently(as_alice: Browser) -> None:
    AccountFactory.make(name="Secret Ltd", team=team("Sales South"))
    response = as_alice.post(NEW, form(account="Secret Ltd"))
    assert response.status_code == 422
    assert "called “Secret Ltd” already" in response.content.decode()
    assert not Opportunity.objects.exists()


def test_the_same_request_adds_one_deal(as_alice: Browser) -> None:
    given = form(account="Initech")
    answers = [as_alice.post(NEW, given) for _ in range(50)]
    assert Opportunity.objects.count() == 1
    assert Account.objects.count() == 1
    assert len({answer.headers["Location"] for answer in answers}) == 1


def test_a_refused_form_keeps_what_was_typed(as_alice: Browser) -> None:
    response = as_alice.post(NEW, form(name=" ", amount="lots", next_step="Call <b>Mia</b>"))
    text = response.content.decode()
    assert response.status_code == 422
    assert 'value="lots"' in text
    assert "Call &lt;b&gt;Mia" in text
    assert not Opportunity.objects.exists()


@pytest.mark.parametrize("key", ["won", "lost"])
def test_a_deal_starts_in_an_open_stage(as_alice: Browser, key: str) -> None:
    assert as_alice.post(NEW, form(stage=stage(key).pk)).status_code == 422


def test_the_service_refuses_texts_that_deceive_whoever_calls(alice: User) -> None:
    for name in ("\u200b", "a\u202eb", "a\0b", "\ud800"):
        with pytest.raises(ValidationError):
            create_opportunity(actor=alice, stage=stage("prospect"), values={"name": name}, now=timezone.now())


def test_a_request_of_somebody_else_is_another_request(alice: User, sam: User) -> None:
    request_id = uuid.uuid4()
    now = timezone.now()
    first = create_opportunity(
        actor=alice, stage=stage("prospect"), values={"name": "A"}, now=now, request_id=request_id
    )
    again = create_opportunity(
        actor=alice, stage=stage("prospect"), values={"name": "A"}, now=now, request_id=request_id
    )
    assert first == again


def test_the_form_starts_with_an_account(as_alice: Browser) -> None:
    account = AccountFactory.make(name="Globex", team=team())
    assert 'value="Globex"' in as_alice.get(NEW, {"account": account.pk}).content.decode()
    for wrong in ("x", str(2**63), "-1"):
        assert as_alice.get(NEW, {"account": wrong}).status_code == 200


def test_delivery_does_not_add_deals(as_dan: Browser) -> None:
    assert as_dan.get(NEW).status_code == 403
    assert as_dan.post(NEW, form()).status_code == 403


def test_a_disabled_person_is_signed_out(as_alice: Browser, alice: User) -> None:
    alice.is_active = False
    alice.save()
    assert as_alice.post(NEW, form()).status_code == 302
    assert not Opportunity.objects.exists()


def test_somebody_who_may_not_own_is_refused(as_alice: Browser) -> None:
    other = person("Noah", teams=(team("Sales South"),))
    response = as_alice.post(NEW, form(owner=other.pk))
    assert "Choose one from the list" in response.content.decode()
