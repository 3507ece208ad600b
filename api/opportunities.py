"""Deals: reading, adding and changing them. What moves them is in ``moves``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import audience_of
from accounts.models import Region, ServiceLine, Side, Team, User
from accounts.queries import organisation
from api.endpoints import Endpoint
from api.errors import invalid
from api.fields import Brief, Choice, Day, Id, Input, Moment, Money, Scoped, Text, Url, Whole
from api.idempotency import idempotent
from api.lists import ListEndpoint, ListQuery, Ordering
from api.openapi import documented
from api.pipelines import StageBrief, StageReference
from api.versions import expected_version
from opportunities.access import assignable_owners, editable_opportunity, readable_opportunity
from opportunities.models import (
    Account,
    ForecastCategory,
    LossReason,
    Opportunity,
    Pipeline,
    Stage,
    StageKind,
    Temperature,
    UnforecastedReason,
)
from opportunities.queries.filters import DealFilter
from opportunities.queries.people import possible_delivery_owners
from opportunities.queries.rotting import rotting
from opportunities.services.editing import create_opportunity, update_opportunity


def sales_teams(user: User) -> Any:
    """The teams whose deals this person's may be."""
    teams = Team.objects.filter(side=Side.SALES)
    audience = audience_of(user)
    return teams if audience.sees_all else teams.filter(pk__in=audience.team_ids)


class OpportunityOut(serializers.ModelSerializer[Opportunity]):
    """A deal."""

    url = Url("api:opportunity")
    created_at = Moment()
    updated_at = Moment()
    account = Brief(allow_null=True)
    pipeline = Brief()
    stage = StageBrief()
    stage_entered_at = Moment()
    owner = Brief(allow_null=True)
    delivery_owner = Brief(allow_null=True)
    team = Brief(allow_null=True)
    service_line = Brief(allow_null=True)
    region = Brief(allow_null=True)
    amount = serializers.SerializerMethodField()
    unforecasted = serializers.BooleanField(source="is_unforecasted")
    unforecasted_reasons = serializers.ListField(child=serializers.ChoiceField(UnforecastedReason.choices))
    temperature_override = serializers.ChoiceField([*Temperature.choices, ("", "as the stage says")])
    loss_reason = serializers.ChoiceField([*LossReason.choices, ("", "not lost")])

    class Meta:
        model = Opportunity
        fields = (
            "id", "version", "created_at", "updated_at", "url", "name", "account", "pipeline", "stage", "kind",
            "stage_entered_at", "temperature", "temperature_override", "temperature_reason", "probability", "amount",
            "forecast_category", "close_date", "push_count", "start_on", "closed_on", "next_step", "next_step_on",
            "description", "owner", "delivery_owner", "team", "service_line", "region", "product", "unforecasted",
            "unforecasted_reasons", "snoozed_until", "snooze_reason", "loss_reason", "loss_note", "source",
            "external_id",
        )  # fmt: skip

    @extend_schema_field(Money(allow_null=True))
    def get_amount(self, deal: Opportunity) -> dict[str, str] | None:
        """Money in the deal's own currency."""
        return None if deal.amount is None else {"amount": f"{deal.amount:.2f}", "currency": deal.currency}


class OpportunityQuery(ListQuery):
    """Filters of the deal list."""

    ordering = Ordering("id", "name", "amount", "close_date", "stage_entered_at", "created_at", "updated_at")
    search = Text(
        required=False,
        allow_blank=True,
        max_length=200,
        help_text="Beginnings of words of name, product, external id or account.",
    )
    pipeline = Id()
    stage = Id()
    kind = serializers.ChoiceField(StageKind.choices, required=False)
    temperature = serializers.ChoiceField(Temperature.choices, required=False)
    unforecasted = serializers.BooleanField(required=False)
    rotting = serializers.BooleanField(
        required=False, help_text="Open and longer in its stage than the stage expects, in business days; not snoozed."
    )
    owner = Id()
    delivery_owner = Id()
    account = Id()
    service_line = Id()
    close_from = serializers.DateField(required=False)
    close_to = serializers.DateField(required=False)
    external_id = Text(required=False, max_length=120)


