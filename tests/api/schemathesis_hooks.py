"""What Schemathesis can't know: which ids there are, and which refusals of well-formed requests depend on the data."""

from __future__ import annotations

import json
import os
import re
import uuid
from typing import Any

import schemathesis

# Sentences about the data, or about days; a 400 with any other sentence contradicts the schema.
_DEPENDS = re.compile(
    "There is nothing with this id|There is no such (event|stage|day)|This cursor does not belong|Use a year between"
    "|Choose (today|a day|a time|somebody)|already|can't start before|starts in an open stage|no longer in use|Say what"
    "|Evidence is wanted|First complete|still open|can't be part of itself|Enter a valid (URL|email)"
    "|so it stays what it was|needs at least one stage|at most|This is the only|no pipeline with an open stage"
    "|Choose one of: (competitor|open)|more than \\d+ characters|The deal is closed|once the meeting has begun"
    "|who were invited|Give this one a score|belongs to another review|can't see this deal|at least one condition"
    "|With conditions the verdict|carried over once|Answer each question once|no such condition|Say why|to override"
    "|is rated from 1 to 5|The register is empty|Nothing in the register|still to come|Say on what|for the other side"
    "|comes before the first|Choose a last day|for a year at most|stands in for themselves|would be a circle"
    "|End that first|This follows|last day has passed|can't sign in any more|has no ramp plan|belong to the deal"
    "|No e-mail address|not to be written to|begins with https"
    "|That day has passed|its ramp plan rests|The ramp has ended|The project is closed|Nobody works from that day"
    "|can't end before|leaves before|(joins|leaves) on|no longer planned|Ensure (this value|that there)|another deal"
    "|Choose skills from|is always booked|Bookings of an open|its bookings are hard|This is needed|has no dates"
    "|Name a deal|Give them a name|has no such field|0 changes nothing|Name all who join|The horizon (begins with|goes)"
)


# Existing ids by resource, from the test; and which resource a field of a body is about.
IDS: dict[str, list[int]] = json.loads(os.environ.get("ONETEAM_IDS", "{}"))
_ABOUT = {
    "account": "accounts", "parent": "accounts", "assignee": "people", "delegate": "people", "delegator": "people",
    "delivery_owner": "people", "owner": "people",
    "role": "staffing-roles", "person": "staffing-people", "skill": "staffing-skills",
    "scenario": "staffing-scenarios",
    "like": "pipelines", "pipeline": "pipelines", "stage": "stages",
}  # fmt: skip


def _existing(resource: str, given: Any) -> Any:
    """Three in four times the id of something that exists, else what was given."""
    ids = IDS.get(resource, [])
    if not ids or type(given) is not int or given % 4 == 3:
        return given
    return ids[given // 4 % len(ids)]


@schemathesis.hook
def before_call(ctx: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Well-formed requests are mostly about what exists, in the version that it has."""
    _give_new_key(case)
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if "id" in case.path_parameters:
        given = case.path_parameters["id"]
        parts = case.path.split("/")
        resource = f"staffing-{parts[4]}" if parts[3] == "staffing" else parts[3]
        case.path_parameters["id"] = _existing(resource, given)
        if case.headers and "If-Match" in case.headers and type(given) is int and given % 4 != 3:
            case.headers["If-Match"] = "*"
    if isinstance(case.body, dict):
        case.body |= {name: _existing(_ABOUT.get(name, ""), value) for name, value in case.body.items()}


def _give_new_key(case: schemathesis.Case) -> None:
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
