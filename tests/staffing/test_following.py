"""Bookings follow their deal by its events, however late, often or in whichever order these are handled."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest

from accounts.models import User
from events import names
from events.models import Event
from opportunities.models import Opportunity
from opportunities.services.archiving import archive, restore
from opportunities.services.editing import update_opportunity
from staffing.models import Booking, NeedState, Person, StaffingNeed, WorkRole
from staffing.services.bookings import book, release_booking
from tests.handoffs.reactions import MONDAY, fresh, move, owed, react, run, undo
from tests.handoffs.reactions import deal as made
from tests.staffing import staffed
from tests.staffing.test_bookings import broken, state

pytestmark = pytest.mark.django_db
FIRST, LAST = dt.date(2027, 3, 29), dt.date(2027, 4, 25)


@pytest.fixture
def need(deal: Opportunity, architect: WorkRole) -> StaffingNeed:
    """20 hours for four weeks from the start."""
    return staffed.need(deal, architect, 20, weeks=4)


@pytest.fixture
def booking(ruth: User, need: StaffingNeed, nils: Person) -> Booking:
    """Nils, softly."""
    return book(actor=ruth, values={"need": need, "person": nils}, now=MONDAY)


def now_is(booking: Booking) -> tuple[str, bool, dt.date]:
    current = Booking.objects.get(pk=booking.pk)
    return current.kind, current.is_live, current.first_on


def change(deal: Opportunity, *, reacts: bool = True, **changes: Any) -> None:
    current = fresh(deal)
    assert current.owner is not None
    update_opportunity(
        actor=current.owner, opportunity=current, changes=changes, expected_version=current.version, now=MONDAY
    )
    if reacts:
        react()


def rows() -> list[dict[str, Any]]:
    """Everything about needs and bookings."""
    kept = (Booking.objects.order_by("pk").values(), StaffingNeed.objects.order_by("pk").values())
    return [dict(row) for table in kept for row in table]


def happened(name: str) -> list[dict[str, Any]]:
    return [event.data for event in Event.objects.filter(name=name).order_by("pk")]


def test_a_win_hardens(deal: Opportunity, need: StaffingNeed, booking: Booking) -> None:
    move(deal, "won")
    assert now_is(booking) == ("hard", True, FIRST)
    assert Booking.objects.get().hardened_at == MONDAY
    assert state(need) == NeedState.BOOKED
    assert [each["count"] for each in happened(names.BOOKINGS_HARDENED)] == [1]
    assert broken() == set()


def test_a_loss_releases_and_reopening_books_again(deal: Opportunity, need: StaffingNeed, booking: Booking) -> None:
    move(deal, "lost")
    assert now_is(booking) == ("soft", False, FIRST)
    assert state(need) == NeedState.OPEN
    move(fresh(deal), "proposal")
    assert now_is(booking) == ("soft", True, FIRST)
    assert state(need) == NeedState.PROPOSED
    assert len(happened(names.BOOKINGS_RELEASED)) == len(happened(names.BOOKINGS_RESUMED)) == 1
    assert broken() == set()


def test_a_reopened_win_is_soft_again(deal: Opportunity, need: StaffingNeed, booking: Booking) -> None:
    undo(move(deal, "won").change)
    assert now_is(booking) == ("soft", True, FIRST)
    assert Booking.objects.get().hardened_at is None
    assert state(need) == NeedState.PROPOSED
    move(fresh(deal), "lost")
    assert not now_is(booking)[1]


def test_an_undone_loss_leaves_all_as_it_was(deal: Opportunity, booking: Booking) -> None:
    undo(move(deal, "lost").change)
    assert now_is(booking) == ("soft", True, FIRST)


def test_what_somebody_released_stays_released(ruth: User, deal: Opportunity, booking: Booking) -> None:
    release_booking(actor=ruth, booking=booking, expected_version=1, now=MONDAY)
    move(deal, "lost")
    move(fresh(deal), "proposal")
    assert not now_is(booking)[1]


def test_the_archive_releases_too(alice: User, deal: Opportunity, booking: Booking) -> None:
    archive(actor=alice, opportunity=deal, expected_version=deal.version, now=MONDAY)
    react()
    assert not now_is(booking)[1]
    restore(actor=alice, opportunity=fresh(deal), now=MONDAY)
    react()
    assert now_is(booking)[1]


def test_soft_bookings_move_by_whole_weeks(deal: Opportunity, booking: Booking) -> None:
    change(deal, start_on=dt.date(2027, 4, 2))
    assert now_is(booking)[2] == FIRST
    change(deal, start_on=dt.date(2027, 4, 12))
    assert now_is(booking)[2] == FIRST + dt.timedelta(weeks=2)
    assert Booking.objects.get().last_on == LAST + dt.timedelta(weeks=2)
    change(deal, start_on=dt.date(2027, 4, 1))
    assert now_is(booking)[2] == FIRST
    assert [(each["weeks"], each["count"]) for each in happened(names.BOOKINGS_MOVED)] == [("+2", 1), ("-2", 1)]


def test_the_close_date_moves_them_where_no_start_is_named(deal: Opportunity, booking: Booking) -> None:
    # 15 March and the usual fourteen days: the same week as before.
    change(deal, start_on=None)
    assert now_is(booking)[2] == FIRST
    change(deal, close_date=dt.date(2027, 4, 5))
    assert now_is(booking)[2] == FIRST + dt.timedelta(weeks=3)


def test_hard_bookings_stay_where_they_are(deal: Opportunity, booking: Booking) -> None:
    move(deal, "won")
    change(deal, start_on=dt.date(2027, 5, 3))
    assert now_is(booking) == ("hard", True, FIRST)


def test_a_booking_made_before_the_deal_had_dates_moves_from_then_on(alice: User, ruth: User, nils: Person) -> None:
    undated = made(owner=alice, close_date=None, start_on=None)
    values = {"opportunity": undated, "person": nils, "hours_per_week": 8, "first_on": FIRST, "last_on": LAST}
    booking = book(actor=ruth, values=values, now=MONDAY)
    change(undated, start_on=dt.date(2027, 2, 1))
    assert now_is(booking)[2] == FIRST
    change(undated, start_on=dt.date(2027, 2, 8))
    assert now_is(booking)[2] == FIRST + dt.timedelta(weeks=1)


def test_neighbouring_bookings_of_one_person_move_together(
    ruth: User, deal: Opportunity, need: StaffingNeed, nils: Person
) -> None:
    for week in range(3):
        day = FIRST + dt.timedelta(weeks=week)
        values = {"need": need, "person": nils, "first_on": day, "last_on": day + dt.timedelta(days=4)}
        book(actor=ruth, values=values, now=MONDAY)
    for start, weeks in ((dt.date(2027, 4, 8), 1), (dt.date(2027, 4, 1), 0)):
        change(deal, start_on=start)
        firsts = Booking.objects.order_by("first_on").values_list("first_on", flat=True)
        assert list(firsts) == [FIRST + dt.timedelta(weeks=weeks + number) for number in range(3)]


def test_a_place_taken_meanwhile_is_left_to_who_took_it(
    ruth: User, deal: Opportunity, need: StaffingNeed, booking: Booking
) -> None:
    move(deal, "lost")
    move(fresh(deal), "proposal", reacts=False)
    again = book(actor=ruth, values={"need": need, "person": booking.person}, now=MONDAY)
    react()
    assert (now_is(booking)[1], now_is(again)[1]) == (False, True)
    assert broken() == set()


def test_handling_twice_and_ten_times_gives_the_same_rows(deal: Opportunity, booking: Booking) -> None:
    change(deal, start_on=dt.date(2027, 4, 12), reacts=False)
    move(deal, "won", reacts=False)
    deliveries = [each for each in owed() if each.handler.startswith("staffing.")]
    assert len(deliveries) >= 2
    run(deliveries)
    once, told = rows(), Event.objects.count()
    for _time in range(10):
        run(deliveries)
    assert rows() == once
    assert Event.objects.count() == told


@pytest.mark.parametrize("seed", range(6))
def test_the_order_of_handling_does_not_matter(
    deal: Opportunity, need: StaffingNeed, booking: Booking, seed: int
) -> None:
    change(deal, start_on=dt.date(2027, 4, 12), reacts=False)
    move(deal, "lost", reacts=False)
    move(fresh(deal), "proposal", reacts=False)
    change(deal, start_on=dt.date(2027, 4, 22), reacts=False)
    move(fresh(deal), "won", reacts=False)
    deliveries = owed()
    random.Random(seed).shuffle(deliveries)
    run(deliveries)
    react()
    assert now_is(booking) == ("hard", True, FIRST + dt.timedelta(weeks=3))
    assert state(need) == NeedState.BOOKED
    assert broken() == set()
