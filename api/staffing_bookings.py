"""Who is booked for what."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from api.commitments import deals_of
from api.endpoints import Endpoint
from api.engagements import NoInput
from api.fields import Brief, Choice, Day, Id, Input, Moment, Scoped, Text, Url
from api.idempotency import idempotent
from api.lists import ListEndpoint, ListQuery, Ordering
from api.openapi import documented
from api.staffing_fields import Hours, RoleField
from api.versions import expected_version
from staffing.access import plannable_booking, readable_booking
from staffing.models import Booking, BookingKind, Person, StaffingNeed
from staffing.services.bookings import book, change_booking, release_booking, restore_booking


def people_of(user: User) -> Any:
    """The people whom a request of this person may name."""
    return Person.objects.visible_to(user).select_related("role")


def needs_of(user: User) -> Any:
    """The needs that a request of this person may name."""
    found = StaffingNeed.objects.visible_to(user).filter(opportunity__archived_at__isnull=True)
    return found.select_related("opportunity", "role")


class BookingOut(serializers.ModelSerializer[Booking]):
    """Hours a week of a person, or of a role while nobody is named."""

    url = Url("api:staffing_booking")
    created_at = Moment()
    updated_at = Moment()
    role = Brief()
    person = Brief(allow_null=True)
    opportunity = Brief(allow_null=True, help_text="Null for work of our own.")
    need = serializers.IntegerField(source="need_id", allow_null=True)
    kind = serializers.ChoiceField(BookingKind.choices)
    hours_per_week = Hours(read_only=True)
    booked_by = Brief(allow_null=True)
    hardened_at = Moment(allow_null=True, help_text="When a win made it hard.")
    released_at = Moment(allow_null=True)

    class Meta:
        model = Booking
        fields = (
            "id", "version", "created_at", "updated_at", "url", "role", "person", "opportunity", "need", "title",
            "kind", "hours_per_week", "first_on", "last_on", "note", "external_id", "booked_by", "hardened_at",
            "released_at",
        )  # fmt: skip


class BookingQuery(ListQuery):
    """Filters of the bookings."""

    ordering = Ordering("id", "first_on", "last_on", "updated_at")
    role = Id()
    person = Id()
    opportunity = Id()
    need = Id()
    kind = serializers.ChoiceField(BookingKind.choices, required=False)
    since = serializers.DateField(required=False, help_text="With a day on this one or later.")
    until = serializers.DateField(required=False, help_text="With a day on this one or earlier.")
    released = serializers.BooleanField(default=False)


class BookingChanges(Input):
    """What may be changed; whether it is soft or hard follows from the deal."""

    kept = (
        "id", "version", "created_at", "updated_at", "url", "opportunity", "need", "kind", "booked_by", "external_id",
    )  # fmt: skip
    role = RoleField(required=False)
    person = Scoped(people_of, required=False, allow_null=True)
    title = Text(required=False, allow_blank=True, max_length=120)
    hours_per_week = Hours(required=False)
    first_on = Day(required=False)
    last_on = Day(required=False)
    note = Text(required=False, allow_blank=True, max_length=300)


class BookingNew(BookingChanges):
    """A person or a role, for a need, for a deal, or for work of our own that ``title`` names.

    A need brings its deal, role, hours and days where they are not given.
    """

    kept = ("id", "version", "created_at", "updated_at", "url", "booked_by")
    opportunity = Scoped(deals_of, required=False, allow_null=True)
    need = Scoped(needs_of, required=False, allow_null=True)
    kind = Choice(BookingKind.choices, required=False, help_text="Soft for an open deal, else hard.")
    external_id = Text(required=False, allow_blank=True, max_length=120)


class Bookings(ListEndpoint):
    """Bookings that the caller may see: all for delivery and executives, else those of one's deals, and one's own."""

    output = BookingOut
    query = BookingQuery

    @documented("List bookings", gives=BookingOut, query=BookingQuery)
    def get(self, request: Request) -> Response:
        """A page of them."""
        given = self.parameters()
        same = ("role", "person", "opportunity", "need", "kind")
        wanted = {name: given[name] for name in same if name in given}
        days = {"since": "last_on__gte", "until": "first_on__lte"}
        wanted |= {field: given[name] for name, field in days.items() if name in given}
        rows = Booking.objects.visible_to(self.user).filter(released_at__isnull=not given["released"], **wanted)
        return self.page(rows.select_related("role", "person", "opportunity", "booked_by"), given)

    @documented("Book", takes=BookingNew, gives=BookingOut, status=201)
    @idempotent
    def post(self, request: Request) -> Response:
        """Softly for an open deal, else hard."""
        booking = book(actor=self.user, values=self.read(BookingNew), now=self.now)
        return self.answer(booking, status.HTTP_201_CREATED)


class BookingDetail(Endpoint):
    """One booking."""

    output = BookingOut

    @documented("Show a booking", gives=BookingOut)
    def get(self, request: Request, pk: int) -> Response:
        """The booking with its ETag."""
        return self.answer(readable_booking(self.user, pk))

    @documented("Change a booking", takes=BookingChanges, gives=BookingOut, versioned=True)
    def patch(self, request: Request, pk: int) -> Response:
        """Who, how much, when; the state of its need follows."""
        booking = plannable_booking(self.user, pk)
        version = expected_version(request, booking)
        changes = self.read(BookingChanges)
        return self.answer(
            change_booking(actor=self.user, booking=booking, changes=changes, expected_version=version, now=self.now)
        )

    @documented("Release a booking", gives=BookingOut, versioned=True, refuses=(403,))
    def delete(self, request: Request, pk: int) -> Response:
        """It no longer counts; it is kept, and can be taken up again."""
        booking = plannable_booking(self.user, pk)
        version = expected_version(request, booking)
        return self.answer(release_booking(actor=self.user, booking=booking, expected_version=version, now=self.now))


class BookingRestore(Endpoint):
    """It counts again."""

    output = BookingOut

    @documented("Take up a released booking again", takes=NoInput, gives=BookingOut)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """A booking that was not released stays as it is."""
        booking = plannable_booking(self.user, pk)
        self.read(NoInput)
        return self.answer(restore_booking(actor=self.user, booking=booking, now=self.now))
