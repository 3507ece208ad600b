"""Many at the same need, booking and deal."""

from __future__ import annotations

import datetime as dt
import os
import uuid
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from events import names
from events.models import Event
from opportunities.models import Opportunity
from opportunities.models.history import Source
from opportunities.services.moves import move_to_stage
from staffing.models import Booking, NeedTemplate, Person, StaffingNeed
from staffing.services.bookings import StaleBooking, book, change_booking, release_booking
from staffing.services.following import follow
from staffing.services.lists import save_role
from staffing.services.needs import apply_templates
from staffing.services.teams import Pick, book_team
from staffing.states import IllegalTransition
from tests import factories
from tests.concurrency.test_moves import at_once, settle
from tests.handoffs.reactions import MONDAY, fresh
from tests.staffing import staffed
from tests.staffing.test_bookings import broken, state

pytestmark = pytest.mark.django_db(transaction=True)
# The figure to reach is 100 rounds; a few of them show a missing lock already.
ROUNDS = int(os.environ.get("ONETEAM_ROUNDS", "3"))


@pytest.fixture
def deal(alice: User) -> Opportunity:
    """Alice's, open."""
    return factories.deal("qualified", owner=alice)


@pytest.fixture
def people(deal: Opportunity) -> list[Person]:
    """Ten architects."""
    role = staffed.role("Architect")
    return [staffed.worker(f"Worker {number}", role) for number in range(10)]


def new_need(deal: Opportunity) -> StaffingNeed:
    return staffed.need(deal, staffed.role("Architect"), 20)


def test_of_ten_who_book_for_a_need_one_does(ruth: User, deal: Opportunity, people: list[Person]) -> None:
    for _round in range(ROUNDS):
        need = new_need(deal)

        def act(person: Person, need: StaffingNeed = need) -> list[str]:
            try:
                book(actor=ruth, values={"need": need, "person": person}, now=MONDAY)
            except ValidationError as refused:
                return list(refused.message_dict)
            return []

        answers = at_once(act, people)
        assert sorted(answers) == [[], *[["need"]] * 9]
        assert (Booking.objects.live().filter(need=need).count(), state(need)) == (1, "proposed")


def test_the_same_booking_fifty_times_is_one(ruth: User, deal: Opportunity, people: list[Person]) -> None:
    for _round in range(ROUNDS):
        need, request = new_need(deal), uuid.uuid4()

        def for_need(_number: int, need: StaffingNeed = need) -> int:
            return book(actor=ruth, values={"need": need, "person": people[0]}, now=MONDAY).pk

        def requested(_number: int, request: uuid.UUID = request) -> int:
            values = {"opportunity": deal, "person": people[0], "hours_per_week": 4}
            days = {"first_on": MONDAY.date(), "last_on": MONDAY.date()}
            return book(actor=ruth, values={**values, **days}, now=MONDAY, request_id=request).pk

        assert len(set(at_once(for_need, range(50)))) == 1
        assert len(set(at_once(requested, range(50)))) == 1


def test_of_ten_changes_to_one_version_one_is_made(ruth: User, deal: Opportunity, people: list[Person]) -> None:
    for _round in range(ROUNDS):
        booking = book(actor=ruth, values={"need": new_need(deal), "person": people[0]}, now=MONDAY)

        def act(hours: int, booking: Booking = booking) -> bool:
            changes = {"hours_per_week": hours}
            try:
                change_booking(actor=ruth, booking=booking, changes=changes, expected_version=1, now=MONDAY)
            except StaleBooking:
                return False
            return True

        assert sum(at_once(act, range(1, 11))) == 1
        assert Booking.objects.get(pk=booking.pk).version == 2
    assert broken() == set()


def test_reactions_at_once_leave_the_same_rows(alice: User, ruth: User, people: list[Person]) -> None:
    for round_ in range(1, ROUNDS + 1):
        deal = factories.deal("negotiation", owner=alice)
        settle()
        needs = [new_need(deal) for _number in range(3)]
        for need, person in zip(needs, people[:3], strict=True):
            book(actor=ruth, values={"need": need, "person": person}, now=MONDAY)
        move_to_stage(
            actor=alice, opportunity=deal, stage=factories.stage("won"), expected_version=None, now=MONDAY, changes={},
            reason="Signed", source=Source.FORM,
        )  # fmt: skip

        def act(_number: int, deal: Opportunity = deal) -> None:
            with transaction.atomic():
                follow(opportunity=fresh(deal), now=MONDAY)

        at_once(act, range(10))
        settle()
        rows = Booking.objects.filter(opportunity=deal)
        assert [(row.kind, row.version) for row in rows] == [("hard", 2)] * 3
        assert Event.objects.filter(name=names.BOOKINGS_HARDENED).count() == round_
        assert [state(need) for need in needs] == ["booked"] * 3
    assert broken() == set()


def test_booking_and_losing_at_once_books_nobody(alice: User, ruth: User, people: list[Person]) -> None:
    for _round in range(ROUNDS):
        deal = factories.deal("proposal", owner=alice)
        needs = [new_need(deal) for _number in range(10)]

        def act(number: int, deal: Opportunity = deal, needs: list[StaffingNeed] = needs) -> None:
            if number == 5:
                move_to_stage(
                    actor=alice, opportunity=deal, stage=factories.stage("lost"), expected_version=None, now=MONDAY,
                    changes={"loss_reason": "price"}, reason="Price", source=Source.FORM,
                )  # fmt: skip
                return
            need = needs[number]
            try:
                booking = book(actor=ruth, values={"need": need, "person": people[number]}, now=MONDAY)
                if number % 2:
                    release_booking(actor=ruth, booking=booking, expected_version=None, now=MONDAY)
            except IllegalTransition:
                pass

        at_once(act, range(10))
        settle()
        assert not Booking.objects.live().filter(opportunity=deal).exists()
        assert broken() == set()


def test_templates_asked_for_by_ten_come_once(alice: User, people: list[Person]) -> None:
    role = people[0].role
    for hours in (8, 16):
        NeedTemplate.objects.create(role=role, hours_per_week=hours, weeks=4, service_line=factories.service_line())
    for _round in range(ROUNDS):
        deal = factories.deal("prospect", owner=alice)

        def act(_number: int, deal: Opportunity = deal) -> int:
            return len(apply_templates(actor=alice, opportunity=deal, now=MONDAY))

        assert sum(at_once(act, range(10))) == StaffingNeed.objects.filter(opportunity=deal).count() == 2


def test_a_name_is_taken_once(ruth: User) -> None:
    def act(number: int) -> bool:
        try:
            save_role(actor=ruth, role=None, name="Engineer" if number % 2 else "ENGINEER", now=MONDAY)
        except ValidationError:
            return False
        return True

    assert sum(at_once(act, range(10))) == 1


def test_a_team_booked_by_ten_is_booked_once(ruth: User, deal: Opportunity, people: list[Person]) -> None:
    first, last = MONDAY.date(), MONDAY.date() + dt.timedelta(days=25)
    for _round in range(ROUNDS):
        needs = [new_need(deal), new_need(deal)]
        picks = [Pick(need, person, Decimal(20), first, last) for need, person in zip(needs, people, strict=False)]

        def act(number: int, picks: list[Pick] = picks) -> int:
            # Half of them name the same people in another order.
            return len(book_team(actor=ruth, opportunity=deal, picks=picks[:: 1 - 2 * (number % 2)], now=MONDAY))

        assert at_once(act, range(10)) == [2] * 10
        assert Booking.objects.live().filter(need__in=needs).count() == 2
