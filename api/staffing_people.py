"""People who deliver, and when they are away."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.db.transaction import atomic
from django.http import Http404
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Region, User, WorkingCalendar
from api.endpoints import Endpoint
from api.fields import Brief, Day, Flag, Id, Input, Moment, Scoped, Text, Url
from api.idempotency import idempotent
from api.lists import ListEndpoint, ListQuery, Ordering
from api.openapi import documented
from api.staffing_fields import Hours, LevelIn, LevelOut, RoleField, given_levels, seen_since, shown_levels
from api.versions import expected_version
from staffing.access import plannable_person, readable_person
from staffing.models import Person, TimeOff
from staffing.services import people


class PersonOut(serializers.ModelSerializer[Person]):
    """Somebody who delivers, with or without a login."""

    url = Url("api:staffing_person")
    created_at = Moment()
    updated_at = Moment()
    user = Brief(allow_null=True)
    role = Brief()
    weekly_hours = Hours(read_only=True)
    calendar = Brief(allow_null=True, help_text="Null for the organisation's.")
    region = Brief(allow_null=True)
    skills = serializers.SerializerMethodField()
    archived_at = Moment(allow_null=True)

    class Meta:
        model = Person
        fields = (
            "id", "version", "created_at", "updated_at", "url", "name", "user", "role", "weekly_hours", "calendar",
            "region", "joins_on", "leaves_on", "skills", "external_id", "archived_at",
        )  # fmt: skip

    @extend_schema_field(LevelOut(many=True))
    def get_skills(self, person: Person) -> list[dict[str, Any]]:
        """By name."""
        return shown_levels(person.skills.all())


class PersonQuery(ListQuery):
    """Filters of the people."""

    ordering = Ordering("id", "name", "updated_at")
    role = Id()
    skill = Id()
    region = Id()
    since = serializers.DateField(required=False, help_text="Who works here on this day or later.")
    until = serializers.DateField(required=False, help_text="Who works here on this day or earlier.")
    archived = serializers.BooleanField(default=False)
    search = Text(required=False, allow_blank=True, max_length=200, help_text="A part of the name.")


class PersonChanges(Input):
    """What may be changed; ``skills`` replaces all of them."""

    kept = ("id", "version", "created_at", "updated_at", "url", "archived_at")
    name = Text(required=False, max_length=120)
    user = Scoped(lambda _user: User.objects.filter(is_active=True), required=False, allow_null=True)
    role = RoleField(required=False)
    weekly_hours = Hours(required=False)
    calendar = Scoped(lambda _user: WorkingCalendar.objects.all(), required=False, allow_null=True)
    region = Scoped(lambda _user: Region.objects.all(), required=False, allow_null=True)
    joins_on = Day(required=False, allow_null=True)
    leaves_on = Day(required=False, allow_null=True)
    external_id = Text(required=False, allow_blank=True, max_length=120)
    skills = LevelIn(many=True, required=False)
    archived = Flag(required=False)


class PersonNew(PersonChanges):
    """Somebody new; 40 hours a week unless told."""

    kept = (*PersonChanges.kept, "archived")
    name = Text(max_length=120)
    role = RoleField()
    archived = None


class People(ListEndpoint):
    """People whom the caller may see: all for delivery, executives and administrators, else oneself."""

    output = PersonOut
    query = PersonQuery

    @documented("List people", gives=PersonOut, query=PersonQuery)
    def get(self, request: Request) -> Response:
        """A page of them."""
        given = self.parameters()
        rows = Person.objects.visible_to(self.user).filter(archived_at__isnull=not given["archived"])
        rows = rows.filter(**{name: given[name] for name in ("role", "region") if name in given})
        if "skill" in given:
            rows = rows.filter(skills__skill=given["skill"])
        if "since" in given:
            rows = rows.filter(Q(leaves_on__isnull=True) | Q(leaves_on__gte=given["since"]))
        if "until" in given:
            rows = rows.filter(Q(joins_on__isnull=True) | Q(joins_on__lte=given["until"]))
        if given.get("search"):
            rows = rows.filter(name__icontains=given["search"])
        joined = rows.select_related("user", "role", "calendar", "region").prefetch_related("skills__skill")
        return self.page(joined, given)

    @documented("Add somebody", takes=PersonNew, gives=PersonOut, status=201)
    @idempotent
    def post(self, request: Request) -> Response:
        """Somebody who can be planned from then on."""
        given = self.read(PersonNew)
        skills = given_levels(given.pop("skills", []))
        with atomic():
            person = people.add_person(actor=self.user, values=given, now=self.now)
            person = people.set_skills(
                actor=self.user, person=person, skills=skills, expected_version=None, now=self.now
            )
        return self.answer(person, status.HTTP_201_CREATED)


class PersonDetail(Endpoint):
    """One of the people."""

    output = PersonOut

    @documented("Show somebody", gives=PersonOut)
    def get(self, request: Request, pk: int) -> Response:
        """The person with the ETag."""
        return self.answer(readable_person(self.user, pk))

    @documented("Change somebody", takes=PersonChanges, gives=PersonOut, versioned=True)
    def patch(self, request: Request, pk: int) -> Response:
        """Data and skills; ``archived`` takes them out of planning, or back."""
        person = plannable_person(self.user, pk)
        version, given = expected_version(request, person), self.read(PersonChanges)
        skills, archived = given.pop("skills", None), given.pop("archived", None)
        with atomic():
            before = person.version
            changed = people.change_person(
                actor=self.user, person=person, changes=given, expected_version=version, now=self.now
            )
            if skills is not None:
                changed = people.set_skills(
                    actor=self.user, person=changed, skills=given_levels(skills), now=self.now,
                    expected_version=seen_since(before, version, changed),
                )  # fmt: skip
            if archived is not None:
                change = people.archive_person if archived else people.restore_person
                seen = seen_since(before, version, changed)
                changed = change(actor=self.user, person=changed, now=self.now, expected_version=seen)
        return self.answer(changed)

    @documented("Archive somebody", gives=PersonOut, versioned=True, refuses=(403,))
    def delete(self, request: Request, pk: int) -> Response:
        """No longer plan them; their bookings stay until they are released."""
        person = plannable_person(self.user, pk)
        version = expected_version(request, person)
        archived = people.archive_person(actor=self.user, person=person, now=self.now, expected_version=version)
        return self.answer(archived)


def _visible_people(user: User) -> Any:
    return Person.objects.visible_to(user)


class TimeOffOut(serializers.ModelSerializer[TimeOff]):
    """Days on which somebody works less, mostly not at all."""

    url = Url("api:time_off")
    created_at = Moment()
    person = Brief()
    hours_per_day = Hours(read_only=True, help_text="Still worked.")

    class Meta:
        model = TimeOff
        fields = ("id", "created_at", "url", "person", "first_on", "last_on", "hours_per_day", "note")


class TimeOffQuery(ListQuery):
    """Filters of the time off."""

    ordering = Ordering("id", "first_on", "last_on")
    person = Id()
    role = Id()
    since = serializers.DateField(required=False, help_text="With a day on this one or later.")
    until = serializers.DateField(required=False, help_text="With a day on this one or earlier.")


class TimeOffChanges(Input):
    """What may be changed."""

    kept = ("id", "created_at", "url", "person")
    first_on = Day(required=False)
    last_on = Day(required=False)
    hours_per_day = Hours(required=False)
    note = Text(required=False, allow_blank=True, max_length=200)


class TimeOffNew(TimeOffChanges):
    """Who is away, and when; no hours a day unless told."""

    kept = ("id", "created_at", "url")
    person = Scoped(_visible_people)
    first_on = Day()
    last_on = Day()


class TimesOff(ListEndpoint):
    """Time off of the people whom the caller may see."""

    output = TimeOffOut
    query = TimeOffQuery

    @documented("List time off", gives=TimeOffOut, query=TimeOffQuery)
    def get(self, request: Request) -> Response:
        """A page of it."""
        given = self.parameters()
        rows = TimeOff.objects.filter(person__in=Person.objects.visible_to(self.user).current())
        names = {"person": "person", "role": "person__role", "since": "last_on__gte", "until": "first_on__lte"}
        rows = rows.filter(**{field: given[name] for name, field in names.items() if name in given})
        return self.page(rows.select_related("person"), given)

    @documented("Add time off", takes=TimeOffNew, gives=TimeOffOut, status=201)
    @idempotent
    def post(self, request: Request) -> Response:
        """The same days again are those that are there."""
        given = {"hours_per_day": 0, "note": "", **self.read(TimeOffNew)}
        row = people.add_time_off(actor=self.user, now=self.now, **given)
        return self.answer(row, status.HTTP_201_CREATED)


class TimeOffDetail(Endpoint):
    """Some days off."""

    output = TimeOffOut

    @documented("Show time off", gives=TimeOffOut)
    def get(self, request: Request, pk: int) -> Response:
        """Whose, when, and how much of it."""
        return self.answer(self._found(pk))

    @documented("Change time off", takes=TimeOffChanges, gives=TimeOffOut)
    def patch(self, request: Request, pk: int) -> Response:
        """Other days or hours."""
        row = self._planned(pk)
        try:
            changed = people.change_time_off(
                actor=self.user, time_off=row, changes=self.read(TimeOffChanges), now=self.now
            )
        except TimeOff.DoesNotExist as gone:
            raise Http404 from gone
        return self.answer(changed)

    @documented("Remove time off", gives=TimeOffOut, refuses=(403,))
    def delete(self, request: Request, pk: int) -> Response:
        """They are there after all; answers what was removed."""
        row = self._planned(pk)
        shown = self.shown(row)
        people.remove_time_off(actor=self.user, time_off=row, now=self.now)
        return Response(shown)

    def _planned(self, pk: int) -> TimeOff:
        row = self._found(pk)
        if not self.user.has_perm("staffing.plan"):
            raise PermissionDenied
        return row

    def _found(self, pk: int) -> TimeOff:
        rows = TimeOff.objects.filter(person__in=Person.objects.visible_to(self.user)).select_related("person")
        row = rows.filter(pk=pk).first() if 0 < pk < 2**63 else None
        if row is None:
            raise Http404
        return row
