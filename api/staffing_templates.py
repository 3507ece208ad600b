"""What deals of a service line usually take; kept by those who plan people."""

from __future__ import annotations

from django.db.models import QuerySet
from django.db.transaction import atomic
from django.http import Http404
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ServiceLine, User
from api.endpoints import Endpoint
from api.fields import Brief, Flag, Id, Input, Moment, Scoped, Url, Whole
from api.idempotency import idempotent
from api.lists import ListEndpoint, ListQuery, Ordering
from api.openapi import documented
from api.staffing_fields import Hours, RoleField, seen_since
from api.versions import expected_version
from staffing.access import require_planner
from staffing.models import MOST_OFFSET, MOST_WEEKS, NeedTemplate
from staffing.services.lists import archive_template, restore_template, save_template


class NeedTemplateOut(serializers.ModelSerializer[NeedTemplate]):
    """A need that deals of a service line usually have."""

    url = Url("api:staffing_need_template")
    service_line = Brief(allow_null=True, help_text="Null: of every line without usual needs of its own.")
    role = Brief()
    hours_per_week = Hours(read_only=True)
    archived_at = Moment(allow_null=True)

    class Meta:
        model = NeedTemplate
        fields = (
            "id", "version", "url", "service_line", "role", "hours_per_week", "offset_weeks", "weeks", "position",
            "archived_at",
        )  # fmt: skip


class TemplateQuery(ListQuery):
    """Order and filters of the list."""

    ordering = Ordering("id", "position")
    service_line = Id()
    role = Id()
    archived = serializers.BooleanField(default=False)


def _lines(_user: User) -> QuerySet[ServiceLine]:
    return ServiceLine.objects.filter(is_active=True)


class TemplateChanges(Input):
    """What may be changed; ``archived`` takes it out of use, or back. Needs that came from it stay as they are."""

    kept = ("id", "version", "url", "archived_at", "position")
    service_line = Scoped(_lines, required=False, allow_null=True)
    role = RoleField(required=False)
    hours_per_week = Hours(required=False)
    offset_weeks = Whole(required=False, min_value=0, max_value=MOST_OFFSET)
    weeks = Whole(required=False, min_value=1, max_value=MOST_WEEKS)
    archived = Flag(required=False)


class TemplateNew(Input):
    """A role, how much of it, from when after the start and for how long."""

    service_line = Scoped(_lines, required=False, allow_null=True)
    role = RoleField()
    hours_per_week = Hours()
    offset_weeks = Whole(required=False, min_value=0, max_value=MOST_OFFSET)
    weeks = Whole(min_value=1, max_value=MOST_WEEKS)


class NeedTemplates(ListEndpoint):
    """Usual needs."""

    output = NeedTemplateOut
    query = TemplateQuery

    @documented("List usual needs", gives=NeedTemplateOut, query=TemplateQuery, refuses=(403,))
    def get(self, request: Request) -> Response:
        """Those in use, or those that were archived."""
        require_planner(self.user)
        given = self.parameters()
        rows = NeedTemplate.objects.filter(archived_at__isnull=not given["archived"])
        rows = rows.filter(**{name: given[name] for name in ("service_line", "role") if name in given})
        return self.page(rows.select_related("service_line", "role"), given)

    @documented("Add a usual need", takes=TemplateNew, gives=NeedTemplateOut, status=201)
    @idempotent
    def post(self, request: Request) -> Response:
        """It comes last among those of its service line."""
        require_planner(self.user)
        values = self.read(TemplateNew)
        made = save_template(actor=self.user, template=None, values=values, now=self.now)
        return self.answer(made, status.HTTP_201_CREATED)


class NeedTemplateDetail(Endpoint):
    """One usual need."""

    output = NeedTemplateOut

    @documented("Show a usual need", gives=NeedTemplateOut, refuses=(403,))
    def get(self, request: Request, pk: int) -> Response:
        """The usual need with its ETag."""
        return self.answer(self._found(pk))

    @documented("Change a usual need", takes=TemplateChanges, gives=NeedTemplateOut, versioned=True)
    def patch(self, request: Request, pk: int) -> Response:
        """Other hours or weeks; take it out of use, or back."""
        template = self._found(pk)
        version, given = expected_version(request, template), self.read(TemplateChanges)
        is_archived = given.pop("archived", None)
        with atomic():
            saved = save_template(
                actor=self.user, template=template, values=given, now=self.now, expected_version=version
            )
            if is_archived is not None:
                change = archive_template if is_archived else restore_template
                seen = seen_since(template.version, version, saved)
                saved = change(actor=self.user, template=saved, now=self.now, expected_version=seen)
        return self.answer(saved)

    @documented("Archive a usual need", gives=NeedTemplateOut, versioned=True, refuses=(403,))
    def delete(self, request: Request, pk: int) -> Response:
        """No longer ask for it on new deals."""
        template = self._found(pk)
        version = expected_version(request, template)
        return self.answer(archive_template(actor=self.user, template=template, now=self.now, expected_version=version))

    def _found(self, pk: int) -> NeedTemplate:
        require_planner(self.user)
        rows = NeedTemplate.objects.filter(pk=pk if 0 < pk < 2**63 else 0)
        found = rows.select_related("service_line", "role").first()
        if found is None:
            raise Http404
        return found
