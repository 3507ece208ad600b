"""The schedule: the picture, and making, moving and releasing bookings."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Organisation, Role, Side, User
from opportunities.models import Opportunity
from staffing.models import Booking, Person, TimeOff, WorkRole
from staffing.weeks import monday_of
from tests import factories
from tests.cast import Browser
from tests.staffing import staffed


@pytest.fixture
def as_ruth(ruth: User) -> Browser:
    """The resource manager's browser."""
    return Browser(ruth)


@pytest.fixture
def monday() -> dt.date:
    """Of this week."""
    return monday_of(timezone.now().date())


@pytest.fixture
def booked(nils: Person, monday: dt.date) -> Booking:
    """Three weeks of Nils from the second week on, Tuesday to Thursday."""
    return staffed.booking(monday + dt.timedelta(days=8), monday + dt.timedelta(days=24), 24, person=nils)


def days(booking: Booking) -> tuple[dt.date, dt.date]:
    booking.refresh_from_db()
    return booking.first_on, booking.last_on


def toast(answer: Any) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(answer.headers["HX-Trigger"])["toast"]
    return told


def test_bars_stand_in_the_weeks_that_they_touch(as_ruth: Browser, booked: Booking) -> None:
    (group,) = as_ruth.get("/staffing/schedule/").context["schedule"].groups
    (bar,) = group.rows[0].bars
    assert (bar.start, bar.span, bar.is_cut_before, bar.is_cut_after) == (2, 3, False, False)


def test_bars_are_cut_at_the_ends_of_the_picture(as_ruth: Browser, booked: Booking, monday: dt.date) -> None:
    since = monday + dt.timedelta(weeks=2)
    (group,) = as_ruth.get(f"/staffing/schedule/?from={since}&weeks=6").context["schedule"].groups
    (bar,) = group.rows[0].bars
    assert (bar.start, bar.span, bar.is_cut_before) == (1, 2, True)


def test_free_hours_by_week_for_people_and_roles(as_ruth: Browser, booked: Booking, nora: Person) -> None:
    (group,) = as_ruth.get("/staffing/schedule/").context["schedule"].groups
    assert [cell.free for cell in group.rows[0].cells[:3]] == [40, Decimal("20.8"), 16]
    assert group.free[:3] == [80, Decimal("60.8"), 56]


def test_who_has_too_much_is_named_with_weeks_and_hours(as_ruth: Browser, nils: Person, monday: dt.date) -> None:
    staffed.booking(monday, monday + dt.timedelta(days=18), 50, person=nils)
    TimeOff.objects.create(person=nils, first_on=monday, last_on=monday + dt.timedelta(days=4))
    answer = as_ruth.get("/staffing/schedule/")
    (overload,) = answer.context["schedule"].overloads
    assert (overload.person, overload.weeks, overload.hours, overload.is_agreed) == (nils, 3, 50, True)
    assert "up to 50 h a week too much" in answer.content.decode()


def test_soft_bookings_make_an_overload_that_may_yet_go(
    as_ruth: Browser, nils: Person, deal: Opportunity, monday: dt.date
) -> None:
    staffed.booking(monday, monday + dt.timedelta(days=4), 30, person=nils)
    staffed.booking(monday, monday + dt.timedelta(days=4), 20, person=nils, opportunity=deal, kind="soft")
    answer = as_ruth.get("/staffing/schedule/")
    assert [each.is_agreed for each in answer.context["schedule"].overloads] == [False]
    assert "if soft bookings come true" in answer.content.decode()


def test_bookings_without_a_name_stand_in_a_row_of_their_role(
    as_ruth: Browser, architect: WorkRole, nils: Person, monday: dt.date
) -> None:
    staffed.booking(monday, monday + dt.timedelta(days=4), 60, role=architect)
    (group,) = as_ruth.get("/staffing/schedule/").context["schedule"].groups
    assert [row.person for row in group.rows] == [None, nils]
    assert group.rows[0].cells[0].booked == 60


def test_somebody_who_left_and_is_still_booked_shows(as_ruth: Browser, booked: Booking, monday: dt.date) -> None:
    assert booked.person is not None
    Person.objects.filter(pk=booked.person.pk).update(leaves_on=monday - dt.timedelta(days=30))
    found = as_ruth.get("/staffing/schedule/").context["schedule"]
    assert [each.person.pk for each in found.overloads] == [booked.person_id]


