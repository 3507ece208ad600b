"""The commitment ledger: promises to clients, delivery's stance, and what became of them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from api.endpoints import Endpoint
from api.engagements import NoInput
from api.fields import Brief, Choice, Day, Flag, Id, Input, Moment, Scoped, Text, Url
from api.idempotency import idempotent
from api.lists import ListEndpoint, ListQuery, Ordering
from api.openapi import documented
from api.versions import expected_version
from handoffs.ledger_access import (
    answerable_commitment,
    changeable_commitment,
    readable_commitment,
    settleable_commitment,
)
from handoffs.models import Commitment, CommitmentKind, CommitmentOutcome, CommitmentSource, Stance
from handoffs.services.commitments import (
    FIELDS,
    add_commitment,
    answer_commitment,
    change_commitment,
    settle_commitment,
    withdraw_commitment,
)
from opportunities.models import Contact, Opportunity

_PEOPLE = ("opportunity", "promised_by", "promised_to", "stance_by", "settled_by", "added_by")


def deals_of(user: User) -> Any:
    """The deals that a request of this person may name."""
    return Opportunity.objects.current().visible_to(user).with_people()


class CommitmentOut(serializers.ModelSerializer[Commitment]):
    """A promise to the client."""

    url = Url("api:commitment")
    created_at = Moment()
    updated_at = Moment()
    opportunity = Brief()
    kind = serializers.ChoiceField(CommitmentKind.choices)
    source = serializers.ChoiceField(CommitmentSource.choices)
    promised_by = Brief()
    promised_to = Brief(allow_null=True)
    stance = serializers.ChoiceField(Stance.choices)
    stance_by = Brief(allow_null=True)
    stance_at = Moment(allow_null=True)
    outcome = serializers.ChoiceField(CommitmentOutcome.choices)
    settled_by = Brief(allow_null=True)
    settled_at = Moment(allow_null=True)
    added_by = Brief()
    withdrawn_at = Moment(allow_null=True)

    class Meta:
        model = Commitment
        fields = (
            "id", "version", "created_at", "updated_at", "url", "opportunity", "text", "kind", "promised_by",
            "promised_to", "promised_on", "due_on", "source", "source_note", "is_in_sow", "stance", "stance_note",
            "stance_by", "stance_at", "outcome", "outcome_note", "settled_by", "settled_at", "added_by",
            "withdrawn_at",
        )  # fmt: skip


class CommitmentQuery(ListQuery):
    """Filters of the ledger."""

    ordering = Ordering("id", "promised_on", "due_on", "updated_at")
    opportunity = Id()
    kind = serializers.ChoiceField(CommitmentKind.choices, required=False)
    stance = serializers.ChoiceField(Stance.choices, required=False)
    outcome = serializers.ChoiceField(CommitmentOutcome.choices, required=False)
    withdrawn = serializers.BooleanField(required=False, default=False, help_text="Those taken off the ledger instead.")


class CommitmentChanges(Input):
    """What may be changed. Other words, another kind or another date take delivery's answer back."""

    kept = tuple(name for name in CommitmentOut.Meta.fields if name not in FIELDS)
    text = Text(required=False, max_length=500)
    kind = Choice(CommitmentKind.choices, required=False)
    promised_by = Scoped(lambda _user: User.objects.filter(is_active=True), required=False)
    promised_to = Scoped(Contact.objects.visible_to, required=False, allow_null=True)
    promised_on = Day(required=False)
    due_on = Day(required=False, allow_null=True)
    source = Choice(CommitmentSource.choices, required=False)
    source_note = Text(required=False, allow_blank=True, max_length=300)
    is_in_sow = Flag(required=False)


class CommitmentNew(CommitmentChanges):
    """A promise; by the caller and of today unless said otherwise."""

    kept = tuple(name for name in CommitmentChanges.kept if name != "opportunity")
    opportunity = Scoped(deals_of)
    text = Text(max_length=500)
    kind = Choice(CommitmentKind.choices)
    source = Choice(CommitmentSource.choices)


