"""Ramp plans: what they hold, and what moves them on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.queries import organisation
from api.endpoints import Endpoint
from api.fields import Brief, Choice, Day, Flag, Id, Input, Moment, Text, Url
from api.idempotency import idempotent
from api.lists import ListEndpoint, ListQuery, Ordering
from api.openapi import documented
from api.versions import expected_version
from handoffs.models import HealthReport, ProjectState, Rag, RampPhase, RampPlan, Task, TaskSide, TaskState
from handoffs.ramp_access import readable_plan, workable_plan
from handoffs.ramp_queries.page import current_phase, is_duty
from handoffs.services import ramp
from handoffs.services.ramp.ending import missing_among


class MilestoneOut(serializers.ModelSerializer[Task]):
    """A task of the plan; it is changed, completed and reopened under tasks/."""

    url = Url("api:task")
    phase = serializers.ChoiceField(RampPhase.choices)
    side = serializers.ChoiceField(TaskSide.choices)
    state = serializers.ChoiceField(TaskState.choices)
    assignee = Brief(allow_null=True)
    done_at = Moment(allow_null=True)
    is_late = serializers.SerializerMethodField()
    waits_for = serializers.SerializerMethodField()

    class Meta:
        model = Task
        fields = (
            "id", "version", "url", "title", "phase", "side", "state", "due_on", "is_due_fixed", "is_late",
            "is_required", "assignee", "evidence_wanted", "evidence", "evidence_link", "waived_reason", "done_at",
            "waits_for",
        )  # fmt: skip

    def get_is_late(self, task: Task) -> bool:
        """Open, and its day has passed."""
        return task.is_overdue(self.context["today"])

    @extend_schema_field(serializers.ListField(child=serializers.IntegerField()))
    def get_waits_for(self, task: Task) -> list[int]:
        """Tasks that come first."""
        return sorted(other.pk for other in task.depends_on.all())


class PhaseOut(serializers.Serializer[Any]):
    """A phase and how far it is."""

    phase = serializers.ChoiceField(RampPhase.choices)
    name = serializers.CharField()
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    is_now = serializers.BooleanField()


class ReportOut(serializers.ModelSerializer[HealthReport]):
    """What somebody said of the project's health, and why."""

    rag = serializers.ChoiceField(Rag.choices)
    by = Brief()
    at = Moment()

    class Meta:
        model = HealthReport
        fields = ("rag", "reason", "by", "at")


class RampPlanOut(serializers.ModelSerializer[RampPlan]):
    """The start of one project: milestones by phase, what sales still owes, and what must be shown before it ends."""

    url = Url("api:ramp_plan")
    created_at = Moment()
    updated_at = Moment()
    opportunity = Brief()
    handoff = serializers.IntegerField(source="handoff_id")
    project_manager = Brief(source="handoff.project_manager", allow_null=True)
    state = serializers.ChoiceField(ProjectState.choices)
    health = serializers.ChoiceField(Rag.choices, source="rag")
    health_reports = ReportOut(many=True, help_text="The newest first.")
    phases = serializers.SerializerMethodField()
    milestones = serializers.SerializerMethodField()
    sales_duties = serializers.SerializerMethodField()
    exit_criteria = serializers.SerializerMethodField()
    missing_for_exit = serializers.SerializerMethodField()
    exited_at = Moment(allow_null=True)
    exited_by = Brief(allow_null=True)
    closed_at = Moment(allow_null=True)
    closed_by = Brief(allow_null=True)
    shelved_at = Moment(allow_null=True, help_text="Since when it rests because its deal was reopened.")

    class Meta:
        model = RampPlan
        fields = (
            "id", "version", "created_at", "updated_at", "url", "opportunity", "handoff", "project_manager", "state",
            "kickoff_on", "health", "health_reports", "phases", "milestones", "sales_duties", "exit_criteria",
            "missing_for_exit", "exited_at", "exited_by", "exit_reason", "closed_at", "closed_by", "shelved_at",
        )  # fmt: skip

    @extend_schema_field(PhaseOut(many=True))
    def get_phases(self, plan: RampPlan) -> list[dict[str, Any]]:
        """In their order; those without tasks are left out."""
        tasks = _tasks(plan)
        now = current_phase(tasks)
        found = []
        for phase in RampPhase:
            own = [task.state for task in tasks if task.phase == phase and task.state != TaskState.CANCELLED]
            if own:
                done = sum(state in (TaskState.DONE, TaskState.WAIVED) for state in own)
                found.append(
                    {"phase": phase.value, "name": str(phase.label), "done": done, "total": len(own),
                     "is_now": phase == now}
                )  # fmt: skip
        return found

    @extend_schema_field(MilestoneOut(many=True))
    def get_milestones(self, plan: RampPlan) -> Any:
        """By date, without the exit criteria."""
        return self._shown([task for task in _tasks(plan) if task.phase != RampPhase.EXIT])

    @extend_schema_field(MilestoneOut(many=True))
    def get_sales_duties(self, plan: RampPlan) -> Any:
        """What sales still owes: its own open tasks, by date."""
        return self._shown([task for task in _tasks(plan) if is_duty(task)])

    @extend_schema_field(MilestoneOut(many=True))
    def get_exit_criteria(self, plan: RampPlan) -> Any:
        """What must be shown before the ramp ends."""
        return self._shown([task for task in _tasks(plan) if task.phase == RampPhase.EXIT])

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_missing_for_exit(self, plan: RampPlan) -> list[str]:
        """A sentence for each thing that is missing; of an early end, what was missing then."""
        if plan.exited_at is not None:
            return [str(each["sentence"]) for each in plan.exit_missing]
        return [each.sentence for each in missing_among(plan, [t for t in _tasks(plan) if t.phase == RampPhase.EXIT])]

    def _shown(self, tasks: list[Task]) -> Any:
        return MilestoneOut(tasks, many=True, context=self.context).data


