"""The same request sent again has its effect once: the Idempotency-Key of a POST."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from api.errors import RETRY_SECONDS, Problem
from api.models import KeptAnswer

if TYPE_CHECKING:
    from api.endpoints import Endpoint

KEPT_FOR = dt.timedelta(hours=24)
FORGOTTEN_AT_ONCE = 100
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
# Decisions. The others (an input that could not be read, a missing or stale If-Match, a fault) had no effect
# and may be followed by the same request, corrected.
_DECISIONS = {200, 201, 204, 403, 404, 409, 422}
_HEADERS = ("ETag", "Location")

Handler = Callable[..., Response]


def idempotent(handler: Handler) -> Handler:
    """For ``post`` of an endpoint: with a key, the answer is kept in the transaction of its effect.

    The same key with the same body gets the first answer for 24 hours, with another body 422, and 409 while the first
    request is still at work.
    """

    @functools.wraps(handler)
    def post(endpoint: Endpoint, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return handler(endpoint, request, *args, **kwargs)
        if not _KEY.fullmatch(key):
            sentence = _("Idempotency-Key takes 1 to 200 visible ASCII characters, such as a UUID.")
            raise Problem(status.HTTP_400_BAD_REQUEST, "bad_idempotency_key", sentence)
        fingerprint = _fingerprint(request)
        user_id = int(request.user.pk or 0)
        with transaction.atomic(durable=True):
            _take(user_id, key)
            kept = _kept(user_id, key, endpoint.now)
            if kept is not None:
                return _repeated(kept, fingerprint)
            response = _first(endpoint, handler, request, *args, **kwargs)
            if response.status_code in _DECISIONS:
                _keep(user_id, key, fingerprint, response, endpoint.now)
            return response

    post.is_idempotent = True  # type: ignore[attr-defined]
    return post


def _first(endpoint: Endpoint, handler: Handler, request: Request, *args: Any, **kwargs: Any) -> Response:
    """The handler's answer; a refusal undoes what it did and is an answer too."""
    try:
        with transaction.atomic():
            return handler(endpoint, request, *args, **kwargs)
    except Exception as error:  # noqa: BLE001 - the same net as DRF's own, inside the transaction
        return endpoint.handle_exception(error)


def _fingerprint(request: Request) -> str:
    body = json.dumps(request.data, sort_keys=True, default=str)
    return hashlib.sha256(f"{request.path}\n{body}".encode()).hexdigest()


def _take(user_id: int, key: str) -> None:
    """Hold the key until the transaction ends, or refuse because another request holds it."""
    with connection.cursor() as cursor:
        name = f"api:idempotency:{user_id}:{key}"
        cursor.execute("select pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [name])
        is_ours = cursor.fetchone()[0]
    if not is_ours:
        sentence = _("The first request with this Idempotency-Key is still at work. Ask again in a moment.")
        raise Problem(status.HTTP_409_CONFLICT, "in_flight", sentence, headers={"Retry-After": RETRY_SECONDS})


def _kept(user_id: int, key: str, now: dt.datetime) -> KeptAnswer | None:
    kept = KeptAnswer.objects.filter(user_id=user_id, key=key).first()
    if kept is not None and kept.created_at <= now - KEPT_FOR:
        kept.delete()
        return None
    return kept


def _repeated(kept: KeptAnswer, fingerprint: str) -> Response:
    if kept.fingerprint != fingerprint:
        sentence = _("This Idempotency-Key was used for another request. Use a new key for each request.")
        raise Problem(status.HTTP_422_UNPROCESSABLE_ENTITY, "idempotency_key_reused", sentence)
    body = json.loads(kept.body) if kept.body else None
    return Response(body, status=kept.status, headers={**kept.headers, "Idempotency-Replayed": "true"})


def _keep(user_id: int, key: str, fingerprint: str, response: Response, now: dt.datetime) -> None:
    KeptAnswer.objects.create(
        user_id=user_id, key=key, fingerprint=fingerprint, status=response.status_code, created_at=now,
        headers={name: response.headers[name] for name in _HEADERS if name in response.headers},
        body=JSONRenderer().render(response.data).decode(),
    )  # fmt: skip
    old = KeptAnswer.objects.filter(created_at__lte=now - KEPT_FOR).order_by("created_at").values("pk")
    KeptAnswer.objects.filter(pk__in=old[:FORGOTTEN_AT_ONCE]).delete()
