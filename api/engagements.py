"""Delivery's involvement before the win, and the answers to being asked in."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from api.endpoints import Endpoint
from api.fields import Brief, Id, Input, Moment, Scoped, Text, Url
from api.idempotency import idempotent
from api.lists import ListEndpoint, ListQuery, Ordering
from api.openapi import documented
from api.versions import expected_version
from handoffs.access import answerable_engagement, readable_engagement
from handoffs.models import Engagement, EngagementState, Outcome, Trigger
from handoffs.services.engagements import (
    accept_engagement,
    complete_engagement,
    decline_engagement,
    reassign_engagement,
)
from opportunities.queries.people import possible_delivery_owners


class EngagementOut(serializers.ModelSerializer[Engagement]):
    """Delivery asked in on one deal."""

    url = Url("api:engagement")
    created_at = Moment()
    updated_at = Moment()
    opportunity = Brief()
    trigger = serializers.ChoiceField(Trigger.choices)
    requested_at = Moment()
    answer_due_at = Moment()
    accepted_at = Moment(allow_null=True)
    accepted_by = Brief(allow_null=True)
    ended_at = Moment(allow_null=True)
    paused_at = Moment(allow_null=True)
    delivery_owner = Brief(source="opportunity.delivery_owner", allow_null=True)
    outcome = serializers.ChoiceField([*Outcome.choices, ("", "not ended")])
    lead_days = serializers.SerializerMethodField()

    class Meta:
        model = Engagement
        fields = (
            "id", "version", "created_at", "updated_at", "url", "opportunity", "state", "trigger", "is_fast_lane",
            "requested_at", "answer_due_at", "accepted_at", "accepted_by", "delivery_owner", "decline_reason",
            "paused_at", "ended_at", "outcome", "lead_days",
        )  # fmt: skip

    def get_lead_days(self, engagement: Engagement) -> int | None:
        """Days from delivery's yes to the day the deal closed, or is expected to; null without either."""
        deal = engagement.opportunity
        closing = deal.closed_on or deal.close_date
        if engagement.accepted_at is None or closing is None:
            return None
        return (closing - engagement.accepted_at.date()).days


class EngagementQuery(ListQuery):
    """Filters of the engagement list."""

    ordering = Ordering("id", "requested_at", "answer_due_at", "updated_at")
    opportunity = Id()
    state = serializers.ChoiceField(EngagementState.choices, required=False)
    delivery_owner = Id()


class DeclineInput(Input):
    """Why delivery can't take part."""

    reason = Text(max_length=500)


class ReassignInput(Input):
    """Who takes part for delivery from now on."""

    delivery_owner = Scoped(lambda _user: possible_delivery_owners())


class NoInput(Input):
    """Nothing to say."""


class Engagements(ListEndpoint):
    """Engagements on the deals that the caller may see."""

    output = EngagementOut
    query = EngagementQuery

    @documented("List engagements", gives=EngagementOut, query=EngagementQuery)
    def get(self, request: Request) -> Response:
        """A page of them."""
        given = self.parameters()
        engagements = Engagement.objects.visible_to(self.user).select_related(
            "opportunity__delivery_owner", "accepted_by"
        )
        columns = {"opportunity": "opportunity", "state": "state", "delivery_owner": "opportunity__delivery_owner"}
        wanted = {column: given[name] for name, column in columns.items() if name in given}
        return self.page(engagements.filter(**wanted), given)


class EngagementDetail(Endpoint):
    """One engagement."""

    output = EngagementOut

    @documented("Show an engagement", gives=EngagementOut)
    def get(self, request: Request, pk: int) -> Response:
        """The engagement with its ETag."""
        return self.answer(readable_engagement(self.user, pk))


class EngagementAccept(Endpoint):
    """Delivery says yes."""

    output = EngagementOut

    @documented("Accept an engagement", takes=NoInput, gives=EngagementOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Accept; without an owner the caller becomes it."""
        engagement = answerable_engagement(self.user, pk)
        version = expected_version(request, engagement)
        self.read(NoInput)
        accepted = accept_engagement(actor=self.user, engagement=engagement, expected_version=version, now=self.now)
        return self.answer(accepted)


class EngagementDecline(Endpoint):
    """Delivery says no."""

    output = EngagementOut

    @documented("Decline an engagement", takes=DeclineInput, gives=EngagementOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Decline, and say why."""
        engagement = answerable_engagement(self.user, pk)
        version = expected_version(request, engagement)
        given = self.read(DeclineInput)
        declined = decline_engagement(
            actor=self.user, engagement=engagement, reason=given["reason"], expected_version=version, now=self.now
        )
        return self.answer(declined)


class EngagementReassign(Endpoint):
    """Somebody else for delivery."""

    output = EngagementOut

    @documented("Name another delivery owner", takes=ReassignInput, gives=EngagementOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Reassign."""
        engagement = answerable_engagement(self.user, pk)
        version = expected_version(request, engagement)
        owner: User = self.read(ReassignInput)["delivery_owner"]
        reassigned = reassign_engagement(
            actor=self.user, engagement=engagement, delivery_owner=owner, expected_version=version, now=self.now
        )
        return self.answer(reassigned)


class EngagementComplete(Endpoint):
    """Delivery has done its part before the win."""

    output = EngagementOut

    @documented("Complete an engagement", takes=NoInput, gives=EngagementOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Complete, once delivery's tasks are done."""
        engagement = answerable_engagement(self.user, pk)
        version = expected_version(request, engagement)
        self.read(NoInput)
        completed = complete_engagement(actor=self.user, engagement=engagement, expected_version=version, now=self.now)
        return self.answer(completed)
