"""What every address of the API has in common."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework import serializers, status
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from api.errors import Problem, invalid, not_found
from api.fields import Input
from api.parsing import StrictJSONParser
from api.versions import etag


class AlwaysJSON(BaseContentNegotiation):
    """Whatever a client says it accepts, it gets JSON: there is nothing else to give."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """The parser for the Content-Type; None where there is none, which becomes 415."""
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(
        self, request: Request, renderers: list[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The first one."""
        return renderers[0], renderers[0].media_type or ""


class Endpoint(APIView):
    """One address: fetch and authorise, read the input, call one service, show the result."""

    content_negotiation_class = AlwaysJSON
    parser_classes = (StrictJSONParser,)
    # How an object of this address is shown, also in a 412.
    output: ClassVar[type[serializers.BaseSerializer]]
    # The parameters that GET understands; anything else is refused.
    query: ClassVar[type[Input] | None] = None

    now: dt.datetime

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Sign in, then refuse methods that there are not, and parameters that would be ignored."""
        self.now = timezone.now()
        super().initial(request, *args, **kwargs)
        if (request.method or "").lower() not in self.http_method_names or not hasattr(
            self, str(request.method).lower()
        ):
            self.http_method_not_allowed(request)
        known = set(self.query._declared_fields) if self.query and request.method in ("GET", "HEAD") else set()
        unknown = sorted(set(request.query_params) - known)
        if unknown:
            names = ", ".join(sorted(known)) or _("none")
            sentence = _("There is no parameter %(given)s here. Known: %(names)s.") % {
                "given": ", ".join(unknown),
                "names": names,
            }
            fields = {name: [_("Unknown parameter.")] for name in unknown}
            raise Problem(status.HTTP_400_BAD_REQUEST, "unknown_parameter", sentence, fields=fields)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Answers belong to one person and one moment."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "private, no-store")
        patch_vary_headers(response, ["Authorization"])
        return response

    @property
    def user(self) -> User:
        """Who asks; permissions saw to it that somebody does."""
        user = self.request.user
        assert isinstance(user, User)
        return user

    def read(self, reader: type[Input], data: Any = None) -> dict[str, Any]:
        """The validated body. Raises ValidationError with a sentence per field."""
        data = self.request.data if data is None else data
        if data is None:
            raise invalid({}, _("Send a JSON object."))
        given = reader(data=data, context=self.context())
        given.is_valid(raise_exception=True)
        return given.validated_data

    def parameters(self) -> dict[str, Any]:
        """The validated query parameters."""
        assert self.query is not None
        doubled = [name for name, values in self.request.query_params.lists() if len(values) > 1]
        if doubled:
            sentence = _("Give each parameter once.")
            fields = {name: [_("Given more than once.")] for name in doubled}
            raise Problem(status.HTTP_400_BAD_REQUEST, "invalid", sentence, fields=fields)
        return self.read(self.query, self.request.query_params.dict())

    def shown(self, thing: Any) -> Any:
        """An object as this address shows it."""
        return self.output(thing, context=self.context()).data

    def answer(self, thing: Any, code: int = status.HTTP_200_OK) -> Response:
        """The object with its ETag; a new one with its address."""
        body = self.shown(thing)
        headers = {}
        if hasattr(thing, "version"):
            headers["ETag"] = etag(thing)
        if code == status.HTTP_201_CREATED:
            headers["Location"] = body["url"]
        return Response(body, status=code, headers=headers)

    def context(self) -> Mapping[str, Any]:
        """What serializers may look at."""
        return {"request": self.request, "user": self.request.user, "now": self.now, "view": self}


@csrf_exempt
def nothing(request: HttpRequest, rest: str = "") -> JsonResponse:
    """Any address below the API that does not exist, whatever the method."""
    problem = not_found()
    return JsonResponse({"code": problem.code, "detail": str(problem.detail), "fields": {}}, status=problem.status_code)
