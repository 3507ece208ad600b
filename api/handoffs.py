"""Handoffs of won deals: reading them. What moves them on is in ``handoff_actions``."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from api.endpoints import Endpoint
from api.fields import Brief, Id, Moment, NamedThing, Url
from api.lists import ListEndpoint, ListQuery, Ordering
from api.openapi import documented
from handoffs.approval_queries import inbox_of
from handoffs.handoff_access import readable_handoff
from handoffs.models import (
    ApprovalStep,
    Handoff,
    HandoffState,
    RelationshipTransfer,
    Section,
    StepState,
    Submission,
    SubmissionState,
    Task,
    TaskSide,
    TaskState,
)


class ItemOut(serializers.ModelSerializer[Task]):
    """An item of the checklist; it is a task, and changed or reopened under tasks/ too."""

    url = Url("api:task")
    section = serializers.ChoiceField(Section.choices)
    side = serializers.ChoiceField(TaskSide.choices)
    state = serializers.ChoiceField(TaskState.choices)
    assignee = Brief(allow_null=True)
    file = serializers.CharField(source="evidence_file.name", default="", help_text="The name of the file shown.")
    waived_by = Brief(allow_null=True)
    waived_at = Moment(allow_null=True)
    done_at = Moment(allow_null=True)

    class Meta:
        model = Task
        fields = (
            "id", "version", "url", "section", "title", "side", "state", "is_required", "due_on", "assignee",
            "evidence_wanted", "evidence", "evidence_link", "file", "waived_reason", "waived_by", "waived_at",
            "done_at",
        )  # fmt: skip


class StepOut(serializers.ModelSerializer[ApprovalStep]):
    """One approval. Opened when its turn came; an escalated one waits still, for more people."""

    state = serializers.ChoiceField(StepState.choices)
    people = serializers.SerializerMethodField()
    opened_at = Moment(allow_null=True)
    escalate_at = Moment(allow_null=True, help_text="Until when it should be decided.")
    decided_by = Brief(allow_null=True)
    on_behalf_of = Brief(allow_null=True, help_text="In whose name, where that is not their own.")
    decided_at = Moment(allow_null=True)

    class Meta:
        model = ApprovalStep
        fields = (
            "id", "name", "position", "state", "role", "people", "opened_at", "escalate_at", "escalate_to",
            "decided_by", "on_behalf_of", "decided_at", "comment",
        )  # fmt: skip

    @extend_schema_field(NamedThing(many=True))
    def get_people(self, step: ApprovalStep) -> list[dict[str, Any]]:
        """Those named; nobody where everybody of the role is asked."""
        return [{"id": person.pk, "name": str(person)} for person in step.people.all()]


class SubmissionOut(serializers.ModelSerializer[Submission]):
    """The handoff as it was handed in once, and what was said to it."""

    state = serializers.ChoiceField(SubmissionState.choices)
    submitted_by = Brief()
    submitted_at = Moment()
    closed_at = Moment(allow_null=True)
    steps = StepOut(many=True)

    class Meta:
        model = Submission
        fields = ("number", "state", "submitted_by", "submitted_at", "note", "closed_at", "steps")


class RelationshipOut(serializers.ModelSerializer[RelationshipTransfer]):
    """Who knows a stakeholder now, who will, and how they were introduced."""

    contact = Brief()
    owner_now = Brief(allow_null=True)
    owner_next = Brief(allow_null=True)
    accepted_by = Brief(allow_null=True)
    accepted_at = Moment(allow_null=True)

    class Meta:
        model = RelationshipTransfer
        fields = (
            "id", "version", "contact", "owner_now", "owner_next", "introduced_on", "introduced_how", "accepted_by",
            "accepted_at",
        )  # fmt: skip


class HandoffOut(serializers.ModelSerializer[Handoff]):
    """What sales hands to delivery with a won deal."""

    url = Url("api:handoff")
    created_at = Moment()
    updated_at = Moment()
    opportunity = Brief()
    state = serializers.ChoiceField(HandoffState.choices)
    project_manager = Brief(allow_null=True)
    opened_at = Moment()
    approved_at = Moment(allow_null=True)
    accepted_at = Moment(allow_null=True)
    accepted_by = Brief(allow_null=True)
    shelved_at = Moment(allow_null=True, help_text="Since when it rests because its deal was reopened.")
    items = serializers.SerializerMethodField()
    approvals = SubmissionOut(source="submissions", many=True, help_text="The newest first.")
    relationships = RelationshipOut(many=True)

    class Meta:
        model = Handoff
        fields = (
            "id", "version", "created_at", "updated_at", "url", "opportunity", "state", "project_manager", "opened_at",
            "approved_at", "accepted_at", "accepted_by", "shelved_at", "items", "approvals", "relationships",
        )  # fmt: skip

    @extend_schema_field(ItemOut(many=True))
    def get_items(self, handoff: Handoff) -> Any:
        """The checklist by section and place, without what was cancelled."""
        order = Section.values
        items = [item for item in handoff.items.all() if item.state != TaskState.CANCELLED]
        items.sort(key=lambda item: (order.index(item.section), item.position, item.pk))
        return ItemOut(items, many=True, context=self.context).data


def with_details(handoffs: QuerySet[Handoff]) -> QuerySet[Handoff]:
    """All that is shown of handoffs."""
    steps = ApprovalStep.objects.select_related("decided_by", "on_behalf_of").prefetch_related("people")
    submissions = Submission.objects.select_related("submitted_by").defer("items").order_by("-number")
    transfers = RelationshipTransfer.objects.filter(dropped_at__isnull=True)
    return handoffs.select_related("opportunity", "project_manager", "accepted_by").prefetch_related(
        Prefetch("items", Task.objects.select_related("assignee", "waived_by", "evidence_file")),
        Prefetch("submissions", submissions.prefetch_related(Prefetch("steps", steps))),
        Prefetch(
            "relationships", transfers.select_related("contact", "owner_now", "owner_next", "accepted_by")
        ),
    )  # fmt: skip


class HandoffEndpoint(Endpoint):
    """An address that shows a handoff."""

    output = HandoffOut

    def shown(self, thing: Any) -> Any:
        """The handoff as it stands, with all that belongs to it."""
        return super().shown(with_details(Handoff.objects.filter(pk=thing.pk)).get())

    def answer_with(self, pk: int) -> Response:
        """The handoff as it stands after a change."""
        return self.answer(Handoff.objects.get(pk=pk))


class HandoffQuery(ListQuery):
    """Filters of the list of handoffs."""

    ordering = Ordering("id", "opened_at", "updated_at")
    opportunity = Id()
    state = serializers.ChoiceField(HandoffState.choices, required=False)
    waits_for = serializers.RegexField(
        r"^(me|[1-9][0-9]{0,17})$", required=False, max_length=18,
        help_text="“me” or the id of a person who has to approve or accept it.",
        error_messages={"invalid": "Write “me” or the id of a person."},
    )  # fmt: skip


class Handoffs(ListEndpoint, HandoffEndpoint):
    """Handoffs of the deals that the caller may see."""

    query = HandoffQuery

    @documented("List handoffs", gives=HandoffOut, query=HandoffQuery)
    def get(self, request: Request) -> Response:
        """A page of them."""
        given = self.parameters()
        handoffs = Handoff.objects.visible_to(self.user).filter(opportunity__archived_at__isnull=True)
        handoffs = handoffs.filter(**{name: given[name] for name in ("opportunity", "state") if name in given})
        if "waits_for" in given:
            handoffs = handoffs.filter(self._waiting(given["waits_for"]))
        return self.page(with_details(handoffs), given)

    def _waiting(self, whom: str) -> Q:
        person = self.user if whom == "me" else User.objects.filter(pk=int(whom), is_active=True).first()
        if person is None:
            return Q(pk__in=[])
        approves = {waiting.step.submission.handoff_id for waiting in inbox_of(person, self.now)}
        accepts = Q(
            project_manager=person, state=HandoffState.APPROVED, accepted_at__isnull=True, shelved_at__isnull=True
        )
        return Q(pk__in=approves) | accepts


class HandoffDetail(HandoffEndpoint):
    """One handoff."""

    @documented("Show a handoff", gives=HandoffOut)
    def get(self, request: Request, pk: int) -> Response:
        """The handoff with its ETag."""
        return self.answer(readable_handoff(self.user, pk))
