"""Every refusal has one shape: {"code", "detail", "fields"}, with a sentence that says what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import singledispatch
from typing import Any

import structlog
from django.core.exceptions import (
    NON_FIELD_ERRORS,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.core.signals import got_request_exception
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.settings import api_settings

from handoffs.services.approvals import CannotDecide, NotReady, StaleHandoff
from handoffs.services.commitments import StaleCommitment
from handoffs.services.engagements import StaleEngagement
from handoffs.services.ramp import DutiesOpen, ExitNotReady, StalePlan
from handoffs.services.reviews import StaleReview
from handoffs.services.risk_profiles import StaleProfile
from handoffs.services.risks import StaleRaidItem
from handoffs.services.tasks import StaleTask
from handoffs.states import IllegalTransition
from opportunities.services.clients import StaleRecord
from opportunities.services.merging import Collision
from opportunities.services.moves import GateNotMet
from opportunities.services.pipelines import DealsInTheWay
from opportunities.services.policies import IllegalMove, ReasonNeeded
from opportunities.services.versions import Stale
from staffing.services.checks import Stale as StaleStaffing
from staffing.states import IllegalTransition as IllegalStaffing

log = structlog.get_logger(__name__)

LARGEST_BODY = 1_000_000  # bytes
RETRY_SECONDS = "2"
_UNIQUE_VIOLATION = "23505"
# The field that a unique constraint is about, where a caller can choose the value.
_UNIQUE_FIELDS = {"opportunities_external_id_unique": "external_id"}
_WHOLE = ("", NON_FIELD_ERRORS, api_settings.NON_FIELD_ERRORS_KEY)

Fields = dict[str, list[str]]


class Problem(exceptions.APIException):
    """A refusal with all that its body and headers say.

    ``more`` goes beside code, detail and fields; ``current`` is a model instance that the endpoint shows in its way.
    """

    def __init__(
        self,
        status_code: int,
        code: str,
        detail: str,
        *,
        fields: Fields | None = None,
        more: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        current: Any = None,
    ) -> None:
        super().__init__(detail, code)
        self.status_code = status_code
        self.code = code
        self.fields = fields or {}
        self.more = more or {}
        self.headers = headers or {}
        self.current = current


class BodyTooLarge(Problem):
    """The body is larger than anything this API takes."""

    def __init__(self) -> None:
        sentence = _("The body is larger than %(limit)d bytes. Send less at once.") % {"limit": LARGEST_BODY}
        super().__init__(status.HTTP_413_REQUEST_ENTITY_TOO_LARGE, "too_large", sentence)


def invalid(fields: Fields, detail: str = "") -> Problem:
    """400 with a sentence per field."""
    sentence = detail or _("Correct %(names)s and send it again.") % {"names": ", ".join(fields)}
    return Problem(status.HTTP_400_BAD_REQUEST, "invalid", sentence, fields=fields)


def not_found() -> Problem:
    """404, the same for what doesn't exist and for what the caller may not see."""
    return Problem(
        status.HTTP_404_NOT_FOUND, "not_found", _("There is nothing at this address, or you may not see it.")
    )


