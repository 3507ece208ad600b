"""What the home page shows: the two circles, what waits for the caller, and what comes up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.queries import organisation, rates
from api.endpoints import Endpoint
from api.fields import Brief, Moment, Money, NamedThing
from api.openapi import documented
from api.pipelines import StageBrief
from dashboards.queries.needs import GROUPS, Need, needs_of
from dashboards.queries.upcoming import UpcomingDeal, upcoming_page
from dashboards.queries.zones import zone_totals
from handoffs.models import EngagementState
from opportunities.models import Temperature
from opportunities.queries.totals import Total

KINDS = ("engagement", "task", "deal", "review", "condition", "promise", "profile")


class ZoneOut(serializers.Serializer[Total]):
    """Deals of one part of the two circles."""

    count = serializers.IntegerField(source="deals")
    amount = serializers.SerializerMethodField()
    unpriced = serializers.IntegerField(help_text="Deals without an amount.")
    without_rate = serializers.IntegerField(help_text="Deals in a currency without a rate: counted, not priced.")

    @extend_schema_field(Money)
    def get_amount(self, total: Total) -> dict[str, str]:
        """In the organisation's base currency."""
        return {"amount": f"{total.amount.quantize(Decimal('0.01')):f}", "currency": self.context["base_currency"]}


class VennOut(serializers.Serializer[Any]):
    """Sales: open and cold. One Team: warm, hot, or being handed over. Delivery: won lately."""

    sales = ZoneOut()
    one_team = ZoneOut()
    delivery = ZoneOut()


class NeedOut(serializers.Serializer[Need]):
    """One thing that waits for the caller."""

    kind = serializers.SerializerMethodField()
    urgency = serializers.SerializerMethodField()
    due_on = serializers.DateField()
    due_at = Moment(source="at", allow_null=True, help_text="Where the hour counts.")
    opportunity = Brief(source="about")
    engagement = serializers.SerializerMethodField()
    task = serializers.SerializerMethodField()
    reasons = serializers.SerializerMethodField(help_text="Why a deal waits, or what there is to do.")
    page = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ChoiceField(KINDS))
    def get_kind(self, need: Need) -> str:
        """A request for delivery, a task, a deal that needs care, or what waits in a review or the ledger."""
        if need.engagement is not None:
            return "engagement"
        if need.todo is not None:
            return need.todo.kind
        return "task" if need.line is not None else "deal"

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_reasons(self, need: Need) -> list[str]:
        """Sentences."""
        return [need.todo.sentence] if need.todo is not None else need.reasons

    @extend_schema_field(serializers.CharField())
    def get_page(self, need: Need) -> str:
        """The page where people do it."""
        path = need.todo.url if need.todo is not None else reverse("opportunities:detail", args=[need.about.pk])
        return str(self.context["request"].build_absolute_uri(path))

    @extend_schema_field(serializers.ChoiceField(GROUPS))
    def get_urgency(self, need: Need) -> str:
        """How soon."""
        return str(self.context["urgency"][id(need)])

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_engagement(self, need: Need) -> int | None:
        """The engagement to answer."""
        return need.engagement.engagement.pk if need.engagement is not None else None

    @extend_schema_field(NamedThing(allow_null=True))
    def get_task(self, need: Need) -> dict[str, Any] | None:
        """The task to do."""
        return {"id": need.line.task.pk, "name": need.line.task.title} if need.line is not None else None


class UpcomingOut(serializers.Serializer[UpcomingDeal]):
    """A warm or hot deal with its expected start."""

    opportunity = Brief(source="deal")
    start_on = serializers.DateField(source="start", allow_null=True)
    temperature = serializers.ChoiceField(Temperature.choices, source="deal.temperature")
    stage = StageBrief(source="deal.stage")
    owner = Brief(source="deal.owner", allow_null=True)
    delivery_owner = Brief(source="deal.delivery_owner", allow_null=True)
    unforecasted = serializers.BooleanField(source="deal.is_unforecasted")
    next_step = serializers.CharField(source="deal.next_step")
    engagement_state = serializers.SerializerMethodField()
    open_tasks = serializers.DictField(child=serializers.IntegerField(), help_text="By side.")

    @extend_schema_field(serializers.ChoiceField(EngagementState.choices, allow_null=True))
    def get_engagement_state(self, row: UpcomingDeal) -> str | None:
        """Where delivery stands."""
        return row.engagement.state if row.engagement is not None else None


class DashboardOut(serializers.Serializer[Any]):
    """The home page as data."""

    venn = VennOut()
    needs_you = NeedOut(many=True)
    upcoming = UpcomingOut(many=True)


class Dashboard(Endpoint):
    """The home page of the caller."""

    output = DashboardOut

    @documented("Show what waits and what comes", gives=DashboardOut)
    def get(self, request: Request) -> Response:
        """The circles, what waits for the caller with the oldest promise first, and the next deals to start."""
        home = organisation()
        today = home.today(self.now)
        priced = rates(on=today, base=home.base_currency)
        upcoming, _after = upcoming_page(self.user, home=home, today=today)
        groups = needs_of(self.user, home=home, now=self.now).groups
        found = {
            "venn": zone_totals(self.user, rates=priced, today=today),
            "needs_you": [need for group in groups for need in group.needs],
            "upcoming": upcoming,
        }
        urgency = {id(need): group.key for group in groups for need in group.needs}
        context = {**self.context(), "base_currency": home.base_currency, "urgency": urgency}
        return Response(self.output(found, context=context).data)
