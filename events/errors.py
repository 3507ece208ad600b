"""Errors in a sentence that administrators may read: no values of rows, no secrets."""

from __future__ import annotations

import re

from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError

LONGEST = 400
_SECRETS = re.compile(r"(?i)(://[^/\s:@]*:)[^@\s]+(?=@)|\b(password|passwd|secret|token|api[_-]?key)(\W{1,3})\S+")


def describe(error: BaseException) -> str:
    """The kind of error and what it says, in one line; the traceback is in the logs."""
    kind = type(error).__name__
    if isinstance(error, DatabaseError):
        return f"{_of_database(error)} ({kind})"
    if isinstance(error, ObjectDoesNotExist):
        return f"Something that the event needs no longer exists. ({kind}: {_line(error)})"
    if isinstance(error, KeyError):
        return f"The event lacks {_line(error)}; it may stem from another release. ({kind})"
    return f"{_line(error)} ({kind})" if str(error).strip() else kind


def _of_database(error: DatabaseError) -> str:
    """The server's first line and its constraint; DETAIL would repeat the row."""
    diagnosis = getattr(error.__cause__, "diag", None)
    said = getattr(diagnosis, "message_primary", None) or str(error)
    constraint = getattr(diagnosis, "constraint_name", None)
    return _line(said) + (f" [{constraint}]" if constraint and constraint not in said else "")


def _line(text: object) -> str:
    first = next((line.strip() for line in str(text).splitlines() if line.strip()), "")
    return _SECRETS.sub(lambda found: f"{found[1] or found[2] + found[3]}…", first)[:LONGEST]
