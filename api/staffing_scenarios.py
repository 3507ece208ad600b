"""What-if scenarios, what they suppose, and applying it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.db.transaction import atomic
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from api.commitments import deals_of
from api.endpoints import Endpoint
from api.engagements import NoInput
from api.errors import invalid
from api.fields import Brief, Choice, Day, Flag, Id, Input, Moment, NamedThing, Scoped, Text, Url, Whole
from api.idempotency import idempotent
from api.lists import ListEndpoint, ListQuery, Ordering
from api.openapi import documented
from api.staffing_bookings import people_of
from api.staffing_fields import Hours, RoleField, seen_since
from api.versions import expected_version
from opportunities.models import Opportunity
from staffing.access import plannable_change, plannable_scenario, readable_scenario
from staffing.models import MOST_JOINING, MOST_SHIFTED, POSSIBLE, ChangeKind, Scenario, ScenarioChange
from staffing.models.scenarios import COLUMNS
from staffing.services import scenarios as services
from staffing.services.applying import apply_change


def _require_reader(user: User) -> None:
    if not user.has_perm("staffing.see"):
        raise PermissionDenied(_("The horizon is for delivery, executives and administrators."))


class ScenarioChangeOut(serializers.ModelSerializer[ScenarioChange]):
    """One supposition; what its kind doesn't have is null."""

    url = Url("api:scenario_change")
    created_at = Moment()
    updated_at = Moment()
    scenario = Brief()
    kind = serializers.ChoiceField(ChangeKind.choices)
    opportunity = serializers.SerializerMethodField(help_text="Null where there is none, or you may not see it.")
    is_hidden = serializers.SerializerMethodField(help_text="Whether it is about a deal that you may not see.")
    person = Brief(allow_null=True)
    role = Brief(allow_null=True)
    hours_per_week = Hours(read_only=True, allow_null=True)
    applied_by = Brief(allow_null=True)
    applied_at = Moment(allow_null=True, help_text="From then on it is part of today, and supposes nothing.")
    removed_at = Moment(allow_null=True)

    class Meta:
        model = ScenarioChange
        fields = (
            "id", "version", "created_at", "updated_at", "url", "scenario", "kind", "opportunity", "is_hidden", "weeks",
            "percent", "role", "people", "hours_per_week", "person", "from_on", "until_on", "applied_by", "applied_at",
            "removed_at",
        )  # fmt: skip

    @extend_schema_field(NamedThing(allow_null=True))
    def get_opportunity(self, change: ScenarioChange) -> dict[str, Any] | None:
        """Id and name."""
        if change.opportunity is None or self.get_is_hidden(change):
            return None
        return {"id": change.opportunity.pk, "name": change.opportunity.name}

    def get_is_hidden(self, change: ScenarioChange) -> bool:
        """By who asks."""
        if change.opportunity_id is None:
            return False
        if not hasattr(change, "is_seen"):
            visible = Opportunity.objects.visible_to(self.context["user"])
            return not visible.filter(pk=change.opportunity_id).exists()
        return not change.is_seen


class ScenarioOut(serializers.ModelSerializer[Scenario]):
    """A scenario. With it as a parameter the horizon shows what would be."""

    url = Url("api:scenario")
    created_at = Moment()
    updated_at = Moment()
    created_by = Brief()
    archived_at = Moment(allow_null=True)

    class Meta:
        model = Scenario
        fields: tuple[str, ...] = (
            "id", "version", "created_at", "updated_at", "url", "name", "note", "created_by", "archived_at",
        )  # fmt: skip


class ScenarioQuery(ListQuery):
    """Order and filter of the scenarios."""

    ordering = Ordering("id", "name", "updated_at")
    archived = serializers.BooleanField(default=False)


class ScenarioChanges(Input):
    """What may be changed; ``archived`` puts it away, or back."""

    kept = ("id", "version", "created_at", "updated_at", "url", "created_by", "archived_at")
    name = Text(required=False, max_length=80)
    note = Text(required=False, allow_blank=True, max_length=300)
    archived = Flag(required=False)


class ScenarioNew(Input):
    """A name that no other scenario has."""

    name = Text(max_length=80)
    note = Text(required=False, allow_blank=True, max_length=300)