def _tasks(plan: RampPlan) -> list[Task]:
    return list(plan.tasks.all())


def with_details(plans: QuerySet[RampPlan]) -> QuerySet[RampPlan]:
    """All that is shown of plans."""
    tasks = Task.objects.select_related("assignee").prefetch_related("depends_on")
    return plans.select_related("opportunity", "handoff__project_manager", "exited_by", "closed_by").prefetch_related(
        Prefetch("tasks", tasks.order_by("due_on", "position", "pk")),
        Prefetch("health_reports", HealthReport.objects.select_related("by")),
    )


class PlanEndpoint(Endpoint):
    """An address that shows a ramp plan."""

    output = RampPlanOut

    def context(self) -> Mapping[str, Any]:
        """What is late depends on today."""
        return {**super().context(), "today": organisation().today(self.now)}

    def shown(self, thing: Any) -> Any:
        """The plan as it stands, with all that belongs to it."""
        return super().shown(with_details(RampPlan.objects.filter(pk=thing.pk)).get())

    def answer_with(self, pk: int) -> Response:
        """The plan as it stands after a change."""
        return self.answer(RampPlan.objects.get(pk=pk))

    def endable(self, pk: int) -> RampPlan:
        """The plan, or 404; 403 for those who neither manage the project nor deliver it."""
        plan = readable_plan(self.user, pk)
        if not self.user.has_perm("handoffs.exit_ramp", plan):
            raise PermissionDenied(_("The project manager, or delivery on this deal, does this."))
        return plan


class RampPlanQuery(ListQuery):
    """Filters of the list of ramp plans."""

    ordering = Ordering("kickoff_on", "id", "updated_at")
    opportunity = Id()
    owner = Id(help_text="Sales owner, delivery owner or project manager.")
    state = serializers.ChoiceField(ProjectState.choices, required=False)
    health = serializers.ChoiceField(Rag.choices, required=False)
    kickoff_from = serializers.DateField(required=False)
    kickoff_to = serializers.DateField(required=False)


class RescheduleInput(Input):
    """Another kick-off; with ``preview`` nothing is saved."""

    kickoff_on = Day()
    preview = Flag(required=False)
    reason = Text(required=False, allow_blank=True, max_length=500)


class MoveOut(serializers.Serializer[Any]):
    """A task that gets another date; ``note`` where it is not the one that the kick-off alone would give."""

    task = Brief()
    from_on = serializers.DateField()
    to_on = serializers.DateField()
    note = serializers.CharField(allow_blank=True)


class StayOut(serializers.Serializer[Any]):
    """A task that keeps its date, and why; a conflict is due before what it waits for."""

    task = Brief()
    due_on = serializers.DateField(source="task.due_on")
    why = serializers.CharField()
    is_conflict = serializers.BooleanField()


class RescheduleOut(serializers.Serializer[Any]):
    """What another kick-off changes: ``kickoff_on`` is the business day on or after the day that was asked for."""

    kickoff_on = serializers.DateField()
    is_saved = serializers.BooleanField()
    moves = MoveOut(many=True)
    stays = StayOut(many=True)
    plan = RampPlanOut()


