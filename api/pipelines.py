"""Pipelines and stages: read by everybody, written by administrators."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import require_administrator
from api.endpoints import Endpoint
from api.errors import invalid
from api.fields import Brief, Choice, Flag, Id, Input, Scoped, Text, Url, Whole
from api.idempotency import idempotent
from api.lists import ListEndpoint, ListQuery, Ordering
from api.openapi import documented
from opportunities.models import ForecastCategory, Pipeline, Policy, Stage, StageKind, Temperature
from opportunities.services.criteria import demanded_of
from opportunities.services.pipelines import change_pipeline, create_pipeline, set_pipeline_active
from opportunities.services.stages import add_stage, change_stage


class NamedStage(serializers.Serializer[Any]):
    """A stage in brief."""

    id = serializers.IntegerField()
    key = serializers.CharField()
    name = serializers.CharField()


@extend_schema_field(NamedStage)
class StageBrief(Brief):
    """A stage as {"id", "key", "name"}."""

    def to_representation(self, value: Any) -> dict[str, Any]:
        """Id, key and name."""
        return {"id": value.pk, "key": value.key, "name": value.name}


@extend_schema_field(
    {"oneOf": [{"type": "integer", "minimum": 1, "format": "int64"}, {"type": "string", "minLength": 1}]}
)
class StageReference(serializers.Field[int | str, int | str, int | str, Any]):
    """A stage by its id, or by its key within a pipeline."""

    def to_internal_value(self, data: Any) -> int | str:
        """Id or key as given."""
        if isinstance(data, bool) or not isinstance(data, (int, str)) or data == "":
            raise serializers.ValidationError(_("Write the id of a stage, or its key."))
        return data

    @staticmethod
    def find(reference: int | str, pipeline: Pipeline | None) -> Stage:
        """The stage; archived ones too, so that the refusal can say so. Raises Problem."""
        stages = Stage.objects.select_related("pipeline")
        if isinstance(reference, str):
            stage = stages.filter(pipeline=pipeline, key=reference).first()
        else:
            stage = stages.filter(pk=reference).first() if 0 < reference < 2**63 else None
        if stage is None:
            raise invalid({"stage": [_("There is no such stage.")]})
        return stage


class PipelineOut(serializers.ModelSerializer[Pipeline]):
    """A pipeline and its policies for unusual moves."""

    url = Url("api:pipeline")

    class Meta:
        model = Pipeline
        fields = ("id", "url", "key", "name", "position", "skip_policy", "back_policy", "is_active")


class PipelineQuery(ListQuery):
    """Filters of the pipeline list."""

    ordering = Ordering("position", "id", "name")
    is_active = serializers.BooleanField(required=False)


class PipelineNew(Input):
    """A new pipeline, with the stages of another one or with one open, one won and one lost stage."""

    kept = PipelineOut.Meta.fields
    name = Text(max_length=80)
    like = Scoped(lambda _user: Pipeline.objects.all(), required=False, allow_null=True)


class PipelineChanges(Input):
    """What may be changed on a pipeline."""

    kept = PipelineOut.Meta.fields
    name = Text(required=False, max_length=80)
    skip_policy = Choice(Policy.choices, required=False)
    back_policy = Choice(Policy.choices, required=False)
    is_active = Flag(required=False)


class Pipelines(ListEndpoint):
    """All pipelines."""

    output = PipelineOut
    query = PipelineQuery

    @documented("List pipelines", gives=PipelineOut, query=PipelineQuery)
    def get(self, request: Request) -> Response:
        """A page of them."""
        given = self.parameters()
        pipelines = Pipeline.objects.all()
        if "is_active" in given:
            pipelines = pipelines.filter(is_active=given["is_active"])
        return self.page(pipelines, given)

    @documented("Add a pipeline", takes=PipelineNew, gives=PipelineOut, status=201)
    @idempotent
    def post(self, request: Request) -> Response:
        """Add one behind the others."""
        require_administrator(self.user)
        given = self.read(PipelineNew)
        pipeline = create_pipeline(actor=self.user, name=given["name"], like=given.get("like"), now=self.now)
        return self.answer(pipeline, status.HTTP_201_CREATED)


class PipelineDetail(Endpoint):
    """One pipeline."""

    output = PipelineOut

    @documented("Show a pipeline", gives=PipelineOut)
    def get(self, request: Request, pk: int) -> Response:
        """The pipeline."""
        return self.answer(_found(Pipeline, pk))

    @documented("Change a pipeline", takes=PipelineChanges, gives=PipelineOut)
    def patch(self, request: Request, pk: int) -> Response:
        """Name, policies, in use or not."""
        require_administrator(self.user)
        pipeline = _found(Pipeline, pk)
        given = self.read(PipelineChanges)
        is_active = given.pop("is_active", None)
        with transaction.atomic():
            pipeline = change_pipeline(actor=self.user, pipeline=pipeline, wanted=given, base={}, now=self.now)
            if is_active is not None:
                pipeline = set_pipeline_active(actor=self.user, pipeline=pipeline, is_active=is_active, now=self.now)
        return self.answer(pipeline)


class StageOut(serializers.ModelSerializer[Stage]):
    """A stage and what it implies for the deals that enter it."""

    url = Url("api:stage")
    pipeline = Brief()
    is_archived = serializers.SerializerMethodField()

    class Meta:
        model = Stage
        fields = (
            "id", "url", "pipeline", "key", "name", "position", "kind", "temperature", "probability",
            "forecast_category", "expected_days", "is_archived",
        )  # fmt: skip

    def get_is_archived(self, stage: Stage) -> bool:
        """Whether it is out of use; deals may still have ended there."""
        return stage.archived_at is not None


class StageQuery(ListQuery):
    """Filters of the stage list."""

    ordering = Ordering("position", "id", "name")
    pipeline = Id()
    kind = serializers.ChoiceField(StageKind.choices, required=False)
    is_archived = serializers.BooleanField(required=False)


class StageChanges(Input):
    """What may be changed on a stage. Won and lost stages mean what they mean."""

    kept = StageOut.Meta.fields
    name = Text(required=False, max_length=80)
    kind = Choice(StageKind.choices, required=False)
    temperature = Choice(Temperature.choices, required=False)
    probability = Whole(required=False, min_value=0, max_value=100)
    forecast_category = Choice(ForecastCategory.choices, required=False)
    expected_days = Whole(required=False, allow_null=True, min_value=1, max_value=999)


class StageNew(StageChanges):
    """A new stage, behind the others of its kind."""

    pipeline = Scoped(lambda _user: Pipeline.objects.all())
    name = Text(max_length=80)


class Stages(ListEndpoint):
    """The stages of all pipelines."""

    output = StageOut
    query = StageQuery

    @documented("List stages", gives=StageOut, query=StageQuery)
    def get(self, request: Request) -> Response:
        """A page of them."""
        given = self.parameters()
        stages = Stage.objects.select_related("pipeline")
        for name in ("pipeline", "kind"):
            if name in given:
                stages = stages.filter(**{name: given[name]})
        if "is_archived" in given:
            stages = stages.filter(archived_at__isnull=not given["is_archived"])
        return self.page(stages, given)

    @documented("Add a stage", takes=StageNew, gives=StageOut, status=201)
    @idempotent
    def post(self, request: Request) -> Response:
        """Add one."""
        require_administrator(self.user)
        given = self.read(StageNew)
        stage = add_stage(actor=self.user, pipeline=given.pop("pipeline"), values=given, now=self.now)
        return self.answer(stage, status.HTTP_201_CREATED)


class StageDetail(Endpoint):
    """One stage."""

    output = StageOut

    @documented("Show a stage", gives=StageOut)
    def get(self, request: Request, pk: int) -> Response:
        """The stage."""
        return self.answer(_found(Stage, pk))

    @documented("Change a stage", takes=StageChanges, gives=StageOut)
    def patch(self, request: Request, pk: int) -> Response:
        """Change what is named; open deals in it follow in the background."""
        require_administrator(self.user)
        stage = _found(Stage, pk)
        given = self.read(StageChanges)
        gate = demanded_of(stage)
        changed = change_stage(
            actor=self.user, stage=stage, wanted=given, base={}, demanded=gate, demanded_base=gate, now=self.now
        )
        return self.answer(changed)


def _found(model: type[Any], pk: int) -> Any:
    found = model.objects.filter(pk=pk).first() if 0 < pk < 2**63 else None
    if found is None:
        raise Http404
    return found
