"""Actions on a deal: each calls the service that the pages call."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from api.endpoints import Endpoint
from api.fields import Choice, Day, Flag, Input, Text
from api.idempotency import idempotent
from api.openapi import documented
from api.opportunities import OpportunityChanges, OpportunityOut, changes_of
from api.pipelines import StageReference
from api.versions import expected_version
from opportunities.access import editable_opportunity
from opportunities.models import LossReason, Temperature
from opportunities.models.history import Source
from opportunities.services.closing import lose, reopen, snooze
from opportunities.services.moves import move_to_stage, set_temperature


class MoveInput(Input):
    """Where a deal goes, with what the gate of that stage asks for."""

    stage = StageReference(help_text="Id, or key within the deal's pipeline.")
    reason = Text(required=False, allow_blank=True, max_length=500)
    fields = OpportunityChanges(required=False)
    bypass = Flag(required=False, help_text="Past an unmet gate; needs the right, and costs a reason.")


class SnoozeInput(Input):
    """Quiet until a day; null wakes the deal."""

    until = Day(allow_null=True)
    reason = Text(required=False, allow_blank=True, max_length=300)


class TemperatureInput(Input):
    """A temperature apart from the stage's; null goes back to that of the stage."""

    temperature = Choice(Temperature.choices, allow_null=True)
    reason = Text(required=False, allow_blank=True, max_length=500)


class LoseInput(Input):
    """Why a deal is lost."""

    reason = Choice(LossReason.choices, required=False)
    note = Text(required=False, allow_blank=True, max_length=1000, is_multiline=True)


class ReasonInput(Input):
    """Why."""

    reason = Text(required=False, allow_blank=True, max_length=500)


class OpportunityMove(Endpoint):
    """Another stage for a deal."""

    output = OpportunityOut

    @documented("Move a deal to a stage", takes=MoveInput, gives=OpportunityOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Move it, saving the fields that come along; to its present stage nothing happens."""
        deal = editable_opportunity(self.user, pk)
        version = expected_version(request, deal)
        given = self.read(MoveInput)
        move = move_to_stage(
            actor=self.user, opportunity=deal, stage=StageReference.find(given["stage"], deal.pipeline),
            expected_version=version, now=self.now, changes=changes_of(given.get("fields", {})),
            reason=given.get("reason", ""), bypass=given.get("bypass", False), source=Source.API,
        )  # fmt: skip
        return self.answer(move.opportunity)


class OpportunitySnooze(Endpoint):
    """Quiet about a deal."""

    output = OpportunityOut

    @documented("Snooze a deal, or wake it", takes=SnoozeInput, gives=OpportunityOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Keep quiet until a day."""
        deal = editable_opportunity(self.user, pk)
        version = expected_version(request, deal)
        given = self.read(SnoozeInput)
        snoozed = snooze(
            actor=self.user, opportunity=deal, until=given["until"], reason=given.get("reason", ""),
            expected_version=version, now=self.now,
        )  # fmt: skip
        return self.answer(snoozed)


class OpportunityTemperature(Endpoint):
    """The temperature of a deal, apart from its stage."""

    output = OpportunityOut

    @documented("Override the temperature", takes=TemperatureInput, gives=OpportunityOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Override, with a reason, or go back to what the stage says."""
        deal = editable_opportunity(self.user, pk)
        version = expected_version(request, deal)
        given = self.read(TemperatureInput)
        changed = set_temperature(
            actor=self.user, opportunity=deal, temperature=given["temperature"] or "", reason=given.get("reason", ""),
            expected_version=version, now=self.now,
        )  # fmt: skip
        return self.answer(changed)


class OpportunityLose(Endpoint):
    """Closing a deal as lost."""

    output = OpportunityOut

    @documented("Close a deal as lost", takes=LoseInput, gives=OpportunityOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Move it to the lost stage, with the reason."""
        deal = editable_opportunity(self.user, pk)
        version = expected_version(request, deal)
        given = self.read(LoseInput)
        move = lose(
            actor=self.user, opportunity=deal, loss_reason=given.get("reason", ""), loss_note=given.get("note", ""),
            expected_version=version, now=self.now, source=Source.API,
        )  # fmt: skip
        return self.answer(move.opportunity)


class OpportunityReopen(Endpoint):
    """Taking a closed deal up again."""

    output = OpportunityOut

    @documented("Reopen a deal", takes=ReasonInput, gives=OpportunityOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Back to the stage that it was closed from, with a reason."""
        deal = editable_opportunity(self.user, pk)
        version = expected_version(request, deal)
        given = self.read(ReasonInput)
        move = reopen(
            actor=self.user, opportunity=deal, reason=given.get("reason", ""), expected_version=version,
            now=self.now, source=Source.API,
        )  # fmt: skip
        return self.answer(move.opportunity)
