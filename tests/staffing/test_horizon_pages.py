"""The horizon and the earliest safe start as people see them."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organisation, User
from opportunities.models import Opportunity
from staffing.models import WorkRole
from staffing.weeks import monday_of
from tests import factories
from tests.cast import Browser
from tests.staffing.staffed import booking, need, role, worker

HORIZON = "/staffing/horizon/"
WEEK = dt.timedelta(weeks=1)
MONDAY = monday_of(timezone.now().date())


@pytest.fixture
def as_ruth(ruth: User) -> Browser:
    return Browser(ruth)


@pytest.fixture
def architect(organisation: Organisation) -> WorkRole:
    """One architect of 40 hours, without holidays."""
    return worker("Nora", role("Architect")).role


def text(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def begins(start_on: dt.date | None, **values: Any) -> Opportunity:
    return factories.deal("proposal", **{"close_date": start_on, "start_on": start_on, **values})


def earliest(browser: Browser, deal: Opportunity) -> str:
    return text(browser.hx("get", reverse("staffing:earliest", args=[deal.pk])))


# --- the horizon ---


def test_without_roles_it_says_what_would_be_here(as_ruth: Browser) -> None:
    answer = as_ruth.get(HORIZON)
    assert "No roles and people yet" in text(answer)
    assert reverse("staffing:people") in answer.content.decode()


def test_everything_fits_without_open_deals(as_ruth: Browser, architect: WorkRole) -> None:
    shown = text(as_ruth.get(HORIZON))
    assert "Everything fits in the next 26 weeks" in shown
    assert "0 open deals ask for people. Say on a deal what it takes" in shown


def test_a_short_role_is_said_first(as_ruth: Browser, architect: WorkRole) -> None:
    start = MONDAY + 6 * WEEK
    booking(start, start + 2 * WEEK, 100, role=architect)
    shown = text(as_ruth.get(HORIZON))
    week = start.isocalendar().week
    assert f"Architect : short from week {week}" in shown
    assert "1.5 more people would be enough with 80 % confidence" in shown
    assert f"100 %, Architect, week {week} " in shown
    assert f"0 %, Architect, week {(start - WEEK).isocalendar().week} " in shown


def test_what_may_come_counts_with_its_chance(as_ruth: Browser, architect: WorkRole) -> None:
    deal = begins(MONDAY + 4 * WEEK, probability=50)
    need(deal, architect, 50, weeks=20)
    shown = text(as_ruth.get(HORIZON))
    # Half of 40 %: the part of the deals that start as planned.
    assert f"20 %, Architect, week {(MONDAY + 4 * WEEK).isocalendar().week} " in shown
    assert f"50 %, Architect, week {(MONDAY + 13 * WEEK).isocalendar().week} " in shown


def test_a_role_that_nobody_has_is_named(as_ruth: Browser, architect: WorkRole) -> None:
    need(begins(MONDAY + 2 * WEEK, probability=100), role("Tester"), 20)
    assert "Tester : nobody has this role, and it is asked for from week" in text(as_ruth.get(HORIZON))


@pytest.mark.parametrize(("probability", "wanted"), [(0, 0), (100, 100)])
def test_deals_that_are_sure_are_sure(as_ruth: Browser, architect: WorkRole, probability: int, wanted: int) -> None:
    need(begins(MONDAY, probability=probability), architect, 50, weeks=30)
    week = (MONDAY + 20 * WEEK).isocalendar().week
    assert f" {wanted} %, Architect, week {week} " in text(as_ruth.get(HORIZON))


def test_deals_without_dates_are_counted(as_ruth: Browser, architect: WorkRole) -> None:
    for _ in range(3):
        need(begins(None), architect, 50)
    assert "3 deals without dates are not in this picture." in text(as_ruth.get(HORIZON))


def test_one_role_can_be_chosen(as_ruth: Browser, architect: WorkRole) -> None:
    role("Tester")
    answer = as_ruth.get(HORIZON, {"role": architect.pk, "weeks": 13})
    assert len(re.findall("hz-figure", answer.content.decode())) == 1
    assert len(re.findall("hz-cell hz-l", answer.content.decode())) == 13


@pytest.mark.parametrize("weeks", ["", "0", "-4", "x", "²", "99999999999", "1e9"])
def test_nonsense_for_weeks_is_26_or_as_many_as_there_are(as_ruth: Browser, architect: WorkRole, weeks: str) -> None:
    answer = as_ruth.get(HORIZON, {"weeks": weeks, "role": "x"})
    assert answer.status_code == 200
    assert len(re.findall("hz-cell hz-l", answer.content.decode())) == 26


def test_more_weeks_than_can_be_planned_are_104(as_ruth: Browser, architect: WorkRole) -> None:
    assert len(re.findall("hz-cell hz-l", as_ruth.get(HORIZON, {"weeks": 500}).content.decode())) == 104


def test_of_very_many_roles_those_at_risk_are_shown(as_ruth: Browser, architect: WorkRole) -> None:
    for number in range(20):
        role(f"Role {number}")
    booking(MONDAY, MONDAY + WEEK, 10, role=role("Role 19"))
    answer = as_ruth.get(HORIZON)
    assert "The 12 roles most at risk, of 21. Show all roles" in text(answer)
    assert "100 %, Role 19, week" in text(answer)
    assert len(re.findall("hz-figure", as_ruth.get(HORIZON, {"every": 1}).content.decode())) == 21


def test_a_role_that_is_gone_is_said_so(as_ruth: Browser, architect: WorkRole) -> None:
    assert "There is no such role" in text(as_ruth.get(HORIZON, {"role": architect.pk + 99}))


def test_filters_answer_with_the_part_that_changes(as_ruth: Browser, architect: WorkRole) -> None:
    answer = as_ruth.hx("get", HORIZON, {"weeks": 13})
    assert answer.content.decode().lstrip().startswith('<div class="hz" id="horizon">')


def test_sales_does_not_see_it(as_alice: Browser, as_sam: Browser, architect: WorkRole) -> None:
    for browser in (as_alice, as_sam):
        assert browser.get(HORIZON).status_code == 403
        assert browser.get(f"{HORIZON}{architect.pk}/").status_code == 403
        assert HORIZON not in browser.get("/").content.decode()


def test_delivery_finds_it_in_the_navigation(as_dan: Browser) -> None:
    assert HORIZON in as_dan.get("/").content.decode()


def test_the_page_asks_as_much_of_many_as_of_few(as_ruth: Browser, architect: WorkRole) -> None:
    as_ruth.get(HORIZON)
    counts = []
    for size in (1, 12):
        for number in range(size):
            made = role(f"Role {size} {number}")
            person = worker(f"Person {size} {number}", made)
            deal = begins(MONDAY + WEEK)
            booking(MONDAY, MONDAY + WEEK, 10, person=person, opportunity=deal, need=need(deal, made, 20), kind="soft")
        with CaptureQueriesContext(connection) as queries:
            as_ruth.get(HORIZON)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 15


# --- behind a cell ---


def test_a_cell_names_the_deals_behind_it(as_ruth: Browser, architect: WorkRole) -> None:
    deal = begins(MONDAY, probability=100, name="Customer portal")
    need(deal, architect, 30, weeks=20)
    booking(MONDAY, MONDAY + 20 * WEEK, 20, role=architect)
    answer = as_ruth.hx("get", f"{HORIZON}{architect.pk}/", {"week": MONDAY + 10 * WEEK})
    shown = text(answer)
    assert answer.headers["HX-Retarget"] == "#dialog-body"
    assert "100 % chance of overload; on average 10 hours are lacking." in shown
    assert "Capacity 40 h Confirmed 20 h Expected 50 h P50 to P80 50 – 50 h" in shown
    assert "Customer portal" in shown
    assert "If lost 0 % 10 h less lacking If 4 weeks later" in shown
    assert reverse("opportunities:detail", args=[deal.pk]) in answer.content.decode()


def test_deals_of_others_stay_without_a_name(organisation: Organisation, architect: WorkRole) -> None:
    lines = factories.service_line("Data"), factories.service_line("Cloud")
    team = factories.team("Data people", side="delivery")
    team.service_lines.add(lines[0])
    tom = factories.UserFactory.make(name="Tom", roles=["delivery_manager"], teams=[team])
    need(begins(MONDAY, name="Secret plan", service_line=lines[1]), architect, 50)
    shown = text(Browser(tom).get(f"{HORIZON}{architect.pk}/"))
    assert "Another deal" in shown
    assert "Secret plan" not in shown


def test_a_cell_without_deals_says_so(as_ruth: Browser, architect: WorkRole) -> None:
    shown = text(as_ruth.get(f"{HORIZON}{architect.pk}/"))
    assert "chance of overload: this week fits." in shown
    assert "No open deal asks for this role in this week" in shown


@pytest.mark.parametrize("week", ["2020-01-06", "9999-12-31", "0001-01-01", "no day"])
def test_a_week_outside_is_not_there(as_ruth: Browser, architect: WorkRole, week: str) -> None:
    assert as_ruth.get(f"{HORIZON}{architect.pk}/", {"week": week}).status_code == 404
    assert as_ruth.get(f"{HORIZON}{architect.pk + 99}/").status_code == 404


# --- the earliest safe start ---


def test_a_promise_that_is_too_early_is_said(as_alice: Browser, architect: WorkRole) -> None:
    booking(MONDAY, MONDAY + 10 * WEEK - dt.timedelta(days=1), 40, role=architect)
    deal = begins(MONDAY + 6 * WEEK)
    need(deal, architect, 20, weeks=4)
    shown = earliest(as_alice, deal)
    free = MONDAY + 10 * WEEK
    assert f"Week {free.isocalendar().week} from" in shown
    assert "Architect decides" in shown
    assert "You promise 4 weeks earlier than what fits with 80 %." in shown


def test_a_promise_that_fits_is_said(as_alice: Browser, architect: WorkRole) -> None:
    deal = begins(MONDAY + 6 * WEEK)
    need(deal, architect, 40)
    assert "fits with 80 %." in earliest(as_alice, deal)
    assert "You promise" not in earliest(as_alice, deal)


def test_an_early_start_that_fits_does_not_make_a_later_one_fit(as_alice: Browser, architect: WorkRole) -> None:
    booking(MONDAY + 8 * WEEK, MONDAY + 12 * WEEK - dt.timedelta(days=1), 40, role=architect)
    deal = begins(MONDAY + 9 * WEEK)
    need(deal, architect, 40)
    shown = earliest(as_alice, deal)
    assert "You promise 3 weeks earlier than what fits with 80 %. Earlier starts fit" in shown


def test_a_start_beyond_what_is_looked_at_is_not_judged(as_alice: Browser, architect: WorkRole) -> None:
    deal = begins(MONDAY + 60 * WEEK)
    need(deal, architect, 40)
    assert "fits can’t be told" in earliest(as_alice, deal)


def test_without_a_start_the_close_date_is_the_measure(as_alice: Browser, architect: WorkRole) -> None:
    booking(MONDAY, MONDAY + 10 * WEEK - dt.timedelta(days=1), 40, role=architect)
    deal = begins(None, close_date=MONDAY + 4 * WEEK)
    need(deal, architect, 20)
    assert "Going by the close date the work would start 4 weeks earlier than what fits" in earliest(as_alice, deal)


def test_other_deals_count_and_ones_own_part_does_not(as_alice: Browser, architect: WorkRole) -> None:
    deal = begins(MONDAY + 2 * WEEK, probability=100)
    need(deal, architect, 40, weeks=8)
    assert "You promise" not in earliest(as_alice, deal)
    other = begins(MONDAY, probability=100)
    need(other, architect, 40, weeks=4)
    assert "You promise" in earliest(as_alice, deal)


def test_without_needs_it_says_what_is_missing(as_alice: Browser, architect: WorkRole) -> None:
    assert "Nobody has said yet what the deal takes." in earliest(as_alice, begins(MONDAY))


def test_a_role_that_nobody_has_has_no_start(as_alice: Browser, architect: WorkRole) -> None:
    deal = begins(MONDAY + WEEK)
    need(deal, role("Tester"), 20)
    shown = earliest(as_alice, deal)
    assert "Nobody has the role Tester, so there is no safe start." in shown
    assert "nobody has this role" in shown


def test_work_longer_than_a_year_is_said(as_alice: Browser, architect: WorkRole) -> None:
    deal = begins(MONDAY + WEEK)
    need(deal, architect, 20, weeks=60)
    assert "The work lasts beyond the next 52 weeks" in earliest(as_alice, deal)


def test_more_than_anybody_has_never_fits(as_alice: Browser, architect: WorkRole) -> None:
    deal = begins(MONDAY + WEEK)
    need(deal, architect, 60)
    assert "It doesn’t fit in the next 52 weeks: Architect stands in the way." in earliest(as_alice, deal)


def test_a_closed_deal_has_none(as_alice: Browser, architect: WorkRole) -> None:
    deal = factories.deal("won")
    need(deal, architect, 20)
    assert "The deal is closed." in earliest(as_alice, deal)


def test_it_has_a_page_of_its_own_and_is_not_for_outsiders(
    as_alice: Browser, as_charlie: Browser, architect: WorkRole
) -> None:
    deal = begins(MONDAY + WEEK)
    path = reverse("staffing:earliest", args=[deal.pk])
    assert "<html" in as_alice.get(path).content.decode()
    assert as_charlie.get(path).status_code == 404


def test_the_panel_asks_as_much_of_many_as_of_few(as_alice: Browser, architect: WorkRole) -> None:
    deal = begins(MONDAY + WEEK)
    earliest(as_alice, deal)
    counts = []
    for _ in range(2):
        need(deal, architect, 10)
        need(begins(MONDAY), architect, 10)
        with CaptureQueriesContext(connection) as queries:
            earliest(as_alice, deal)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 15
