"""The schema, and a page to read it on.

The page is ours because the usual ones need inline styles, which our content security policy refuses.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.views import SpectacularAPIView

METHODS = ("get", "post", "patch", "delete")
DEEPEST = 3


class Schema(SpectacularAPIView):
    """OpenAPI as JSON, for everybody."""

    authentication_classes = ()
    permission_classes = ()
    renderer_classes = (OpenApiJsonRenderer,)


@dataclass(frozen=True)
class Field:
    """A parameter, or a field of a body; dots lead into objects."""

    name: str
    kind: str
    text: str
    is_needed: bool
    choices: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Operation:
    """One method of one address."""

    key: str
    method: str
    path: str
    summary: str
    text: str
    needs_token: bool
    parameters: list[Field]
    body: list[Field]
    status: str
    answer: list[Field]
    is_list: bool
    refusals: list[tuple[str, str]]
    example: str


@dataclass(frozen=True)
class Group:
    """The operations of one resource."""

    name: str
    operations: list[Operation]


@require_safe
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """What can be asked and what comes back."""
    root = request.build_absolute_uri("/").rstrip("/")
    return render(request, "api/docs.html", {"groups": groups(get_language() or "en"), "root": root})


@functools.lru_cache(maxsize=8)
def groups(language: str) -> list[Group]:
    """Everything that can be asked, by resource, in the words of the active language."""
    schema: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    found: dict[str, list[Operation]] = {}
    for path, methods in schema["paths"].items():
        for method in METHODS:
            if method in methods:
                operation = methods[method]
                found.setdefault(operation["tags"][0], []).append(_operation(schema, path, method, operation))
    return [Group(name, operations) for name, operations in found.items()]


def _operation(schema: dict[str, Any], path: str, method: str, given: dict[str, Any]) -> Operation:
    takes = given.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    status, answer = next((code, answer) for code, answer in given["responses"].items() if code.startswith("2"))
    gives = _resolved(schema, answer.get("content", {}).get("application/json", {}).get("schema", {}))
    is_list = "results" in gives.get("properties", {})
    shown = gives["properties"]["results"]["items"] if is_list else gives
    return Operation(
        key=given["operationId"],
        method=method.upper(),
        path=path,
        summary=given.get("summary", ""),
        text=given.get("description", ""),
        needs_token=bool(given.get("security")),
        parameters=[_parameter(schema, each) for each in given.get("parameters", [])],
        body=list(_fields(schema, takes)),
        status=status,
        answer=list(_fields(schema, shown)),
        is_list=is_list,
        refusals=[(code, each["description"]) for code, each in given["responses"].items() if code >= "400"],
        example=_example(schema, path, method, given, takes),
    )


def _parameter(schema: dict[str, Any], given: dict[str, Any]) -> Field:
    kind = f"{_kind(schema, given['schema'])}, {given['in']}"
    choices = [str(choice) for choice in given["schema"].get("enum", [])]
    return Field(given["name"], kind, _plain(given.get("description", "")), given.get("required", False), choices)


def _fields(schema: dict[str, Any], given: dict[str, Any], path: str = "", depth: int = 1) -> Iterator[Field]:
    found = _resolved(schema, given)
    for name, inner in found.get("properties", {}).items():
        whole = f"{path}{name}"
        text, choices = _plain(inner.get("description", "")), [str(each) for each in _enum(schema, inner)]
        yield Field(whole, _kind(schema, inner), text, name in found.get("required", []), choices)
        below = _object(schema, inner)
        if depth < DEEPEST and below:
            yield from _fields(schema, below, f"{whole}.", depth + 1)


def _resolved(schema: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The schema that a reference points at."""
    if "$ref" in given:
        found: dict[str, Any] = schema["components"]["schemas"][given["$ref"].rpartition("/")[2]]
        return found
    if len(given.get("allOf", [])) == 1:
        return _resolved(schema, given["allOf"][0])
    return given


def _object(schema: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The object that a field holds, perhaps besides null; nothing for arrays of names and plain values."""
    for choice in given.get("oneOf", [given]):
        found = _resolved(schema, choice)
        if found.get("type") == "array":
            found = _resolved(schema, found["items"])
        if "properties" in found and set(found["properties"]) - {"id", "key", "name"}:
            return found
    return {}


def _enum(schema: dict[str, Any], given: dict[str, Any]) -> list[Any]:
    choices = [_resolved(schema, choice).get("enum", []) for choice in given.get("oneOf", [given])]
    return [each for some in choices for each in some if each not in (None, "")]


def _kind(schema: dict[str, Any], given: dict[str, Any]) -> str:
    """The type in a word or two."""
    if "oneOf" in given:
        return " or ".join(dict.fromkeys(_kind(schema, choice) for choice in given["oneOf"]))
    found = _resolved(schema, given)
    kind = found.get("type", "object")
    words = kind if isinstance(kind, list) else [kind]
    if set(found.get("properties", {})) in ({"id", "name"}, {"id", "key", "name"}):
        return "{" + ", ".join(found["properties"]) + "}"
    if words[0] == "array":
        return f"list of {_kind(schema, found['items'])}"
    return " or ".join([str(found.get("format", words[0])).replace("int64", "integer"), *words[1:]])


def _plain(text: str) -> str:
    """Without the list of choices that the generator adds."""
    return text.partition("\n\n* `")[0] if not text.startswith("* `") else ""


def _example(schema: dict[str, Any], path: str, method: str, given: dict[str, Any], takes: dict[str, Any]) -> str:
    """The request as a command."""
    lines = [f"curl {'' if method == 'get' else f'-X {method.upper()} '}$ONETEAM{path.replace('{id}', '1')}"]
    if given.get("security"):
        lines.append('-H "Authorization: Token $TOKEN"')
    names = {each["name"] for each in given.get("parameters", [])}
    if "If-Match" in names:
        lines.append("""-H 'If-Match: "3"'""")
    if takes:
        lines += ["-H 'Content-Type: application/json'", f"-d '{json.dumps(_sample(schema, takes))}'"]
    return " \\\n  ".join(lines)


def _sample(schema: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The needed fields with plausible values; one of the others where none is needed."""
    found = _resolved(schema, given)
    needed = found.get("required") or list(found.get("properties", {}))[:1]
    return {name: _value(schema, found["properties"][name]) for name in needed}


def _value(schema: dict[str, Any], given: dict[str, Any]) -> Any:
    found = _resolved(schema, given.get("oneOf", [given])[-1 if "stage" in str(given) else 0])
    if "example" in found:
        return found["example"]
    if found.get("enum"):
        return found["enum"][0]
    if found.get("properties"):
        return _sample(schema, found)
    kind = found.get("type", "string")
    kind = kind[0] if isinstance(kind, list) else kind
    text = "2026-11-30" if found.get("format") == "date" else "…"
    return {"integer": 1, "boolean": True, "string": text}.get(kind, text)