class ChangeQuery(ListQuery):
    """Which changes."""

    ordering = Ordering("id", "updated_at")
    scenario = Id()
    removed = serializers.BooleanField(default=False)


class ChangeChanges(Input):
    """Figures and days, as far as the kind has them; deal and person stay."""

    kept = (
        "id", "version", "created_at", "updated_at", "url", "scenario", "kind", "opportunity", "person", "applied_by",
        "applied_at", "removed_at",
    )  # fmt: skip
    weeks = Whole(required=False, min_value=-MOST_SHIFTED, max_value=MOST_SHIFTED, help_text="Later; below 0 earlier.")
    percent = Whole(required=False, min_value=0, max_value=100)
    role = RoleField(required=False)
    people = Whole(required=False, min_value=1, max_value=MOST_JOINING)
    hours_per_week = Hours(required=False)
    from_on = Day(required=False, help_text="The first day of those who join, or on which somebody isn't there.")
    until_on = Day(required=False, allow_null=True, help_text="The last such day; null: for good.")


def _scenarios(_user: User) -> Any:
    return Scenario.objects.current()


class ChangeNew(ChangeChanges):
    """win, lose: opportunity. shift: opportunity, weeks. chance: opportunity, percent. join: role, people,
    hours_per_week, from_on, until_on? leave: person, from_on, until_on?"""

    kept = ("id", "version", "created_at", "updated_at", "url", "applied_by", "applied_at", "removed_at")
    scenario = Scoped(_scenarios)
    kind = Choice(ChangeKind.choices)
    opportunity = Scoped(deals_of, required=False)
    person = Scoped(people_of, required=False)


class ApplyInput(Input):
    """Names of the people who join; nothing for other kinds."""

    people = serializers.ListField(child=Text(max_length=120), required=False, max_length=MOST_JOINING)


class Scenarios(ListEndpoint):
    """Scenarios."""

    output = ScenarioOut
    query = ScenarioQuery

    @documented("List scenarios", gives=ScenarioOut, query=ScenarioQuery, refuses=(403,))
    def get(self, request: Request) -> Response:
        """Those in use, or those that were archived."""
        _require_reader(self.user)
        given = self.parameters()
        rows = Scenario.objects.filter(archived_at__isnull=not given["archived"])
        return self.page(rows.select_related("created_by"), given)

    @documented("Make a scenario", takes=ScenarioNew, gives=ScenarioOut, status=201)
    @idempotent
    def post(self, request: Request) -> Response:
        """It supposes nothing yet."""
        made = services.make_scenario(actor=self.user, values=self.read(ScenarioNew), now=self.now)
        return self.answer(made, status.HTTP_201_CREATED)


class ScenarioDetail(Endpoint):
    """One scenario."""

    output = ScenarioOut

    @documented("Show a scenario", gives=ScenarioOut, refuses=(403,))
    def get(self, request: Request, pk: int) -> Response:
        """The scenario with its ETag; its changes are a list of their own."""
        return self.answer(readable_scenario(self.user, pk))

    @documented("Change a scenario", takes=ScenarioChanges, gives=ScenarioOut, versioned=True)
    def patch(self, request: Request, pk: int) -> Response:
        """Name and note; put it away, or back."""
        scenario = plannable_scenario(self.user, pk)
        version, given = expected_version(request, scenario), self.read(ScenarioChanges)
        archived = given.pop("archived", None)
        with atomic():
            saved = services.change_scenario(
                actor=self.user, scenario=scenario, changes=given, expected_version=version, now=self.now
            )
            if archived is not None:
                rest = services.archive_scenario if archived else services.restore_scenario
                seen = seen_since(scenario.version, version, saved)
                saved = rest(actor=self.user, scenario=saved, now=self.now, expected_version=seen)
        return self.answer(saved)

    @documented("Archive a scenario", gives=ScenarioOut, versioned=True, refuses=(403,))
    def delete(self, request: Request, pk: int) -> Response:
        """It is kept, and can be brought back."""
        scenario = plannable_scenario(self.user, pk)
        version = expected_version(request, scenario)
        return self.answer(
            services.archive_scenario(actor=self.user, scenario=scenario, now=self.now, expected_version=version)
        )


