"""The RAID register of deals, and the versions of their risk profiles."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from api.commitments import deals_of
from api.endpoints import Endpoint
from api.engagements import NoInput
from api.fields import Brief, Choice, Day, Flag, Id, Input, Moment, Scoped, Text, Url, Whole
from api.idempotency import idempotent
from api.lists import ListEndpoint, ListQuery, Ordering
from api.openapi import documented
from api.versions import expected_version
from handoffs.ledger_access import kept_raid_item, readable_profile, readable_raid_item
from handoffs.models import RaidItem, RaidKind, RiskProfile, RiskResponse
from handoffs.models.risk import LEAST, MOST
from handoffs.services.risk_profiles import agree_profile, propose_profile
from handoffs.services.risks import FIELDS, add_raid_item, change_raid_item, close_raid_item, reopen_raid_item

_RESPONSES = [(word, label) for word, label in RiskResponse.choices if word]


class RiskOut(serializers.ModelSerializer[RaidItem]):
    """A risk, an assumption, an issue or a dependency."""

    url = Url("api:risk")
    created_at = Moment()
    updated_at = Moment()
    opportunity = Brief()
    kind = serializers.ChoiceField(RaidKind.choices)
    response = serializers.ChoiceField([*_RESPONSES, ("", "not decided")])
    severity = serializers.SerializerMethodField()
    owner = Brief(allow_null=True)
    added_by = Brief()
    closed_at = Moment(allow_null=True)
    closed_by = Brief(allow_null=True)

    class Meta:
        model = RaidItem
        fields = (
            "id", "version", "created_at", "updated_at", "url", "opportunity", "kind", "text", "likelihood", "impact",
            "severity", "response", "response_note", "owner", "due_on", "added_by", "closed_at", "closed_by",
            "closed_note",
        )  # fmt: skip

    def get_severity(self, item: RaidItem) -> int | None:
        """Likelihood × impact, 1 to 25; null where one isn't rated."""
        return item.severity


class RiskQuery(ListQuery):
    """Filters of the register."""

    ordering = Ordering("id", "likelihood", "impact", "due_on", "updated_at")
    opportunity = Id()
    kind = serializers.ChoiceField(RaidKind.choices, required=False)
    owner = Id()
    open = serializers.BooleanField(required=False)


class RiskChanges(Input):
    """What may be changed while it is open."""

    kept = tuple(name for name in RiskOut.Meta.fields if name not in FIELDS)
    kind = Choice(RaidKind.choices, required=False)
    text = Text(required=False, max_length=500)
    likelihood = Whole(required=False, allow_null=True, min_value=LEAST, max_value=MOST)
    impact = Whole(required=False, allow_null=True, min_value=LEAST, max_value=MOST)
    response = Choice([*_RESPONSES, ("", "not decided")], required=False, allow_blank=True)
    response_note = Text(required=False, allow_blank=True, max_length=500)
    owner = Scoped(lambda _user: User.objects.filter(is_active=True), required=False, allow_null=True)
    due_on = Day(required=False, allow_null=True)


class RiskNew(RiskChanges):
    """An entry; a risk needs both ratings."""

    kept = tuple(name for name in RiskChanges.kept if name != "opportunity")
    opportunity = Scoped(deals_of)
    kind = Choice(RaidKind.choices)
    text = Text(max_length=500)


class CloseInput(Input):
    """What became of it."""

    note = Text(required=False, allow_blank=True, max_length=500, is_multiline=True)


class ProfileEntry(serializers.Serializer[Any]):
    """An entry of the register as a version keeps it."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(RaidKind.choices)
    text = serializers.CharField()
    likelihood = serializers.IntegerField(allow_null=True)
    impact = serializers.IntegerField(allow_null=True)
    response = serializers.ChoiceField([*_RESPONSES, ("", "not decided")])
    response_note = serializers.CharField(allow_blank=True)
    owner = serializers.CharField(allow_null=True)
    remark = serializers.CharField(required=False, help_text="The client's.")


class ProfileOut(serializers.ModelSerializer[RiskProfile]):
    """A version of a deal's risk profile."""

    url = Url("api:risk_profile")
    opportunity = Brief()
    items = serializers.SerializerMethodField()
    proposed_by = Brief(allow_null=True, help_text="Null where the client amended the version before.")
    amended_by = Brief(allow_null=True)
    proposed_at = Moment()
    sales_agreed_by = Brief(allow_null=True)
    sales_agreed_at = Moment(allow_null=True)
    delivery_agreed_by = Brief(allow_null=True)
    delivery_agreed_at = Moment(allow_null=True)
    client_agreed_by = Brief(allow_null=True)
    client_agreed_at = Moment(allow_null=True)
    is_agreed = serializers.BooleanField(help_text="By sales and delivery.")

    class Meta:
        model = RiskProfile
        fields = (
            "id", "url", "opportunity", "number", "items", "reason", "proposed_by", "amended_by", "proposed_at",
            "sales_agreed_by", "sales_agreed_at", "delivery_agreed_by", "delivery_agreed_at", "client_agreed_by",
            "client_agreed_at", "is_agreed",
        )  # fmt: skip

    @extend_schema_field(ProfileEntry(many=True))
    def get_items(self, profile: RiskProfile) -> list[dict[str, Any]]:
        """The open register when it was put up."""
        entries: list[dict[str, Any]] = profile.items
        return entries


