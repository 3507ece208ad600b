"""Fields that take exactly their type, and the base of every input."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import User
from accounts.models.organisation import validate_currency
from accounts.text import fault_in, trimmed

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_AMOUNT = re.compile(r"\d{1,13}(\.\d{1,2})?", re.ASCII)
AMOUNT_PATTERN = r"^[0-9]{1,13}(\.[0-9]{1,2})?$"


class Input(serializers.Serializer[Any]):
    """What a caller sends. Names that it doesn't know are refused, never ignored."""

    # Names that the object shows but nobody sets, for a better sentence.
    kept: tuple[str, ...] = ("id", "version", "created_at", "updated_at", "url")

    def to_internal_value(self, data: Any) -> Any:
        """Refuse unknown names, then validate."""
        if not isinstance(data, dict):
            raise serializers.ValidationError({"": [_("Send a JSON object.")]})
        known = {name for name, field in self.fields.items() if not field.read_only}
        unknown = [name for name in data if name not in known]
        if unknown:
            raise serializers.ValidationError({str(name)[:80]: [self._refusal(str(name))] for name in unknown})
        return super().to_internal_value(data)

    def _refusal(self, name: str) -> str:
        if name in self.kept:
            return _("OneTeam keeps this itself; it can't be set here.")
        return _("There is no such field. Known: %(names)s.") % {"names": ", ".join(self.fields) or _("none")}


class Text(serializers.CharField):
    """A string; no numbers in its place, and no characters that deceive the eye."""

    def __init__(self, *, is_multiline: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.is_multiline = is_multiline

    def to_internal_value(self, data: Any) -> str:
        """The text without space at its ends."""
        if not isinstance(data, str):
            raise serializers.ValidationError(_("Write this as text, in quotes."))
        fault = fault_in(data, is_multiline=self.is_multiline)
        if fault:
            raise serializers.ValidationError(fault)
        return unicodedata.normalize("NFC", trimmed(super().to_internal_value(data)).replace("\r\n", "\n"))

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Blank counts after invisible characters were taken off."""
        return super().run_validation(trimmed(data) if isinstance(data, str) else data)


class Whole(serializers.IntegerField):
    """A whole number, not a string or a truth value that looks like one."""

    def to_internal_value(self, data: Any) -> int:
        """The number."""
        if isinstance(data, bool) or not isinstance(data, int):
            raise serializers.ValidationError(_("Write a whole number, without quotes."))
        return data


class Id(serializers.IntegerField):
    """An id among query parameters; one that is nowhere finds nothing."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=2**63 - 1, required=False, **options)


class Flag(serializers.BooleanField):
    """true or false."""

    def to_internal_value(self, data: Any) -> bool:
        """The truth."""
        if not isinstance(data, bool):
            raise serializers.ValidationError(_("Write true or false."))
        return data


class Choice(serializers.ChoiceField):
    """One of some words."""

    def to_internal_value(self, data: Any) -> str:
        """The word."""
        if not isinstance(data, str) or data not in self.choices:
            words = ", ".join(str(word) for word in self.choices)
            raise serializers.ValidationError(_("Choose one of: %(words)s.") % {"words": words})
        return data


class Day(serializers.DateField):
    """A date such as 2026-11-30; dates have no time and no zone."""

    def to_internal_value(self, value: Any) -> dt.date:
        """The day."""
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            raise serializers.ValidationError(_("Write the date as year-month-day, such as 2026-11-30."))
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            raise serializers.ValidationError(_("There is no such day."))


class Moment(serializers.DateTimeField):
    """A time in UTC, with Z."""

    def __init__(self, **options: Any) -> None:
        super().__init__(default_timezone=dt.UTC, **options)


@extend_schema_field({"type": "integer", "minimum": 1, "format": "int64"})
class Scoped(serializers.Field[Any, Any, Any, Any]):
    """An id among the objects that the caller may name; others might as well not exist."""

    default_error_messages = {
        "unknown": gettext_lazy("There is nothing with this id, or you may not see it."),
        "type": gettext_lazy("Write an id, a whole number."),
    }

    def __init__(self, among: Callable[[User], Iterable[Model]], **options: Any) -> None:
        """``among`` gives a queryset, or some objects, for a person."""
        super().__init__(**options)
        self.among = among

    def to_internal_value(self, data: Any) -> Model:
        """The object."""
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("type")
        allowed = self.among(self.context["user"])
        if not 0 < data < 2**63:
            self.fail("unknown")
        if isinstance(allowed, QuerySet):
            found = allowed.filter(pk=data).first()
        else:
            found = next((thing for thing in allowed if thing.pk == data), None)
        if found is None:
            self.fail("unknown")
        return found

    def to_representation(self, value: Model) -> int:
        """The id."""
        return int(value.pk)


@extend_schema_field({"type": "string", "pattern": AMOUNT_PATTERN, "example": "1234.50"})
class Amount(serializers.Field[Decimal, str, str, Any]):
    """An amount as a string, because floats lose cents."""

    def to_internal_value(self, data: Any) -> Decimal:
        """The exact amount."""
        if not isinstance(data, str) or not _AMOUNT.fullmatch(data):
            raise serializers.ValidationError(
                _("Write the amount as a string: up to 13 digits, and 2 after a point, such as “1234.50”.")
            )
        return Decimal(data)

    def to_representation(self, value: Decimal) -> str:
        """Two digits after the point."""
        return f"{value:.2f}"


@extend_schema_field({"type": "string", "pattern": "^[A-Z]{3}$", "example": "EUR"})
class Currency(serializers.Field[str, str, str, Any]):
    """Three capital letters of ISO 4217."""

    def to_internal_value(self, data: Any) -> str:
        """The code."""
        try:
            validate_currency(data if isinstance(data, str) else "")
        except ValidationError as error:
            raise serializers.ValidationError(error.messages)
        return data

    def to_representation(self, value: str) -> str:
        """The code."""
        return value


class Money(Input):
    """An amount in a currency."""

    amount = Amount()
    currency = Currency()


class NamedThing(serializers.Serializer[Any]):
    """Something in brief: what a request names it by, and what people call it."""

    id = serializers.IntegerField()
    name = serializers.CharField()


@extend_schema_field(NamedThing)
class Brief(serializers.Field[Any, Any, dict[str, Any], Any]):
    """Another object as {"id", "name"}."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, **options)

    def to_representation(self, value: Model) -> dict[str, Any]:
        """Id and name."""
        return {"id": value.pk, "name": str(value)}


@extend_schema_field({"type": "string", "format": "uri"})
class Url(serializers.Field[Any, str, str, Any]):
    """The address of the object itself."""

    def __init__(self, view_name: str) -> None:
        super().__init__(source="pk", read_only=True)
        self.view_name = view_name

    def to_representation(self, value: Any) -> str:
        """Absolute, as the caller reached us."""
        return self.context["request"].build_absolute_uri(reverse(self.view_name, args=[value]))