def test_deals_that_the_reader_may_not_see_have_no_name(
    organisation: Organisation, nils: Person, deal: Opportunity, monday: dt.date
) -> None:
    line = factories.service_line("Data")
    team = factories.team("Platform delivery", side=Side.DELIVERY)
    team.service_lines.add(line)
    other = factories.person("Paul", Role.PROJECT_MANAGER, teams=(team,))
    Opportunity.objects.filter(pk=deal.pk).update(name="Harbour portal", service_line=factories.service_line("Cloud"))
    staffed.booking(monday, monday + dt.timedelta(days=4), 20, person=nils, opportunity=deal, kind="soft")
    page = Browser(other).get("/staffing/schedule/").content.decode()
    assert "Another deal" in page
    assert "Harbour portal" not in page
    assert "Harbour portal" not in Browser(other).get(f"/staffing/people/{nils.pk}/").content.decode()


def test_those_who_do_not_plan_read_the_picture_only(pia: User, booked: Booking) -> None:
    page = Browser(pia).get("/staffing/schedule/").content.decode()
    assert "Own work" in page
    assert "data-move=" not in page
    assert Browser(pia).get(f"/staffing/bookings/{booked.pk}/").status_code == 403


@pytest.mark.parametrize("query", ["from=2026-02-30", "from=9999-12-31", "weeks=7", "role=0", "page=x"])
def test_addresses_that_make_no_sense_show_the_usual(as_ruth: Browser, booked: Booking, query: str) -> None:
    answer = as_ruth.get(f"/staffing/schedule/?{query}")
    assert answer.status_code == 200
    assert len(answer.context["schedule"].weeks) == 12


def form(who: Person | None, **values: Any) -> dict[str, Any]:
    first = timezone.now().date()
    given = {
        "person": who.pk if who else "", "hours_per_week": "20", "first_on": first,
        "last_on": first + dt.timedelta(days=25), "request_id": uuid.uuid4(),
    }  # fmt: skip
    return {**given, **values}


def test_booking_for_a_deal_by_its_name_is_soft(as_ruth: Browser, nils: Person, deal: Opportunity) -> None:
    answer = as_ruth.hx("post", "/staffing/bookings/add/", form(nils, opportunity=deal.name.upper()))
    assert answer.status_code == 204
    booking = Booking.objects.get()
    assert (booking.person, booking.opportunity, booking.kind, booking.role) == (nils, deal, "soft", nils.role)


def test_booking_own_work_for_a_role_is_hard(as_ruth: Browser, architect: WorkRole) -> None:
    as_ruth.hx("post", "/staffing/bookings/add/", form(None, role=architect.pk, title="Support rota"))
    booking = Booking.objects.get()
    assert (booking.person, booking.role, booking.title, booking.kind) == (None, architect, "Support rota", "hard")


def test_the_same_form_sent_twice_books_once(as_ruth: Browser, nils: Person) -> None:
    values = form(nils, title="Training")
    for _time in range(2):
        as_ruth.hx("post", "/staffing/bookings/add/", values)
    assert Booking.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"title": ""}, "Name either the deal or the own work."),
        ({"title": "Training", "person": ""}, "Choose somebody, or the role that is wanted."),
        ({"opportunity": "No such deal"}, "There is no open or won deal like that."),
        ({"title": "Training", "last_on": "2020-01-01"}, "It can&#x27;t end before it begins."),
    ],
)
def test_what_is_missing_is_said(as_ruth: Browser, nils: Person, values: dict[str, Any], sentence: str) -> None:
    answer = as_ruth.hx("post", "/staffing/bookings/add/", form(nils, **values))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Booking.objects.exists()


def test_deals_of_one_name_have_to_be_told_apart(as_ruth: Browser, nils: Person, deal: Opportunity) -> None:
    twin = factories.deal(name=deal.name)
    answer = as_ruth.hx("post", "/staffing/bookings/add/", form(nils, opportunity=deal.name))
    assert "Several deals are called that" in answer.content.decode()
    as_ruth.hx("post", "/staffing/bookings/add/", form(nils, opportunity=f"{deal.name} #{twin.pk}"))
    assert Booking.objects.get().opportunity == twin


def test_suggestions_for_the_deal(as_ruth: Browser, deal: Opportunity) -> None:
    lost = factories.deal("lost", name=deal.name)
    answer = as_ruth.get("/staffing/schedule/deals/", {"opportunity": deal.name[:4]}).content.decode()
    assert f"#{deal.pk}" in answer
    assert f"#{lost.pk}" not in answer


