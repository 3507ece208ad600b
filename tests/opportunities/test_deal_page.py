"""The page of one deal."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from events import names
from events.recording import record
from opportunities.models import Opportunity
from opportunities.queries.deal import PAGE, last_open_stage, stage_history
from opportunities.services.conversation import add_comment
from opportunities.services.editing import update_opportunity
from opportunities.services.moves import move_to_stage
from tests.cast import Browser
from tests.factories import ContactFactory, deal, stage

pytestmark = pytest.mark.django_db

PARTS = ["head", "facts", "people", "files", "history", "timeline"]


def url(made: Opportunity) -> str:
    return reverse("opportunities:detail", args=[made.pk])


def part(browser: Browser, made: Opportunity, name: str, **query: Any) -> Any:
    return browser.hx("get", reverse("opportunities:section", args=[made.pk, name]), query)


def test_the_page_says_everything_about_the_deal(as_alice: Browser, dan: User) -> None:
    made = deal("discovery", name="Portal", delivery_owner=dan, description="About it")
    text = as_alice.get(url(made)).content.decode()
    for words in (
        "Portal",
        "Discovery",
        "Warm",
        "€120,000",
        "€48,000 weighted",
        "Send the offer",
        "Dan",
        "About it",
        "first seen at warm",
    ):
        assert words in text


@pytest.mark.parametrize("name", PARTS)
def test_each_part_renews_itself(as_alice: Browser, as_charlie: Browser, name: str) -> None:
    made = deal()
    assert part(as_alice, made, name).status_code == 200
    assert f'data-live="opportunity:{made.pk}' in part(as_alice, made, name).content.decode()
    assert part(as_charlie, made, name).status_code == 404


def test_there_are_no_other_parts(as_alice: Browser) -> None:
    assert part(as_alice, deal(), "password").status_code == 404


def test_a_reader_is_offered_nothing_to_change(as_dan: Browser, alice: User) -> None:
    text = as_dan.get(url(deal(owner=alice))).content.decode()
    assert "/edit/" not in text
    assert "/move/" not in text
    assert "/comments/" in text


@pytest.mark.parametrize("pk", [0, 999_999, 2**63, 2**70])
def test_what_is_not_there_looks_like_what_one_may_not_see(as_charlie: Browser, alice: User, pk: int) -> None:
    hidden = as_charlie.get(url(deal(owner=alice)))
    missing = as_charlie.get(f"/deals/{pk}/")
    assert (hidden.status_code, missing.status_code) == (404, 404)
    assert re.sub(r"\d+", "", hidden.content.decode()) == re.sub(r"\d+", "", missing.content.decode())


def test_stage_history_has_true_dates_and_days(alice: User) -> None:
    now = timezone.now()
    made = deal("prospect", now=now - dt.timedelta(days=30))
    for to, ago in (("discovery", 20), ("proposal", 5)):
        move_to_stage(
            actor=alice, opportunity=made, stage=stage(to), expected_version=None, now=now - dt.timedelta(days=ago)
        )
    history = stage_history(made, now=now)
    assert [(stay.change.to_stage.key, stay.days) for stay in history] == [
        ("proposal", 5),
        ("discovery", 15),
        ("prospect", 10),
    ]
    assert history[1].change.skipped == 1
    assert last_open_stage(history) == ""


def test_the_last_stage_before_closing_is_named(as_alice: Browser) -> None:
    made = deal("lost")
    text = part(as_alice, made, "history").content.decode()
    assert "Last stage before closing: Negotiation" in text


def test_the_timeline_pages_to_the_beginning(as_alice: Browser, alice: User) -> None:
    made = deal()
    for number in range(PAGE + 5):
        add_comment(actor=alice, opportunity=made, body=f"Word {number}.", now=timezone.now())
    text = part(as_alice, made, "timeline", kind="comments").content.decode()
    said = re.findall(r"Word \d+\.", text)
    more = re.search(r'hx-get="([^"]+before=\d+)"', text)
    assert more
    rest: Any = as_alice.hx("get", more[1].replace("&amp;", "&"))
    said += re.findall(r"Word \d+\.", rest.content.decode())
    assert said == [f"Word {number}." for number in reversed(range(PAGE + 5))]


@pytest.mark.parametrize(
    ("kind", "words", "others"),
    [
        ("comments", "Hello there", "added the deal"),
        ("stages", "added the deal", "Hello there"),
        ("files", "Nothing of this kind", "Hello"),
    ],
)
def test_the_timeline_is_filtered_by_kind(as_alice: Browser, alice: User, kind: str, words: str, others: str) -> None:
    made = deal()
    add_comment(actor=alice, opportunity=made, body="Hello there", now=timezone.now())
    text = part(as_alice, made, "timeline", kind=kind).content.decode()
    assert words in text
    assert others not in text


@pytest.mark.parametrize("query", [{"before": "x"}, {"before": str(2**63)}, {"kind": "x'"}])
def test_a_made_up_place_in_the_timeline_is_the_first_page(as_alice: Browser, query: dict[str, str]) -> None:
    assert "added the deal" in part(as_alice, deal(), "timeline", **query).content.decode()


def test_sentences_about_the_deal_itself_have_no_person_before_them(as_alice: Browser) -> None:
    text = part(as_alice, deal("discovery"), "timeline").content.decode()
    assert re.search(r"<strong>Alice</strong> added the deal", text)
    assert not re.search(r"<strong>Alice</strong> The deal", text)


def test_what_nobody_did_by_hand_has_a_subject_too(as_alice: Browser) -> None:
    made = deal("discovery")
    with transaction.atomic():
        record(names.OPPORTUNITY_CHANGED, actor=None, about=made, now=timezone.now(), within=made,
               data={"labels": "delivery owner"})  # fmt: skip
    assert "OneTeam changed delivery owner" in part(as_alice, made, "timeline").content.decode()


def test_days_in_the_timeline_are_written_as_people_write_them(as_alice: Browser, alice: User) -> None:
    made = deal("discovery", close_date=dt.date(2026, 11, 18))
    update_opportunity(
        actor=alice,
        opportunity=made,
        changes={"close_date": dt.date(2026, 12, 9)},
        expected_version=made.version,
        now=timezone.now(),
    )
    assert "moved the close date from 18 Nov 2026 to 9 Dec 2026" in part(as_alice, made, "timeline").content.decode()


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ("2026-11-20 17:20", "scheduled the deal review for 20 Nov 2026, 17:20"),
        ("2026-13-45", "scheduled the deal review for 2026-13-45"),
        ("2026-W47-1", "scheduled the deal review for 2026-W47-1"),
    ],
)
def test_only_what_is_a_day_reads_as_one(told: str, text: str) -> None:
    assert names.text_of(names.REVIEW_SCHEDULED, {"starts": told}) == text


def test_much_on_a_deal_costs_no_more_queries(as_alice: Browser, alice: User) -> None:
    made = deal()

    def cost() -> int:
        as_alice.get(url(made))
        with CaptureQueriesContext(connection) as captured:
            as_alice.get(url(made))
        return len(captured)

    add_comment(actor=alice, opportunity=made, body="One", now=timezone.now())
    few = cost()
    for number in range(20):
        add_comment(actor=alice, opportunity=made, body=f"@Sam {number}", now=timezone.now())
        made.contacts.add(ContactFactory.make(account=made.account))
    assert cost() == few
    assert few <= 15
