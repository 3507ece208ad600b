"""What a deal takes: the panel of the deal page, asking, changing, taking the usual needs, and booking."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import User
from opportunities.models import Opportunity
from staffing.models import Booking, NeedTemplate, Person, Skill, StaffingNeed, WorkRole
from tests.cast import Browser
from tests.staffing import staffed

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
# The deal starts on Thursday 1 April 2027.
MONDAY_OF_START = dt.date(2027, 3, 29)


@pytest.fixture
def as_ruth(ruth: User) -> Browser:
    return Browser(ruth)


@pytest.fixture
def as_eve(eve: User) -> Browser:
    return Browser(eve)


def panel(browser: Browser, deal: Opportunity) -> str:
    return browser.get(reverse("staffing:need_panel", args=[deal.pk]), headers=HTMX).text


def asked(of: WorkRole, **values: Any) -> dict[str, Any]:
    return {"role": of.pk, "hours_per_week": "24", "offset_weeks": "2", "weeks": "6", "note": "", **values}


def told(response: Any) -> dict[str, Any]:
    return dict(json.loads(response.headers["HX-Trigger"]))


def test_an_empty_panel_says_what_would_be_here(as_alice: Browser, as_eve: Browser, deal: Opportunity) -> None:
    assert "Nobody has said yet what this deal takes" in panel(as_alice, deal)
    read_only = panel(as_eve, deal)
    assert "once its owners or those who plan people have said it" in read_only
    assert "add-need" not in read_only


def test_the_panel_is_a_page_of_its_own_and_on_the_deal_page(as_alice: Browser, deal: Opportunity) -> None:
    address = reverse("staffing:need_panel", args=[deal.pk])
    assert "<title>What it takes" in as_alice.get(address).text
    assert address in as_alice.get(reverse("opportunities:detail", args=[deal.pk])).text


def test_a_need_is_added_and_the_toast_takes_it_back(as_alice: Browser, deal: Opportunity, architect: WorkRole) -> None:
    skill = Skill.objects.create(name="Kubernetes")
    values = asked(architect, skill_0=skill.pk, least_0="4", note="On site on Tuesdays")
    response = as_alice.post(reverse("staffing:add_need", args=[deal.pk]), values, headers=HTMX)
    assert response.status_code == 204
    need = StaffingNeed.objects.get()
    assert (need.role, need.hours_per_week, need.offset_weeks, need.weeks) == (architect, Decimal(24), 2, 6)
    shown = panel(as_alice, deal)
    assert "24 h a week × 6 weeks" in shown
    assert "from week 3" in shown
    assert 'datetime="2027-04-12"' in shown  # two weeks after the Monday of the start
    assert "144 hours" in shown
    assert "at least: experienced" in shown
    assert "On site on Tuesdays" in shown
    undo = told(response)["toast"]["undo"]["url"]
    taken_back = as_alice.post(undo, headers=HTMX)
    assert StaffingNeed.objects.live().count() == 0
    as_alice.post(told(taken_back)["toast"]["undo"]["url"], headers=HTMX)
    assert StaffingNeed.objects.live().count() == 1


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"hours_per_week": "0"}, "greater than or equal to 0.5"),
        ({"weeks": "105"}, "less than or equal to 104"),
        ({"role": ""}, "This field is required"),
        ({"offset_weeks": "-1"}, "greater than or equal to 0"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(
    wrong: dict[str, str], sentence: str, as_alice: Browser, deal: Opportunity, architect: WorkRole
) -> None:
    response = as_alice.post(reverse("staffing:add_need", args=[deal.pk]), asked(architect, **wrong), headers=HTMX)
    assert (response.status_code, StaffingNeed.objects.count()) == (422, 0)
    assert sentence in response.text


def test_a_skill_is_named_once(as_alice: Browser, deal: Opportunity, architect: WorkRole) -> None:
    skill = Skill.objects.create(name="Kubernetes")
    values = asked(architect, skill_0=skill.pk, least_0="4", skill_1=skill.pk, least_1="2")
    response = as_alice.post(reverse("staffing:add_need", args=[deal.pk]), values, headers=HTMX)
    assert response.status_code == 422
    assert "Name each skill once" in response.text


def test_a_collision_shows_what_stands_now_and_keeps_what_was_typed(
    as_alice: Browser, deal: Opportunity, architect: WorkRole
) -> None:
    need = staffed.need(deal, architect, 20)
    StaffingNeed.objects.filter(pk=need.pk).update(version=2, weeks=9)
    address = reverse("staffing:change_need", args=[need.pk])
    response = as_alice.post(address, asked(architect, weeks="6", version="1"), headers=HTMX)
    assert response.status_code == 409
    assert "For how many weeks is now: 9" in response.text
    assert 'value="6"' in response.text
    again = as_alice.post(address, asked(architect, weeks="6", version="2"), headers=HTMX)
    need.refresh_from_db()
    assert (again.status_code, need.weeks) == (204, 6)


def test_skills_stay_when_something_else_is_changed(as_alice: Browser, deal: Opportunity, architect: WorkRole) -> None:
    skill = Skill.objects.create(name="Kubernetes")
    need = staffed.need(deal, architect, 20)
    need.skills.create(skill=skill, proficiency=4)
    form = as_alice.get(reverse("staffing:change_need", args=[need.pk]), headers=HTMX).text
    assert f'<option value="{skill.pk}" selected>' in form
    assert '<option value="4" selected>' in form
    assert '<option value="3" selected>' in form  # of the free rows


def test_the_usual_needs_of_the_line_come_once(as_alice: Browser, deal: Opportunity, architect: WorkRole) -> None:
    for hours in (20, 30):
        NeedTemplate.objects.create(role=architect, hours_per_week=hours, weeks=4)
    assert "Take the usual needs of Cloud" in panel(as_alice, deal)
    address = reverse("staffing:take_usual_needs", args=[deal.pk])
    response = as_alice.post(address, headers=HTMX)
    assert told(response)["toast"]["text"] == "2 usual needs taken"
    as_alice.post(address, headers=HTMX)
    assert StaffingNeed.objects.live().count() == 2
    assert "Take the" not in panel(as_alice, deal)
    StaffingNeed.objects.all()[0].delete()
    assert "Take the 1 usual need of Cloud that is missing" in panel(as_alice, deal)


def test_those_with_the_most_free_hours_come_first(
    as_ruth: Browser, deal: Opportunity, architect: WorkRole, nils: Person, nora: Person
) -> None:
    need = staffed.need(deal, architect, 20)
    staffed.booking(MONDAY_OF_START, MONDAY_OF_START + dt.timedelta(days=27), 30, person=nils)
    staffed.worker("Olaf", staffed.role("Engineer"))
    shown = as_ruth.get(reverse("staffing:book_need", args=[need.pk]), headers=HTMX).text
    assert shown.index("Nora") < shown.index("Nils")
    assert "40 of 160 h free" in shown
    assert "160 of 160 h free" in shown
    assert "Olaf" not in shown


def test_one_press_books_softly_and_the_toast_releases(
    as_ruth: Browser, as_alice: Browser, deal: Opportunity, architect: WorkRole, nora: Person
) -> None:
    need = staffed.need(deal, architect, 20)
    days = {"hours_per_week": "20", "first_on": "2027-03-29", "last_on": "2027-04-25", "person": nora.pk}
    response = as_ruth.post(reverse("staffing:book_need", args=[need.pk]), days, headers=HTMX)
    assert response.status_code == 204
    booking = Booking.objects.get()
    assert (booking.kind, booking.person, booking.need, booking.opportunity) == ("soft", nora, need, deal)
    shown = panel(as_alice, deal)
    assert "Nora" in shown
    assert "Proposed" in shown
    assert "Release Nora" not in shown  # a sales rep doesn't plan people
    as_ruth.post(told(response)["toast"]["undo"]["url"], headers=HTMX)
    assert not Booking.objects.live().exists()
    assert "Open" in panel(as_alice, deal)


def test_hours_are_held_without_a_name(as_ruth: Browser, deal: Opportunity, architect: WorkRole) -> None:
    need = staffed.need(deal, architect, 20)
    days = {"hours_per_week": "20", "first_on": "2027-03-29", "last_on": "2027-04-25", "person": ""}
    assert as_ruth.post(reverse("staffing:book_need", args=[need.pk]), days, headers=HTMX).status_code == 204
    booking = Booking.objects.get()
    assert (booking.person, booking.role) == (None, architect)
    assert "Nobody named yet" in panel(as_ruth, deal)


def test_somebody_of_another_role_is_not_offered_by_hand_either(
    as_ruth: Browser, deal: Opportunity, architect: WorkRole
) -> None:
    need = staffed.need(deal, architect, 20)
    olaf = staffed.worker("Olaf", staffed.role("Engineer"))
    days = {"hours_per_week": "20", "first_on": "2027-03-29", "last_on": "2027-04-25", "person": olaf.pk}
    response = as_ruth.post(reverse("staffing:book_need", args=[need.pk]), days, headers=HTMX)
    assert (response.status_code, Booking.objects.count()) == (422, 0)


def test_other_weeks_are_looked_at_before_booking(
    as_ruth: Browser, deal: Opportunity, architect: WorkRole, nora: Person
) -> None:
    need = staffed.need(deal, architect, 20)
    address = reverse("staffing:book_need", args=[need.pk])
    other = as_ruth.get(address, {"first_on": "2027-06-07", "last_on": "2027-06-13"}, headers=HTMX).text
    assert "40 of 40 h free" in other
    for nonsense in ({"first_on": "2027-06-07", "last_on": "2027-06-01"}, {"first_on": "x", "last_on": "9999-12-31"}):
        assert "160 of 160 h free" in as_ruth.get(address, nonsense, headers=HTMX).text


def test_a_deal_without_dates_can_be_staffed_too(
    as_ruth: Browser, deal: Opportunity, architect: WorkRole, nora: Person
) -> None:
    Opportunity.objects.filter(pk=deal.pk).update(start_on=None, close_date=None)
    need = staffed.need(deal, architect, 20)
    assert "Without an expected start" in panel(as_ruth, deal)
    assert "Nora" in as_ruth.get(reverse("staffing:book_need", args=[need.pk]), headers=HTMX).text


def test_a_lost_deal_is_only_read(as_alice: Browser, deal: Opportunity, architect: WorkRole) -> None:
    staffed.need(deal, architect, 20)
    Opportunity.objects.filter(pk=deal.pk).update(kind="lost", closed_on=dt.date(2027, 3, 1), loss_reason="price")
    shown = panel(as_alice, deal)
    assert "The deal was lost" in shown
    assert "add-need" not in shown
    assert "Change the need" not in shown
    response = as_alice.post(reverse("staffing:add_need", args=[deal.pk]), asked(architect), headers=HTMX)
    assert response.status_code == 409


def test_the_same_queries_for_two_needs_and_for_forty(
    as_ruth: Browser, deal: Opportunity, architect: WorkRole, django_assert_max_num_queries: Any
) -> None:
    address = reverse("staffing:need_panel", args=[deal.pk])
    for count in (2, 40):
        for number in range(count):
            need = staffed.need(deal, staffed.role(f"Role {number}"), 20)
            need.skills.create(skill=Skill.objects.get_or_create(name=f"Skill {number}")[0], proficiency=3)
            person = staffed.worker(f"Person {count} {number}", architect)
            staffed.booking(
                MONDAY_OF_START, MONDAY_OF_START, 8, person=person, need=need, opportunity=deal, kind="soft"
            )
        with django_assert_max_num_queries(15):
            as_ruth.get(address, headers=HTMX)
    need = staffed.need(deal, architect, 20)
    with django_assert_max_num_queries(15):
        as_ruth.get(reverse("staffing:book_need", args=[need.pk]), headers=HTMX)


def test_the_picture_stacks_the_hours_of_each_week(as_ruth: Browser, deal: Opportunity, architect: WorkRole) -> None:
    staffed.need(deal, architect, 30, weeks=2)
    staffed.need(deal, staffed.role("Engineer"), 10, weeks=1, offset=1)
    shown = panel(as_ruth, deal)
    assert "At most 40 hours a week, over 2 weeks" in shown
    assert shown.count('height="54.0"') == 2
    assert shown.count('height="18.0"') == 1


def test_an_outsider_finds_nothing(as_charlie: Browser, deal: Opportunity, charlie: User, architect: WorkRole) -> None:
    need = staffed.need(deal, architect, 20)
    assert as_charlie.get(reverse("staffing:need_panel", args=[deal.pk])).status_code == 404
    assert as_charlie.get(reverse("staffing:change_need", args=[need.pk])).status_code == 404