class Changes(ListEndpoint):
    """What scenarios suppose."""

    output = ScenarioChangeOut
    query = ChangeQuery

    @documented("List what scenarios suppose", gives=ScenarioChangeOut, query=ChangeQuery, refuses=(403,))
    def get(self, request: Request) -> Response:
        """Applied ones too; those that were removed only if asked for."""
        _require_reader(self.user)
        given = self.parameters()
        rows = _changes(self.user).filter(removed_at__isnull=not given["removed"])
        rows = rows.filter(scenario=given["scenario"]) if "scenario" in given else rows
        return self.page(rows, given)

    @documented("Suppose something", takes=ChangeNew, gives=ScenarioChangeOut, status=201)
    @idempotent
    def post(self, request: Request) -> Response:
        """The same again is the change that is there; nothing but the scenario changes."""
        given = self.read(ChangeNew)
        scenario, kind = given.pop("scenario"), ChangeKind(given.pop("kind"))
        _refuse_foreign(kind, given)
        made = services.add_change(actor=self.user, scenario=scenario, kind=kind, values=given, now=self.now)
        return self.answer(_changes(self.user).get(pk=made.pk), status.HTTP_201_CREATED)


class ChangeDetail(Endpoint):
    """One supposition."""

    output = ScenarioChangeOut

    @documented("Show a supposition", gives=ScenarioChangeOut, refuses=(403,))
    def get(self, request: Request, pk: int) -> Response:
        """The change with its ETag."""
        _require_reader(self.user)
        found = _changes(self.user).filter(pk=pk).first() if 0 < pk < 2**63 else None
        if found is None:
            raise Http404
        return self.answer(found)

    @documented("Suppose it otherwise", takes=ChangeChanges, gives=ScenarioChangeOut, versioned=True)
    def patch(self, request: Request, pk: int) -> Response:
        """409 once it was applied."""
        change = plannable_change(self.user, pk)
        version, given = expected_version(request, change), self.read(ChangeChanges)
        _refuse_foreign(ChangeKind(change.kind), given)
        services.change_change(actor=self.user, change=change, changes=given, expected_version=version, now=self.now)
        return self.answer(_changes(self.user).get(pk=pk))

    @documented("No longer suppose it", gives=ScenarioChangeOut, versioned=True, refuses=(403, 409))
    def delete(self, request: Request, pk: int) -> Response:
        """It is kept, and can be restored; 409 once it was applied."""
        change = plannable_change(self.user, pk)
        version = expected_version(request, change)
        services.remove_change(actor=self.user, change=change, now=self.now, expected_version=version)
        return self.answer(_changes(self.user).get(pk=pk))


class ChangeRestore(Endpoint):
    """It is supposed after all."""

    output = ScenarioChangeOut

    @documented("Suppose it again", takes=NoInput, gives=ScenarioChangeOut)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """A change that was not removed stays as it is."""
        change = plannable_change(self.user, pk)
        self.read(NoInput)
        services.restore_change(actor=self.user, change=change, now=self.now)
        return self.answer(_changes(self.user).get(pk=pk))


class ChangeApply(Endpoint):
    """Making it true."""

    output = ScenarioChangeOut

    @documented("Apply a supposition", takes=ApplyInput, gives=ScenarioChangeOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Once. A shift moves the deal's start, a chance sets its probability, those who join become people, who leaves
        gets a last day or time off. Wins and losses are never applied: 409.
        """
        change = plannable_change(self.user, pk)
        version, given = expected_version(request, change), self.read(ApplyInput)
        apply_change(
            actor=self.user, change=change, now=self.now, expected_version=version, people=given.get("people", [])
        )
        return self.answer(_changes(self.user).get(pk=pk))


def _changes(user: User) -> QuerySet[ScenarioChange]:
    """With all that is shown of them, and whether the person may see their deals."""
    deals = Opportunity.objects.visible_to(user).filter(pk=OuterRef("opportunity_id"))
    found = ScenarioChange.objects.annotate(is_seen=Exists(deals))
    return found.select_related("scenario", "opportunity", "person", "role", "applied_by")


def _refuse_foreign(kind: ChangeKind, given: dict[str, Any]) -> None:
    """Raise Problem for what a change of the kind doesn't have."""
    foreign = [name for name in given if name in COLUMNS and name not in POSSIBLE[kind]]
    if foreign:
        raise invalid({name: [_("A change of this kind has no such field.")] for name in foreign})
