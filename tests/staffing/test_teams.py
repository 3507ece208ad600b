"""A team for all needs of a deal, and people for one need side by side."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import User
from opportunities.models import Opportunity
from staffing.models import Booking, NeedSkill, NeedState, Person, PersonSkill, Skill, StaffingNeed, WorkRole
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
def both(deal: Opportunity, architect: WorkRole, nils: Person, nora: Person) -> tuple[StaffingNeed, StaffingNeed]:
    """Two needs at once. Nora is the best for both; Nils can do the first as well, but not the second."""
    networks = Skill.objects.create(name="Networks")
    first, second = staffed.need(deal, architect, 40), staffed.need(deal, architect, 40)
    NeedSkill.objects.create(need=second, skill=networks, proficiency=3)
    PersonSkill.objects.create(person=nora, skill=networks, proficiency=5)
    return first, second


def team(browser: Browser, deal: Opportunity) -> str:
    return browser.get(reverse("staffing:team", args=[deal.pk]), headers=HTMX).text


def ticks(page: str) -> list[str]:
    return re.findall(r'name="member" value="([^"]+)"', page)


def test_each_gets_what_the_other_cannot_do(
    as_ruth: Browser, deal: Opportunity, both: tuple[StaffingNeed, StaffingNeed], nils: Person, nora: Person
) -> None:
    first, second = both
    page = team(as_ruth, deal)
    assert ticks(page) == [f"{first.pk}-{nils.pk}-40.0", f"{second.pk}-{nora.pk}-40.0"]
    assert "has every skill asked for" in page
    response = as_ruth.post(reverse("staffing:team", args=[deal.pk]), {"member": ticks(page)}, headers=HTMX)
    assert (response.status_code, "2 bookings made" in response.headers["HX-Trigger"]) == (204, True)
    made = Booking.objects.order_by("need")
    assert [(each.need_id, each.person, each.kind, each.first_on) for each in made] == [
        (first.pk, nils, "soft", MONDAY_OF_START), (second.pk, nora, "soft", MONDAY_OF_START),
    ]  # fmt: skip
    assert {need.state for need in StaffingNeed.objects.all()} == {NeedState.PROPOSED}
    assert "Somebody is booked for each need already." in team(as_ruth, deal)


def test_only_those_ticked_are_booked(
    as_ruth: Browser, deal: Opportunity, both: tuple[StaffingNeed, StaffingNeed], nora: Person
) -> None:
    chosen = ticks(team(as_ruth, deal))[1:]
    as_ruth.post(reverse("staffing:team", args=[deal.pk]), {"member": chosen}, headers=HTMX)
    assert [each.person for each in Booking.objects.all()] == [nora]


@pytest.mark.usefixtures("both")
def test_nobody_ticked_is_a_sentence(as_ruth: Browser, deal: Opportunity) -> None:
    response = as_ruth.post(reverse("staffing:team", args=[deal.pk]), {}, headers=HTMX)
    assert (response.status_code, Booking.objects.count()) == (422, 0)
    assert "Choose at least one person." in response.text


def test_who_was_booked_meanwhile_is_seen_before_anybody_is_booked(
    as_ruth: Browser, deal: Opportunity, both: tuple[StaffingNeed, StaffingNeed], nils: Person
) -> None:
    seen = ticks(team(as_ruth, deal))
    staffed.booking(MONDAY_OF_START, MONDAY_OF_START + dt.timedelta(days=25), 40, person=nils)
    response = as_ruth.post(reverse("staffing:team", args=[deal.pk]), {"member": seen}, headers=HTMX)
    assert (response.status_code, Booking.objects.filter(opportunity=deal).count()) == (409, 0)
    assert "Something has changed meanwhile" in response.text
    assert "Nobody who can do it is free in these weeks." in response.text
    assert len(both) == 2


def test_all_are_booked_or_nobody(
    as_ruth: Browser, deal: Opportunity, both: tuple[StaffingNeed, StaffingNeed], nils: Person
) -> None:
    seen = ticks(team(as_ruth, deal))
    Person.objects.filter(pk=nils.pk).update(leaves_on=MONDAY_OF_START + dt.timedelta(days=26))  # the last Saturday
    response = as_ruth.post(reverse("staffing:team", args=[deal.pk]), {"member": seen}, headers=HTMX)
    assert (response.status_code, Booking.objects.count()) == (422, 0)
    assert "Nils leaves on 2027-04-24." in response.text
    assert len(re.findall("checked", response.text)) == len(both)


def test_what_nobody_can_do_is_said(as_ruth: Browser, deal: Opportunity, nora: Person) -> None:
    staffed.need(deal, nora.role, 60)
    staffed.need(deal, staffed.role("Pilot"), 20)
    page = team(as_ruth, deal)
    assert "20 h a week remain: nobody else who can do it is free." in page
    assert "Nobody who works here in these weeks has the role Pilot." in page


def test_what_is_booked_already_is_not_suggested_again(as_ruth: Browser, deal: Opportunity, nora: Person) -> None:
    need = staffed.need(deal, nora.role, 60)
    friday = MONDAY_OF_START + dt.timedelta(days=25)
    staffed.booking(MONDAY_OF_START, friday, 40, person=nora, opportunity=deal, need=need, kind="soft")
    nils = staffed.worker("Nils", nora.role)
    assert ticks(team(as_ruth, deal)) == [f"{need.pk}-{nils.pk}-20.0"]


def test_a_team_costs_the_same_for_little_and_much(
    as_ruth: Browser, deal: Opportunity, nora: Person, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    address = reverse("staffing:team", args=[deal.pk])
    for _round in range(2):
        for number in range(4):
            staffed.need(deal, staffed.role(f"Role {number % 2}"), 40)
            staffed.worker(f"Person {number}", staffed.role(f"Role {number % 2}"))
        with django_assert_max_num_queries(20):
            assert as_ruth.get(address, headers=HTMX).status_code == 200
    assert nora.name not in as_ruth.get(address, headers=HTMX).text


# --- Side by side ---


def test_ten_at_most_stand_side_by_side(as_ruth: Browser, deal: Opportunity, architect: WorkRole) -> None:
    need = staffed.need(deal, architect, 20)
    for number in range(12):
        staffed.worker(f"Person {number:02}", architect)
    page = as_ruth.get(reverse("staffing:candidates", args=[need.pk])).text
    assert [f"Person {number:02}" in page for number in (0, 9, 10)] == [True, True, False]
    assert "2 further people have the role." in page


def test_it_says_why_one_is_better(as_ruth: Browser, both: tuple[StaffingNeed, StaffingNeed], nora: Person) -> None:
    page = " ".join(as_ruth.get(reverse("staffing:candidates", args=[both[1].pk])).text.split())
    assert page.index("Nora") < page.index("Nils")
    for said in ("Networks, at least: on their own", "teaches it", "not known", f"/people/{nora.pk}/"):
        assert said in page, said


def test_booking_from_there_leads_back_to_what_the_deal_takes(
    as_ruth: Browser, both: tuple[StaffingNeed, StaffingNeed], nora: Person
) -> None:
    need = both[1]
    page = as_ruth.get(reverse("staffing:candidates", args=[need.pk])).text
    form = page[page.index(f'name="person" value="{nora.pk}"') :]
    given = dict(re.findall(r'name="(hours_per_week|first_on|last_on)" value="([^"]+)"', form)[:3])
    response = as_ruth.post(reverse("staffing:book_need", args=[need.pk]), {"person": nora.pk, **given}, follow=True)
    assert "Nora: booked (soft)" in response.text
    need.refresh_from_db()
    assert need.state == NeedState.PROPOSED


def test_nobody_of_the_role_is_a_sentence(as_ruth: Browser, deal: Opportunity) -> None:
    need = staffed.need(deal, staffed.role("Pilot"), 20)
    page = as_ruth.get(reverse("staffing:candidates", args=[need.pk])).text
    assert "Nobody who works here in these weeks has the role Pilot." in page
