"""Several people at once: lines of new people, and the same booking for many."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from opportunities.models import Opportunity
from staffing.models import Booking, Person, WorkRole
from staffing.services.several import SomeRefused, add_people
from tests.cast import Browser
from tests.staffing import staffed

ADD, BOOK = "/staffing/people/add-several/", "/staffing/bookings/add-several/"


@pytest.fixture
def as_ruth(ruth: User) -> Browser:
    """The resource manager's browser."""
    return Browser(ruth)


def line(number: int, name: str, role: Any, hours: str = "") -> dict[str, str]:
    return {f"line-{number}-name": name, f"line-{number}-role": str(role), f"line-{number}-weekly_hours": hours}


def test_lines_become_people(as_ruth: Browser, architect: WorkRole) -> None:
    given = line(0, "Nils", architect.pk) | line(2, "Nora", architect.pk, "22.5") | line(3, "", "")
    assert as_ruth.post(ADD, given).headers["Location"] == "/staffing/people/"
    assert list(Person.objects.values_list("name", "weekly_hours")) == [("Nils", 40), ("Nora", Decimal("22.5"))]


def test_pasted_lines_become_people(as_ruth: Browser, architect: WorkRole) -> None:
    assert (
        as_ruth.post(ADD, {"lines": "Nils; architect; 37,5 h\r\nNora\tArchitect\t20\r\n\r\nOle, Architect"}).status_code
        == 302
    )
    found = list(Person.objects.values_list("name", "weekly_hours"))
    assert found == [("Nils", Decimal("37.5")), ("Nora", 20), ("Ole", 40)]


def test_what_is_wrong_stands_beside_its_line_and_nobody_is_added(as_ruth: Browser, architect: WorkRole) -> None:
    given = line(0, "Nils", architect.pk) | line(1, "", architect.pk) | line(2, "Nora", architect.pk, "99")
    answer = as_ruth.post(ADD, given | {"lines": "Ole; Baker; 30"})
    assert answer.status_code == 422
    assert not Person.objects.exists()
    shown = answer.content.decode()
    assert "there is something to mend in 3 lines" in shown
    assert "There is no role “Baker”. Choose one from the list." in shown
    assert 'value="Ole"' in shown
    assert [each.sentences != [] for each in answer.context["form"].lines[:4]] == [False, True, True, True]


def test_the_service_names_each_that_it_refuses_and_adds_nobody(ruth: User, architect: WorkRole) -> None:
    rows: list[dict[str, Any]] = [
        {"name": "Nils", "role": architect},
        {"name": ""},
        {"name": "Nora", "role": architect, "weekly_hours": 99},
    ]
    with pytest.raises(SomeRefused) as refused:
        add_people(actor=ruth, rows=rows, now=timezone.now())
    assert {place: set(error.message_dict) for place, error in refused.value.problems.items()} == {
        1: {"name", "role"}, 2: {"weekly_hours"},
    }  # fmt: skip
    assert not Person.objects.exists()


def test_nothing_written_adds_nobody(as_ruth: Browser, architect: WorkRole) -> None:
    assert "Write at least one name." in as_ruth.post(ADD, {}).content.decode()


def test_more_than_fit_are_refused(as_ruth: Browser, architect: WorkRole) -> None:
    answer = as_ruth.post(ADD, {"lines": "Nils; Architect\n" * 201})
    assert "Up to 200 people at once; import a file for more." in answer.content.decode()
    assert not Person.objects.exists()


def test_without_roles_the_page_leads_to_them(as_ruth: Browser) -> None:
    assert "Roles come first" in as_ruth.get(ADD).content.decode()


def booking(*people: Person, **more: Any) -> dict[str, Any]:
    given = {
        "people": [person.pk for person in people], "title": "Training", "hours_per_week": "8",
        "first_on": "2027-03-01", "last_on": "2027-03-26", "request_id": str(uuid.uuid4()),
    }  # fmt: skip
    return {**given, **more}


def test_everybody_gets_the_same_booking(as_ruth: Browser, nils: Person, nora: Person) -> None:
    answer = as_ruth.post(BOOK, booking(nils, nora, note="Room 3"))
    assert answer.headers["Location"] == "/staffing/schedule/?from=2027-03-01"
    assert {each.person for each in Booking.objects.all()} == {nils, nora}
    assert set(Booking.objects.values_list("title", "hours_per_week", "first_on", "last_on", "note")) == {
        ("Training", Decimal(8), dt.date(2027, 3, 1), dt.date(2027, 3, 26), "Room 3")
    }


def test_the_same_for_a_deal_is_soft(dan: User, nils: Person, nora: Person, deal: Opportunity) -> None:
    Opportunity.objects.update(delivery_owner=dan)
    assert Browser(dan).post(BOOK, booking(nils, nora, title="", opportunity=deal.name)).status_code == 302
    assert set(Booking.objects.values_list("opportunity", "kind")) == {(deal.pk, "soft")}


def test_sent_twice_it_books_once(as_ruth: Browser, nils: Person, nora: Person) -> None:
    given = booking(nils, nora)
    for _again in range(2):
        assert as_ruth.post(BOOK, given).status_code == 302
    assert Booking.objects.count() == 2


def test_one_who_cant_be_booked_stops_all_and_is_named(as_ruth: Browser, nils: Person, nora: Person) -> None:
    Person.objects.filter(pk=nora.pk).update(leaves_on=dt.date(2027, 3, 5))
    answer = as_ruth.post(BOOK, booking(nils, nora))
    assert answer.status_code == 422
    assert not Booking.objects.exists()
    shown = answer.content.decode()
    assert "Nobody was booked, because of these:" in shown
    assert "Nora: Nora leaves on 2027-03-05." in shown
    assert f'value="{nils.pk}" id="several-{nils.pk}" checked' in shown


def test_what_concerns_everybody_is_said_once(as_ruth: Browser, nils: Person, nora: Person) -> None:
    shown = as_ruth.post(BOOK, booking(nils, nora, last_on="2027-02-01")).content.decode()
    assert shown.count("It can’t end before it begins.") + shown.count("It can&#x27;t end before it begins.") == 1


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"people": []}, "Choose the people to book."),
        ({"title": ""}, "Name either the deal or the own work."),
        ({"people": ["0", "x", "99999999999999999999"]}, "Choose the people to book."),
    ],
)
def test_what_is_missing_is_asked(as_ruth: Browser, nils: Person, more: dict[str, Any], sentence: str) -> None:
    answer = as_ruth.post(BOOK, booking(nils, **more))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()


def test_people_are_chosen_by_the_address(as_ruth: Browser, nils: Person, nora: Person) -> None:
    form = as_ruth.get(f"{BOOK}?people={nora.pk}&people=x").context["form"]
    assert form.chosen == [nora]


def test_queries_of_the_page_dont_grow(as_ruth: Browser, architect: WorkRole) -> None:
    counts = []
    for number in (2, 30):
        for each in range(number):
            staffed.worker(f"Nils {number} {each}", architect)
        with CaptureQueriesContext(connection) as queries:
            as_ruth.get(BOOK)
        counts.append(len(queries))
    assert counts[1] <= counts[0] <= 15
