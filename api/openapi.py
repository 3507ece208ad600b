"""How the API describes itself: OpenAPI 3.1 with every parameter, header and refusal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers

from accounts.text import INVISIBLE
from api.fields import Input, Text
from api.versions import TAGS_PATTERN

Method = TypeVar("Method", bound=Callable[..., Any])

IF_MATCH = OpenApiParameter(
    "If-Match",
    {"type": "string", "pattern": TAGS_PATTERN.replace("(?:", "("), "example": "*"},
    OpenApiParameter.HEADER,
    required=True,
    description="The ETag of what you have seen; * for whichever it is.",
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": "^[!-~]{1,200}$"},
    OpenApiParameter.HEADER,
    description="The same key with the same body gets the first answer for 24 hours, and has its effect once.",
)
REFUSALS = {
    400: "The input can't be used; see fields.",
    401: "No token, or one that is not valid any more.",
    403: "Your role does not allow this.",
    404: "There is nothing, or you may not see it.",
    409: "Not possible as things stand; legal names what is.",
    412: "Somebody changed it meanwhile; current is how it stands now.",
    413: "The body is too large.",
    415: "Not JSON.",
    422: "Something is missing first, see fields; or the Idempotency-Key was used for another request.",
    428: "If-Match is missing.",
    429: "Too often; see Retry-After.",
    503: "The database is busy or away; see Retry-After.",
}


class ProblemOut(serializers.Serializer[Any]):
    """Every refusal."""

    code = serializers.CharField(help_text="For programs.")
    detail = serializers.CharField(help_text="For people: what to do.")
    fields = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()), help_text="Sentences by name of the field."
    )


class TokenScheme(OpenApiAuthenticationExtension):
    """`Authorization: Token …`."""

    target_class = "api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """An API key in a header, because OpenAPI knows no other schemes than Basic and Bearer by name."""
        return {
            "type": "apiKey", "in": "header", "name": "Authorization", "description": "Token, a space, and the token.",
        }  # fmt: skip


class TextScheme(OpenApiSerializerFieldExtension):
    """Texts with what `accounts.text` refuses, as a pattern."""

    target_class = Text

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        """Length, and which characters."""
        field: Text = self.target
        controls = r"\u0000-\u0008\u000b\u000c\u000e-\u001f" if field.is_multiline else r"\u0000-\u0008\u000a-\u001f"
        refused = controls + r"\u007f-\u009f\u202a-\u202e\u2066-\u2069"
        anything = f"[^{refused}]*"
        visible = rf"[^\s{refused}{_escaped(INVISIBLE)}]"
        length = {"maxLength": field.max_length} if field.max_length else {}
        # Where blank is allowed, the generator adds the empty text as an alternative of its own.
        pattern = f"^[^{refused}]+$" if field.allow_blank else f"^{anything}{visible}{anything}$"
        return {"type": "string", "minLength": 1, **length, "pattern": pattern}


def _escaped(characters: Iterable[str]) -> str:
    return "".join(f"\\u{ord(character):04x}" for character in sorted(characters))


def documented(
    summary: str,
    *,
    gives: type[serializers.BaseSerializer[Any]],
    takes: type[Input] | None = None,
    query: type[Input] | None = None,
    status: int = 200,
    versioned: bool = False,
    is_list: bool | None = None,
    refuses: tuple[int, ...] = (),
) -> Callable[[Method], Method]:
    """Describe one method of an endpoint; the refusals follow from what it takes."""
    parameters: list[Any] = [IF_MATCH] if versioned else []
    codes = {401, 404, 400, 503, *refuses}
    if takes is not None:
        codes |= {403, 409, 413, 415, 422}
    if versioned:
        codes |= {412, 428}
    if query is not None:
        parameters.append(query)
    shown: Any = page_of(gives) if (query is not None if is_list is None else is_list) else gives
    answers = {status: shown} | {code: OpenApiResponse(ProblemOut, REFUSALS[code]) for code in sorted(codes)}

    def decorate(method: Method) -> Method:
        if getattr(method, "is_idempotent", False):
            parameters.append(IDEMPOTENCY_KEY)
        described: Method = extend_schema(
            summary=summary, description=method.__doc__, parameters=parameters, request=takes, responses=answers
        )(method)
        return described

    return decorate


_pages: dict[str, Any] = {}


def page_of(shown: type[serializers.BaseSerializer[Any]]) -> Any:
    """A page of objects, as lists answer."""
    name = shown.__name__.removesuffix("Out") + "Page"
    if name not in _pages:
        _pages[name] = inline_serializer(
            name,
            {
                "next": serializers.URLField(allow_null=True),
                "previous": serializers.URLField(allow_null=True),
                "results": shown(many=True),
            },
        )
    return _pages[name]


class Schema(AutoSchema):
    """Groups addresses by their first part."""

    def get_tags(self) -> list[str]:
        """``opportunities`` for everything below ``/api/v1/opportunities/``."""
        return [self.path.removeprefix("/api/v1/").strip("/").split("/")[0] or "api"]

    def get_operation_id(self) -> str:
        """``opportunities_move_post``, from path and method."""
        parts = [part for part in self.path.removeprefix("/api/v1/").strip("/").split("/") if not part.startswith("{")]
        stem = "_".join(part.replace("-", "_") for part in parts)
        one = "_one" if self.path.rstrip("/").endswith("}") else ""
        return f"{stem}{one}_{self.method.lower()}"


def closed_inputs(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Say that inputs take the named fields only, as they do, and leave our suffixes out of the names."""
    schemas = result["components"]["schemas"]
    for name, component in schemas.items():
        if component.get("type") == "object" and name.endswith("Request"):
            component["additionalProperties"] = False
    names = {name: re.sub("(Out|Request)$", "", name) for name in schemas}
    taken = list(names.values())
    names = {name: short if taken.count(short) == 1 else name for name, short in names.items()}
    result["components"]["schemas"] = {names[name]: component for name, component in schemas.items()}
    renamed: dict[str, Any] = _with_names(result, names)
    return renamed


def _with_names(node: Any, names: dict[str, str]) -> Any:
    """The same with every reference under its new name."""
    if isinstance(node, list):
        return [_with_names(each, names) for each in node]
    if not isinstance(node, dict):
        return node
    renamed = {key: _with_names(value, names) for key, value in node.items()}
    if isinstance(node.get("$ref"), str):
        head, _slash, name = node["$ref"].rpartition("/")
        renamed["$ref"] = f"{head}/{names.get(name, name)}"
    return renamed