class OpportunityChanges(Input):
    """What may be changed on a deal; the stage and what follows from it have addresses of their own."""

    kept = (*Input.kept, *(name for name in OpportunityOut.Meta.fields if name not in Input.kept))

    name = Text(required=False, max_length=200)
    account = Scoped(Account.objects.visible_to, required=False, allow_null=True)
    owner = Scoped(assignable_owners, required=False, allow_null=True)
    delivery_owner = Scoped(lambda _user: possible_delivery_owners(), required=False, allow_null=True)
    team = Scoped(sales_teams, required=False, allow_null=True)
    service_line = Scoped(lambda _user: ServiceLine.objects.filter(is_active=True), required=False, allow_null=True)
    region = Scoped(lambda _user: Region.objects.all(), required=False, allow_null=True)
    amount = Money(required=False, allow_null=True)
    probability = Whole(required=False, min_value=0, max_value=100)
    forecast_category = Choice(ForecastCategory.choices, required=False)
    close_date = Day(required=False, allow_null=True)
    start_on = Day(required=False, allow_null=True)
    next_step = Text(required=False, allow_blank=True, max_length=300)
    next_step_on = Day(required=False, allow_null=True)
    description = Text(required=False, allow_blank=True, max_length=20_000, is_multiline=True)
    product = Text(required=False, allow_blank=True, max_length=120)
    loss_reason = Choice(LossReason.choices, required=False)
    loss_note = Text(required=False, allow_blank=True, max_length=1000, is_multiline=True)


class OpportunityNew(OpportunityChanges):
    """A new deal."""

    name = Text(max_length=200)
    pipeline = Scoped(lambda _user: Pipeline.objects.filter(is_active=True), required=False)
    stage = StageReference(required=False, help_text="Id or key; the first stage of the pipeline if left out.")
    external_id = Text(required=False, allow_blank=True, max_length=120)


def changes_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The model's values for what a caller sent: money is two of them."""
    changes = dict(given)
    if "amount" in changes:
        money = changes.pop("amount")
        changes["amount"] = money["amount"] if money else None
        if money:
            changes["currency"] = money["currency"]
    return changes


class Opportunities(ListEndpoint):
    """The deals that the caller may see."""

    output = OpportunityOut
    query = OpportunityQuery

    @documented("List deals", gives=OpportunityOut, query=OpportunityQuery)
    def get(self, request: Request) -> Response:
        """A page of them."""
        given = self.parameters()
        wanted = DealFilter(
            pipeline_id=given.get("pipeline"),
            stage_ids=tuple(filter(None, [given.get("stage")])),
            kinds=tuple(filter(None, [given.get("kind")])),
            temperatures=tuple(filter(None, [given.get("temperature")])),
            is_unforecasted=given.get("unforecasted"),
            owner_id=given.get("owner"),
            delivery_owner_id=given.get("delivery_owner"),
            account_id=given.get("account"),
            service_line_id=given.get("service_line"),
            close_from=given.get("close_from"),
            close_to=given.get("close_to"),
            search=given.get("search", ""),
        )
        deals = wanted.apply(Opportunity.objects.current().visible_to(self.user))
        if "external_id" in given:
            deals = deals.filter(external_id=given["external_id"])
        if "rotting" in given:
            rotten = rotting(home=organisation(), now=self.now)
            deals = deals.filter(rotten) if given["rotting"] else deals.exclude(rotten)
        return self.page(deals.with_people().select_related("team", "region"), given)

    @documented("Add a deal", takes=OpportunityNew, gives=OpportunityOut, status=201)
    @idempotent
    def post(self, request: Request) -> Response:
        """Add one in an open stage."""
        if not self.user.has_perm("opportunities.add"):
            raise PermissionDenied(_("Sales adds deals. Ask somebody who sells."))
        given = self.read(OpportunityNew)
        stage = _first_stage(given.pop("pipeline", None), given.pop("stage", None))
        external_id = given.pop("external_id", "")
        deal = create_opportunity(
            actor=self.user, stage=stage, values=changes_of(given), now=self.now, source="api", external_id=external_id
        )
        return self.answer(deal, status.HTTP_201_CREATED)


def _first_stage(pipeline: Pipeline | None, reference: int | str | None) -> Stage:
    """The stage that a new deal begins in. Raises Problem."""
    if pipeline is None and not isinstance(reference, int):
        pipeline = Pipeline.objects.filter(is_active=True).order_by("position", "name").first()
    if reference is not None:
        return StageReference.find(reference, pipeline)
    stages = Stage.objects.active().filter(pipeline=pipeline, kind=StageKind.OPEN)
    first = stages.select_related("pipeline").order_by("position").first()
    if first is None:
        raise invalid({"pipeline": [_("There is no pipeline with an open stage. An administrator can add one.")]})
    return first


class OpportunityDetail(Endpoint):
    """One deal."""

    output = OpportunityOut

    @documented("Show a deal", gives=OpportunityOut)
    def get(self, request: Request, pk: int) -> Response:
        """The deal with its ETag."""
        return self.answer(readable_opportunity(self.user, pk))

    @documented("Change a deal", takes=OpportunityChanges, gives=OpportunityOut, versioned=True)
    def patch(self, request: Request, pk: int) -> Response:
        """Change what is named, leave the rest."""
        deal = editable_opportunity(self.user, pk)
        version = expected_version(request, deal)
        changes = changes_of(self.read(OpportunityChanges))
        changed = update_opportunity(
            actor=self.user, opportunity=deal, changes=changes, expected_version=version, now=self.now
        )
        return self.answer(changed)
