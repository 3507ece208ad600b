"""Demand against capacity and the earliest safe start, for programs."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from accounts.models import Organisation
from opportunities.models import Opportunity
from staffing.models import WorkRole
from staffing.weeks import monday_of
from tests import factories
from tests.api.conftest import Program
from tests.staffing.staffed import booking, need, role, worker

MONDAY = monday_of(timezone.now().date())
WEEK = dt.timedelta(weeks=1)


@pytest.fixture
def architect(organisation: Organisation) -> WorkRole:
    return worker("Nora", role("Architect")).role


@pytest.fixture
def deal(architect: WorkRole) -> Opportunity:
    start = MONDAY + 4 * WEEK
    made = factories.deal("proposal", close_date=start, start_on=start, probability=50)
    need(made, architect, 50, weeks=20)
    return made


def test_shows_figures_by_role_and_week(dans: Program, deal: Opportunity, architect: WorkRole) -> None:
    booking(MONDAY, MONDAY + WEEK - dt.timedelta(days=1), 10, role=architect)
    shown = dans.get("staffing/horizon/?weeks=20").json
    (line,) = shown["roles"]
    assert (line["role"]["name"], line["people"], len(line["weeks"])) == ("Architect", 1, 20)
    assert line["weeks"][0] == {
        "monday": MONDAY.isoformat(), "capacity": 40, "confirmed": 10, "expected": 10, "exposure": 10, "p50": 10,
        "p80": 10, "overload_probability": 0, "expected_overload": 0,
    }  # fmt: skip
    assert line["weeks"][15]["overload_probability"] == 0.5
    assert line["weeks"][15]["expected_overload"] == 5
    assert line["lacking_people"] == 0.25
    assert line["short_from"] == (MONDAY + 5 * WEEK).isoformat()
    assert shown["drivers"] == []


def test_names_the_deals_behind_a_cell(dans: Program, deal: Opportunity, architect: WorkRole) -> None:
    week = MONDAY + 15 * WEEK
    (driver,) = dans.get(f"staffing/horizon/?role={architect.pk}&week={week}").json["drivers"]
    assert driver["opportunity"]["id"] == deal.pk
    assert (driver["chance_percent"], driver["overload_percent_if_lost"]) == (50, 0)


def test_refuses_drivers_of_no_role_and_of_other_weeks(dans: Program, deal: Opportunity, architect: WorkRole) -> None:
    assert list(dans.get(f"staffing/horizon/?week={MONDAY}").json["fields"]) == ["role"]
    answer = dans.get(f"staffing/horizon/?role={architect.pk}&week=2020-01-06")
    assert (answer.status, list(answer.json["fields"])) == (400, ["week"])


def test_begins_with_a_later_week(dans: Program, deal: Opportunity, architect: WorkRole) -> None:
    whole = dans.get("staffing/horizon/?weeks=24").json
    later = dans.get(f"staffing/horizon/?from={MONDAY + 10 * WEEK + dt.timedelta(days=3)}&weeks=14").json
    assert later["first_monday"] == (MONDAY + 10 * WEEK).isoformat()
    assert later["roles"][0]["weeks"] == whole["roles"][0]["weeks"][10:]
    assert whole["roles"][0]["short_from"] == (MONDAY + 5 * WEEK).isoformat()
    assert later["roles"][0]["short_from"] == (MONDAY + 10 * WEEK).isoformat()
    assert dans.get(f"staffing/horizon/?from={MONDAY}&weeks=24").json == whole


def test_drivers_are_of_the_weeks_asked_for(dans: Program, deal: Opportunity, architect: WorkRole) -> None:
    path = f"staffing/horizon/?role={architect.pk}&from={MONDAY + 10 * WEEK}"
    (driver,) = dans.get(f"{path}&week={MONDAY + 15 * WEEK}").json["drivers"]
    assert driver["opportunity"]["id"] == deal.pk
    answer = dans.get(f"{path}&week={MONDAY + 9 * WEEK}")
    assert (answer.status, list(answer.json["fields"])) == (400, ["week"])


@pytest.mark.parametrize(
    ("day", "weeks", "sentence"),
    [
        (MONDAY - dt.timedelta(days=1), 4, "begins with this week"),
        (dt.date(2020, 1, 1), 4, "begins with this week"),
        (MONDAY + 104 * WEEK, 1, "104 weeks ahead"),
        (MONDAY + 100 * WEEK, 5, "104 weeks ahead"),
        (dt.date(9999, 12, 31), 1, "104 weeks ahead"),
        ("2026-02-31", 1, "There is no such day"),
    ],
)
def test_past_and_far_days_are_refused_with_a_sentence(
    dans: Program, architect: WorkRole, day: object, weeks: int, sentence: str
) -> None:
    answer = dans.get(f"staffing/horizon/?from={day}&weeks={weeks}")
    assert answer.status == 400
    assert sentence in answer.json["fields"]["from"][0]


def test_the_last_weeks_can_be_asked_for_without_counting_them(dans: Program, architect: WorkRole) -> None:
    (line,) = dans.get(f"staffing/horizon/?from={MONDAY + 100 * WEEK}").json["roles"]
    assert len(line["weeks"]) == 4


def test_is_not_for_sales(alices: Program, architect: WorkRole) -> None:
    assert alices.get("staffing/horizon/").status == 403


def test_shows_when_a_deal_can_start(alices: Program, charlies: Program, architect: WorkRole) -> None:
    booking(MONDAY, MONDAY + 9 * WEEK - dt.timedelta(days=1), 40, role=architect)
    start = MONDAY + 4 * WEEK
    made = factories.deal("proposal", close_date=start, start_on=start)
    asked = need(made, architect, 20)
    shown = alices.get(f"opportunities/{made.pk}/earliest-start/").json
    free = (MONDAY + 9 * WEEK).isoformat()
    assert shown == {
        "earliest_on": free, "reason": None, "binding_role": {"id": architect.pk, "name": "Architect"},
        "confidence_percent": 80, "promised_on": start.isoformat(), "weeks_too_early": 5,
        "needs": [
            {"need": asked.pk, "role": {"id": architect.pk, "name": "Architect"}, "earliest_on": free, "reason": None}
        ],
    }  # fmt: skip
    assert charlies.get(f"opportunities/{made.pk}/earliest-start/").status == 404
