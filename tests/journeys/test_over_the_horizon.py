"""From an overload three weeks ahead to a booked team and a date that can be promised, in two browsers."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Organisation, User
from handoffs import defaults
from opportunities.models import Opportunity
from staffing.models import Booking, NeedSkill, PersonSkill, Skill, WorkRole
from staffing.weeks import monday_of
from tests import factories
from tests.journeys.test_review import settle
from tests.staffing.staffed import booking, need, role, worker

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NewPage = Callable[..., "Page"]
NOW = timezone.now()
MONDAY = monday_of(NOW.date())
WEEK = dt.timedelta(weeks=1)
# In which the work of both deals is planned to start.
START = MONDAY + 3 * WEEK


@pytest.fixture(autouse=True)
def _app(live_app: object, organisation: Organisation) -> None:
    """The running product."""
    defaults.create(organisation=organisation, now=NOW)


@pytest.fixture
def architect(organisation: Organisation) -> WorkRole:
    """Three architects: Nora is busy for half a year; Nils knows networks, and Olaf doesn't."""
    nora, nils = worker("Nora", role("Architect")), worker("Nils", role("Architect"))
    worker("Olaf", role("Architect"), hours=20)
    booking(MONDAY, MONDAY + 30 * WEEK, 40, person=nora)
    PersonSkill.objects.create(person=nils, skill=Skill.objects.create(name="Networks"), proficiency=4)
    return nora.role


def offered(by: User, name: str, **fields: object) -> Opportunity:
    return factories.deal("negotiation", owner=by, name=name, close_date=START, start_on=START, now=NOW, **fields)


@pytest.fixture
def portal(architect: WorkRole, alice: User, dan: User) -> Opportunity:
    """Asks for more than the two who are free, and for networks."""
    made = offered(alice, "Customer portal", probability=60, delivery_owner=dan)
    wanted = need(made, architect, 40, weeks=4)
    NeedSkill.objects.create(need=wanted, skill=Skill.objects.get(), proficiency=3)
    need(made, architect, 40, weeks=4)
    settle()
    return made


@pytest.fixture
def tickets(architect: WorkRole, alice: User, portal: Opportunity) -> Opportunity:
    """Alice's other deal, whose client asks when the work could start."""
    made = offered(alice, "Ferry tickets", probability=10)
    need(made, architect, 20, weeks=4)
    settle()
    return made


def test_an_overload_ahead_becomes_a_team_and_an_honest_date(
    new_page: NewPage, ruth: User, alice: User, portal: Opportunity, tickets: Opportunity
) -> None:
    alices, ruths = new_page(alice), new_page(ruth)
    before = earliest_week(alices, tickets)
    assert before > START  # what may be won first has to pass, and may slip

    look_behind_the_overload(ruths)
    try_it_later(ruths)
    book_the_best(ruths, portal)

    booked = Booking.objects.get(opportunity=portal)
    assert (str(booked.person), booked.kind, booked.first_on) == ("Nils", "soft", START)

    win(alices, portal)
    booked.refresh_from_db()
    assert booked.kind == "hard"
    ruths.goto(f"/deals/{portal.pk}/")
    expect(ruths.locator("#need-panel .nd-booking-hard")).to_contain_text("Nils")
    # It can't slip any more, so the next work can follow it at once.
    after = earliest_week(alices, tickets)
    assert (after, after < before) == (START + 4 * WEEK, True)


def earliest_week(page: Page, deal: Opportunity) -> dt.date:
    """The Monday that the deal page names."""
    page.goto(f"/deals/{deal.pk}/")
    said = page.locator("#earliest-panel .hz-start")
    expect(said).to_contain_text("Architect decides")
    found = re.search(r"from \w+ (\d+ \w+ \d+)", said.inner_text())
    assert found
    return dt.datetime.strptime(found[1], "%d %b %Y").date()  # noqa: DTZ007


def look_behind_the_overload(page: Page) -> None:
    """The cell of the week in which both start, and the deals that drive it."""
    page.goto("/staffing/horizon/")
    cell = page.locator(f'.hz-map a[href*="week={START.isoformat()}"]').first
    expect(cell).to_have_class(re.compile("hz-l[2-5]"))
    cell.click()
    dialog = page.locator("#dialog")
    expect(dialog.locator(".hz-driver").first).to_contain_text("Customer portal")
    expect(dialog.locator(".hz-driver").first).to_contain_text("If lost 0 %")


def try_it_later(page: Page) -> None:
    """A scenario in which the deal starts later, beside today; it changes nothing."""
    page.get_by_role("button", name=re.compile("Try it 4 weeks later ?: Customer portal")).click()
    expect(page).to_have_url(re.compile(r"/staffing/scenarios/\d+/"))
    expect(page.get_by_role("main")).to_contain_text("Customer portal")
    expect(page.locator(".sc-one").first).to_contain_text("Architect")
    assert Opportunity.objects.get(name="Customer portal").start_on == START


def book_the_best(page: Page, deal: Opportunity) -> None:
    """The one who knows networks is suggested first."""
    page.goto(f"/deals/{deal.pk}/")
    panel = page.locator("#need-panel")
    panel.get_by_role("link", name="Book somebody for Architect").first.click()
    first = page.get_by_role("dialog").locator(".nd-candidates li").first
    expect(first).to_contain_text("Nils")
    first.get_by_role("button", name="Book").click()
    expect(panel).to_contain_text("Nils")
    expect(panel).to_contain_text("Proposed")


def win(page: Page, deal: Opportunity) -> None:
    """On the board; everything else follows by itself."""
    page.goto("/board/")
    page.locator(".deal-card", has_text=deal.name).locator("[data-move]").click()
    page.get_by_role("menuitem", name="Won").click()
    expect(page.locator("#toasts")).to_contain_text("Won")
    settle()
