"""Nobody overwrites what they have not seen: ETag out, If-Match in."""

from __future__ import annotations

import re
from typing import Protocol

from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.request import Request

from api.errors import Problem

_TAG = r'(?:W/)?"[\x21\x23-\x7e]*"'
TAGS_PATTERN = rf"^({_TAG}(?:[ \t]*,[ \t]*{_TAG})*|\*)$"
_TAGS = re.compile(TAGS_PATTERN)
# Versions begin at 1, so whoever compares finds it stale.
NO_VERSION = 0
_NUMBER = re.compile(r'"(\d{1,9})"', re.ASCII)


class Versioned(Protocol):
    """Something that counts its changes."""

    version: int


def etag(thing: Versioned) -> str:
    """The ETag header's value."""
    return f'"{thing.version}"'


def expected_version(request: Request, thing: Versioned) -> int:
    """The version that the caller has seen, from If-Match; ``*`` means whichever it is.

    Tags that no version of ours can match give one that is stale. Raises Problem: 428 without the header, 400 when it
    is none.
    """
    given = request.headers.get("If-Match", "").strip()
    example = {"etag": '"3"'}
    if not given:
        sentence = _("Send If-Match with the ETag of what you have seen, such as %(etag)s.") % example
        raise Problem(status.HTTP_428_PRECONDITION_REQUIRED, "if_match_needed", sentence)
    if not _TAGS.match(given):
        sentence = _("If-Match takes the ETag of what you have seen, such as %(etag)s.") % example
        raise Problem(status.HTTP_400_BAD_REQUEST, "bad_if_match", sentence)
    tags = re.findall(_TAG, given)
    if given == "*" or etag(thing) in tags:
        return thing.version
    number = _NUMBER.fullmatch(tags[0])
    return int(number[1]) if number else NO_VERSION