class StanceInput(Input):
    """What delivery says; accepted_if and disputed need a note, pending takes an answer back."""

    stance = Choice(Stance.choices)
    note = Text(required=False, allow_blank=True, max_length=500, is_multiline=True)


class SettleInput(Input):
    """What became of it; changed and broken need a note, open takes it back."""

    outcome = Choice(CommitmentOutcome.choices)
    note = Text(required=False, allow_blank=True, max_length=500, is_multiline=True)


class Commitments(ListEndpoint):
    """Promises on the deals that the caller may see."""

    output = CommitmentOut
    query = CommitmentQuery

    @documented("List promises", gives=CommitmentOut, query=CommitmentQuery)
    def get(self, request: Request) -> Response:
        """A page of them."""
        given = self.parameters()
        names = ("opportunity", "kind", "stance", "outcome")
        wanted = {name: given[name] for name in names if name in given}
        promises = Commitment.objects.visible_to(self.user).filter(
            opportunity__archived_at__isnull=True, withdrawn_at__isnull=not given["withdrawn"], **wanted
        )
        return self.page(promises.select_related(*_PEOPLE), given)

    @documented("Note a promise", takes=CommitmentNew, gives=CommitmentOut, status=201)
    @idempotent
    def post(self, request: Request) -> Response:
        """Note one; delivery is asked what it says to it."""
        given = self.read(CommitmentNew)
        deal = given.pop("opportunity")
        return self.answer(add_commitment(actor=self.user, opportunity=deal, values=given, now=self.now), 201)


class CommitmentDetail(Endpoint):
    """One promise."""

    output = CommitmentOut

    @documented("Show a promise", gives=CommitmentOut)
    def get(self, request: Request, pk: int) -> Response:
        """The promise with its ETag."""
        return self.answer(readable_commitment(self.user, pk))

    @documented("Change a promise", takes=CommitmentChanges, gives=CommitmentOut, versioned=True)
    def patch(self, request: Request, pk: int) -> Response:
        """Change it while it is open."""
        promise = changeable_commitment(self.user, pk)
        version = expected_version(request, promise)
        changed = change_commitment(
            actor=self.user, commitment=promise, changes=self.read(CommitmentChanges), expected_version=version,
            now=self.now,
        )  # fmt: skip
        return self.answer(changed)


class CommitmentStance(Endpoint):
    """What delivery says to a promise."""

    output = CommitmentOut

    @documented("Answer a promise for delivery", takes=StanceInput, gives=CommitmentOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Accept, accept if, dispute, or take the answer back."""
        promise = answerable_commitment(self.user, pk)
        version = expected_version(request, promise)
        given = self.read(StanceInput)
        answered = answer_commitment(
            actor=self.user, commitment=promise, stance=given["stance"], note=given.get("note", ""),
            expected_version=version, now=self.now,
        )  # fmt: skip
        return self.answer(answered)


class CommitmentSettle(Endpoint):
    """What became of a promise after the win."""

    output = CommitmentOut

    @documented("Settle a promise", takes=SettleInput, gives=CommitmentOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Kept, changed by agreement, broken, or open again."""
        promise = settleable_commitment(self.user, pk)
        version = expected_version(request, promise)
        given = self.read(SettleInput)
        settled = settle_commitment(
            actor=self.user, commitment=promise, outcome=given["outcome"], note=given.get("note", ""),
            expected_version=version, now=self.now,
        )  # fmt: skip
        return self.answer(settled)


class CommitmentWithdraw(Endpoint):
    """Taking a promise off the ledger."""

    output = CommitmentOut

    @documented("Withdraw a promise", takes=NoInput, gives=CommitmentOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Withdraw what was entered by mistake; not after the win."""
        promise = changeable_commitment(self.user, pk)
        version = expected_version(request, promise)
        self.read(NoInput)
        withdrawn = withdraw_commitment(actor=self.user, commitment=promise, expected_version=version, now=self.now)
        return self.answer(withdrawn)
