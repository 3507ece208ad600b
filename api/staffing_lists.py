"""Roles and skills: read by everybody, kept by those who plan people."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.transaction import atomic
from django.http import Http404
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from api.endpoints import Endpoint
from api.fields import Flag, Input, Moment, Text, Url
from api.idempotency import idempotent
from api.lists import ListEndpoint, ListQuery, Ordering
from api.openapi import documented
from api.staffing_fields import seen_since
from api.versions import expected_version
from staffing.models import Skill, WorkRole
from staffing.services.lists import (
    archive_role,
    archive_skill,
    restore_role,
    restore_skill,
    save_role,
    save_skill,
)

ENTRY = ("id", "version", "url", "name", "archived_at")


class WorkRoleOut(serializers.ModelSerializer[WorkRole]):
    """What somebody does on a project."""

    url = Url("api:staffing_role")
    archived_at = Moment(allow_null=True)

    class Meta:
        model = WorkRole
        fields = (*ENTRY, "position")


class SkillOut(serializers.ModelSerializer[Skill]):
    """Something that a person can do more or less well."""

    url = Url("api:staffing_skill")
    archived_at = Moment(allow_null=True)

    class Meta:
        model = Skill
        fields = ENTRY


class EntryQuery(ListQuery):
    """Order and filter of the list."""

    ordering = Ordering("id", "name")
    archived = serializers.BooleanField(default=False)


class RoleQuery(EntryQuery):
    """Order and filter of the roles."""

    ordering = Ordering("id", "name", "position", default="position")


class EntryNew(Input):
    """A name that no other has."""

    name = Text(max_length=80)


class EntryChanges(Input):
    """What may be changed; ``archived`` takes it out of use, or back."""

    kept = ("id", "version", "url", "archived_at", "position")
    name = Text(required=False, max_length=80)
    archived = Flag(required=False)


class Roles(ListEndpoint):
    """Roles of people and needs."""

    output = WorkRoleOut
    query = RoleQuery

    @documented("List roles", gives=WorkRoleOut, query=RoleQuery)
    def get(self, request: Request) -> Response:
        """Those in use, or those that were archived."""
        given = self.parameters()
        return self.page(WorkRole.objects.filter(archived_at__isnull=not given["archived"]), given)

    @documented("Add a role", takes=EntryNew, gives=WorkRoleOut, status=201)
    @idempotent
    def post(self, request: Request) -> Response:
        """It comes last."""
        name = self.read(EntryNew)["name"]
        return self.answer(save_role(actor=self.user, role=None, name=name, now=self.now), status.HTTP_201_CREATED)


class Skills(ListEndpoint):
    """Skills of people and needs."""

    output = SkillOut
    query = EntryQuery

    @documented("List skills", gives=SkillOut, query=EntryQuery)
    def get(self, request: Request) -> Response:
        """Those in use, or those that were archived."""
        given = self.parameters()
        return self.page(Skill.objects.filter(archived_at__isnull=not given["archived"]), given)

    @documented("Add a skill", takes=EntryNew, gives=SkillOut, status=201)
    @idempotent
    def post(self, request: Request) -> Response:
        """It can be given to people and asked for from then on."""
        name = self.read(EntryNew)["name"]
        return self.answer(save_skill(actor=self.user, skill=None, name=name, now=self.now), status.HTTP_201_CREATED)


class _Entry(Endpoint):
    """One role or skill."""

    model: ClassVar[Any]

    def found(self, pk: int) -> Any:
        """The entry, or 404."""
        row = self.model.objects.filter(pk=pk).first() if 0 < pk < 2**63 else None
        if row is None:
            raise Http404
        return row


class RoleDetail(_Entry):
    """One role."""

    model = WorkRole
    output = WorkRoleOut

    @documented("Show a role", gives=WorkRoleOut)
    def get(self, request: Request, pk: int) -> Response:
        """The role with its ETag."""
        return self.answer(self.found(pk))

    @documented("Change a role", takes=EntryChanges, gives=WorkRoleOut, versioned=True)
    def patch(self, request: Request, pk: int) -> Response:
        """Rename it, take it out of use or back."""
        role = self.found(pk)
        version, given = expected_version(request, role), self.read(EntryChanges)
        with atomic():
            name = given.get("name", role.name)
            saved = save_role(actor=self.user, role=role, name=name, now=self.now, expected_version=version)
            if "archived" in given:
                change = archive_role if given["archived"] else restore_role
                seen = seen_since(role.version, version, saved)
                saved = change(actor=self.user, role=saved, now=self.now, expected_version=seen)
        return self.answer(saved)

    @documented("Archive a role", gives=WorkRoleOut, versioned=True, refuses=(403,))
    def delete(self, request: Request, pk: int) -> Response:
        """No longer offer it; people and needs that have it keep it."""
        role = self.found(pk)
        version = expected_version(request, role)
        return self.answer(archive_role(actor=self.user, role=role, now=self.now, expected_version=version))


class SkillDetail(_Entry):
    """One skill."""

    model = Skill
    output = SkillOut

    @documented("Show a skill", gives=SkillOut)
    def get(self, request: Request, pk: int) -> Response:
        """The skill with its ETag."""
        return self.answer(self.found(pk))

    @documented("Change a skill", takes=EntryChanges, gives=SkillOut, versioned=True)
    def patch(self, request: Request, pk: int) -> Response:
        """Rename it, take it out of use or back."""
        skill = self.found(pk)
        version, given = expected_version(request, skill), self.read(EntryChanges)
        with atomic():
            name = given.get("name", skill.name)
            saved = save_skill(actor=self.user, skill=skill, name=name, now=self.now, expected_version=version)
            if "archived" in given:
                change = archive_skill if given["archived"] else restore_skill
                seen = seen_since(skill.version, version, saved)
                saved = change(actor=self.user, skill=saved, now=self.now, expected_version=seen)
        return self.answer(saved)

    @documented("Archive a skill", gives=SkillOut, versioned=True, refuses=(403,))
    def delete(self, request: Request, pk: int) -> Response:
        """No longer offer it; people who have it keep it."""
        skill = self.found(pk)
        version = expected_version(request, skill)
        return self.answer(archive_skill(actor=self.user, skill=skill, now=self.now, expected_version=version))