def respond(error: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's EXCEPTION_HANDLER: the answer for anything that an endpoint raised."""
    problem = translated(error)
    if problem is None:
        # Told to Django the usual way (tests re-raise it, error trackers see it), but answered as JSON.
        got_request_exception.send(sender=None, request=context["request"]._request)
        log.exception("api request failed", path=context["request"].path)
        sentence = _("Something went wrong on our side. Nothing was changed; it was noted for the administrators.")
        problem = Problem(status.HTTP_500_INTERNAL_SERVER_ERROR, "error", sentence)
    headers = dict(problem.headers)
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    body = {"code": problem.code, "detail": str(problem.detail), "fields": problem.fields, **problem.more}
    if problem.current is not None:
        body["current"] = context["view"].shown(problem.current)
        if hasattr(problem.current, "version"):
            headers["ETag"] = f'"{problem.current.version}"'
    return Response(body, status=problem.status_code, headers=headers)


@singledispatch
def translated(error: Exception) -> Problem | None:
    """What an exception means to a client; None for a fault of ours."""
    return None


@translated.register
def _problem(error: Problem) -> Problem:
    return error


@translated.register
def _missing(error: Http404) -> Problem:
    return not_found()


@translated.register
def _forbidden(error: PermissionDenied) -> Problem:
    return Problem(status.HTTP_403_FORBIDDEN, "forbidden", str(error) or _("Your role does not allow this."))


@translated.register
def _invalid(error: ValidationError) -> Problem:
    return _from_fields(dict(_flat(error.message_dict if hasattr(error, "error_dict") else error.messages)))


@translated.register
def _invalid_input(error: exceptions.ValidationError) -> Problem:
    return _from_fields(dict(_flat(error.detail)))


@translated.register
def _refused(error: exceptions.APIException) -> Problem:
    """What DRF itself raises: not signed in, wrong method, wrong media type, unreadable body."""
    code = error.default_code
    headers = {}
    if isinstance(error, exceptions.MethodNotAllowed):
        sentence = _("%(detail)s The methods of this address are in the Allow header.") % {"detail": error.detail}
        return Problem(error.status_code, code, sentence)
    if isinstance(error, exceptions.UnsupportedMediaType):
        sentence = _("Send JSON, with Content-Type: application/json.")
        return Problem(error.status_code, code, sentence)
    if isinstance(error, exceptions.NotAuthenticated):
        return Problem(error.status_code, code, _("Send a token: Authorization: Token <token>."))
    if isinstance(error, exceptions.Throttled):
        headers["Retry-After"] = str(int(getattr(error, "wait", None) or 60))
    return Problem(error.status_code, code, str(error.detail), headers=headers)


@translated.register(Stale)
@translated.register(StaleEngagement)
@translated.register(StaleTask)
@translated.register(StaleReview)
@translated.register(StaleRecord)
@translated.register(StaleCommitment)
@translated.register(StaleRaidItem)
@translated.register(StaleProfile)
@translated.register(StalePlan)
@translated.register(StaleHandoff)
@translated.register(StaleStaffing)
def _stale(error: Any) -> Problem:
    return Problem(status.HTTP_412_PRECONDITION_FAILED, "stale", str(error), current=error.current)


@translated.register
def _illegal_move(error: IllegalMove) -> Problem:
    legal = [{"id": stage.pk, "key": stage.key, "name": stage.name} for stage in error.legal]
    names = ", ".join(stage.name for stage in error.legal)
    sentence = _("%(reason)s It can go to: %(names)s.") % {"reason": error, "names": names} if names else str(error)
    return Problem(status.HTTP_409_CONFLICT, "illegal_transition", sentence, more={"legal": legal})


@translated.register(IllegalTransition)
@translated.register(IllegalStaffing)
def _illegal_transition(error: Any) -> Problem:
    names = ", ".join(error.legal)
    sentence = _("%(reason)s From here it can become: %(names)s.") % {"reason": error, "names": names}
    return Problem(
        status.HTTP_409_CONFLICT, "illegal_transition", sentence if names else str(error), more={"legal": error.legal}
    )


@translated.register(Collision)
@translated.register(DealsInTheWay)
def _conflict(error: Exception) -> Problem:
    return Problem(status.HTTP_409_CONFLICT, "conflict", str(error))


@translated.register
def _gate(error: GateNotMet) -> Problem:
    fields: Fields = {}
    for item in error.missing:
        fields.setdefault(item.field or item.kind, []).append(item.sentence)
    # Where people meet what no field meets.
    links = {item.field or item.kind: item.link for item in error.missing if item.link}
    more = {"links": links} if links else {}
    return Problem(status.HTTP_422_UNPROCESSABLE_ENTITY, "gate_not_met", str(error), fields=fields, more=more)


@translated.register
def _exit(error: ExitNotReady) -> Problem:
    fields: Fields = {"missing": [each.sentence for each in error.missing]}
    return Problem(status.HTTP_422_UNPROCESSABLE_ENTITY, "gate_not_met", str(error), fields=fields)


@translated.register
def _duties(error: DutiesOpen) -> Problem:
    fields: Fields = {"despite_duties": [task.title for task in error.tasks]}
    return Problem(status.HTTP_422_UNPROCESSABLE_ENTITY, "gate_not_met", str(error), fields=fields)


@translated.register
def _not_ready(error: NotReady) -> Problem:
    sentence = _("The handoff can't be submitted yet; see fields for what is missing.")
    fields: Fields = {"missing": error.sentences}
    return Problem(status.HTTP_422_UNPROCESSABLE_ENTITY, "gate_not_met", sentence, fields=fields)


@translated.register
def _cannot_decide(error: CannotDecide) -> Problem:
    if error.is_personal:
        return Problem(status.HTTP_403_FORBIDDEN, "forbidden", error.sentence)
    return Problem(status.HTTP_409_CONFLICT, "illegal_transition", error.sentence, more={"legal": []})


@translated.register
def _reason(error: ReasonNeeded) -> Problem:
    fields = {"reason": [str(error)]}
    return Problem(status.HTTP_422_UNPROCESSABLE_ENTITY, "reason_needed", str(error), fields=fields)


@translated.register
def _too_big(error: RequestDataTooBig) -> Problem:
    return BodyTooLarge()


@translated.register
def _suspicious(error: SuspiciousOperation) -> Problem:
    return Problem(status.HTTP_400_BAD_REQUEST, "bad_request", _("The request could not be understood."))


@translated.register(OperationalError)
@translated.register(InterfaceError)
def _database(error: Exception) -> Problem:
    """The database is away, or others hold what this request needs; all of it was rolled back."""
    log.warning("api request gave up on the database", error=str(error).strip().splitlines()[:1])
    sentence = _("The database is busy or away. Nothing was changed; try again in a moment.")
    return Problem(status.HTTP_503_SERVICE_UNAVAILABLE, "unavailable", sentence, headers={"Retry-After": RETRY_SECONDS})


@translated.register
def _integrity(error: IntegrityError) -> Problem | None:
    """A value that must be unique is taken; any other broken constraint is a fault of ours."""
    if getattr(error.__cause__, "pgcode", None) != _UNIQUE_VIOLATION:
        return None
    sentence = _("This value is taken already. Look for what has it, or use another one.")
    diagnosis = getattr(error.__cause__, "diag", None)
    field = _UNIQUE_FIELDS.get(getattr(diagnosis, "constraint_name", None) or "")
    return Problem(status.HTTP_409_CONFLICT, "conflict", sentence, fields={field: [sentence]} if field else None)


def _from_fields(found: Fields) -> Problem:
    """Messages about the whole become the sentence, the others stay with their fields."""
    whole = [message for name in _WHOLE for message in found.pop(name, [])]
    return invalid(found, " ".join(whole))


def _flat(detail: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Nested messages as dotted names with their sentences."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            here = path if name in _WHOLE and path else f"{path}.{name}" if path else str(name)
            yield from _flat(inner, here)
    elif any(isinstance(item, (Mapping, list)) for item in detail):
        for index, item in enumerate(detail):
            yield from _flat(item, f"{path}.{index}" if path else str(index))
    else:
        yield path, [str(message) for message in detail]