class ExitInput(Input):
    """With ``early`` the ramp ends although something is missing, for those who may; that needs a reason."""

    early = Flag(required=False)
    reason = Text(required=False, allow_blank=True, max_length=500, is_multiline=True)


class HealthInput(Input):
    """How the project is doing, and why."""

    rag = Choice(Rag.choices)
    reason = Text(max_length=500, is_multiline=True)


class ProjectCloseInput(Input):
    """``despite_duties`` says that what sales still owes was read."""

    despite_duties = Flag(required=False)


class RampPlans(ListEndpoint, PlanEndpoint):
    """Ramp plans of the deals that the caller may see."""

    query = RampPlanQuery

    @documented("List ramp plans", gives=RampPlanOut, query=RampPlanQuery)
    def get(self, request: Request) -> Response:
        """A page of them."""
        given = self.parameters()
        plans = RampPlan.objects.visible_to(self.user).filter(opportunity__archived_at__isnull=True)
        columns = {
            "opportunity": "opportunity", "state": "state", "health": "rag", "kickoff_from": "kickoff_on__gte",
            "kickoff_to": "kickoff_on__lte",
        }  # fmt: skip
        plans = plans.filter(**{column: given[name] for name, column in columns.items() if name in given})
        if "owner" in given:
            who = given["owner"]
            plans = plans.filter(
                Q(opportunity__owner=who) | Q(opportunity__delivery_owner=who) | Q(handoff__project_manager=who)
            )
        return self.page(with_details(plans), given)


class RampPlanDetail(PlanEndpoint):
    """One ramp plan."""

    @documented("Show a ramp plan", gives=RampPlanOut)
    def get(self, request: Request, pk: int) -> Response:
        """The plan with its ETag."""
        return self.answer(readable_plan(self.user, pk))


class RampPlanReschedule(PlanEndpoint):
    """Another kick-off."""

    @documented("Move the kick-off", takes=RescheduleInput, gives=RescheduleOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Say what moves and what can't, and save it unless only a preview was asked for."""
        plan = workable_plan(self.user, pk)
        version = expected_version(request, plan)
        given = self.read(RescheduleInput)
        if version != plan.version:
            raise ramp.StalePlan(plan)
        found = ramp.preview_kickoff(plan, given["kickoff_on"], self.now)
        is_saved = not given.get("preview", False)
        body = {"kickoff_on": found.kickoff_on, "is_saved": is_saved, "moves": found.moves, "stays": found.stays}
        if is_saved:
            plan = ramp.move_kickoff(
                actor=self.user, plan=plan, kickoff_on=given["kickoff_on"], reason=given.get("reason", ""),
                expected_version=version, now=self.now,
            )  # fmt: skip
        current = with_details(RampPlan.objects.filter(pk=plan.pk)).get()
        shown = RescheduleOut({**body, "plan": current}, context=self.context()).data
        return Response(shown, headers={"ETag": f'"{current.version}"'})


class RampPlanExit(PlanEndpoint):
    """The end of the ramp."""

    @documented("End the ramp", takes=ExitInput, gives=RampPlanOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """By evidence: 422 names each criterion that is open. A delivery manager can end it early, with a reason."""
        plan = self.endable(pk)
        version = expected_version(request, plan)
        given = self.read(ExitInput)
        ramp.exit_ramp(
            actor=self.user, plan=plan, reason=given.get("reason", ""), early=given.get("early", False),
            expected_version=version, now=self.now,
        )  # fmt: skip
        return self.answer_with(pk)


class RampPlanHealth(PlanEndpoint):
    """How the project is doing."""

    @documented("Report the health", takes=HealthInput, gives=RampPlanOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Reports stay: the next one is added."""
        plan = workable_plan(self.user, pk)
        version = expected_version(request, plan)
        given = self.read(HealthInput)
        ramp.report_health(
            actor=self.user, plan=plan, rag=Rag(given["rag"]), reason=given["reason"], expected_version=version,
            now=self.now,
        )  # fmt: skip
        return self.answer_with(pk)


class RampPlanClose(PlanEndpoint):
    """The end of the project."""

    @documented("Close the project", takes=ProjectCloseInput, gives=RampPlanOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Once its ramp has ended; 422 names what sales still owes, unless that was read."""
        plan = self.endable(pk)
        version = expected_version(request, plan)
        given = self.read(ProjectCloseInput)
        ramp.close_project(
            actor=self.user, plan=plan, despite_duties=given.get("despite_duties", False), expected_version=version,
            now=self.now,
        )  # fmt: skip
        return self.answer_with(pk)
