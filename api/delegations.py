"""Who stands in for whom."""

from __future__ import annotations

from django.db.models import Q
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from api.endpoints import Endpoint
from api.fields import Brief, Day, Input, Moment, Scoped, Text, Url
from api.idempotency import idempotent
from api.lists import ListEndpoint, ListQuery, Ordering
from api.openapi import documented
from handoffs.approval_access import own_delegation
from handoffs.models import Delegation
from handoffs.services.approvals import delegate, end_delegation


class DelegationOut(serializers.ModelSerializer[Delegation]):
    """Somebody decides in somebody else's name, from a day to a day, both included."""

    url = Url("api:delegation")
    created_at = Moment()
    delegator = Brief()
    delegate = Brief()
    created_by = Brief()
    revoked_at = Moment(allow_null=True, help_text="When it was ended before its last day.")

    class Meta:
        model = Delegation
        fields = (
            "id", "created_at", "url", "delegator", "delegate", "starts_on", "ends_on", "reason", "created_by",
            "revoked_at",
        )  # fmt: skip


class DelegationQuery(ListQuery):
    """Order of the list."""

    ordering = Ordering("id", "starts_on", "ends_on")


class DelegationNew(Input):
    """Who stands in, and when. ``delegator`` is the caller unless an administrator says otherwise."""

    delegator = Scoped(lambda _user: User.objects.filter(is_active=True), required=False)
    delegate = Scoped(lambda _user: User.objects.filter(is_active=True))
    starts_on = Day()
    ends_on = Day()
    reason = Text(required=False, allow_blank=True, max_length=200)


class Delegations(ListEndpoint):
    """Delegations by and to the caller; everybody's for administrators."""

    output = DelegationOut
    query = DelegationQuery

    @documented("List delegations", gives=DelegationOut, query=DelegationQuery)
    def get(self, request: Request) -> Response:
        """A page of them."""
        given = self.parameters()
        rows = Delegation.objects.select_related("delegator", "delegate", "created_by")
        if not self.user.is_administrator:
            rows = rows.filter(Q(delegator=self.user) | Q(delegate=self.user))
        return self.page(rows, given)

    @documented("Let somebody stand in", takes=DelegationNew, gives=DelegationOut, status=201)
    @idempotent
    def post(self, request: Request) -> Response:
        """From a day to a day; not in a circle, and one at a time."""
        given = {"delegator": self.user, "reason": "", **self.read(DelegationNew)}
        return self.answer(delegate(actor=self.user, now=self.now, **given), status.HTTP_201_CREATED)


class DelegationDetail(Endpoint):
    """One delegation."""

    output = DelegationOut

    @documented("Show a delegation", gives=DelegationOut)
    def get(self, request: Request, pk: int) -> Response:
        """By or to the caller; any for administrators."""
        return self.answer(own_delegation(self.user, pk))

    @documented("End a delegation", gives=DelegationOut)
    def delete(self, request: Request, pk: int) -> Response:
        """From now on; what was decided stays. Ending it again changes nothing."""
        return self.answer(end_delegation(actor=self.user, delegation=own_delegation(self.user, pk), now=self.now))
