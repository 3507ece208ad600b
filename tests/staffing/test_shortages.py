"""Which roles are short, from when, of how many, and because of which deals."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Organisation, User
from staffing.models import WorkRole
from staffing.weeks import monday_of
from tests import factories
from tests.cast import Browser
from tests.staffing.staffed import booking, need, role, worker

pytestmark = pytest.mark.django_db
PAGE = "/staffing/horizon/shortages/"
WEEK = dt.timedelta(weeks=1)
MONDAY = monday_of(timezone.now().date())


@pytest.fixture
def as_ruth(ruth: User) -> Browser:
    return Browser(ruth)


@pytest.fixture
def architect(organisation: Organisation) -> WorkRole:
    """One architect of 40 hours."""
    return worker("Nora", role("Architect")).role


def text(browser: Browser, address: str = PAGE) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", browser.get(address).text).split())


def busy(in_role: WorkRole, hours: int, *, first: int, weeks: int) -> None:
    """Confirmed work of the role from the week of that number."""
    begin = MONDAY + first * WEEK
    booking(begin, begin + weeks * WEEK - dt.timedelta(days=1), hours, role=in_role)


def test_without_a_shortage_it_says_so(as_ruth: Browser, architect: WorkRole) -> None:
    busy(architect, 8, first=2, weeks=3)
    assert "No role is short with 80 % confidence." in text(as_ruth)


def test_a_shortage_that_passes(as_ruth: Browser, architect: WorkRole) -> None:
    busy(architect, 80, first=2, weeks=3)
    page = text(as_ruth)
    week = (MONDAY + 2 * WEEK).isocalendar().week
    assert f"From week {week} (" in page
    assert "3 weeks short, until week" in page
    assert "It passes" in page
    assert "No open deal" not in page


def test_one_that_lasts_is_worth_hiring_for(as_ruth: Browser, architect: WorkRole) -> None:
    busy(architect, 120, first=12, weeks=14)
    page = text(as_ruth)
    assert "14 weeks short, and on beyond these weeks" in page
    assert "It lasts: worth hiring for" in page
    assert "2.0 people short" in page or "short of up to 2." in page
    assert "lacking for confirmed work alone" in page


def test_a_week_that_fits_between_does_not_end_it(as_ruth: Browser, architect: WorkRole) -> None:
    for first, weeks in ((10, 2), (13, 2), (17, 1)):
        busy(architect, 80, first=first, weeks=weeks)
    page = text(as_ruth)
    assert "4 weeks short, until week" in page
    assert page.count("1 week short") == 1


def test_the_deals_behind_it_are_named_to_those_who_see_them(
    as_ruth: Browser, architect: WorkRole, alice: User
) -> None:
    start = MONDAY + 5 * WEEK
    for name in ("Piste status", "Archive move", "Turbine parts", "Ferry tickets"):
        made = factories.deal("negotiation", owner=alice, name=name, start_on=start, close_date=start, probability=90)
        need(made, architect, 40, weeks=6)
    page = text(as_ruth)
    assert "Deals behind it, in week" in page
    assert page.count("If lost") == 3
    assert "Another deal" not in page
    assert "Turbine parts" in page


def test_it_costs_the_same_for_one_and_for_many(as_ruth: Browser, alice: User, organisation: Organisation) -> None:
    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert "short" in text(as_ruth)
        return len(seen)

    def add(number: int) -> None:
        one = worker(f"Person {number}", role(f"Role {number}")).role
        busy(one, 80, first=2, weeks=2)
        start = MONDAY + 2 * WEEK
        need(factories.deal("negotiation", owner=alice, start_on=start, close_date=start), one, 40)

    add(0)
    text(as_ruth)
    one = cost()
    for number in range(1, 8):
        add(number)
    assert cost() <= one
    assert organisation.pk


def test_the_horizon_leads_to_it(as_ruth: Browser, architect: WorkRole) -> None:
    busy(architect, 80, first=2, weeks=3)
    assert f'href="{PAGE}?weeks=26"' in as_ruth.get("/staffing/horizon/").text
