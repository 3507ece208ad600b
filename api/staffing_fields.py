"""What the addresses of staffing have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Protocol

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import User
from api.fields import Input, NamedThing, Scoped, Whole
from api.versions import Versioned
from staffing.models import LEAST_PROFICIENCY, MOST_PROFICIENCY, Skill, WorkRole

_HOURS = re.compile(r"\d{1,3}(\.\d)?", re.ASCII)


@extend_schema_field({"type": "string", "pattern": r"^[0-9]{1,3}(\.[0-9])?$", "example": "32.0"})
class Hours(serializers.Field[Decimal, str, str, Any]):
    """Hours as a string with one digit after the point."""

    def to_internal_value(self, data: Any) -> Decimal:
        """The exact hours; how many are possible depends on what for."""
        if not isinstance(data, str) or not _HOURS.fullmatch(data):
            raise serializers.ValidationError(
                _("Write the hours as a string, with one digit after a point, such as “32.5”.")
            )
        return Decimal(data)

    def to_representation(self, value: Decimal) -> str:
        """One digit after the point."""
        return f"{value:.1f}"


def roles_in_use(_user: User) -> Any:
    """The roles that a request may name."""
    return WorkRole.objects.filter(archived_at__isnull=True)


def skills_in_use(_user: User) -> Any:
    """The skills that a request may name."""
    return Skill.objects.filter(archived_at__isnull=True)


class Level(Protocol):
    """A skill of somebody's, or one that is needed."""

    skill: Skill
    proficiency: int


class LevelOut(serializers.Serializer[Any]):
    """A skill, and how well."""

    skill = NamedThing()
    proficiency = serializers.IntegerField(help_text="1 (has begun) to 5 (teaches it).")


class LevelIn(Input):
    """A skill, and how well: 1 (has begun) to 5 (teaches it)."""

    skill = Whole(min_value=1, max_value=2**63 - 1)
    proficiency = Whole(min_value=LEAST_PROFICIENCY, max_value=MOST_PROFICIENCY)


def shown_levels(levels: Iterable[Level]) -> list[dict[str, Any]]:
    """Skills with their proficiency, by name."""
    return [
        {"skill": {"id": level.skill.pk, "name": level.skill.name}, "proficiency": level.proficiency}
        for level in sorted(levels, key=lambda level: (level.skill.name, level.skill.pk))
    ]


def given_levels(levels: Iterable[dict[str, int]]) -> dict[int, int]:
    """Proficiency by id of the skill; of a skill that is named twice the last one counts."""
    return {level["skill"]: level["proficiency"] for level in levels}


def seen_since(before: int, given: int, now_is: Versioned) -> int:
    """The version to expect in a further change of one request: the caller's, until the request changed something."""
    return given if now_is.version == before else now_is.version


class RoleField(Scoped):
    """The id of a role in use."""

    def __init__(self, **options: Any) -> None:
        super().__init__(roles_in_use, **options)
