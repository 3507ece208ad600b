"""A start that is promised too early is kept, once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import Organisation, User
from events import names
from events.models import Event
from handoffs import defaults
from opportunities.models import Opportunity
from opportunities.services.editing import update_opportunity
from staffing.handlers import note_promise
from staffing.models import WorkRole
from staffing.weeks import monday_of
from tests import factories
from tests.cast import Browser
from tests.handoffs.reactions import MONDAY, fresh, react
from tests.handoffs.reviewing import requested
from tests.staffing.staffed import booking, need, role, worker

WEEK = dt.timedelta(weeks=1)
FIRST = monday_of(MONDAY.date())


@pytest.fixture
def architect(organisation: Organisation) -> WorkRole:
    """One architect, booked for ten weeks."""
    nora = worker("Nora", role("Architect"))
    booking(FIRST, FIRST + 10 * WEEK - dt.timedelta(days=1), 40, person=nora)
    return nora.role


@pytest.fixture
def deal(alice: User, architect: WorkRole) -> Opportunity:
    """It starts after that."""
    start = FIRST + 12 * WEEK
    made = factories.deal("proposal", owner=alice, close_date=FIRST + WEEK, start_on=start, now=MONDAY)
    need(made, architect, 20)
    react()
    return fresh(made)


def name_start(deal: Opportunity, **changes: Any) -> None:
    current = fresh(deal)
    assert current.owner is not None
    update_opportunity(
        actor=current.owner, opportunity=current, changes=changes, expected_version=current.version, now=MONDAY
    )
    react()


def noted(deal: Opportunity) -> list[tuple[str, int]]:
    said = Event.objects.filter(opportunity_id=deal.pk, name=names.START_PROMISED_EARLY).order_by("pk")
    return [(event.data["promised"], event.data["weeks"]) for event in said]


def test_a_start_that_is_too_early_is_kept_with_who_named_it(deal: Opportunity, alice: User) -> None:
    start = FIRST + 6 * WEEK
    name_start(deal, start_on=start)
    assert noted(deal) == [(start.isoformat(), 4)]
    assert Event.objects.get(name=names.START_PROMISED_EARLY).actor == alice


def test_a_start_that_fits_is_not(deal: Opportunity) -> None:
    name_start(deal, start_on=FIRST + 10 * WEEK)
    assert noted(deal) == []


def test_neither_is_a_close_date_without_a_start(deal: Opportunity) -> None:
    name_start(deal, start_on=None)
    name_start(deal, close_date=FIRST + 2 * WEEK)
    assert noted(deal) == []


def test_a_start_named_with_the_close_date_is_kept(deal: Opportunity) -> None:
    name_start(deal, close_date=FIRST + 2 * WEEK, start_on=FIRST + 8 * WEEK)
    assert noted(deal) == [((FIRST + 8 * WEEK).isoformat(), 2)]


def test_reacting_again_keeps_it_once(deal: Opportunity) -> None:
    name_start(deal, start_on=FIRST + 6 * WEEK)
    note_promise(event=Event.objects.get(name=names.OPPORTUNITY_START_MOVED), now=MONDAY)
    assert len(noted(deal)) == 1


def test_the_panel_shows_it_as_long_as_the_start_stands(deal: Opportunity, as_alice: Browser) -> None:
    path = reverse("staffing:earliest", args=[deal.pk])
    name_start(deal, start_on=FIRST + 6 * WEEK)
    assert "4 weeks before what fitted then." in as_alice.hx("get", path).content.decode()
    name_start(deal, start_on=FIRST + 12 * WEEK)
    assert "before what fitted then" not in as_alice.hx("get", path).content.decode()


def test_the_review_and_what_was_fixed_early_show_it(
    deal: Opportunity, alice: User, as_alice: Browser, organisation: Organisation
) -> None:
    defaults.create(organisation=organisation, now=MONDAY)
    review = requested(deal, alice)
    pages = [reverse("handoffs:review", args=[review.pk]), reverse("handoffs:exposure_panel", args=[deal.pk])]
    assert ["before what fitted then" in as_alice.get(page).text for page in pages] == [False, False]
    name_start(deal, start_on=FIRST + 6 * WEEK)
    assert ["Alice promised" in as_alice.get(page).text for page in pages] == [True, True]
    assert ["4 weeks before what fitted then." in as_alice.get(page).text for page in pages] == [True, True]
