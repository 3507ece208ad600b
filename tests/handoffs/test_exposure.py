"""What was fixed towards the client before delivery first accepted."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Organisation, User
from handoffs.services.engagements import accept_engagement
from handoffs.services.exposure import Exposure, exposure_of
from opportunities.models import Opportunity
from opportunities.models.history import Source
from opportunities.services.editing import update_opportunity
from opportunities.services.loading import Step, add_many, place
from tests import factories
from tests.cast import Browser
from tests.handoffs.reactions import MONDAY, TUESDAY, deal, engagement_of, fresh, move
from tests.handoffs.test_commitments import promise, withdraw

BLANK = {"amount": None, "close_date": None, "start_on": None}


def days_before(days: int) -> dt.datetime:
    return MONDAY - dt.timedelta(days=days)


def changed(opportunity: Opportunity, at: dt.datetime, by: User, **changes: Any) -> Opportunity:
    current = fresh(opportunity)
    return update_opportunity(actor=by, opportunity=current, changes=changes, expected_version=current.version, now=at)


def accepted(opportunity: Opportunity, by: User, at: dt.datetime = MONDAY) -> None:
    accept_engagement(actor=by, engagement=engagement_of(opportunity), expected_version=None, now=at)


def seen(opportunity: Opportunity, now: dt.datetime = TUESDAY) -> Exposure:
    return exposure_of(fresh(opportunity), now=now)


def lines(exposure: Exposure) -> list[tuple[str, Any, int]]:
    return [(str(line.label), line.value, line.days) for line in exposure.fixed]


@pytest.fixture
def bare(alice: User, dan: User) -> Opportunity:
    """A warm deal of Alice's without dates or price, four weeks old."""
    return deal("discovery", owner=alice, now=days_before(28), **BLANK)


def test_nothing_was_fixed_before_delivery_came_in(bare: Opportunity, alice: User, dan: User) -> None:
    accepted(bare, dan)
    changed(bare, TUESDAY, alice, amount=Decimal(5))
    found = seen(bare)
    assert (found.fixed, found.days, found.accepted_on) == ([], 0, MONDAY.date())


def test_each_thing_says_when_by_whom_and_how_long_before(bare: Opportunity, alice: User, sam: User, dan: User) -> None:
    changed(bare, days_before(14), alice, close_date=dt.date(2027, 3, 1))
    changed(bare, days_before(5), sam, amount=Decimal(90_000))
    accepted(bare, dan)
    found = seen(bare)
    assert lines(found) == [("Close date", dt.date(2027, 3, 1), 10), ("Price", Decimal("90000.00"), 3)]
    assert [line.by for line in found.fixed] == [alice, sam]
    assert [line.event.name for line in found.fixed if line.event] == ["opportunities.changed"] * 2
    assert found.days == 10


def test_what_was_there_from_the_beginning_counts_from_the_creation(alice: User, dan: User) -> None:
    found = deal("discovery", owner=alice, now=days_before(7), amount=None, start_on=None)
    accepted(found, dan)
    (line,) = seen(found).fixed
    assert (line.value, line.days, line.by) == (dt.date(2027, 3, 15), 5, alice)
    assert line.event is not None
    assert line.event.name == "opportunities.created"


def test_a_value_shows_as_it_stood_with_the_number_of_its_changes(bare: Opportunity, alice: User, dan: User) -> None:
    changed(bare, days_before(14), alice, amount=Decimal(10))
    changed(bare, days_before(7), alice, amount=Decimal(20))
    accepted(bare, dan)
    changed(bare, TUESDAY, alice, amount=Decimal(30))
    (line,) = seen(bare).fixed
    assert (line.value, line.days, line.changes) == (Decimal("20.00"), 10, 1)


def test_what_was_taken_back_before_delivery_came_in_was_not_fixed(bare: Opportunity, alice: User, dan: User) -> None:
    changed(bare, days_before(14), alice, amount=Decimal(10), close_date=dt.date(2027, 3, 1))
    changed(bare, days_before(10), alice, amount=None)
    changed(bare, days_before(3), alice, close_date=None)
    changed(bare, days_before(3), alice, close_date=dt.date(2027, 4, 1))
    accepted(bare, dan)
    (line,) = seen(bare).fixed
    assert (line.value, line.days, line.changes) == (dt.date(2027, 4, 1), 1, 0)


def test_promises_of_date_price_team_and_scope_count(bare: Opportunity, alice: User, dan: User) -> None:
    for days, kind in ((20, "scope"), (10, "team"), (3, "price"), (2, "date"), (1, "other")):
        promise(bare, alice, text=kind, kind=kind, promised_on=days_before(days).date())
    withdraw(promise(bare, alice, text="mistake", kind="team", promised_on=days_before(6).date()), alice)
    accepted(bare, dan, at=MONDAY + dt.timedelta(minutes=1))
    promise(bare, alice, text="later", kind="scope", promised_on=MONDAY.date())
    found = seen(bare)
    assert [line.value for line in found.fixed] == ["scope", "team", "price", "date", "later"]
    assert all(line.commitment for line in found.fixed)