def test_booking_for_a_need_begins_with_what_it_asks_for(
    as_ruth: Browser, nils: Person, architect: WorkRole, deal: Opportunity
) -> None:
    need = staffed.need(deal, architect, 32, weeks=6)
    first = as_ruth.hx("get", f"/staffing/bookings/add/?need={need.pk}&person={nils.pk}").context["form"].initial
    assert (first["hours_per_week"], first["first_on"], first["last_on"]) == (
        32,
        dt.date(2027, 3, 29),
        dt.date(2027, 5, 7),
    )
    as_ruth.hx("post", "/staffing/bookings/add/", form(nils, opportunity=deal.name, need=need.pk))
    assert Booking.objects.get().need == need


def test_moving_by_weeks_keeps_the_days_and_can_be_undone(as_ruth: Browser, booked: Booking) -> None:
    first, last = days(booked)
    path = f"/staffing/bookings/{booked.pk}/move/"
    answer = as_ruth.hx("post", path, {"first": "2", "last": "2", "version": "1"})
    assert answer.status_code == 204
    assert days(booked) == (first + dt.timedelta(weeks=2), last + dt.timedelta(weeks=2))
    assert "staffing-changed" in answer.headers["HX-Trigger"]
    as_ruth.hx("post", toast(answer)["undo"]["url"])
    assert days(booked) == (first, last)


def test_stretching_moves_one_end(as_ruth: Browser, booked: Booking) -> None:
    first, last = days(booked)
    as_ruth.hx("post", f"/staffing/bookings/{booked.pk}/move/", {"first": "0", "last": "1", "version": "1"})
    assert days(booked) == (first, last + dt.timedelta(weeks=1))


def test_an_end_before_the_beginning_is_refused(as_ruth: Browser, booked: Booking) -> None:
    before = days(booked)
    answer = as_ruth.hx("post", f"/staffing/bookings/{booked.pk}/move/", {"first": "9", "last": "0", "version": "1"})
    assert answer.status_code == 422
    assert days(booked) == before


def test_a_move_of_something_else_than_was_seen_says_what_is_there_now(as_ruth: Browser, booked: Booking) -> None:
    Booking.objects.filter(pk=booked.pk).update(version=2, hours_per_week=30)
    before = days(booked)
    answer = as_ruth.hx("post", f"/staffing/bookings/{booked.pk}/move/", {"first": "1", "last": "1", "version": "1"})
    assert answer.status_code == 409
    assert "It is now: Nils, 30 h a week" in toast(answer)["text"]
    assert days(booked) == before


@pytest.mark.parametrize("first", ["", "x", "999"])
def test_a_move_by_nothing_readable_is_refused(as_ruth: Browser, booked: Booking, first: str) -> None:
    assert as_ruth.hx("post", f"/staffing/bookings/{booked.pk}/move/", {"first": first, "last": "0"}).status_code == 422


def test_a_booking_is_changed_in_the_form(as_ruth: Browser, booked: Booking, nora: Person) -> None:
    values = form(nora, title="Own work", hours_per_week="12", version="1")
    assert as_ruth.hx("post", f"/staffing/bookings/{booked.pk}/", values).status_code == 204
    booked.refresh_from_db()
    assert (booked.person, booked.hours_per_week) == (nora, 12)


def test_a_collision_in_the_form_shows_what_stands_now(as_ruth: Browser, booked: Booking, nils: Person) -> None:
    Booking.objects.filter(pk=booked.pk).update(version=2, hours_per_week=30)
    values = form(nils, title="Own work", hours_per_week="12", version="1")
    answer = as_ruth.hx("post", f"/staffing/bookings/{booked.pk}/", values)
    assert answer.status_code == 409
    assert "Hours a week is now: 30" in answer.content.decode()
    assert 'value="12"' in answer.content.decode()


def test_a_released_booking_leaves_the_picture_and_comes_back(as_ruth: Browser, booked: Booking) -> None:
    answer = as_ruth.hx("post", f"/staffing/bookings/{booked.pk}/release/", {"version": "1"})
    assert toast(answer)["undo"]["url"] == f"/staffing/bookings/{booked.pk}/restore/"
    booked.refresh_from_db()
    assert booked.released_at is not None
    as_ruth.hx("post", f"/staffing/bookings/{booked.pk}/restore/")
    booked.refresh_from_db()
    assert booked.is_live


def test_without_script_the_form_leads_back_to_the_week(as_ruth: Browser, nils: Person) -> None:
    assert as_ruth.get("/staffing/bookings/add/").status_code == 200
    answer = as_ruth.post(
        "/staffing/bookings/add/", form(nils, title="Training", first_on="2027-03-03", last_on="2027-03-09")
    )
    assert answer["Location"] == "/staffing/schedule/?from=2027-03-01"
