"""Editing a deal in place and on a page; two people at once."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from events import names
from events.models import Event
from opportunities.models import Opportunity
from opportunities.services.editing import update_opportunity
from tests.cast import Browser
from tests.factories import AccountFactory, deal

pytestmark = pytest.mark.django_db


def url(made: Opportunity, group: str = "money") -> str:
    return reverse("opportunities:edit", args=[made.pk, group])


def form_of(browser: Browser, made: Opportunity, group: str) -> dict[str, str]:
    """The form's own inputs, as a browser would send them back."""
    text = browser.hx("get", url(made, group)).content.decode()
    return inputs(text)


def inputs(text: str) -> dict[str, str]:
    found = {}
    for tag in re.findall(r"<input[^>]+>", text):
        name = re.search(r'name="([^"]+)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        if name and ('type="radio"' not in tag or "checked" in tag):
            found[name[1]] = value[1] if value else ""
    for name, options in re.findall(r'<select[^>]+name="([^"]+)"[^>]*>(.*?)</select>', text, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return found | dict(re.findall(r'<textarea[^>]+name="([^"]+)"[^>]*>\n?(.*?)</textarea>', text, re.S))


def test_a_field_becomes_a_form_and_then_a_value_again(as_alice: Browser) -> None:
    made = deal()
    given = form_of(as_alice, made, "money")
    assert given["amount"] == "120000"
    response = as_alice.hx("post", url(made), {**given, "amount": "1.234,56"})
    assert response.status_code == 200
    assert "€1,234.56" in response.content.decode()
    assert "<form" not in response.content.decode()
    made.refresh_from_db()
    assert made.amount == Decimal("1234.56")


def test_leaving_the_form_changes_nothing(as_alice: Browser) -> None:
    made = deal()
    response = as_alice.hx("get", url(made) + "?cancel=1")
    assert "<form" not in response.content.decode()


def test_without_script_the_form_is_a_page(as_alice: Browser) -> None:
    made = deal()
    given = inputs(as_alice.get(url(made, "close")).content.decode())
    response = as_alice.post(url(made, "close"), {**given, "close_date": "2027-03-20"})
    assert response.headers["Location"] == reverse("opportunities:detail", args=[made.pk])
    made.refresh_from_db()
    assert (made.close_date, made.push_count) == (dt.date(2027, 3, 20), 1)


def test_everything_can_be_edited_on_one_page(as_alice: Browser) -> None:
    made = deal()
    address = reverse("opportunities:edit", args=[made.pk])
    given = inputs(as_alice.get(address).content.decode())
    assert as_alice.post(address, {**given, "description": "Two lines\nof text", "product": "Care"}).status_code == 302
    made.refresh_from_db()
    assert (made.description, made.product) == ("Two lines\nof text", "Care")


def test_saving_what_is_there_already_is_no_change(as_alice: Browser) -> None:
    made = deal()
    before = Event.objects.count()
    assert as_alice.hx("post", url(made), form_of(as_alice, made, "money")).status_code == 200
    assert Event.objects.count() == before


def test_fifty_times_the_same_is_one_change(as_alice: Browser) -> None:
    made = deal()
    given = {**form_of(as_alice, made, "money"), "amount": "5"}
    for _ in range(50):
        assert as_alice.hx("post", url(made), given).status_code == 200
    assert Event.objects.filter(opportunity_id=made.pk, name=names.OPPORTUNITY_CHANGED).count() == 1


@pytest.mark.parametrize(
    ("group", "field", "typed", "sentence"),
    [
        ("money", "amount", "NaN", "in figures"),
        ("money", "amount", "1e400", "in figures"),
        ("money", "amount", "-1", "negative"),
        ("money", "amount", "1.234", "Is that 1234 or 1.23?"),
        ("money", "currency", "E1", "at least 3"),
        ("money", "currency", "12A", "three-letter"),
        ("close", "close_date", "2027-02-29", "There is no such day"),
        ("close", "close_date", "9999-01-01", "between 2000 and 2100"),
        ("close", "close_date", "tomorrow", "There is no such day"),
        ("start", "start_on", "2026-01-01", "before the deal closes"),
        ("name", "name", "\u200b\u200b", "This field is required"),
        ("name", "name", "a\0b", "control character"),
        ("name", "name", "abc\u202egnp.exe", "reading direction"),
        ("name", "name", "x" * 1_000_000, "at most 200"),
        ("description", "description", "y" * 20_001, "at most 20000"),
        ("account", "account", "Nobody Ltd", "no account called"),
        ("owner", "owner", str(2**63), "Choose one from the list"),
        ("owner", "owner", "x", "Choose one from the list"),
        ("forecast", "probability", "101", "less than or equal to 100"),
        ("forecast", "probability", "1e2", "whole number"),
        ("forecast", "forecast_category", "sure", "not one of the available"),
        ("next", "next_step_on", "31.02.2027", "There is no such day"),
    ],
)
def test_what_can_not_be_kept_is_explained_at_its_field_with_the_text_kept(
    as_alice: Browser, group: str, field: str, typed: str, sentence: str
) -> None:
    made = deal()
    response = as_alice.hx("post", url(made, group), {**form_of(as_alice, made, group), field: typed})
    text = response.content.decode().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    assert response.status_code == 422
    assert sentence in text
    if len(typed) < 300 and field not in ("owner", "forecast_category"):
        assert typed.replace("\0", "\0") in text
    made.refresh_from_db()
    assert made.version == 1


def test_full_width_digits_are_digits(as_alice: Browser) -> None:
    made = deal()
    given = form_of(as_alice, made, "money")
    assert as_alice.hx("post", url(made), {**given, "amount": "１２３４．５"}).status_code == 200
    made.refresh_from_db()
    assert made.amount == Decimal("1234.50")


def test_an_account_is_found_by_its_name(as_alice: Browser) -> None:
    made = deal()
    globex = AccountFactory.make(name="Globex", team=made.team)
    as_alice.hx("post", url(made, "account"), {**form_of(as_alice, made, "account"), "account": " globex "})
    made.refresh_from_db()
    assert made.account == globex


def by_sam(sam: User, made: Opportunity, **changes: Any) -> None:
    current = Opportunity.objects.get(pk=made.pk)
    update_opportunity(
        actor=sam, opportunity=current, changes=changes, expected_version=current.version, now=timezone.now()
    )


def test_changes_of_different_fields_merge_by_themselves(as_alice: Browser, sam: User) -> None:
    made = deal()
    given = form_of(as_alice, made, "money")
    by_sam(sam, made, next_step="Call them")
    assert as_alice.hx("post", url(made), {**given, "amount": "7"}).status_code == 200
    made.refresh_from_db()
    assert (made.amount, made.next_step) == (Decimal(7), "Call them")


def test_a_form_sent_back_untouched_does_not_undo_the_other(as_alice: Browser, sam: User) -> None:
    made = deal()
    given = form_of(as_alice, made, "money")
    by_sam(sam, made, amount=Decimal(9))
    assert as_alice.hx("post", url(made), given).status_code == 200
    made.refresh_from_db()
    assert made.amount == Decimal(9)


def collide(browser: Browser, sam: User, made: Opportunity) -> tuple[Any, dict[str, str]]:
    given = form_of(browser, made, "next")
    by_sam(sam, made, next_step="Theirs")
    response: Any = browser.hx("post", url(made, "next"), {**given, "next_step": "Mine", "next_step_on": "2027-01-20"})
    return response, inputs(response.content.decode())


def test_a_collision_shows_base_theirs_and_mine_and_saves_nothing(as_alice: Browser, sam: User) -> None:
    made = deal()
    response, merge = collide(as_alice, sam, made)
    text = response.content.decode()
    assert response.status_code == 409
    assert response.headers["HX-Retarget"] == "#dialog-body"
    assert "Send the offer" in text
    assert "Theirs" in text
    assert "Sam" in text
    assert merge["next_step"] == "Mine"
    made.refresh_from_db()
    assert (made.next_step, made.next_step_on) == ("Theirs", dt.date(2027, 1, 15))


def test_a_merge_can_take_mine(as_alice: Browser, sam: User) -> None:
    made = deal()
    _response, merge = collide(as_alice, sam, made)
    assert as_alice.hx("post", url(made, "next"), merge).status_code == 200
    made.refresh_from_db()
    assert (made.next_step, made.next_step_on) == ("Mine", dt.date(2027, 1, 20))


def test_a_merge_can_keep_theirs_and_still_take_my_other_fields(as_alice: Browser, sam: User) -> None:
    made = deal()
    _response, merge = collide(as_alice, sam, made)
    as_alice.hx("post", url(made, "next"), {**merge, "take-next_step": "theirs"})
    made.refresh_from_db()
    assert (made.next_step, made.next_step_on) == ("Theirs", dt.date(2027, 1, 20))


def test_a_merge_that_was_overtaken_asks_again(as_alice: Browser, sam: User) -> None:
    made = deal()
    _response, merge = collide(as_alice, sam, made)
    by_sam(sam, made, next_step="Theirs again")
    response = as_alice.hx("post", url(made, "next"), merge)
    assert response.status_code == 409
    assert "Theirs again" in response.content.decode()


def test_a_collision_without_script_is_a_page_that_keeps_the_text(as_alice: Browser, sam: User) -> None:
    made = deal()
    given = inputs(as_alice.get(url(made, "next")).content.decode())
    by_sam(sam, made, next_step="Theirs")
    response = as_alice.post(url(made, "next"), {**given, "next_step": "Mine"})
    assert response.status_code == 409
    merge = inputs(response.content.decode())
    assert as_alice.post(url(made, "next"), merge).status_code == 302
    made.refresh_from_db()
    assert made.next_step == "Mine"


def test_a_missing_base_never_overwrites(as_alice: Browser, sam: User) -> None:
    made = deal()
    by_sam(sam, made, next_step="Theirs")
    response = as_alice.hx("post", url(made, "next"), {"version": 1, "next_step": "Mine", "next_step_on": ""})
    assert response.status_code == 409


@pytest.mark.parametrize("version", ["", "0", "-1", "x", str(2**31)])
def test_a_broken_version_is_refused(as_alice: Browser, version: str) -> None:
    made = deal()
    response = as_alice.hx("post", url(made), {**form_of(as_alice, made, "money"), "version": version, "amount": "1"})
    assert response.status_code == 422


def test_an_unknown_group_is_not_found(as_alice: Browser) -> None:
    assert as_alice.get(url(deal(), "stage")).status_code == 404


def test_an_outsider_finds_no_form(as_charlie: Browser, alice: User) -> None:
    made = deal(owner=alice)
    assert as_charlie.get(url(made)).status_code == 404
    assert as_charlie.post(url(made), {}).status_code == 404


def test_a_reader_may_not_edit(as_dan: Browser, alice: User) -> None:
    made = deal(owner=alice)
    assert as_dan.get(url(made)).status_code == 403
    assert as_dan.post(url(made), {}).status_code == 403


def test_other_methods_are_refused(as_alice: Browser) -> None:
    assert as_alice.put(url(deal())).status_code == 405