class ProfileQuery(ListQuery):
    """Filters of the versions."""

    ordering = Ordering("id", "number", "proposed_at", default="-id")
    opportunity = Id()


class ProfileNew(Input):
    """The open register, put up for agreement."""

    opportunity = Scoped(deals_of)
    reason = Text(required=False, allow_blank=True, max_length=500, is_multiline=True)
    agrees = Flag(required=False, help_text="Agree it for the caller's own side right away.")


class Risks(ListEndpoint):
    """The registers of the deals that the caller may see."""

    output = RiskOut
    query = RiskQuery

    @documented("List the register", gives=RiskOut, query=RiskQuery)
    def get(self, request: Request) -> Response:
        """A page of it."""
        given = self.parameters()
        wanted: dict[str, Any] = {name: given[name] for name in ("opportunity", "kind", "owner") if name in given}
        if "open" in given:
            wanted["closed_at__isnull"] = given["open"]
        items = RaidItem.objects.visible_to(self.user).filter(opportunity__archived_at__isnull=True, **wanted)
        return self.page(items.select_related("opportunity", "owner", "added_by", "closed_by"), given)

    @documented("Add to the register", takes=RiskNew, gives=RiskOut, status=201)
    @idempotent
    def post(self, request: Request) -> Response:
        """Add a risk, an assumption, an issue or a dependency."""
        given = self.read(RiskNew)
        deal = given.pop("opportunity")
        return self.answer(add_raid_item(actor=self.user, opportunity=deal, values=given, now=self.now), 201)


class RiskDetail(Endpoint):
    """One entry of the register."""

    output = RiskOut

    @documented("Show an entry of the register", gives=RiskOut)
    def get(self, request: Request, pk: int) -> Response:
        """The entry with its ETag."""
        return self.answer(readable_raid_item(self.user, pk))

    @documented("Change an entry of the register", takes=RiskChanges, gives=RiskOut, versioned=True)
    def patch(self, request: Request, pk: int) -> Response:
        """Change it while it is open."""
        item = kept_raid_item(self.user, pk)
        version = expected_version(request, item)
        changed = change_raid_item(
            actor=self.user, item=item, changes=self.read(RiskChanges), expected_version=version, now=self.now
        )
        return self.answer(changed)


class RiskClose(Endpoint):
    """It needs no more minding."""

    output = RiskOut

    @documented("Close an entry of the register", takes=CloseInput, gives=RiskOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Close it."""
        item = kept_raid_item(self.user, pk)
        version = expected_version(request, item)
        note = self.read(CloseInput).get("note", "")
        closed = close_raid_item(actor=self.user, item=item, note=note, expected_version=version, now=self.now)
        return self.answer(closed)


class RiskReopen(Endpoint):
    """It has to be minded again."""

    output = RiskOut

    @documented("Open an entry of the register again", takes=NoInput, gives=RiskOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Open it again."""
        item = kept_raid_item(self.user, pk)
        version = expected_version(request, item)
        self.read(NoInput)
        return self.answer(reopen_raid_item(actor=self.user, item=item, expected_version=version, now=self.now))


class RiskProfiles(ListEndpoint):
    """Versions of the risk profiles of the deals that the caller may see."""

    output = ProfileOut
    query = ProfileQuery

    @documented("List versions of risk profiles", gives=ProfileOut, query=ProfileQuery)
    def get(self, request: Request) -> Response:
        """A page of them."""
        given = self.parameters()
        profiles = RiskProfile.objects.visible_to(self.user).filter(opportunity__archived_at__isnull=True)
        if "opportunity" in given:
            profiles = profiles.filter(opportunity=given["opportunity"])
        people = (
            "opportunity",
            "proposed_by",
            "amended_by",
            "sales_agreed_by",
            "delivery_agreed_by",
            "client_agreed_by",
        )
        return self.page(profiles.select_related(*people), given)

    @documented("Put the register up for agreement", takes=ProfileNew, gives=ProfileOut, status=201)
    @idempotent
    def post(self, request: Request) -> Response:
        """The next version; while the register is unchanged, the one that waits."""
        given = self.read(ProfileNew)
        profile = propose_profile(
            actor=self.user, opportunity=given["opportunity"], reason=given.get("reason", ""),
            agrees=given.get("agrees", False), now=self.now,
        )  # fmt: skip
        return self.answer(profile, 201)


class RiskProfileDetail(Endpoint):
    """One version of a risk profile."""

    output = ProfileOut

    @documented("Show a version of a risk profile", gives=ProfileOut)
    def get(self, request: Request, pk: int) -> Response:
        """The version; what it holds never changes."""
        return self.answer(readable_profile(self.user, pk))


class RiskProfileAgree(Endpoint):
    """Agreeing a version."""

    output = ProfileOut

    @documented("Agree a version for one's own side", takes=NoInput, gives=ProfileOut, refuses=(412,))
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Agree it; 412 with the newer version when there is one."""
        profile = readable_profile(self.user, pk)
        self.read(NoInput)
        return self.answer(agree_profile(actor=self.user, profile=profile, now=self.now))
