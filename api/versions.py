"""Nobody overwrites what they have not seen: ETag out, If-Match in."""

from __future__ import annotations

import re
from typing import Protocol

from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.request import Request

from api.errors import Problem

_ETAG = re.compile(r'"(\d{1,9})"', re.ASCII)


class Versioned(Protocol):
    """Something that counts its changes."""

    version: int


def etag(thing: Versioned) -> str:
    """The ETag header's value."""
    return f'"{thing.version}"'


def expected_version(request: Request, thing: Versioned) -> int:
    """The version that the caller has seen, from If-Match; ``*`` means whichever it is.

    Raises Problem: 428 without the header, 412 where no version of ours can match it.
    """
    given = request.headers.get("If-Match", "").strip()
    if not given:
        sentence = _("Send If-Match with the ETag of what you have seen, such as %(etag)s.") % {"etag": '"3"'}
        raise Problem(status.HTTP_428_PRECONDITION_REQUIRED, "if_match_needed", sentence)
    if given == "*":
        return thing.version
    match = _ETAG.fullmatch(given)
    if match is None:
        sentence = _("If-Match takes the ETag of what you have seen, such as %(etag)s.") % {"etag": '"3"'}
        raise Problem(status.HTTP_412_PRECONDITION_FAILED, "stale", sentence, current=thing)
    return int(match[1])
