"""People brought in from a file, added by line and booked together, in a browser; the pages in every look."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from accounts.models import Organisation, User
from staffing.models import Booking, Person, WorkRole
from tests.staffing import staffed
from tests.support.axe import assert_well_made
from tests.support.browser import settled

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NewPage = Callable[..., "Page"]


@pytest.fixture(autouse=True)
def _app(live_app: object, organisation: Organisation, ruth: User) -> None:
    """The running product."""


@pytest.fixture
def architect(organisation: Organisation) -> WorkRole:
    """The role."""
    return staffed.role("Architect")


def test_people_from_a_file(new_page: NewPage, ruth: User, architect: WorkRole, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("Id;Name;Role;Hours;Skills\nE1;Nils;Baker;37,5;Rust 2\nE2;Nora;Architect;x;\n")
    page = new_page(ruth)
    page.goto("/staffing/people/")
    settled(page)
    page.locator("#main summary", has_text="More").click()
    page.get_by_role("link", name="Import people").click()
    settled(page)
    assert_well_made(page, "the import of people")
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Read the file").click()
    expect(page.get_by_text("Which role is “Baker” (1 row)?")).to_be_visible()
    assert_well_made(page, "the questions")
    page.get_by_label("Baker").select_option(label="Add it as a new role")
    page.get_by_label("Unknown skills").select_option(label="add them")
    page.get_by_role("button", name="Check what would happen").click()
    expect(page.get_by_role("button", name="Import all but the 1 refused")).to_be_visible(timeout=20_000)
    assert_well_made(page, "the check")
    assert not Person.objects.exists()
    page.get_by_role("button", name="Import all but the 1 refused").click()
    page.get_by_role("link", name="Go to the people").click(timeout=20_000)
    expect(page.get_by_role("link", name="Nils")).to_be_visible()


def test_people_added_by_lines(new_page: NewPage, ruth: User, architect: WorkRole) -> None:
    page = new_page(ruth)
    page.goto("/staffing/people/add-several/")
    settled(page)
    assert_well_made(page, "lines of people")
    page.get_by_label("Or paste lines").fill("Nils; Architect; 30\nNora; Baker; 40")
    page.get_by_role("button", name="Add them").click()
    expect(page.get_by_text("There is no role “Baker”. Choose one from the list.")).to_be_visible()
    assert_well_made(page, "lines with something to mend")
    page.get_by_label("Role, line 2").select_option(label="Architect")
    page.get_by_role("button", name="Add them").click()
    expect(page.get_by_text("2 people can be planned now.")).to_be_visible()
    assert set(Person.objects.values_list("name", flat=True)) == {"Nils", "Nora"}


def test_several_are_booked_for_the_same(new_page: NewPage, ruth: User, architect: WorkRole) -> None:
    nils, nora = staffed.worker("Nils", architect), staffed.worker("Nora", staffed.role("Engineer"))
    page = new_page(ruth)
    page.goto("/staffing/bookings/add-several/")
    settled(page)
    assert_well_made(page, "a booking of several")
    page.get_by_label("Find people by name or role").fill("engin")
    expect(page.get_by_label("Nils")).to_be_hidden()
    page.get_by_label("Nora").check()
    page.get_by_label("Find people by name or role").fill("")
    page.get_by_label("Nils").check()
    expect(page.get_by_text("2 chosen")).to_be_visible()
    page.get_by_label("Hours a week").fill("8")
    page.get_by_role("button", name="Book them").click()
    expect(page.get_by_text("Name either the deal or the own work.")).to_be_visible()
    assert_well_made(page, "a booking of several that lacks something")
    page.get_by_label("Or own work").fill("Training")
    page.get_by_role("button", name="Book them").click()
    expect(page.get_by_text("2 people are booked.")).to_be_visible()
    assert {each.person for each in Booking.objects.all()} == {nils, nora}