def test_a_promise_of_the_same_day_counts_when_it_was_noted_first(bare: Opportunity, alice: User, dan: User) -> None:
    accepted(bare, dan)
    promise(bare, alice, text="after", kind="scope", promised_on=MONDAY.date())
    assert seen(bare).fixed == []


def test_while_delivery_has_not_accepted_it_grows(bare: Opportunity, alice: User, dan: User) -> None:
    changed(bare, days_before(7), alice, amount=Decimal(10))
    found = seen(bare, now=MONDAY)
    assert (found.is_open, found.accepted, found.days) == (True, None, 5)
    assert seen(bare, now=TUESDAY).days == 6


def test_a_deal_won_without_delivery_was_never_accepted(bare: Opportunity, alice: User, dan: User) -> None:
    changed(bare, days_before(7), alice, amount=Decimal(10))
    move(bare, "won")
    found = seen(bare, now=MONDAY + dt.timedelta(days=30))
    assert (found.is_open, found.accepted, found.days) == (False, None, 5)


def imported(organisation: Organisation, alice: User, **values: Any) -> Opportunity:
    """A warm deal as an import on Monday brings it, half a year old."""
    made = Opportunity(
        name="From the old CRM", owner=alice, team=alice.teams.get(), currency="EUR", created_by=alice, **values
    )
    steps = [Step(factories.stage("discovery"), days_before(180))]
    arrival = place(made, steps, home=organisation, now=MONDAY)
    add_many(actor=alice, arrivals=[arrival], source=Source.IMPORT, is_baseline=True, now=MONDAY)
    return Opportunity.objects.get(name="From the old CRM")


def test_what_came_with_an_import_is_a_fact_of_that_day(organisation: Organisation, alice: User, dan: User) -> None:
    with transaction.atomic():
        found = imported(organisation, alice, amount=Decimal(70), close_date=dt.date(2027, 3, 1))
    shown = exposure_of(found, now=TUESDAY)
    assert shown.fixed == []
    assert [(str(line.label), line.value) for line in shown.brought] == [
        ("Close date", dt.date(2027, 3, 1)), ("Price", Decimal("70.00")),
    ]  # fmt: skip
    changed(found, TUESDAY, alice, amount=Decimal(80))
    shown = exposure_of(fresh(found), now=TUESDAY)
    assert lines(shown) == [("Price", Decimal("80.00"), 0)]
    assert len(shown.brought) == 1


def test_as_many_queries_for_a_long_history(bare: Opportunity, alice: User, dan: User) -> None:
    def queries() -> int:
        found = fresh(bare)
        with CaptureQueriesContext(connection) as captured:
            exposure_of(found, now=TUESDAY)
        return len(captured)

    changed(bare, days_before(14), alice, amount=Decimal(1))
    promise(bare, alice)
    few = queries()
    for number in range(50):
        changed(bare, days_before(13), alice, amount=Decimal(2 + number))
        promise(bare, alice, text=f"Promise {number}")
    assert queries() == few <= 8


# --- the page ---


def page_of(browser: Browser, opportunity: Opportunity, *, has_script: bool = True) -> str:
    address = reverse("handoffs:exposure_panel", args=[opportunity.pk])
    response = browser.hx("get", address) if has_script else browser.get(address)
    return str(response.content.decode())


def test_the_panel_sums_up_and_links_to_the_rows(bare: Opportunity, alice: User, dan: User, as_dan: Browser) -> None:
    changed(bare, days_before(5), alice, amount=Decimal(90_000))
    made = promise(bare, alice, text="An architect", kind="team", promised_on=days_before(14).date())
    accepted(bare, dan)
    page = page_of(as_dan, bare)
    assert "<html" not in page
    assert "2 things fixed" in page
    assert "the first 10 business days before delivery accepted" in page
    event = seen(bare).fixed[1].event
    assert event is not None
    assert f"#commitment-{made.pk}" in page
    assert f"/exposure/#event-{event.pk}" in page
    page = page_of(as_dan, bare, has_script=False)
    assert f'id="event-{event.pk}"' in page
    assert "changed amount" in page
    assert "Price: – → 90000.00" in page


def test_nothing_fixed_is_said_in_words(bare: Opportunity, dan: User, as_dan: Browser) -> None:
    assert "Nothing so far" in page_of(as_dan, bare)
    accepted(bare, dan)
    assert "Nothing: delivery had its word first." in page_of(as_dan, bare)


def test_a_deal_without_a_word_of_delivery_says_so(bare: Opportunity, alice: User, as_dan: Browser) -> None:
    promise(bare, alice)
    assert "so far" in page_of(as_dan, bare)
    move(bare, "lost")
    assert "delivery never accepted" in page_of(as_dan, bare)


def test_outsiders_see_no_exposure(bare: Opportunity, as_charlie: Browser) -> None:
    assert as_charlie.get(reverse("handoffs:exposure_panel", args=[bare.pk])).status_code == 404
