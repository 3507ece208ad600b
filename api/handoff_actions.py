"""What moves a handoff on: submitting, deciding, accepting, and its items. Each calls the pages' service."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from api.endpoints import Endpoint
from api.engagements import NoInput
from api.fields import Input, Text
from api.handoffs import HandoffEndpoint, HandoffOut
from api.idempotency import idempotent
from api.openapi import documented
from api.tasks import TaskOut
from api.versions import expected_version
from handoffs.access import readable_task, workable_task
from handoffs.approval_queries import step_to_decide
from handoffs.handoff_access import readable_handoff
from handoffs.models import Handoff, StepState, Task
from handoffs.services.approvals import (
    StaleHandoff,
    accept_handoff,
    decide_step,
    recall_handoff,
    revise_handoff,
    submit_handoff,
)
from handoffs.services.handoff import waive_item
from handoffs.services.tasks import complete_task


class SubmitInput(Input):
    """What the approvers should know."""

    note = Text(required=False, allow_blank=True, max_length=1000, is_multiline=True)


class NeededReasonInput(Input):
    """Why."""

    reason = Text(max_length=500)


class ApproveInput(Input):
    """Words that go with the approval."""

    comment = Text(required=False, allow_blank=True, max_length=1000, is_multiline=True)


class RefuseInput(Input):
    """What has to change, or why not at all."""

    comment = Text(max_length=1000, is_multiline=True)


class ItemDoneInput(Input):
    """What shows that it is done."""

    evidence = Text(required=False, allow_blank=True, max_length=1000)
    link = Text(required=False, allow_blank=True, max_length=500)


class HandoffAction(HandoffEndpoint):
    """An address that does something with the handoff that the caller has seen."""

    def given(self, request: Request, handoff: Handoff, reader: type[Input]) -> dict[str, Any]:
        """The body; 412 where somebody changed the handoff meanwhile."""
        version = expected_version(request, handoff)
        given = self.read(reader)
        if version != handoff.version:
            raise StaleHandoff(handoff)
        return given

    def require_submitter(self, handoff: Handoff) -> None:
        """Refuse those who may not hand it in, and so not take it back either."""
        if not self.user.has_perm("handoffs.submit_handoff", handoff):
            raise PermissionDenied(_("The owners of the deal and their managers submit its handoff."))


class HandoffSubmit(HandoffEndpoint):
    """Handing it in."""

    @documented("Submit a handoff", takes=SubmitInput, gives=HandoffOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Ask for the approvals that the chain says; 422 names what stands in the way."""
        handoff = readable_handoff(self.user, pk)
        version = expected_version(request, handoff)
        note = self.read(SubmitInput).get("note", "")
        submit_handoff(actor=self.user, handoff=handoff, note=note, now=self.now, expected_version=version)
        return self.answer_with(pk)


class HandoffRecall(HandoffAction):
    """Taking it back."""

    @documented("Recall a handoff", takes=NeededReasonInput, gives=HandoffOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Back to a draft, to change it."""
        handoff = readable_handoff(self.user, pk)
        if not handoff.submissions.filter(submitted_by=self.user).exists():
            self.require_submitter(handoff)
        reason = self.given(request, handoff, NeededReasonInput)["reason"]
        recall_handoff(actor=self.user, handoff=handoff, reason=reason, now=self.now)
        return self.answer_with(pk)


class HandoffRevise(HandoffAction):
    """Opening it again."""

    @documented("Open a decided handoff for changes", takes=NeededReasonInput, gives=HandoffOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Back to a draft, before the project manager accepts; it needs its approvals anew."""
        handoff = readable_handoff(self.user, pk)
        self.require_submitter(handoff)
        reason = self.given(request, handoff, NeededReasonInput)["reason"]
        revise_handoff(actor=self.user, handoff=handoff, reason=reason, now=self.now)
        return self.answer_with(pk)


class Decision(HandoffAction):
    """Deciding the step that waits for the caller, in their own name or for somebody they stand in for."""

    def decide(self, request: Request, pk: int, decision: StepState, reader: type[Input]) -> Response:
        """Decide, and show the handoff as it stands then."""
        handoff = readable_handoff(self.user, pk)
        step = step_to_decide(self.user, handoff, decision, self.now)
        comment = self.given(request, handoff, reader).get("comment", "")
        decide_step(actor=self.user, step=step, decision=decision, comment=comment, now=self.now)
        return self.answer_with(pk)


class HandoffApprove(Decision):
    """Approving."""

    @documented("Approve a handoff", takes=ApproveInput, gives=HandoffOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Approve the step that waits for the caller."""
        return self.decide(request, pk, StepState.APPROVED, ApproveInput)


class HandoffRequestChanges(Decision):
    """Sending it back."""

    @documented("Request changes to a handoff", takes=RefuseInput, gives=HandoffOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """End the submission; sales changes it and submits again."""
        return self.decide(request, pk, StepState.CHANGES_REQUESTED, RefuseInput)


class HandoffReject(Decision):
    """Refusing it."""

    @documented("Reject a handoff", takes=RefuseInput, gives=HandoffOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """End the submission for good, until somebody opens the handoff for changes."""
        return self.decide(request, pk, StepState.REJECTED, RefuseInput)


class HandoffAccept(HandoffAction):
    """The project manager takes it on."""

    @documented("Accept a handoff", takes=NoInput, gives=HandoffOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """By the project manager it names, once it is approved; the ramp begins."""
        handoff = readable_handoff(self.user, pk)
        self.given(request, handoff, NoInput)
        accept_handoff(actor=self.user, handoff=handoff, now=self.now)
        return self.answer_with(pk)


class ItemEndpoint(Endpoint):
    """An address of an item; its version is that of the task."""

    output = TaskOut

    @staticmethod
    def belonging(task: Task, pk: int) -> Task:
        """The task, or 404 where it is no item of this handoff."""
        if task.handoff_id != pk:
            raise Http404
        return task


class ItemComplete(ItemEndpoint):
    """Saying done."""

    @documented("Complete an item", takes=ItemDoneInput, gives=TaskOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int, item: int) -> Response:
        """Done, for the caller's own side."""
        self.belonging(readable_task(self.user, item), pk)
        task = workable_task(self.user, item)
        version = expected_version(request, task)
        given = self.read(ItemDoneInput)
        return self.answer(
            complete_task(
                actor=self.user, task=task, now=self.now, evidence=given.get("evidence", ""),
                link=given.get("link", ""), expected_version=version,
            )
        )  # fmt: skip


class ItemWaive(ItemEndpoint):
    """Leaving it out."""

    @documented("Waive an item", takes=NeededReasonInput, gives=TaskOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int, item: int) -> Response:
        """Managers of both sides leave an item out, and say why; the approvers read it."""
        task = self.belonging(readable_task(self.user, item), pk)
        if not self.user.has_perm("handoffs.waive_item", task):
            raise PermissionDenied(_("The managers of both sides and the project manager can waive an item."))
        version = expected_version(request, task)
        reason = self.read(NeededReasonInput)["reason"]
        return self.answer(
            waive_item(actor=self.user, task=task, reason=reason, now=self.now, expected_version=version)
        )
