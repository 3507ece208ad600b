"""Tasks on deals."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from api.endpoints import Endpoint
from api.engagements import NoInput
from api.fields import Brief, Day, Id, Input, Moment, Scoped, Text, Url
from api.idempotency import idempotent
from api.lists import ListEndpoint, ListQuery, Ordering
from api.openapi import documented
from api.versions import expected_version
from handoffs.access import readable_task, workable_task
from handoffs.models import RampPhase, Section, Task, TaskAction, TaskSide, TaskState, Trigger
from handoffs.services.handoff import waive_item
from handoffs.services.tasks import change_task, complete_task, reopen_task


class EvidenceFile(serializers.Serializer[Any]):
    """A file of the deal that shows that something was done; the address is that of the deal's page."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    url = serializers.URLField()


class TaskOut(serializers.ModelSerializer[Task]):
    """Something one side, or both, must do for a deal. A shared one is done when both sides said so.

    Items of a handoff's checklist (handoff, section) and milestones, duties and exit criteria of a ramp plan
    (ramp_plan, phase) are tasks too. One with an action is done where that is done.
    """

    url = Url("api:task")
    created_at = Moment()
    updated_at = Moment()
    opportunity = Brief()
    engagement = serializers.IntegerField(source="engagement_id")
    playbook = Brief(source="template.playbook", allow_null=True, help_text="None for what was added or carried over.")
    trigger = serializers.ChoiceField(Trigger.choices)
    side = serializers.ChoiceField(TaskSide.choices)
    assignee = Brief(allow_null=True)
    sales_done_at = Moment(allow_null=True)
    sales_done_by = Brief(allow_null=True)
    delivery_done_at = Moment(allow_null=True)
    delivery_done_by = Brief(allow_null=True)
    done_at = Moment(allow_null=True)
    handoff = serializers.IntegerField(source="handoff_id", allow_null=True)
    section = serializers.ChoiceField([*Section.choices, ("", "")])
    ramp_plan = serializers.IntegerField(source="ramp_plan_id", allow_null=True)
    phase = serializers.ChoiceField([*RampPhase.choices, ("", "")])
    evidence_link = serializers.CharField()
    evidence_file = serializers.SerializerMethodField()
    waived_by = Brief(allow_null=True)
    waived_at = Moment(allow_null=True)
    action = serializers.ChoiceField(TaskAction.choices)

    class Meta:
        model = Task
        fields = (
            "id", "version", "created_at", "updated_at", "url", "title", "help_text", "side", "state", "due_on",
            "is_due_fixed", "assignee", "assignee_role", "opportunity", "engagement", "playbook", "trigger",
            "evidence_wanted", "evidence", "sales_done_at", "sales_done_by", "delivery_done_at", "delivery_done_by",
            "done_at", "handoff", "section", "ramp_plan", "phase", "is_required", "evidence_link", "evidence_file",
            "waived_reason", "waived_by", "waived_at", "action",
        )  # fmt: skip

    @extend_schema_field(EvidenceFile(allow_null=True))
    def get_evidence_file(self, task: Task) -> dict[str, Any] | None:
        """Its name and where it is downloaded."""
        file = task.evidence_file
        if file is None:
            return None
        path = reverse("opportunities:file", args=[task.opportunity_id, file.pk])
        return {"id": file.pk, "name": file.name, "url": self.context["request"].build_absolute_uri(path)}


class TaskQuery(ListQuery):
    """Filters of the task list."""

    ordering = Ordering("id", "due_on", "updated_at", "title")
    opportunity = Id()
    engagement = Id()
    handoff = Id()
    ramp_plan = Id()
    assignee = Id()
    side = serializers.ChoiceField(TaskSide.choices, required=False)
    state = serializers.ChoiceField(TaskState.choices, required=False)
    due_before = serializers.DateField(required=False)


class TaskChanges(Input):
    """What may be changed on a task. A date set by hand no longer follows the deal's dates."""

    kept = tuple(name for name in TaskOut.Meta.fields if name not in ("title", "due_on", "assignee"))
    title = Text(required=False, max_length=200)
    due_on = Day(required=False)
    assignee = Scoped(lambda _user: User.objects.filter(is_active=True), required=False, allow_null=True)


class CompleteInput(Input):
    """What shows that it is done: a note, a link (https or http), or both."""

    evidence = Text(required=False, allow_blank=True, max_length=1000)
    link = Text(required=False, allow_blank=True, max_length=500)


class WaiveInput(Input):
    """Why it can be left out."""

    reason = Text(max_length=500)


class Tasks(ListEndpoint):
    """Tasks on the deals that the caller may see."""

    output = TaskOut
    query = TaskQuery

    @documented("List tasks", gives=TaskOut, query=TaskQuery)
    def get(self, request: Request) -> Response:
        """A page of them."""
        given = self.parameters()
        names = ("opportunity", "engagement", "handoff", "ramp_plan", "assignee", "side", "state")
        tasks = Task.objects.visible_to(self.user).filter(**{name: given[name] for name in names if name in given})
        if "due_before" in given:
            tasks = tasks.filter(due_on__lt=given["due_before"])
        people = ("assignee", "sales_done_by", "delivery_done_by", "waived_by")
        joined = tasks.select_related("opportunity", "template__playbook", "evidence_file", *people)
        return self.page(joined, given)


class TaskDetail(Endpoint):
    """One task."""

    output = TaskOut

    @documented("Show a task", gives=TaskOut)
    def get(self, request: Request, pk: int) -> Response:
        """The task with its ETag."""
        return self.answer(readable_task(self.user, pk))

    @documented("Change a task", takes=TaskChanges, gives=TaskOut, versioned=True)
    def patch(self, request: Request, pk: int) -> Response:
        """Title, due date or assignee."""
        task = workable_task(self.user, pk)
        version = expected_version(request, task)
        changes: dict[str, Any] = self.read(TaskChanges)
        changed = change_task(actor=self.user, task=task, changes=changes, expected_version=version, now=self.now)
        return self.answer(changed)


class TaskComplete(Endpoint):
    """Saying done."""

    output = TaskOut

    @documented("Complete a task", takes=CompleteInput, gives=TaskOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Done, for the caller's own side."""
        task = workable_task(self.user, pk)
        version = expected_version(request, task)
        given = self.read(CompleteInput)
        completed = complete_task(
            actor=self.user, task=task, evidence=given.get("evidence", ""), link=given.get("link", ""),
            expected_version=version, now=self.now,
        )  # fmt: skip
        return self.answer(completed)


class TaskReopen(Endpoint):
    """Taking a done or a waiver back."""

    output = TaskOut

    @documented("Reopen a task", takes=NoInput, gives=TaskOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Open again, for both sides."""
        task = workable_task(self.user, pk)
        version = expected_version(request, task)
        self.read(NoInput)
        reopened = reopen_task(actor=self.user, task=task, expected_version=version, now=self.now)
        return self.answer(reopened)


class TaskWaive(Endpoint):
    """Leaving an item of a checklist or a milestone out."""

    output = TaskOut

    @documented("Waive a task", takes=WaiveInput, gives=TaskOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Left out, with the reason; reopening takes it back. Exit criteria can't be waived."""
        task = readable_task(self.user, pk)
        if not self.user.has_perm("handoffs.waive_item", task):
            raise PermissionDenied(_("The managers of both sides and the project manager can waive an item."))
        version = expected_version(request, task)
        reason = self.read(WaiveInput)["reason"]
        waived = waive_item(actor=self.user, task=task, reason=reason, expected_version=version, now=self.now)
        return self.answer(waived)
