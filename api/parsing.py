"""JSON read strictly: what another reader might understand otherwise is refused with a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

from api.errors import LARGEST_BODY, BodyTooLarge

DEEPEST = 20
LARGEST_WHOLE = 2**63


class StrictJSONParser(BaseParser):
    """UTF-8 JSON of a bounded size and depth, without doubled names, NaN, NUL or half characters."""

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The value; numbers with a fraction as Decimal. Raises ParseError, BodyTooLarge."""
        body = _bounded(stream)
        if not body.strip():
            return {}
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            raise ParseError(_("The body is not valid UTF-8."))
        return _read(text)


def _bounded(stream: IO[bytes]) -> bytes:
    """The body; a server may hand it over in pieces."""
    pieces, size = [], 0
    while piece := stream.read(LARGEST_BODY + 1 - size):
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST_BODY:
            raise BodyTooLarge
    return b"".join(pieces)


def _read(text: str) -> Any:
    try:
        value = json.loads(text, parse_float=_fraction, parse_constant=_refuse, object_pairs_hook=_object)
    except RecursionError:
        raise ParseError(_("The body is nested too deeply."))
    except json.JSONDecodeError as error:
        raise ParseError(
            _("The body is not valid JSON: line %(line)d, column %(column)d.")
            % {"line": error.lineno, "column": error.colno}
        )
    except ValueError:  # an integer of thousands of digits
        raise ParseError(_("The body contains a number that is too long."))
    for string in _strings(value):
        if "\0" in string or any("\ud800" <= char <= "\udfff" for char in string):
            raise ParseError(_("The body contains a NUL or half a character (a lone surrogate)."))
    return value


def _fraction(text: str) -> Decimal | int:
    """Exact; 3.0 is the whole number that JSON Schema takes it for."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ParseError(_("The body contains a number that is too long."))
    is_whole = abs(number) < LARGEST_WHOLE and number == number.to_integral_value()
    return int(number) if is_whole else number


def _refuse(constant: str) -> None:
    raise ParseError(_("%(constant)s is not a number in JSON.") % {"constant": constant})


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ParseError(_("The body names a field twice in the same object."))
    return found


def _strings(value: Any) -> Iterator[str]:
    """Every string, names included; refuses depth before anybody recurses into it."""
    waiting: list[tuple[Any, int]] = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        if depth > DEEPEST:
            raise ParseError(_("The body is nested too deeply."))
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            yield from item
            waiting.extend((child, depth + 1) for child in item.values())
        elif isinstance(item, list):
            waiting.extend((child, depth + 1) for child in item)
