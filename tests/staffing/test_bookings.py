"""Bookings, and the needs that they staff."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection

from accounts.models import User
from events import names
from events.models import Event
from opportunities.models import Opportunity
from staffing.invariants import INVARIANTS
from staffing.models import Booking, BookingKind, NeedState, Person, StaffingNeed, WorkRole
from staffing.services.bookings import StaleBooking, book, change_booking, release_booking, restore_booking
from staffing.services.filling import fill_begun, weekdays
from staffing.services.needs import cancel_need, change_need
from staffing.states import IllegalTransition
from tests.handoffs.reactions import MONDAY, fresh, move
from tests.handoffs.reactions import deal as made
from tests.staffing import staffed

pytestmark = pytest.mark.django_db
# The week in which the deal of conftest.py starts.
FIRST, LAST = dt.date(2027, 3, 29), dt.date(2027, 4, 25)
SOON = MONDAY.date()


def need_of(deal: Opportunity, role: WorkRole, hours: int = 20) -> StaffingNeed:
    return staffed.need(deal, role, hours, weeks=4)


def state(need: StaffingNeed) -> str:
    return StaffingNeed.objects.get(pk=need.pk).state


def own(actor: User, **values: Any) -> Booking:
    given = {"title": "Training", "hours_per_week": "8", "first_on": FIRST, "last_on": LAST, **values}
    return book(actor=actor, values=given, now=MONDAY)


def broken() -> set[str]:
    found = set()
    with connection.cursor() as cursor:
        for invariant in INVARIANTS:
            cursor.execute(f"select count(*) from ({invariant.sql}) found")
            if cursor.fetchone()[0]:
                found.add(invariant.name.removeprefix("staffing."))
    return found


def test_a_need_brings_deal_role_hours_and_days(
    ruth: User, deal: Opportunity, architect: WorkRole, nils: Person
) -> None:
    need = need_of(deal, architect)
    booking = book(actor=ruth, values={"need": need, "person": nils}, now=MONDAY)
    assert (booking.opportunity, booking.role, booking.hours_per_week) == (deal, architect, 20)
    assert (booking.first_on, booking.last_on, booking.kind) == (FIRST, LAST, BookingKind.SOFT)
    assert state(need) == NeedState.PROPOSED
    event = Event.objects.get(name=names.BOOKING_MADE)
    assert (event.data["who"], event.data["kind"], event.opportunity_id) == ("Nils", "Soft", deal.pk)
    staffed_ = Event.objects.get(name=names.NEED_STAFFED)
    assert (staffed_.data["role"], staffed_.data["state"]) == ("Architect", "Proposed")
    assert broken() == set()


def test_a_need_without_a_start_wants_days(alice: User, ruth: User, architect: WorkRole, nils: Person) -> None:
    undated = made(owner=alice, close_date=None, start_on=None)
    with pytest.raises(ValidationError) as refused:
        book(actor=ruth, values={"need": need_of(undated, architect), "person": nils}, now=MONDAY)
    assert list(refused.value.message_dict) == ["first_on"]


def test_a_role_may_be_booked_until_somebody_is_named(
    ruth: User, deal: Opportunity, architect: WorkRole, nils: Person
) -> None:
    need = need_of(deal, architect)
    booking = book(actor=ruth, values={"need": need}, now=MONDAY)
    assert (booking.person, state(need)) == (None, NeedState.OPEN)
    change_booking(actor=ruth, booking=booking, changes={"person": nils}, expected_version=1, now=MONDAY)
    assert state(need) == NeedState.PROPOSED


def test_a_need_is_proposed_only_with_all_its_hours(
    ruth: User, deal: Opportunity, architect: WorkRole, nils: Person, nora: Person
) -> None:
    need = need_of(deal, architect)
    half = book(actor=ruth, values={"need": need, "person": nils, "hours_per_week": "10"}, now=MONDAY)
    assert state(need) == NeedState.OPEN
    book(actor=ruth, values={"need": need, "person": nora, "hours_per_week": "10"}, now=MONDAY)
    assert state(need) == NeedState.PROPOSED
    change_need(actor=ruth, need=need, changes={"weeks": 5}, expected_version=None, now=MONDAY)
    assert state(need) == NeedState.OPEN
    change_need(actor=ruth, need=need, changes={"weeks": 4}, expected_version=None, now=MONDAY)
    release_booking(actor=ruth, booking=half, expected_version=1, now=MONDAY)
    assert state(need) == NeedState.OPEN
    assert restore_booking(actor=ruth, booking=half, now=MONDAY).is_live
    assert state(need) == NeedState.PROPOSED
    assert broken() == set()


def test_hours_of_a_need_are_counted_by_weekdays() -> None:
    assert weekdays(FIRST, LAST) == weekdays(FIRST, LAST - dt.timedelta(days=2)) == 20
    assert weekdays(FIRST, FIRST) == 1
    assert weekdays(dt.date(2027, 4, 3), dt.date(2027, 4, 4)) == 0
    assert weekdays(dt.date(2027, 4, 3), dt.date(2027, 4, 13)) == 7


def test_a_covered_need_is_not_booked_over(
    ruth: User, deal: Opportunity, architect: WorkRole, nils: Person, nora: Person
) -> None:
    need = need_of(deal, architect)
    booking = book(actor=ruth, values={"need": need, "person": nils}, now=MONDAY)
    assert book(actor=ruth, values={"need": need, "person": nils}, now=MONDAY) == booking
    with pytest.raises(ValidationError) as refused:
        book(actor=ruth, values={"need": need, "person": nora}, now=MONDAY)
    assert "Nils" in refused.value.message_dict["need"][0]
    # What differs from the booking that stands is no repetition.
    with pytest.raises(ValidationError) as refused:
        book(actor=ruth, values={"need": need, "person": nils, "hours_per_week": "30"}, now=MONDAY)
    assert list(refused.value.message_dict) == ["person"]


def test_a_repeated_request_books_once(ruth: User, nils: Person) -> None:
    request = uuid.uuid4()
    values = {"title": "Training", "person": nils, "hours_per_week": 8, "first_on": FIRST, "last_on": LAST}
    first = book(actor=ruth, values=values, now=MONDAY, request_id=request)
    assert book(actor=ruth, values=values, now=MONDAY, request_id=request) == first
    assert Booking.objects.count() == 1


def test_work_of_our_own_is_hard(ruth: User, nils: Person) -> None:
    booking = own(ruth, person=nils)
    assert (booking.kind, booking.role, booking.planned_from) == (BookingKind.HARD, nils.role, None)
    for kind, fields in ((BookingKind.SOFT, ["kind"]), ("", [])):
        if fields:
            with pytest.raises(ValidationError) as refused:
                own(ruth, person=nils, kind=kind)
            assert list(refused.value.message_dict) == fields


def test_bookings_are_as_hard_as_their_deal(ruth: User, deal: Opportunity, nils: Person) -> None:
    values = {"opportunity": deal, "person": nils, "hours_per_week": 8, "first_on": FIRST, "last_on": LAST}
    with pytest.raises(ValidationError):
        book(actor=ruth, values={**values, "kind": "hard"}, now=MONDAY)
    won = move(deal, "won").opportunity
    with pytest.raises(ValidationError):
        book(actor=ruth, values={**values, "kind": "soft"}, now=MONDAY)
    assert book(actor=ruth, values={**values, "opportunity": won}, now=MONDAY).kind == BookingKind.HARD


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"title": " "}, "title"),
        ({"person": None}, "role"),
        ({"hours_per_week": None}, "hours_per_week"),
        ({"hours_per_week": "0"}, "hours_per_week"),
        ({"first_on": None}, "first_on"),
        ({"last_on": FIRST - dt.timedelta(days=1)}, "last_on"),
        ({"last_on": dt.date(2101, 1, 1)}, "last_on"),
        ({"note": "x" * 301}, "note"),
        ({"booked_by": None}, "booked_by"),
    ],
)
def test_bookings_are_refused_with_a_sentence_for_the_field(
    ruth: User, nils: Person, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        own(ruth, **{"person": nils, **values})
    assert list(refused.value.message_dict) == [field]
    assert refused.value.message_dict[field][0].endswith(".")


def test_nobody_is_booked_who_is_not_there(ruth: User, architect: WorkRole, nils: Person) -> None:
    gone = staffed.worker("Gina", architect, archived_at=MONDAY)
    coming = staffed.worker("Cora", architect, joins_on=FIRST + dt.timedelta(days=1))
    leaving = staffed.worker("Lars", architect, leaves_on=LAST - dt.timedelta(days=1))
    for person in (gone, coming, leaving):
        with pytest.raises(ValidationError) as refused:
            own(ruth, person=person)
        assert person.name in refused.value.message_dict["person"][0]
    booking = own(ruth, person=nils)
    with pytest.raises(ValidationError):
        change_booking(actor=ruth, booking=booking, changes={"person": leaving}, expected_version=1, now=MONDAY)


def test_only_those_who_plan_people_book(alice: User, pia: User, ruth: User, deal: Opportunity, nils: Person) -> None:
    booking = own(ruth, person=nils)
    for outsider in (alice, pia):
        with pytest.raises(PermissionDenied):
            own(outsider, person=nils)
        with pytest.raises(PermissionDenied):
            change_booking(actor=outsider, booking=booking, changes={"note": "x"}, expected_version=1, now=MONDAY)
        with pytest.raises(PermissionDenied):
            release_booking(actor=outsider, booking=booking, expected_version=1, now=MONDAY)
        with pytest.raises(PermissionDenied):
            restore_booking(actor=outsider, booking=booking, now=MONDAY)


def test_changes_name_the_version_they_were_made_from(ruth: User, nils: Person) -> None:
    booking = own(ruth, person=nils)
    changed = change_booking(actor=ruth, booking=booking, changes={"note": "x"}, expected_version=1, now=MONDAY)
    assert changed.version == 2
    with pytest.raises(StaleBooking) as stale:
        change_booking(actor=ruth, booking=booking, changes={"note": "y"}, expected_version=1, now=MONDAY)
    assert stale.value.current.note == "x"  # type: ignore[attr-defined]
    with pytest.raises(StaleBooking):
        release_booking(actor=ruth, booking=booking, expected_version=1, now=MONDAY)
    release_booking(actor=ruth, booking=booking, expected_version=2, now=MONDAY)
    assert release_booking(actor=ruth, booking=booking, expected_version=1, now=MONDAY).version == 3
    with pytest.raises(IllegalTransition):
        change_booking(actor=ruth, booking=booking, changes={"note": "z"}, expected_version=3, now=MONDAY)
    with pytest.raises(ValidationError):
        change_booking(actor=ruth, booking=booking, changes={"kind": "soft"}, expected_version=3, now=MONDAY)


def test_a_need_of_another_deal_is_refused(alice: User, ruth: User, deal: Opportunity, architect: WorkRole) -> None:
    other = made(owner=alice)
    with pytest.raises(ValidationError) as refused:
        book(actor=ruth, values={"need": need_of(other, architect), "opportunity": deal}, now=MONDAY)
    assert list(refused.value.message_dict) == ["need"]


def test_what_is_not_needed_is_not_booked(
    alice: User, ruth: User, deal: Opportunity, architect: WorkRole, nils: Person
) -> None:
    need = need_of(deal, architect)
    booking = book(actor=ruth, values={"need": need, "person": nils}, now=MONDAY)
    release_booking(actor=ruth, booking=booking, expected_version=None, now=MONDAY)
    cancel_need(actor=alice, need=need, expected_version=None, now=MONDAY)
    with pytest.raises(IllegalTransition):
        book(actor=ruth, values={"need": need, "person": nils}, now=MONDAY)
    with pytest.raises(IllegalTransition):
        restore_booking(actor=ruth, booking=booking, now=MONDAY)


def test_a_released_place_that_is_taken_is_not_taken_back(
    ruth: User, deal: Opportunity, architect: WorkRole, nils: Person, nora: Person
) -> None:
    need = need_of(deal, architect)
    booking = book(actor=ruth, values={"need": need, "person": nils}, now=MONDAY)
    release_booking(actor=ruth, booking=booking, expected_version=1, now=MONDAY)
    book(actor=ruth, values={"need": need, "person": nora}, now=MONDAY)
    with pytest.raises(ValidationError) as refused:
        restore_booking(actor=ruth, booking=booking, now=MONDAY)
    assert "Nora" in refused.value.message_dict["need"][0]


def test_a_won_need_is_booked_and_filled_when_its_work_begins(
    ruth: User, deal: Opportunity, architect: WorkRole, nils: Person
) -> None:
    need = need_of(deal, architect)
    book(actor=ruth, values={"need": need, "person": nils}, now=MONDAY)
    move(deal, "won")
    assert state(need) == NeedState.BOOKED
    assert fill_begun(MONDAY) == 0
    first = dt.datetime.combine(FIRST, dt.time(1), dt.UTC)
    assert fill_begun(first) == 1
    assert fill_begun(first) == 0
    assert state(need) == NeedState.FILLED
    assert broken() == set()


OTHER_DEAL = "update staffing_booking set opportunity_id = (select max(id) from opportunities_opportunity)"


@pytest.mark.parametrize(
    ("name", "breaking"),
    [
        ("lost_deals_book_nobody", "update opportunities_opportunity set archived_at = now()"),
        ("bookings_are_as_hard_as_their_deal", "update staffing_booking set kind = 'hard' where need_id is null"),
        ("bookings_are_of_their_deal", OTHER_DEAL),
        ("needs_follow_their_bookings", "update staffing_staffingneed set state = 'open'"),
        ("needs_follow_their_bookings", "update staffing_booking set last_on = last_on - 7 where need_id is not null"),
        ("cancelled_needs_book_nobody", "update staffing_staffingneed set state = 'cancelled', cancelled_at = now()"),
    ],
)  # fmt: skip
def test_a_break_is_found_by_its_name_alone(
    alice: User, ruth: User, deal: Opportunity, architect: WorkRole, nils: Person, name: str, breaking: str
) -> None:
    book(actor=ruth, values={"need": need_of(deal, architect), "person": nils}, now=MONDAY)
    book(
        actor=ruth, now=MONDAY,
        values={"opportunity": deal, "person": nils, "hours_per_week": 4, "first_on": SOON, "last_on": SOON},
    )  # fmt: skip
    made(owner=alice)
    assert broken() == set()
    with connection.cursor() as cursor:
        cursor.execute(breaking)
    assert broken() == {name}
    assert fresh(deal)
