"""What Schemathesis can't know: which refusals of well-formed requests depend on the data."""

from __future__ import annotations

import re
import uuid
from typing import Any

import schemathesis

# Sentences about the data, or about days; a 400 with any other sentence contradicts the schema.
_DEPENDS = re.compile(
    "There is nothing with this id|There is no such (event|stage|day)|This cursor does not belong|Use a year between"
    "|Choose (today|a day|somebody)|already|can't start before|starts in an open stage|no longer in use|Say what"
    "|Evidence is wanted|First complete|still open|can't be part of itself|Enter a valid (URL|email)"
    "|so it stays what it was|needs at least one stage|at most|This is the only|no pipeline with an open stage"
    "|Choose one of: (competitor|open)|more than \\d+ characters"
)


@schemathesis.hook
def before_call(ctx: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """A key for each request, else most of them would be refused for a key that was used already."""
    key = case.headers.get("Idempotency-Key") if case.headers else None
    if isinstance(key, str) and re.fullmatch("[!-~]{1,150}", key):
        case.headers["Idempotency-Key"] = f"{key}-{uuid.uuid4()}"


@schemathesis.check
def refusals_have_a_reason(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> bool | None:
    """A request that the schema allows is refused with 400 only for what the schema can't say."""
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive or response.status_code != 400:
        return None
    refusal = response.json()
    sentences = [sentence for given in refusal["fields"].values() for sentence in given] or [refusal["detail"]]
    unexplained = [sentence for sentence in sentences if not _DEPENDS.search(sentence)]
    assert not unexplained, f"well-formed, but refused: {unexplained}"
    return None


@schemathesis.check
def refusals_have_the_one_shape(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> bool | None:
    """{"code", "detail", "fields"} with a sentence."""
    if response.status_code < 400 or case.method == "HEAD":
        return None
    refusal = response.json()
    assert {"code", "detail", "fields"} <= set(refusal), refusal
    assert refusal["detail"].rstrip().endswith((".", "…")), refusal
    return None
